/**
 * `npm run bench`: Slipway beside real peers, in one run on one machine: MLflow's tracking server, MLflow's scoring server, and
 * a bare Fastify echo as the limit. The servers take turns in every round; medians of the rounds go into bench/RESULTS.md.
 * `node bench/main.ts [--rounds 3] [--seconds 3] [--write]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { applyProject } from '../server/src/cli/apply.ts'
import { settle, uploadVersion } from '../server/src/cli/data.ts'
import { createOutput } from '../server/src/cli/output.ts'
import { type ServerProcess, startServerProcess, until } from '../server/test/hold/server-process.ts'
import { mlflowEnvironment } from '../server/test/kit/mlflow-client.ts'
import { testEnvironment } from '../server/test/kit/python.ts'
import { fullRun, inference, type Load, logMetric, type Measure, measure } from './loads.ts'
import { median, withSection } from './results.ts'
import { memoryOf, type Peer, startEcho, startScoring, startTracking } from './servers.ts'

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const rounds = Number(given.rounds)
const seconds = Number(given.seconds)
const ROOT = join(import.meta.dirname, '..')
const LOCK = join(ROOT, 'python', 'environment.lock')
/** One model twice: in its compiled form, and as a Python process serves it. */
const FORMS = { bench: 'onnx', 'bench-python': 'python' } as const
const PROJECT = `project: bench
endpoints:
${Object.keys(FORMS)
  .map((name) => `  ${name}: { model: ${name}, alias: champion, task: binary, score: 1, positive: 1 }`)
  .join('\n')}
releases:
${Object.keys(FORMS)
  .map((name) => `  ${name}: { gate: { rules: [] }, rollout: { steps: [{ share: 1 }] } }`)
  .join('\n')}
`

interface Contender {
  name: string
  url: string
  close?: boolean
  path?: string
}
interface Row {
  title: string
  unit: string
  clients: number
  load: (contender: Contender) => Load
  contenders: Contender[]
}

const say = (line: string) => process.stderr.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
const loads: string[] = []
const noteLoad = () => loads.push(loadavg()[0]!.toFixed(1))
const stops: (() => Promise<unknown>)[] = []
const stopAll = async () => {
  for (const stop of stops.splice(0).reverse()) await stop().catch((error: Error) => say(error.message))
  rmSync(folder, { recursive: true, force: true })
}
// The peers are groups of their own, and would stay.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stopAll().then(() => process.exit(130)))
try {
  say('environments')
  const [ours, theirs] = [await testEnvironment(), await mlflowEnvironment()]
  noteLoad()
  const slipway = await startSlipway()
  say('a model, registered and live')
  await makeLive(slipway, ours.python)
  say('peers')
  const tracking = await started(startTracking(theirs.python, folder))
  const scoring = await started(startScoring(theirs.python, join(folder, 'model', 'model')))
  const echo = await started(startEcho())
  await new Promise((resolve) => setTimeout(resolve, 3000))

  const trackers: Contender[] = [
    { name: 'Slipway', url: slipway.url },
    { name: '`mlflow server`', url: tracking.url },
    { name: '`mlflow server`, Connection: close', url: tracking.url, close: true },
  ]
  const scorers: Contender[] = [
    { name: 'Slipway, compiled form', url: slipway.url, path: '/serve/bench/invocations' },
    { name: 'Slipway, Python form', url: slipway.url, path: '/serve/bench-python/invocations' },
    { name: '`mlflow models serve`', url: scoring.url, path: '/invocations' },
    { name: 'bare Fastify echo (the limit)', url: echo.url, path: '/invocations' },
  ]
  const plan: Row[] = [
    { title: 'log-metric', unit: 'requests', clients: 1, load: () => logMetric, contenders: trackers },
    { title: 'log-metric', unit: 'requests', clients: 16, load: () => logMetric, contenders: trackers },
    { title: 'a full run (25 requests)', unit: 'runs', clients: 1, load: () => fullRun, contenders: trackers },
    {
      title: 'one-row inference',
      unit: 'requests',
      clients: 1,
      load: ({ path }) => inference(path!),
      contenders: scorers,
    },
    {
      title: 'one-row inference',
      unit: 'requests',
      clients: 16,
      load: ({ path }) => inference(path!),
      contenders: scorers,
    },
  ]
  const measured = plan.map(({ contenders }) => contenders.map((): Measure[] => []))
  for (let round = 0; round < rounds; round += 1) {
    noteLoad()
    for (const [at, row] of plan.entries()) {
      for (const [who, contender] of row.contenders.entries()) {
        const one = await measure(contender.url, row.load(contender), {
          clients: row.clients,
          seconds,
          close: contender.close ?? false,
        })
        measured[at]![who]!.push(one)
        say(
          `${round + 1}/${rounds} ${row.title} ×${row.clients} ${contender.name}: ${one.per_second.toFixed(0)}/s, ${one.failed} failed`,
        )
      }
    }
  }
  noteLoad()
  const memory = { slipway: memoryOf(slipway.pid), tracking: tracking.memory_mb(), scoring: scoring.memory_mb() }
  const text = report(plan, measured, { slipway, tracking, scoring }, memory, versionsOf(theirs.packages))
  process.stdout.write(`${text}\n`)
  if (given.write) withSection('bench', text)
} finally {
  await stopAll()
}

async function started(peer: Promise<Peer>): Promise<Peer> {
  const up = await peer
  stops.push(() => up.stop())
  return up
}

/** The second start of its folder, as the promise about starting is worded. */
async function startSlipway(): Promise<ServerProcess> {
  const data = join(folder, 'data')
  await (await startServerProcess({ data })).end('SIGTERM')
  const server = await startServerProcess({ data })
  stops.push(() => server.end('SIGTERM'))
  return server
}

async function makeLive(server: ServerProcess, python: string): Promise<void> {
  const file = join(folder, 'project', 'slipway.yaml')
  mkdirSync(join(folder, 'project'))
  writeFileSync(file, PROJECT)
  const quiet = createOutput({ json: false, quiet: true })
  await applyProject(server.client, quiet, file, false)
  await model(python, server.url, 'save')
  const rows = await uploadVersion(server.client, quiet, {
    name: 'bench-rows',
    paths: [join(folder, 'model', 'rows.parquet')],
  })
  await settle(server.client, quiet, rows)
  await model(python, server.url, 'register', `${server.url}/api/slipway/v1/dataset-versions/${rows.id}`)
  for (const [name, form] of Object.entries(FORMS)) {
    await until(`${name} to be live`, async () => {
      const { items } = await server.client.get<{ items: { state: string; reason: string }[] }>(
        `/api/slipway/v1/releases?endpoint=${name}`,
      )
      return items[0]?.state === 'live'
    })
    const { items } = await server.client.get<{ items: { form: string; reason: string }[] }>(
      `/api/slipway/v1/preparations?model=${name}`,
    )
    if (items[0]?.form !== form) throw new Error(`${name} is served as ${items[0]?.form}: ${items[0]?.reason}`)
  }
}

async function model(python: string, url: string, ...what: ['save'] | ['register', rows: string]): Promise<void> {
  const child = spawn(python, [join(import.meta.dirname, 'model.py'), join(folder, 'model'), LOCK, ...what], {
    env: { ...process.env, MLFLOW_TRACKING_URI: url, MLFLOW_DISABLE_TELEMETRY: 'true' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`model.py ${what[0]} ended with ${code}`)
}

function versionsOf(packages: Readonly<Record<string, string>>): string {
  return `MLflow ${packages.mlflow}, scikit-learn ${packages['scikit-learn']}, Node ${process.versions.node}`
}

function report(
  plan: readonly Row[],
  measured: readonly Measure[][][],
  up: { slipway: ServerProcess; tracking: Peer; scoring: Peer },
  memory: { slipway: number; tracking: number; scoring: number },
  versions: string,
): string {
  const show = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1))
  const lines = plan.flatMap(({ title, unit, clients, contenders }, at) => {
    const rates = measured[at]!.map((all) => median(all.map(({ per_second }) => per_second)))
    return contenders.map(({ name }, who) => {
      const all = measured[at]![who]!
      const spread = all.map(({ per_second }) => per_second)
      const failed = all.reduce((sum, one) => sum + one.failed, 0)
      return `| ${title} | ${clients} | ${name} | ${show(rates[who]!)} ${unit}/s (${show(Math.min(...spread))} to ${show(Math.max(...spread))}) | ${show(median(all.map(({ p50_ms }) => p50_ms)))} | ${show(median(all.map(({ p99_ms }) => p99_ms)))} | ${failed} | ${who === 0 ? '' : `${(rates[0]! / rates[who]!).toFixed(2)} ×`} |`
    })
  })
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`
  return [
    `Measured ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC on ${machine}; ${versions}. Medians of ${rounds} rounds of ${seconds} s,`,
    'servers and client on the same machine; in each round the servers take turns. `mlflow server` keeps SQLite, with as many',
    `workers as it takes by itself. Slipway acknowledges a write once it is synced to the disk. Load of the machine (1 min) before`,
    `and during the run: ${loads.join(', ')}; above ${cpus().length} other work was running too, so read the ratios, not the rates.`,
    '',
    '| what | clients | server | rate (range) | p50 ms | p99 ms | failed | Slipway is faster by |',
    '|---|---|---|---|---|---|---|---|',
    ...lines,
    '',
    '| | Slipway | `mlflow server` | `mlflow models serve` |',
    '|---|---|---|---|',
    `| start to the first 200, s | ${(up.slipway.started_ms / 1000).toFixed(1)} (second start of its folder) | ${(up.tracking.started_ms / 1000).toFixed(1)} | ${(up.scoring.started_ms / 1000).toFixed(1)} |`,
    `| resident memory after the run, all processes, MB | ${show(memory.slipway)} (tracking and serving) | ${show(memory.tracking)} | ${show(memory.scoring)} |`,
  ].join('\n')
}
