import { docsExamples } from './docs-examples.ts'
import { projectFiles } from './project-files.ts'
import { repositoryRules } from './repo-rules.ts'
import { run, script } from './run.ts'

/** What a check found. Each problem is a text of one or more lines that says where and what to do. */
export interface Verdict {
  problems: string[]
  warnings?: string[]
}

export interface Check {
  name: string
  run(): Promise<Verdict>
}

/** No check needs a minute on 2 cores; a hang is cut here. */
const CHECK_MS_MAX = 5 * 60_000

/** What is made from the code and committed: `npm run gen` runs these, the checks run them with `--check`. */
export const GENERATED: Record<string, string> = {
  'schema dump': 'tools/schema-dump.ts',
  'OpenAPI and generated client': 'tools/openapi.ts',
  'event table': 'tools/event-table.ts',
  'JSON Schema of slipway.yaml': 'tools/project-schema.ts',
}

/** The list of all checks. A new one is one line here: a name and a program that ends with 0, or a function. */
export const CHECKS: readonly Check[] = [
  { name: 'types of the server', run: program('node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json') },
  { name: 'types of the web', run: program('node_modules/typescript/bin/tsc', '--noEmit', '-p', 'web/tsconfig.json') },
  { name: 'lint and format', run: program('node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.') },
  { name: 'arrows', run: program('tools/arch/check.mjs') },
  ...Object.entries(GENERATED).map(([name, file]) => ({ name, run: program(file, '--check') })),
  { name: 'docs examples', run: docsExamples },
  { name: 'project files', run: projectFiles },
  ...repositoryRules,
]

/** A check that is a program of ours, run by Node: it passes when it ends with 0, else its output is the problem. */
function program(file: string, ...args: string[]): () => Promise<Verdict> {
  return async () => {
    const { code, signal, output } = await run(...script(file, ...args), { timeout_ms: CHECK_MS_MAX })
    const lines = output.trimEnd().split('\n')
    const warnings = lines.filter((line) => line.startsWith('warning: ')).map((line) => line.slice('warning: '.length))
    if (code === 0) return { problems: [], warnings }
    const why = signal === 'SIGKILL' ? `not done after ${CHECK_MS_MAX / 1000} s\n` : ''
    return { problems: [why + lines.filter((line) => !line.startsWith('warning: ')).join('\n')], warnings }
  }
}
