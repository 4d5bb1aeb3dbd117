/**
 * `npm run bench:tracking`: Slipway beside `mlflow server`, over SQLite and PostgreSQL, each in its own turn of every round; medians go
 * into bench/RESULTS.md. MLflow is asked with and without kept connections, and the better counts.
 * `node bench/tracking.ts [--store sqlite|postgres]… [--rounds 5] [--seconds 3] [--only log-metric] [--runs 20000] [--no-write]`
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freshDatabase } from '../server/test/kit/postgres.ts'
import { testEnvironments } from '../server/test/kit/python.ts'
import type { Load, Measure } from './loads.ts'
import * as loads from './loads.ts'
import { median, withSection } from './results.ts'
import { startTracking } from './servers.ts'

const { values: given } = parseArgs({
  options: {
    store: { type: 'string', multiple: true, default: ['sqlite', 'postgres'] },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '20000' },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const [rounds, seconds, runs] = [Number(given.rounds), Number(given.seconds), Number(given.runs)]
const say = (line: string) => process.stderr.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))

interface Row {
  title: string
  clients: number
  /** Ratio to the better MLflow figure that is promised on SQLite; on PostgreSQL a fifth of it. */
  promise: number
  load(experiment: string): Load
}
const FILTER = { filter: "metrics.m0 > 0.5 and params.p1 = '3'", order_by: ['metrics.m1 DESC'] }
const both = (title: string, promise: number, load: Row['load']): Row[] =>
  [1, 16].map((clients) => ({ title, clients, promise, load }))
const ROWS: Row[] = [
  { title: 'create-run', clients: 1, promise: 10, load: () => loads.createRun },
  { title: 'log-metric', clients: 1, promise: 10, load: () => loads.logMetric },
  { title: 'log-metric', clients: 16, promise: 70, load: () => loads.logMetric },
  { title: 'create-run', clients: 16, promise: 50, load: () => loads.createRun },
  { title: 'log-batch of 100', clients: 16, promise: 30, load: () => loads.logBatch(10, 10) },
  { title: 'log-batch of 1,000', clients: 16, promise: 60, load: () => loads.logBatch(10, 100) },
  { title: 'full run (25 requests)', clients: 16, promise: 100, load: () => loads.fullRun },
  { title: 'get-run', clients: 16, promise: 40, load: () => loads.getRun },
  ...both('history of 10,000 points', 40, () => loads.history10000),
  ...both(`search, page 1 of ${runs.toLocaleString('en')} runs`, 20, (experiment) => loads.searchRuns(experiment)),
  ...both('search with filter and order', 200, (experiment) => loads.searchRuns(experiment, FILTER)),
].filter(({ title }) => title.includes(given.only))

interface Contender {
  name: string
  url: string
  experiment: string
  close: boolean
  token?: string
  delay?: () => Promise<{ p999_ms: number }>
}
interface Measured extends Measure {
  delay_ms?: number
}

const stops: (() => Promise<unknown>)[] = []
const stopAll = async () => {
  for (const stop of stops.splice(0).reverse()) await stop().catch((error: Error) => say(error.message))
  rmSync(folder, { recursive: true, force: true })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stopAll().then(() => process.exit(130)))
try {
  const lock = readFileSync(join(import.meta.dirname, 'tracking', 'environment.lock'), 'utf8')
  const environment = await testEnvironments().ensure({ lock })
  const texts = []
  for (const store of given.store) {
    const machine_load = [loadavg()[0]!.toFixed(1)]
    const sync_ms = syncOfDisk()
    say(`${store}: the disk syncs in ${sync_ms.toFixed(2)} ms`)
    const contenders = await startBoth(store, environment.python)
    const measured = ROWS.map(() => contenders.map((): Measured[] => []))
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, row] of ROWS.entries()) {
        for (const [who, contender] of contenders.entries()) measured[at]![who]!.push(await one(row, contender, round))
      }
      machine_load.push(loadavg()[0]!.toFixed(1))
    }
    texts.push(report(store, contenders, measured, sync_ms, machine_load, environment.packages.mlflow!))
    await stopServers()
  }
  const text = texts.join('\n\n')
  process.stdout.write(`${text}\n`)
  if (given.write) withSection('tracking', text)
} finally {
  await stopAll()
}

async function one(row: Row, contender: Contender, round: number): Promise<Measured> {
  const { url, close, token, delay } = contender
  await delay?.()
  const { clients } = row
  const measured = await loads.measure(url, row.load(contender.experiment), {
    clients,
    seconds,
    close,
    ...(token && { token }),
  })
  const stood = await delay?.()
  say(
    `${round + 1}/${rounds} ${row.title} ×${clients} ${contender.name}: ${measured.per_second.toFixed(1)}/s, ${measured.failed} failed`,
  )
  return { ...measured, ...(stood && { delay_ms: stood.p999_ms }) }
}

async function stopServers(): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop()
}

async function startBoth(store: string, python: string): Promise<Contender[]> {
  const databases = store === 'postgres' ? [await freshDatabase(), await freshDatabase()] : []
  const theirs = databases[1]?.url.replace(/^postgres(ql)?:/, 'postgresql:') ?? `sqlite:///${join(folder, 'mlflow.db')}`
  const peer = await startTracking(python, folder, theirs)
  stops.push(() => peer.stop())
  say(`${runs} runs for each`)
  const seed = [join(import.meta.dirname, 'tracking', 'seed.py'), theirs, String(runs)]
  const experiment = execFileSync(python, seed, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const slipway = await startSlipway(join(folder, `slipway-${store}`), databases[0]?.url)
  return [
    { name: 'Slipway', close: false, ...slipway },
    { name: '`mlflow server`', url: peer.url, close: false, experiment },
    { name: '`mlflow server`, Connection: close', url: peer.url, close: true, experiment },
  ]
}

async function startSlipway(dir: string, store_url: string | undefined) {
  const args = [dir, ...(store_url ? [store_url] : [])]
  const child = fork(join(import.meta.dirname, 'tracking', 'server.ts'), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  stops.push(async () => {
    child.send('stop')
    await once(child, 'exit')
  })
  const [{ url, secret }] = (await once(child, 'message')) as [{ url: string; secret: string }]
  const experiment = await seedSlipway(url, secret)
  return { url, token: secret, experiment, delay: () => ask(child) }
}

async function ask(child: ChildProcess): Promise<{ p999_ms: number }> {
  child.send('delay')
  return (await once(child, 'message'))[0] as { p999_ms: number }
}

/** By its API, as anybody would. */
async function seedSlipway(url: string, token: string): Promise<string> {
  const call = async (path: string, body: object) => {
    const answer = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const { experiment_id } = await call('experiments/create', { name: 'bench-search' })
  let next = 0
  const worker = async () => {
    for (let run = next++; run < runs; run = next++) {
      const start_time = 1_700_000_000_000 + run * 1000
      const tags = [
        { key: 'mlflow.user', value: 'bench' },
        { key: 'mlflow.source.name', value: 'train.py' },
      ]
      const made = (await call('runs/create', { experiment_id, start_time, run_name: `run-${run}`, tags })) as {
        run: { info: { run_id: string } }
      }
      const { run_id } = made.run.info
      const metrics = [0, 1, 2, 3, 4].map((metric) => ({
        key: `m${metric}`,
        // The same in bench/tracking/seed.py.
        value: ((run * 7919 + metric * 104_729) % 100_003) / 100_003,
        timestamp: start_time,
        step: 1,
      }))
      const params = [0, 1, 2, 3, 4].map((param) => ({ key: `p${param}`, value: String((run + param) % 17) }))
      await call('runs/log-batch', { run_id, metrics, params })
      await call('runs/update', { run_id, status: 'FINISHED', end_time: start_time + 500 })
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  return String(experiment_id)
}

/** Median of 200 times: 4 KiB appended and synced, in the folder of the stores. */
function syncOfDisk(): number {
  const file = openSync(join(folder, 'sync'), 'a')
  const page = Buffer.alloc(4096, 1)
  const took = Array.from({ length: 200 }, () => {
    const began = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  return median(took)
}

/** Of a peer: a round with errors does not count; where none is clean, its best one without an error at least. */
function rateOf(all: readonly Measured[]): number {
  const clean = all.filter(({ failed }) => failed === 0)
  return clean.length > 0 ? median(clean.map(({ per_second }) => per_second)) : Number.NaN
}

function report(
  store: string,
  contenders: readonly Contender[],
  measured: readonly Measured[][][],
  sync_ms: number,
  machine_load: readonly string[],
  mlflow: string,
): string {
  const show = (value: number) =>
    Number.isNaN(value)
      ? 'errors in each round'
      : value >= 100
        ? Math.round(value).toLocaleString('en')
        : value.toFixed(1)
  const lines = ROWS.map(({ title, clients, promise }, at) => {
    const [ours, ...theirs] = contenders.map((_, who) => rateOf(measured[at]![who]!))
    // Rows that both numbers of clients have: the better MLflow figure of all of them counts.
    const alike = ROWS.flatMap((row, other) => (row.title === title ? [other] : []))
    const rows = title.startsWith('history') || title.startsWith('search') ? alike : [at]
    const best = Math.max(
      ...rows.flatMap((row) => [1, 2].map((who) => rateOf(measured[row]![who]!))).filter((rate) => !Number.isNaN(rate)),
    )
    const mine = measured[at]![0]!
    const wanted = store === 'postgres' ? promise / 5 : promise
    const ratio = ours! / best
    const delay = median(mine.map(({ delay_ms }) => delay_ms ?? 0))
    const failed = measured[at]!.map((each) => each.reduce((sum, { failed }) => sum + failed, 0))
    return `| ${title} | ${clients} | ${show(ours!)} | ${show(median(mine.map(({ p50_ms }) => p50_ms)))} / ${show(median(mine.map(({ p99_ms }) => p99_ms)))} | ${delay.toFixed(1)} | ${theirs.map(show).join(' / ')} | ${failed.join(' / ')} | ${ratio.toFixed(1)} × | ${wanted} × ${ratio >= wanted ? '✓' : '**missed**'} |`
  })
  return [
    `**On ${store === 'postgres' ? 'PostgreSQL' : 'SQLite'}.** Measured ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB; MLflow ${mlflow},`,
    `Node ${process.versions.node}. Medians of ${rounds} rounds of ${seconds} s, closed loop on the same machine, the servers taking turns. Slipway as it comes:`,
    `sign-in, a token in each request, events, every answer after the sync. The disk's sync: ${sync_ms.toFixed(2)} ms. Load before and after each round: ${machine_load.join(', ')}.`,
    '',
    "| work | clients | Slipway, 1/s | its p50 / p99, ms | its loop's delay p99.9, ms | MLflow kept / closed, 1/s | failed: ours / theirs | faster by | promise |",
    '|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}
