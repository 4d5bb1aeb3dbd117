import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse } from 'yaml'
import type { Verdict } from './checks.ts'
import { projectMistakes } from './project-files.ts'
import { ROOT, run } from './run.ts'

/** One fenced block of a document whose info string ends with `test`: ```sh test, ```yaml slipway.yaml test. */
export interface Example {
  language: string
  /** A name in the info string: the block is written to that file of the document's folder, for the blocks after it. */
  file: string | undefined
  text: string
  /** Line of the fence, from 1. */
  line: number
}

const EXAMPLE_MS_MAX = 120_000
/** As many as the documents have; fewer are seen to be lost. */
const EXAMPLES_MIN = 15
/** This must be found to fail, or nothing would. */
const PLANTED: Example[] = [{ language: 'sh', file: undefined, text: 'slipway no-such-command\n', line: 1 }]

/** Blocks of one document in their order. */
export function examplesOf(markdown: string): Example[] {
  const found: Example[] = []
  const all = markdown.split('\n')
  for (let at = 0; at < all.length; at++) {
    const fence = /^```(\S+)(?: ([^\s`]+))? test$/.exec(all[at]!)
    if (!fence) continue
    const end = all.indexOf('```', at + 1)
    const text = all.slice(at + 1, end === -1 ? undefined : end).join('\n')
    found.push({ language: fence[1]!, file: fence[2], text: `${text}\n`, line: at + 1 })
    at = end === -1 ? all.length : end
  }
  return found
}

// Parts of the server are imported where they are used: what does not load there is that check's failure, not ours.

/** A document with this line gets a server of its own, over an empty folder; clients find it by the environment. */
const WITH_SERVER = '<!-- test: server -->'

/**
 * Runs the examples of all documents: `sh` by bash (stops at the first failing command), `python` in the environment of
 * our tests, `ts` by Node; `json` and `yaml` are parsed, a `slipway.yaml` is read as the server does. Blocks of one document share a scratch folder, in which `slipway`
 * is a command.
 */
export async function docsExamples(): Promise<Verdict> {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const problems: string[] = []
  let tried = 0
  for (const file of files.split('\0').filter(Boolean)) {
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    const examples = examplesOf(text)
    if (examples.length === 0) continue
    tried += examples.length
    problems.push(...(await (text.includes(WITH_SERVER) ? withServer(file, examples) : tryAll(file, examples, {}))))
  }
  if (tried < EXAMPLES_MIN)
    problems.push(`only ${tried} examples are marked with test, and there were ${EXAMPLES_MIN}: were marks lost?`)
  if ((await tryAll('planted', PLANTED, {})).length === 0) problems.push('an example that is planted to fail passed')
  return { problems }
}

async function withServer(file: string, examples: Example[]): Promise<string[]> {
  const { withApp } = await import('./app.ts')
  return withApp(({ url }) => tryAll(file, examples, { SLIPWAY_URL: url, MLFLOW_TRACKING_URI: url }))
}

async function tryAll(file: string, examples: Example[], more: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'slipway-docs-'))
  try {
    mkdirSync(path.join(folder, '.bin'))
    const main = path.join(ROOT, 'server/src/main.ts')
    writeFileSync(path.join(folder, '.bin/slipway'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
      mode: 0o755,
    })
    const env = {
      ...process.env,
      ...more,
      PATH: `${folder}/.bin${path.delimiter}${process.env.PATH}`,
      INIT_CWD: folder,
    }
    for (const example of examples) {
      const problem = await tryOne(example, folder, env)
      // What comes after a failed step would only repeat it.
      if (problem) return [`${file}:${example.line} (${example.language}): ${problem}`]
    }
    return []
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tryOne(example: Example, cwd: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (example.file) {
    const target = path.join(cwd, example.file)
    if (!target.startsWith(cwd + path.sep)) return `${example.file} is outside the scratch folder`
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, example.text)
  }
  switch (example.language) {
    case 'csv':
      return example.file ? undefined : 'a CSV has a name, for the blocks after it'
    case 'json':
      return caught(() => JSON.parse(example.text))
    case 'yaml':
      if (path.basename(example.file ?? '') === 'slipway.yaml')
        return (await projectMistakes(example.text)).join('\n') || undefined
      return caught(() => parse(example.text))
    case 'sh':
      return finished(
        await run('bash', ['-euo', 'pipefail', '-c', example.text], { cwd, env, timeout_ms: EXAMPLE_MS_MAX }),
      )
    case 'python': {
      const { testEnvironment } = await import('../server/test/kit/python.ts')
      const { python } = await testEnvironment()
      return finished(await run(python, ['-c', example.text], { cwd, env, timeout_ms: EXAMPLE_MS_MAX }))
    }
    case 'ts':
      return finished(
        await run(process.execPath, ['--input-type=module-typescript', '-'], {
          cwd,
          env,
          timeout_ms: EXAMPLE_MS_MAX,
          input: example.text,
        }),
      )
    default:
      return `${example.language} examples cannot be tried: tools/docs-examples.ts knows sh, python, ts, csv, json and yaml`
  }
}

function caught(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const finished = ({ code, signal, output }: { code: number; signal: string | null; output: string }) =>
  code === 0 && !signal ? undefined : `ended with ${signal ?? code}\n${output.trimEnd().slice(-2000)}`
