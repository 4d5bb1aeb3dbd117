import { expect, test } from 'vitest'
import { examplesOf } from './docs-examples.ts'

const DOCUMENT = `# A document

\`\`\`sh test
slipway --version
\`\`\`

\`\`\`sh
not tried
\`\`\`

\`\`\`yaml slipway.yaml test
a: 1
\`\`\`
`

test('examples are the fenced blocks marked with test, with their file and line', () => {
  expect(examplesOf(DOCUMENT)).toEqual([
    { language: 'sh', file: undefined, text: 'slipway --version\n', line: 3 },
    { language: 'yaml', file: 'slipway.yaml', text: 'a: 1\n', line: 11 },
  ])
})
