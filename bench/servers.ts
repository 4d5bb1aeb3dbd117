/** Starts what is measured: Slipway, MLflow's two servers from a managed environment, and the bare echo. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { until } from '../server/test/hold/server-process.ts'

export interface Peer {
  url: string
  /** Milliseconds to its first 200. */
  started_ms: number
  /** Resident memory of the process and its children, in MB. */
  memory_mb(): number
  stop(): Promise<void>
}

const QUIET = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  LANG: 'C.UTF-8',
  MLFLOW_DISABLE_TELEMETRY: 'true',
  GIT_PYTHON_REFRESH: 'quiet',
  PYTHONWARNINGS: 'ignore',
}

/** `mlflow server`, over a SQLite file unless another store is named, with the number of workers that it takes by itself. */
export const startTracking = (
  python: string,
  dir: string,
  store = `sqlite:///${join(dir, 'mlflow.db')}`,
): Promise<Peer> =>
  startMlflow(python, (port) => [
    'server',
    '--backend-store-uri',
    store,
    '--artifacts-destination',
    join(dir, 'artifacts'),
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  ])

/** `mlflow models serve` of a saved model, in the environment that is there. */
export const startScoring = (python: string, model: string): Promise<Peer> =>
  startMlflow(python, (port) => [
    'models',
    'serve',
    '-m',
    model,
    '--env-manager',
    'local',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  ])

async function startMlflow(python: string, args: (port: number) => string[]): Promise<Peer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const bin = join(python, '..')
  const began = performance.now()
  const child = spawn(python, ['-m', 'mlflow', ...args(port)], {
    env: { ...QUIET, PATH: `${bin}:${QUIET.PATH}` },
    stdio: 'ignore',
    // A group of its own: its workers are ended with it.
    detached: true,
  })
  await until(`mlflow ${args(port)[0]}`, async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    return (await fetch(`${url}/health`)).status === 200
  })
  const started_ms = performance.now() - began
  return { url, started_ms, memory_mb: () => memoryOf(child.pid!), stop: () => stopGroup(child) }
}

export async function startEcho(): Promise<Peer> {
  const began = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'echo.ts')], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string]
  const started_ms = performance.now() - began
  return { url: line.trim(), started_ms, memory_mb: () => memoryOf(child.pid!), stop: () => stopGroup(child) }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null ? once(child, 'exit') : undefined
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    return
  }
  await ended
}

/** Resident memory of a process and everything below it. Pages that they share count in each. */
export function memoryOf(pid: number): number {
  try {
    const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    return children.reduce((sum, child) => sum + memoryOf(child), own)
  } catch {
    return 0
  }
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const probe = createServer().on('error', reject)
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address() as { port: number }
    probe.close(() => resolve(port))
  })
  return promise
}
