/**
 * What the store alone can do: writes a second by both doors at 1, 16 and 64 clients, the longest waits, and how long the main
 * thread is held. Bodies are parsed beside the database, as the server's hot paths do.
 * `node bench/store.ts [--store postgres://…] [--seconds 1] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { silentLog } from '../server/src/kernel/log.ts'
import { openStore, type Store } from '../server/src/kernel/store/index.ts'
import { commands } from './store/catalog.ts'

const { values: given } = parseArgs({
  options: {
    store: { type: 'string' },
    seconds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const seconds = Number(given.seconds)
const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
const store = await openStore({
  url: given.store ?? `sqlite:${join(folder, 'slipway.db')}`,
  migrations: [{ owner: 'bench', dir: new URL('./store/migrations/', import.meta.url) }],
  catalog: new URL('./store/catalog.ts', import.meta.url),
  log: silentLog,
})

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
let made = 0
const newRun = () => `${Date.now().toString(16).padStart(12, '0')}${(made++).toString(16).padStart(20, '0')}`
const createRun = (run_id: string) => ({
  run_id,
  now_ms: Date.now(),
  body: encode({
    experiment_id: '1',
    run_name: 'a run',
    start_time: Date.now(),
    tags: ['mlflow.user', 'mlflow.source.name', 'mlflow.source.type', 'mlflow.runName'].map((key) => ({
      key,
      value: 'some text',
    })),
  }),
})
const metric = (step: number, key = 'loss') => ({ key, value: Math.random(), timestamp: Date.now(), step })

/** Each client has a run of its own. `write` answers how many metrics it wrote. */
const loads: Record<string, (store: Store, run_id: string, step: number) => Promise<unknown>> = {
  'create-run': (to) => to.command('bench.create-run', createRun(newRun())),
  'log-metric': (to, run_id, step) => to.command('bench.log-metric', { run_id, now_ms: 0, body: encode(metric(step)) }),
  'log-metric by callback': (to, run_id, step) => {
    const input = { run_id, now_ms: 0, body: encode(metric(step)) }
    return to.write((tx) => commands['bench.log-metric'](tx, input))
  },
  'log-batch of 100': (to, run_id, step) =>
    to.command('bench.log-batch', {
      run_id,
      now_ms: 0,
      body: encode({ metrics: Array.from({ length: 100 }, (_, i) => metric(step, `metric-${i}`)) }),
    }),
}

const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0

async function measure(name: string, clients: number) {
  const runs = Array.from({ length: clients }, newRun)
  for (const run_id of runs) await store.command('bench.create-run', createRun(run_id))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const waits: number[] = []
  const cpu = process.cpuUsage()
  delay.enable()
  const began = performance.now()
  const until = began + seconds * 1000
  await Promise.all(
    runs.map(async (run_id) => {
      for (let step = 0; performance.now() < until; step++) {
        const sent = performance.now()
        await loads[name]!(store, run_id, step)
        waits.push(performance.now() - sent)
      }
    }),
  )
  const took_ms = performance.now() - began
  delay.disable()
  const used = process.cpuUsage(cpu)
  waits.sort((a, b) => a - b)
  const round = (value: number) => Math.round(value * 100) / 100
  return {
    load: name,
    clients,
    per_second: Math.round((waits.length / took_ms) * 1000),
    p50_ms: round(quantile(waits, 0.5)),
    p99_ms: round(quantile(waits, 0.99)),
    // What the timer itself takes is 1 ms.
    loop_delay_p999_ms: round(Math.max(0, delay.percentile(99.9) / 1e6 - 1)),
    cpu_ms_per_write: round((used.user + used.system) / 1000 / waits.length),
  }
}

const results = []
for (const name of Object.keys(loads)) {
  for (const clients of [1, 16, 64]) results.push(await measure(name, clients))
}
await store.close()
rmSync(folder, { recursive: true, force: true })
if (given.json) process.stdout.write(`${JSON.stringify(results)}\n`)
else console.table(results)
