/**
 * PostgreSQL for tests: one server for a whole run, started by the first test that needs it and shared by all workers;
 * each test gets a database of its own. Locally a missing PostgreSQL skips these tests, with one line; in CI it fails them.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { singleFlight } from '../../../tools/setup/single-flight.mjs'
import {
  discardPostgres,
  type PostgresServer,
  postgresMissing,
  resumePostgres,
  startPostgres,
} from './postgres-server.ts'
import { runDirectory } from './run-directory.ts'

export interface Database {
  url: string
  drop(): Promise<void>
}

/** A database that is made once and cloned for each test: `prepare` migrates it and closes its connections. */
export interface Template {
  /** Same name, same content: put a digest of the migrations in it. */
  name: string
  prepare(url: string): Promise<void>
}

/** For `describe.skipIf(!postgresIsHere())`. In CI it throws instead of answering false. */
export function postgresIsHere(): boolean {
  const missing = postgresMissing()
  if (missing && process.env.CI) throw new Error(missing)
  return !missing
}

/** Address of the shared server, as superuser. With `fsync` another server, one that syncs as in production. */
export async function postgresForTests({ fsync = false } = {}): Promise<PostgresServer> {
  const { dir, owner_pid } = runDirectory()
  const name = fsync ? 'postgres-fsync' : 'postgres'
  const state = join(dir, `${name}.json`)
  if (existsSync(state)) return JSON.parse(readFileSync(state, 'utf8')) as PostgresServer
  return singleFlight(join(dir, `${name}.lock`), { wait_ms_max: 90_000, say: () => {} }, async () => {
    if (existsSync(state)) return JSON.parse(readFileSync(state, 'utf8')) as PostgresServer
    const server = await startPostgres({ dir: join(dir, name), fsync, owner_pid, owner_dir: dir })
    writeFileSync(`${state}.new`, JSON.stringify(server))
    renameSync(`${state}.new`, state)
    return server
  })
}

/** A new database, empty or as a clone of `template`. Dropping it ends whatever is still connected. */
export async function freshDatabase(options: { fsync?: boolean; template?: Template } = {}): Promise<Database> {
  const server = await postgresForTests(options)
  const admin = adminOf(server)
  const template = options.template ? await prepared(server, options.template) : 'template0'
  const name = `t_${process.pid}_${randomBytes(6).toString('hex')}`
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  return {
    url: at(server, name),
    drop: async () => void (await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  }
}

/** A server of one test alone, which it may kill and start again. */
export async function privatePostgres({ fsync = true } = {}): Promise<{
  url(): string
  /** SIGKILL for a crash, SIGSTOP for a hang, SIGCONT to end that. */
  signal(signal: NodeJS.Signals): void
  /** Starts it again over the same data; the address may differ. */
  resume(): Promise<void>
  discard(): Promise<void>
}> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-postgres-'))
  const options = { dir, fsync, owner_pid: process.pid, owner_dir: dir }
  let server = await startPostgres(options)
  return {
    url: () => server.url,
    signal: (signal) => void process.kill(-server.pid, signal),
    resume: async () => {
      server = await resumePostgres(options)
    },
    discard: () => discardPostgres(server, dir),
  }
}

/** Ends what the run shared and removes its folder. Vitest's global set-up calls it; so does a program that used the kit. */
export async function endRun(): Promise<void> {
  const { dir } = runDirectory()
  for (const pool of pools.values()) await pool.end()
  pools.clear()
  for (const name of ['postgres', 'postgres-fsync']) {
    const state = join(dir, `${name}.json`)
    if (existsSync(state))
      await discardPostgres(JSON.parse(readFileSync(state, 'utf8')) as PostgresServer, join(dir, name))
  }
  rmSync(dir, { recursive: true, force: true })
}

async function prepared(server: PostgresServer, template: Template): Promise<string> {
  const name = `template_${template.name.replaceAll(/[^a-z0-9]/gi, '_').toLowerCase()}`
  const { dir } = runDirectory()
  const mark = join(dir, `${name}-${new URL(server.url).port}`)
  if (existsSync(mark)) return name
  return singleFlight(`${mark}.lock`, { wait_ms_max: 90_000, say: () => {} }, async () => {
    if (existsSync(mark)) return name
    const admin = adminOf(server)
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`)
    await template.prepare(at(server, name))
    writeFileSync(mark, '')
    return name
  })
}

const pools = new Map<string, Pool>()

function adminOf({ url }: PostgresServer): Pool {
  const known = pools.get(url)
  if (known) return known
  const pool = new Pool({ connectionString: url, max: 2, allowExitOnIdle: true })
  pool.on('error', () => {})
  pools.set(url, pool)
  return pool
}

const at = ({ url }: PostgresServer, name: string) => new URL(`/${name}`, url).href
