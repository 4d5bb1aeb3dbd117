import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testEnvironment } from '#kit/python.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const MAIN = join(ROOT, 'server', 'src', 'main.ts')
const dir = mkdtempSync(join(tmpdir(), 'slipway-pipelines-'))
const code = join(dir, 'code')
const data = join(dir, 'data')
let server: ChildProcess
let url = ''

const PROJECT = `project: shop
datasets:
  sales:
    time_column: at
    checks: [{ check: row_count, min: 1 }]
environments:
  python: { lock: environment.lock }
pipelines:
  count:
    params: { word: hi }
    steps:
      count:
        run: echo "$SLIPWAY_PARAM_WORD"; wc -l < "$SLIPWAY_INPUT_SALES" > lines.txt
        reads: { sales: { dataset: sales } }
        writes: { lines: { path: lines.txt } }
  fails:
    steps: { one: { run: "echo bad; exit 4" } }
  slow:
    steps: { one: { run: 'echo pid $$; test -e "$SLIPWAY_PARAM_FLAG" || sleep 300; echo went on', cache: false } }
    params: { flag: none }
  logs:
    steps: { fit: { run: python fit.py, environment: python, timeout: 5m } }
`

const env = {
  ...process.env,
  INIT_CWD: code,
  SLIPWAY_URL: '',
  SLIPWAY_ENVIRONMENTS_DIR: join(ROOT, '.cache', 'environments'),
}

function up(...more: string[]): Promise<string> {
  server = spawn(process.execPath, [MAIN, '--json', 'up', '--dev', '--port', '0', '--data', data, ...more], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    let text = ''
    server.stdout!.on('data', (chunk) => {
      text += chunk
      const line = text.split('\n').find((one) => one.includes('"url"'))
      if (line) resolve((JSON.parse(line) as { url: string }).url)
    })
    server.once('exit', (status) => reject(new Error(`the server ended with ${status}`)))
  })
}

function cli(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, '--url', url, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  return new Promise((resolve) => child.once('close', (status) => resolve({ code: status, out, err })))
}
const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}/api/slipway/v1${path}`)).json()) as T
async function until<T>(what: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 90_000; Date.now() < end; ) {
    const found = await what().catch(() => undefined)
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('it did not come about')
}
interface Run {
  id: string
  state: string
  steps: { id: string; state: string; attempt: number; tracking_run: string }[]
}
const runOf = (id: string) => get<Run>(`/pipeline-runs/${id}`)
const statusOf = async (run: string): Promise<string> => {
  const answer = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${run}`)
  return ((await answer.json()) as { run: { info: { status: string } } }).run.info.status
}

beforeAll(async () => {
  mkdirSync(code)
  writeFileSync(join(code, 'slipway.yaml'), PROJECT)
  writeFileSync(join(code, 'environment.lock'), readFileSync(join(ROOT, 'python', 'environment.lock')))
  writeFileSync(
    join(code, 'fit.py'),
    'import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric("auc", 0.75)\n    mlflow.log_param("depth", 3)\nprint("logged")\n',
  )
  writeFileSync(join(code, 'sales.csv'), 'at,amount\n2024-01-01T00:00:00Z,1\n2024-01-02T00:00:00Z,2\n')
  execFileSync('git', ['init', '-q'], { cwd: code })
  execFileSync('git', ['add', '.'], { cwd: code })
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'begin'], { cwd: code })
  url = await up()
}, 120_000)
afterAll(async () => {
  const gone = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGTERM')
  await gone
  rmSync(dir, { recursive: true, force: true })
}, 60_000)

test('a project is tried, applied, and changed as a whole', async () => {
  const dry = await cli('apply', '--dry-run')
  expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('shop: this would change\n  + datasets.sales') })
  expect(await get('/projects')).toEqual({ items: [] })
  expect(await get('/pipelines')).toEqual({ items: [] })
  const applied = JSON.parse((await cli('--json', 'apply')).out)
  expect(applied).toMatchObject({ project: 'shop', number: 1, applied: true })
  expect((await cli('apply')).out).toBe('shop: nothing changes\n')

  // A dirty tree is taken with its difference; a section that cannot be applied leaves everything as it was.
  writeFileSync(
    join(code, 'slipway.yaml'),
    `${PROJECT.replace('environment.lock', 'none.lock')}  more: { steps: { a: { run: x } } }\n`,
  )
  const refused = await cli('apply')
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("there is no file 'none.lock' in the code") })
  expect((await get<{ items: unknown[] }>('/pipelines')).items).toHaveLength(4)
  writeFileSync(join(code, 'slipway.yaml'), PROJECT.replace(/ {2}fails:\n.*\n/, ''))
  expect((await cli('apply')).out).toContain('- pipelines.fails')
  const project = await get<{ code: string; history: unknown[] }>('/projects/shop')
  expect(project.history).toHaveLength(2)
  const snapshot = await get<{ dirty: boolean; diff: string; commit: string }>(`/code/${project.code}`)
  expect(snapshot.diff).toContain('-  fails:')
  writeFileSync(join(code, 'slipway.yaml'), PROJECT)
  expect((await cli('apply')).out).toContain('+ pipelines.fails')

  writeFileSync(join(code, 'bad.yaml'), 'project: shop\npipelins: {}\n')
  const bad = await cli('apply', 'bad.yaml')
  expect(bad).toMatchObject({
    code: 2,
    err: expect.stringContaining("2:1 pipelins: 'pipelins' is not known here. Did you mean 'pipelines'?"),
  })
  rmSync(join(code, 'bad.yaml'))
  expect((await cli('apply', '/nowhere')).code).toBe(2)
}, 120_000)

test('data, runs and logs from the command line', async () => {
  const added = await cli('--json', 'data', 'add', 'sales', 'sales.csv')
  expect(added.code).toBe(0)
  expect(JSON.parse(added.out)).toMatchObject({ number: 1, verdict: 'passed', time_column: 'at' })
  const ran = await cli('run', 'count', '-p', 'word=hello')
  expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('count | hello') })
  expect(ran.out).toMatch(/shop\/count #1 done\n$/)
  // From the step's log when that was there while it was followed, else from the step.
  expect((await cli('run', 'count', '-p', 'word=hello')).out).toMatch(/same as stp_|params and inputs as stp_/)
  const failed = await cli('run', 'fails')
  expect(failed).toMatchObject({ code: 1, out: expect.stringContaining('its command answered 4') })
  expect((await cli('logs', 'fails')).out).toContain('one | bad')
  expect(JSON.parse((await cli('--json', 'logs', 'fails')).out)[0].lines).toContain('bad')
  expect(await cli('run', 'nothing')).toMatchObject({ code: 2, err: expect.stringContaining('There are count') })
  expect((await cli('run', 'count', '-p', 'word')).code).toBe(2)

  const detached = JSON.parse((await cli('--json', 'run', 'fails', '--detach')).out)
  const { steps } = await runOf(detached.id)
  const live = await (await fetch(`${url}/api/slipway/v1/steps/${steps[0]!.id}/log?follow=true`)).text()
  expect(live).toMatch(/event: log\ndata: .*bad.*event: ended\ndata: \{"state":"failed"/s)
}, 120_000)

test('the plain MLflow client of a step logs into the run of the step', async () => {
  await testEnvironment()
  const ran = await cli('run', 'logs')
  expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('fit | logged') })
  const { items } = await get<{ items: { id: string }[] }>('/pipeline-runs?pipeline=logs')
  const [step] = (await runOf(items[0]!.id)).steps
  const { run } = (await (await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${step!.tracking_run}`)).json()) as {
    run: { info: { status: string }; data: { metrics: { key: string }[]; tags: { key: string; value: string }[] } }
  }
  expect(run.info.status).toBe('FINISHED')
  expect(run.data.metrics).toMatchObject([{ key: 'auc', value: 0.75 }])
  expect(run.data.tags).toContainEqual({ key: 'slipway.step_run', value: step!.id })
  expect(run.data.tags.find((tag) => tag.key === 'slipway.environment.packages')!.value).toContain('mlflow')
}, 600_000)

test('status, config and doctor answer; without a server and on a taken port the reason is said', async () => {
  expect(await cli('status')).toMatchObject({ code: 0, out: expect.stringContaining('shop') })
  const settings = JSON.parse((await cli('--json', 'config')).out) as { setting: string }[]
  expect(settings.map(({ setting }) => setting)).toContain('data')
  const doctor = JSON.parse((await cli('--json', 'doctor', '--data', data)).out) as { check: string; verdict: string }[]
  expect(doctor.find(({ check }) => check === 'server')).toMatchObject({ verdict: 'ok' })
  expect((await cli('--url', 'http://127.0.0.1:9', 'status')).code).toBe(3)
  expect((await cli('frobnicate')).code).toBe(2)
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  const busy = await cli('up', '--dev', '--port', String(port), '--data', join(dir, 'other'))
  expect(busy.code).not.toBe(0)
  expect(busy.err).toContain(String(port))
  taken.close()
}, 120_000)

test('a step whose server was killed is done again by the next one, and its first tracking run is ended', async () => {
  const flag = join(dir, 'flag')
  const { id } = JSON.parse((await cli('--json', 'run', 'slow', '--detach', '-p', `flag=${flag}`)).out) as Run
  const logText = async (step: string) => (await get<{ text: string }>(`/steps/${step}/log`)).text
  const step = await until(async () => {
    const [found] = (await runOf(id)).steps
    return (await logText(found!.id)).includes('pid ') && found
  })
  const pid = Number(/pid (\d+)/.exec(await logText(step.id))![1])
  const gone = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await gone
  await until(async () => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  })
  writeFileSync(flag, '')
  url = await up()
  const ended = await until(async () => {
    const now = await runOf(id)
    return now.state !== 'running' && now
  })
  expect(ended.state).toBe('done')
  expect(ended.steps).toHaveLength(1)
  expect(ended.steps[0]).toMatchObject({ id: step.id, attempt: 1, state: 'done' })
  expect(ended.steps[0]!.tracking_run).not.toBe(step.tracking_run)
  expect(await statusOf(step.tracking_run)).toBe('KILLED')
  expect(await statusOf(ended.steps[0]!.tracking_run)).toBe('FINISHED')
  expect(await logText(step.id)).toMatch(/pid .*went on/s)
}, 120_000)
