/** A real server: `slipway up --dev` as its own process over a folder, to be killed, interrupted and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ENVIRONMENTS_DIR } from '#kit/python.ts'
import { type Client, createClient } from '../../src/cli/client.ts'

export const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const START_MS_MAX = 90_000
const END_MS_MAX = 60_000

export interface ServerProcess {
  url: string
  pid: number
  client: Client
  /** Milliseconds from the start of the process to the first 200 on /health. */
  started_ms: number
  /** Processor time of all its threads until then, in milliseconds; 0 where /proc is not there. */
  started_cpu_ms: number
  /** What it wrote to standard error until now. */
  log(): string
  /** Sends the signal and answers how the process ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface ServerOptions {
  data: string
  port?: number
  env?: Record<string, string>
  /** What starts the server in our place and becomes it, such as `strace -D` with its options. */
  wrapper?: readonly string[]
  /** Of another checkout; ours when left out. */
  main?: string
}

/** Resolves at the first 200 on /health; rejects with the server's own words when it ends before. */
export async function startServerProcess({
  data,
  port = 0,
  env,
  main = MAIN,
  wrapper = [],
}: ServerOptions): Promise<ServerProcess> {
  const began = performance.now()
  const up = [main, 'up', '--dev', '--port', String(port), '--json', '--data', data]
  const [command, ...args] = [...wrapper, process.execPath, ...up] as [string, ...string[]]
  const child = spawn(command, args, {
    env: { ...process.env, SLIPWAY_ENVIRONMENTS_DIR: ENVIRONMENTS_DIR, SLIPWAY_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-50_000)
  })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const timer = setTimeout(() => reject(new Error(`no server within ${START_MS_MAX / 1000} s: ${log}`)), START_MS_MAX)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const url = /"url":\s*"([^"]+)"/.exec(said)?.[1]
    if (url) resolve(url)
  })
  void ended.then(([code]) => reject(new Error(`the server ended with ${code}: ${said}${log}`)))
  try {
    const url = await promise
    const health = await fetch(`${url}/health`)
    if (health.status !== 200) throw new Error(`/health answered ${health.status}`)
    const started_ms = performance.now() - began
    return {
      url,
      pid: child.pid!,
      client: createClient({ url }),
      started_ms,
      started_cpu_ms: cpuOf(child.pid!),
      log: () => log,
      end: (signal) => endOf(child, ended, signal),
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function endOf(
  child: ChildProcess,
  ended: Promise<[number | null, NodeJS.Signals | null]>,
  signal: NodeJS.Signals,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
  const [code, by] = await ended
  clearTimeout(timer)
  return { code, signal: by }
}

/** Fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}

/** Asks again until `is` answers something; the last error or answer is told when time runs out. */
export async function until<T>(
  what: string,
  is: () => Promise<T | undefined | false>,
  timeout_ms = 180_000,
): Promise<T> {
  const deadline = Date.now() + timeout_ms
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const found = await is()
      if (found) return found
      last = found
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(
    `waited ${timeout_ms / 1000} s for ${what}; last: ${last instanceof Error ? last.stack : String(last)}`,
  )
}
