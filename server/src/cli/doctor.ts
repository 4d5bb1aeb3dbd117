import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { showDuration } from '#kernel/units.ts'
import { readConfig } from '../config.ts'
import type { Client } from './client.ts'
import { EXIT } from './exit.ts'
import { table } from './output.ts'
import type { CommandAction } from './program.ts'

type Verdict = 'ok' | 'warn' | 'fail'

interface Finding {
  check: string
  verdict: Verdict
  words: string
}

const run = promisify(execFile)

/** Checks the machine and the folder without starting anything; answers 1 when something must be mended. */
export const doctor: CommandAction<[{ data?: string }]> = async ({ cwd, output, client }, options) => {
  const config = readConfig({ cwd, env: process.env, flags: options.data === undefined ? {} : { data: options.data } })
  const findings: Finding[] = [
    node(),
    await python(),
    await folder(config.data),
    await disk(config.data, config['store.reserve']),
    ...(await protections()),
    await server(client.url),
    ...(await deliveries(client)),
  ]
  output.answer(findings, () =>
    table(
      ['', 'check', ''],
      findings.map(({ verdict, check, words }) => [verdict, check, words]),
    ),
  )
  return findings.some(({ verdict }) => verdict === 'fail') ? EXIT.failed : undefined
}

function node(): Finding {
  const [major = 0] = process.versions.node.split('.').map(Number)
  return major >= 26
    ? { check: 'Node', verdict: 'ok', words: process.version }
    : {
        check: 'Node',
        verdict: 'fail',
        words: `${process.version}; 26 is needed: start through npm, which brings its own`,
      }
}

async function python(): Promise<Finding> {
  for (const name of ['python3.13', 'python3.12', 'python3.11', 'python3']) {
    try {
      const { stdout } = await run(name, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
        timeout: 10_000,
      })
      if (['3.11', '3.12', '3.13'].includes(stdout.trim()))
        return { check: 'Python', verdict: 'ok', words: `${name} is ${stdout.trim()}` }
    } catch {
      // This name is not here; the next may be.
    }
  }
  return {
    check: 'Python',
    verdict: 'warn',
    words:
      'none of 3.11 to 3.13 found: tracking, registry and ONNX serving work; steps, compiling and explaining do not',
  }
}

async function folder(path: string): Promise<Finding> {
  try {
    const facts = await stat(path)
    await access(path, constants.R_OK | constants.W_OK)
    const open = (facts.mode & 0o077) !== 0
    return {
      check: 'data folder',
      verdict: open ? 'warn' : 'ok',
      words: open ? `${path} can be read by others: chmod 700` : path,
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return {
      check: 'data folder',
      verdict: missing ? 'ok' : 'fail',
      words: missing ? `${path} is not there yet; \`slipway up\` makes it` : `${path}: ${(error as Error).message}`,
    }
  }
}

async function disk(path: string, reserve_bytes: number): Promise<Finding> {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    try {
      const { bavail, bsize } = await statfs(at)
      const free = bavail * bsize
      const words = `${(free / 1e9).toFixed(1)} GB free; writes stop below ${(reserve_bytes / 1e9).toFixed(2)} GB`
      return { check: 'disk', verdict: free < reserve_bytes ? 'fail' : free < reserve_bytes * 8 ? 'warn' : 'ok', words }
    } catch {
      if (at === '/') return { check: 'disk', verdict: 'warn', words: 'free space is not to be learnt here' }
    }
  }
}

async function protections(): Promise<Finding[]> {
  const { protections: find } = await import('#kernel/environments/index.ts')
  return (await find()).map(({ name, enforced, words }) => ({ check: name, verdict: enforced ? 'ok' : 'warn', words }))
}

async function server(url: string): Promise<Finding> {
  const started = performance.now()
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3000) })
    return {
      check: 'server',
      verdict: response.ok ? 'ok' : 'fail',
      words: `${url} answers ${response.status} in ${showDuration(performance.now() - started)}`,
    }
  } catch {
    return { check: 'server', verdict: 'warn', words: `nothing answers at ${url}` }
  }
}

/** Silent where there is no server, or none that tells this caller. */
async function deliveries(client: Client): Promise<Finding[]> {
  const path = '/api/slipway/v1/deliveries/parked'
  try {
    const { items } = await client.get<{ items: { subscriber: string; name: string; seq: number }[] }>(path)
    const [first] = items
    if (!first) return [{ check: 'deliveries', verdict: 'ok', words: 'every event reached whom it concerns' }]
    return [
      {
        check: 'deliveries',
        verdict: 'fail',
        words: `${items.length} parked, such as ${first.name} for ${first.subscriber}; GET ${path} says why, POST ${path}/${first.subscriber}/${first.seq}/retry tries again`,
      },
    ]
  } catch {
    return []
  }
}
