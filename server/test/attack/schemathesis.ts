/** Schemathesis over the whole description, against the server as it is started by people. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testEnvironments } from '#kit/python.ts'
import { startServer } from './server-process.ts'

/**
 * Left out: streams that never end, what ends the token that asks, and three calls whose only answer is 501, which their clients
 * take as the word to go another way.
 */
const LEFT_OUT = '/live$|/sign|/sessions|/tokens|/presigned'
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'

export interface Examined {
  /** Answers that are wrong. What the tool itself trips over is in the report alone. */
  failures: number
  /** `Tested: 246`, `2004 generated`. */
  operations: number
  cases: number
  /** What it says of each failure, with the request that shows it. */
  report: string
}

/** The first call of a checkout takes a minute. */
export const schemathesisEnvironment = async () =>
  testEnvironments().ensure({ lock: readFileSync(join(import.meta.dirname, 'environment.lock'), 'utf8') })

/** `seconds`: of fuzzing; what every operation is asked in any case comes first. */
export async function examine(
  python: string,
  { seconds, examples, phases }: { seconds: number; examples: number; phases: string },
): Promise<Examined> {
  const cwd = mkdtempSync(join(tmpdir(), 'slipway-schemathesis-'))
  const server = await startServer(join(cwd, 'data'))
  try {
    const args = [
      ...['-m', 'schemathesis.cli', 'run', `${server.url}/openapi.json`],
      ...['--checks', CHECKS, '--exclude-path-regex', LEFT_OUT],
      ...['--phases', phases, '--max-examples', String(examples), '--max-time', String(seconds), '--workers', '2'],
      ...['--request-timeout', '30', '--suppress-health-check', 'all', '--generation-database', 'none', '--no-shrink'],
      ...['--seed', '20', '--continue-on-failure', '--no-color', '--warnings', 'off'],
    ]
    const child = spawn(python, args, {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd, LANG: 'C.UTF-8' },
      timeout: (seconds + 120) * 1000,
      killSignal: 'SIGKILL',
    })
    let report = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (report += chunk))
    await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    const number = (pattern: RegExp) => Number(pattern.exec(report)?.[1] ?? 0)
    const from = report.indexOf('= FAILURES =')
    return {
      failures: number(/(\d+) unique failures?/),
      operations: number(/Tested: (\d+)/),
      cases: number(/(\d+) generated/),
      report: report.slice(Math.max(0, from), Math.max(0, from) + 8000),
    }
  } finally {
    await server.stop()
    rmSync(cwd, { recursive: true, force: true })
  }
}
