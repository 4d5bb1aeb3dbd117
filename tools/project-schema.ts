// The JSON Schema of slipway.yaml, for editors; a running server has the same at /slipway.schema.json.
import { ProjectFile } from '../server/src/app/project/schema.ts'
import { keep } from './generated.ts'

const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...ProjectFile }
keep({ 'docs/slipway.schema.json': `${JSON.stringify(schema, null, 2)}\n` })
