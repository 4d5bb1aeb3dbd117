/** History comes along: what MLflow's own client reads of a store, it reads of the server that took the store in. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type RunningApp, startApp } from '#app/start.ts'
import { silentLog } from '#kernel/log.ts'
import { mlflowEnvironment } from '#kit/mlflow-client.ts'
import { main } from '../../src/cli/program.ts'
import { readConfig } from '../../src/config.ts'

const SCRIPT = join(import.meta.dirname, 'import_store.py')
const dir = mkdtempSync(join(tmpdir(), 'slipway-import-'))
const FOLDER = `file://${dir}/mlruns`
const FILE = `sqlite:///${dir}/store.db`

let python = ''
const apps: RunningApp[] = []

async function start(name: string): Promise<RunningApp> {
  const data = join(dir, name)
  const app = await startApp(readConfig({ flags: { data, port: '0', dev: 'true' }, env: {}, cwd: dir }), {
    log: silentLog,
  })
  apps.push(app)
  return app
}

/** Runs the script's verbs one after the other; answers what each `dump` printed. */
async function script(...words: string[]): Promise<Record<string, never>[]> {
  const child = spawn(python, [SCRIPT, ...words], {
    cwd: dir,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: dir,
      IMPORT_ARTIFACTS: join(dir, 'artifacts'),
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      PYTHONWARNINGS: 'ignore',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err = (err + chunk).slice(-4000)
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(code, err).toBe(0)
  return out
    .split('\n')
    .filter((line) => line.startsWith('{"experiments"'))
    .map((line) => JSON.parse(line))
}

interface Report {
  rows: { what: string; source: number; here: number; added: number }[]
  wrong: string[]
  unchanged_runs: number
}

async function slipway(app: RunningApp, ...words: string[]): Promise<{ code: number; report: Report }> {
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  const code = await main([...words, '--url', app.url, '--json'])
  vi.restoreAllMocks()
  return { code, report: JSON.parse(out) as Report }
}

const added = ({ rows }: Report) =>
  Object.fromEntries(rows.filter((row) => row.added > 0).map((row) => [row.what, row.added]))

beforeAll(async () => {
  python = (await mlflowEnvironment()).python
}, 600_000)
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(async () => {
  for (const app of apps) await app.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('a folder and a database of MLflow 3 come along, then what is new in them, each thing once', async () => {
  const before = await script('make', FOLDER, 'make', FILE, 'dump', FOLDER, 'dump', FILE)
  const sources = [
    { app: await start('one'), where: join(dir, 'mlruns') },
    { app: await start('two'), where: FILE },
  ]
  for (const { app, where } of sources) {
    const dry = await slipway(app, 'import', 'mlflow', where, '--dry-run')
    expect(added(dry.report)).toEqual({})
    const { code, report } = await slipway(app, 'import', 'mlflow', where)
    expect(report.wrong).toEqual([])
    expect(code).toBe(0)
    expect(report.rows.every((row) => row.source === row.here)).toBe(true)
    expect(added(report)).toMatchObject({ runs: 4, 'metric points': 2510, versions: 3, aliases: 2, 'logged models': 1 })
  }
  const urls = sources.map(({ app }) => app.url)
  const [one, two, ...after] = await script(
    ...urls.flatMap((url) => ['dump', url]),
    ...['more', FOLDER, 'more', FILE, 'dump', FOLDER, 'dump', FILE],
  )
  expect(one).toEqual(before[0])
  expect(two).toEqual(before[1])
  for (const { app, where } of sources) {
    const { code, report } = await slipway(app, 'import', 'mlflow', where)
    expect(report.wrong).toEqual([])
    expect(code).toBe(0)
    expect(added(report)).toMatchObject({ runs: 1, 'metric points': 52, 'artifact files': 1 })
    expect(report.unchanged_runs).toBe(3)
    const again = await slipway(app, 'sync', where)
    expect(added(again.report)).toEqual({})
    expect(again.report.unchanged_runs).toBe(5)
  }
  expect(await script(...urls.flatMap((url) => ['dump', url]))).toEqual(after)
}, 600_000)

test('an export is taken in by another server, which then exports the same bytes', async () => {
  const app = apps[0]!
  const [first, second] = [join(dir, 'export-1'), join(dir, 'export-2')]
  expect((await slipway(app, 'export', first)).code).toBe(0)
  const other = await start('three')
  const { code, report } = await slipway(other, 'import', 'slipway', first)
  expect(report.wrong).toEqual([])
  expect(code).toBe(0)
  expect(added(report)).toMatchObject({ runs: 5, 'metric points': 2562, versions: 3, 'logged models': 1 })
  expect((await slipway(other, 'export', second)).code).toBe(0)
  const files = ['runs', 'params', 'tags', 'metrics'].map((name) => `${name}.parquet`)
  for (const file of [...files, 'inputs.json', 'logged-models.json', 'registered-models.json'])
    expect((await readFile(join(second, file))).equals(await readFile(join(first, file))), file).toBe(true)

  const manifest = JSON.parse(await readFile(join(first, 'manifest.json'), 'utf8'))
  expect(manifest.counts).toMatchObject({ runs: 5, metrics: 2562, artifacts: 4 })
  await appendFile(join(first, 'inputs.json'), ' ')
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  expect(await main(['import', 'slipway', first, '--url', other.url])).toBe(2)
}, 300_000)

test('what is no store is said to be none', async () => {
  const app = apps[0] ?? (await start('one'))
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  for (const where of [
    dir,
    join(dir, 'nowhere'),
    `sqlite:///${dir}/nowhere.db`,
    'oracle://x/y',
    'postgresql://127.0.0.1:1/x',
  ]) {
    vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    expect(await main(['import', 'mlflow', where, '--url', app.url]), where).toBeGreaterThan(0)
  }
})
