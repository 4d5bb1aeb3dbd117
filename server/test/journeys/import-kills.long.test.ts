/** An offline store is sent while it grows, and both ends are killed again and again: every point arrives, and once. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
const dir = mkdtempSync(join(tmpdir(), 'slipway-sync-kills-'))
const RUNS = 6
const KEYS = ['loss', 'val/acc', 'lr']
const KILLS = 20
const children = new Set<ChildProcess>()

afterAll(async () => {
  for (const child of children) await killed(child)
  rmSync(dir, { recursive: true, force: true })
})

const idOf = (run: number) => run.toString(16).padStart(32, '0')
const folderOf = (run: number) => join(dir, 'mlruns', '1', idOf(run))

function makeStore(): void {
  mkdirSync(join(dir, 'mlruns', '1'), { recursive: true })
  writeFileSync(
    join(dir, 'mlruns', '1', 'meta.yaml'),
    `artifact_location: file://${dir}/mlruns/1\nexperiment_id: '1'\nlifecycle_stage: active\nname: offline\n`,
  )
  for (let run = 0; run < RUNS; run++) {
    mkdirSync(join(folderOf(run), 'metrics', 'val'), { recursive: true })
    mkdirSync(join(folderOf(run), 'params'), { recursive: true })
    mkdirSync(join(folderOf(run), 'artifacts'), { recursive: true })
    writeFileSync(join(folderOf(run), 'params', 'seed'), String(run))
    writeFileSync(join(folderOf(run), 'artifacts', 'note.txt'), `run ${run}`)
    writeMeta(run, 1)
  }
}

const writeMeta = (run: number, status: number) =>
  writeFileSync(
    join(folderOf(run), 'meta.yaml'),
    `end_time: ${status === 1 ? 'null' : 1700000009000}\nexperiment_id: '1'\nlifecycle_stage: active\nrun_id: '${idOf(run)}'\nrun_name: r${run}\nstart_time: 1700000000000\nstatus: ${status}\nuser_id: ada\n`,
  )

/** Lines as MLflow's file store appends them. */
function log(run: number, first: number, count: number): void {
  for (const key of KEYS) {
    let lines = ''
    for (let step = first; step < first + count; step++)
      lines += `${1_700_000_000_000 + step} ${step % 97 === 0 ? 'nan' : Math.sin(step + run)} ${step}\n`
    appendFileSync(join(folderOf(run), 'metrics', key), lines)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function start(...words: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: dir, stdio: 'ignore' })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function up(port: number): Promise<ChildProcess> {
  const child = start('up', '--dev', '--port', String(port), '--data', join(dir, 'data'))
  await expect
    .poll(async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok, { timeout: 60_000 })
    .toBe(true)
  return child
}

/** Small, and the same each time. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('20 kills of the command and of the server at random: what was logged is there, each point once', async () => {
  makeStore()
  const random = randomOf(7)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let server = await up(port)
  let step = 0
  for (let kill = 0; kill < KILLS; kill++) {
    for (let run = 0; run < RUNS; run++) log(run, step, 400)
    step += 400
    const sync = start('sync', join(dir, 'mlruns'), '--url', url)
    const ended = once(sync, 'exit')
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 300 + random() * 1500))])
    if (random() < 0.5) await killed(sync)
    else {
      await killed(server)
      await ended
      server = await up(port)
    }
  }
  for (let run = 0; run < RUNS; run++) writeMeta(run, 3)
  const last = start('sync', join(dir, 'mlruns'), '--url', url)
  const [code] = await once(last, 'exit')
  expect(code).toBe(0)

  for (let run = 0; run < RUNS; run++) {
    for (const key of KEYS) {
      const held = readFileSync(join(folderOf(run), 'metrics', key), 'utf8')
        .trim()
        .split('\n')
      const query = new URLSearchParams({ run_id: idOf(run), metric_key: key })
      const reply = await fetch(`${url}/api/2.0/mlflow/metrics/get-history?${query}`)
      const { metrics } = (await reply.json()) as {
        metrics: { step: number; timestamp: number; value: number | string }[]
      }
      const there = metrics.map(({ timestamp, value, step: at }) =>
        `${timestamp} ${value} ${at ?? 0}`.replace('NaN', 'nan'),
      )
      expect(there.sort()).toEqual(held.sort())
    }
    const { items } = (await (await fetch(`${url}/api/slipway/v1/runs/${idOf(run)}/artifacts`)).json()) as {
      items: { path: string }[]
    }
    expect(items.map(({ path }) => path)).toEqual(['note.txt'])
  }
  await killed(server)
}, 600_000)
