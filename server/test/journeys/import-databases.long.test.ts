/** Stores that MLflow 2.9, 2.22 and 3.x keep in PostgreSQL and in MySQL (as MariaDB), and 1.x-like folders, come along. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RunningApp, startApp } from '#app/start.ts'
import { silentLog } from '#kernel/log.ts'
import { type Generation, mlflowEnvironment } from '#kit/mlflow-client.ts'
import { freshDatabase, postgresIsHere } from '#kit/postgres.ts'
import { testEnvironments } from '#kit/python.ts'
import { main } from '../../src/cli/program.ts'
import { readConfig } from '../../src/config.ts'

const SCRIPT = join(import.meta.dirname, 'import_store.py')
/** Over what the clients' own locks have: none of them brings a driver, and the older ones need SQLAlchemy 2.0. */
const DRIVERS = 'psycopg2-binary==2.9.13\npymysql==1.2.4\nsqlalchemy==2.0.58\n'
const MARIADB = '/usr/sbin/mariadbd'
const dir = mkdtempSync(join(tmpdir(), 'slipway-import-db-'))
const ends: (() => Promise<unknown> | unknown)[] = []
let drivers = ''

beforeAll(async () => {
  const { python } = await testEnvironments().ensure({ lock: DRIVERS })
  drivers = join(dirname(dirname(python)), 'lib', 'python3.11', 'site-packages')
}, 600_000)
afterAll(async () => {
  for (const end of ends.reverse()) await end()
  rmSync(dir, { recursive: true, force: true })
})

async function start(name: string): Promise<RunningApp> {
  const flags = { data: join(dir, name), port: '0', dev: 'true' }
  const app = await startApp(readConfig({ flags, env: {}, cwd: dir }), { log: silentLog })
  ends.push(() => app.stop())
  return app
}

/** A server of our own over a private socket. */
async function mariadb(): Promise<(name: string) => string> {
  const home = join(dir, 'mariadb')
  const socket = join(home, 's')
  mkdirSync(home)
  const root = process.getuid?.() === 0
  if (root) {
    execFileSync('chmod', ['755', dir])
    execFileSync('chown', ['mysql', home])
  }
  const user = root ? ['--user=mysql'] : []
  const data = `--datadir=${join(home, 'data')}`
  execFileSync(
    'mariadb-install-db',
    ['--no-defaults', ...user, data, '--auth-root-authentication-method=normal', '--skip-test-db'],
    {
      stdio: 'ignore',
    },
  )
  const child = spawn(
    MARIADB,
    ['--no-defaults', ...user, data, `--socket=${socket}`, '--skip-networking', '--innodb-buffer-pool-size=64M'],
    {
      stdio: 'ignore',
    },
  )
  ends.push(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const ask = (sql: string) =>
    execFileSync('mariadb', ['--no-defaults', '-uroot', '-S', socket, '-e', sql], { stdio: 'ignore' })
  await expect.poll(() => existsSync(socket) && ask('SELECT 1') === null, { timeout: 60_000 }).toBe(true)
  return (name) => {
    ask(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`)
    return `mysql+pymysql://root@localhost/${name}?unix_socket=${socket}&charset=utf8mb4`
  }
}

async function script(python: string, ...words: string[]): Promise<unknown[]> {
  const child = spawn(python, [SCRIPT, ...words], {
    cwd: dir,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: dir,
      IMPORT_ARTIFACTS: mkdtempSync(join(dir, 'art-')),
      PYTHONPATH: drivers,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err] = [[] as string[], [] as string[]]
  child.stdout.on('data', (chunk) => out.push(String(chunk)))
  child.stderr.on('data', (chunk) => err.push(String(chunk)))
  const [code] = await once(child, 'close')
  expect(code, err.join('').slice(-3000)).toBe(0)
  const lines = out.join('').split('\n')
  return lines.filter((line) => line.startsWith('{"experiments"')).map((line) => JSON.parse(line))
}

async function comesAlong(name: string, generation: Generation, uri: string): Promise<void> {
  const { python } = await mlflowEnvironment(generation)
  const app = await start(name)
  const bring = async () => {
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    const code = await main(['import', 'mlflow', uri, '--url', app.url, '--json'])
    vi.restoreAllMocks()
    expect(code).toBe(0)
  }
  const [before] = await script(python, 'make', uri, 'dump', uri)
  await bring()
  expect(await script(python, 'dump', app.url)).toEqual([before])
  const [after] = await script(python, 'more', uri, 'dump', uri)
  await bring()
  expect(await script(python, 'dump', app.url)).toEqual([after])
}

test.skipIf(!postgresIsHere())('PostgreSQL, of MLflow 3 and of 2.9', async () => {
  for (const generation of ['newest', '2.9'] as const) {
    const database = await freshDatabase()
    ends.push(() => database.drop())
    await comesAlong(`postgres-${generation}`, generation, database.url.replace(/^postgres(ql)?:/, 'postgresql:'))
  }
})

// Debian's package mariadb-server; in CI it has to be there.
test.skipIf(!existsSync(MARIADB) && !process.env.CI)('MySQL, of MLflow 3 and of 2.22', async () => {
  const create = await mariadb()
  for (const generation of ['newest', '2.22'] as const)
    await comesAlong(`mysql-${generation}`, generation, create(`m${generation.replace(/\W/g, '')}`))
})

test('folders, of MLflow 2.9 and of 2.22', async () => {
  for (const generation of ['2.9', '2.22'] as const)
    await comesAlong(`folder-${generation}`, generation, `file://${join(dir, `mlruns-${generation}`)}`)
  expect(readFileSync(join(dir, 'mlruns-2.9', '0', 'meta.yaml'), 'utf8')).toContain('Default')
})
