/** Walks the story and tells it. Every decision is the server's: here it is only looked up. */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { applyProject, PROJECT_FILE } from '../../../server/src/cli/apply.ts'
import { type Client, createClient } from '../../../server/src/cli/client.ts'
import { settle, uploadVersion } from '../../../server/src/cli/data.ts'
import { createOutput } from '../../../server/src/cli/output.ts'
import { type Api, createApi, type Release, type ReleaseDetail } from './api.ts'
import { createReplay, type Flight, type Replay } from './replay.ts'
import { auc, createStages, type Report, type Stages } from './report.ts'
import type { Prepared } from './set-up.ts'

const EXAMPLE = resolve(import.meta.dirname, '..')
const DAY_MS = 86_400_000
/** The day on which somebody tries two candidates that must not stay. */
const CANDIDATES_DAY = '2013-04-15'
const SCORE_ROWS = 5000
const WAIT_MS_MAX = 20 * 60_000

export async function walk(
  url: string,
  prepared: Prepared,
  { speed, say }: { speed: number; say(line: string): void },
): Promise<Report> {
  const began = performance.now()
  const client = createClient({ url })
  const api = createApi(client)
  const stages = createStages(say)
  await begin(client, api, prepared, stages)

  let event_lag = 0
  const labels = readdirSync(join(prepared.data, 'labels')).sort()
  const replay = createReplay(url, 'delay', prepared.data, labels, speed, {
    busy: () => api.busy(),
    async beforeHold(event_ms) {
      const next_ms = await api.nextWindow()
      // The window that is open now ends a week after its start; one that has ended waits a day for its labels.
      if (next_ms !== null) event_lag = Math.max(event_lag, event_ms - (next_ms + 8 * DAY_MS))
    },
    async onDay(day) {
      if (day === CANDIDATES_DAY) await tryCandidates(api, stages, say)
    },
  })
  try {
    const months = Object.keys(prepared.months)
      .filter((month) => prepared.months[month]!.requests > 0)
      .sort()
    for (const month of months) {
      await replay.month(month)
      const live = (await api.releases()).find(({ state }) => state === 'live')
      say(
        `  ${month}  ${replay.totals.served.toLocaleString('en')} requests served, ${replay.totals.failed} failed; version ${live?.version ?? '-'} is live`,
      )
    }
    await replay.finish()
    await tellRollback(api, stages)
    await tellRetraining(api, stages)
    return await report(api, replay, stages, { event_lag, began, speed })
  } finally {
    await replay.close()
  }
}

/** Project, data, first model: everything up to the first release. */
async function begin(client: Client, api: Api, prepared: Prepared, stages: Stages): Promise<void> {
  const output = createOutput({ json: false, quiet: true })
  await applyProject(client, output, join(EXAMPLE, PROJECT_FILE), false)
  const add = async (name: string, file: string, reason: string) => {
    const paths = [join(prepared.data, file)]
    return settle(
      client,
      output,
      await uploadVersion(client, output, { name, paths, time_column: 'event_time', reason }),
    )
  }
  const held_out = await add('flights-holdout', 'holdout.parquet', 'flights of 18 to 31 March 2013, held out')
  const version = await add('flights-training', 'training.parquet', 'flights of January to 17 March 2013')
  stages.add(
    'data',
    version.verdict === 'passed' && held_out.verdict === 'passed',
    [version, held_out]
      .map(
        ({ name, number, row_count, verdict }) =>
          `${name}@${number}: ${row_count?.toLocaleString('en')} rows, checks ${verdict}`,
      )
      .join('; '),
    [version.id, held_out.id],
    { rows: version.row_count, held_out: held_out.row_count },
  )

  await until(api, async () => (await api.pipelineRuns('train')).some(({ state }) => state !== 'running'))
  const [run] = await api.pipelineRuns('train')
  const detail = await api.pipelineRun(run!.id)
  const tracking = detail.steps[0]?.tracking_run
  const metrics = tracking ? await metricsOf(client, tracking) : {}
  stages.add(
    'train',
    run!.state === 'done',
    run!.state === 'done'
      ? `the new data started pipeline train: AUC ${metrics.auc?.toFixed(3)} on its last weeks`
      : `pipeline train ${run!.state}: ${run!.reason}`,
    [run!.id, tracking],
    metrics,
  )

  await until(api, async () =>
    (await api.preparations()).some(({ version: one, state }) => one === 1 && state !== 'waiting'),
  )
  const preparation = (await api.preparations()).find(({ version: one }) => one === 1)
  stages.add(
    'register',
    preparation?.state === 'done',
    `flight-delay version 1 serves in its ${preparation?.form === 'onnx' ? 'compiled' : 'Python'} form: ${preparation?.reason}`,
    ['flight-delay/1'],
  )

  await until(api, async () => ['live', 'refused', 'rolled_back'].includes((await api.releases()).at(-1)?.state ?? ''))
  const first = (await api.releases()).at(-1)
  const verdict = first && (await api.release(first.id)).verdict
  const auc = verdict?.measured.metrics.roc_auc?.candidate
  stages.add(
    'gate',
    // Passed is not enough: it has to be measured, on rows that the model was not trained on.
    verdict?.passed === true && verdict.measured.source === 'dataset' && auc !== null && auc !== undefined,
    `version 1: ${auc ? `AUC ${auc.value.toFixed(3)} [${auc.low.toFixed(3)}, ${auc.high.toFixed(3)}] on ${verdict?.measured.rows.toLocaleString('en')} flights held out; ` : ''}${verdict?.reason ?? first?.reason}`,
    [first?.id],
    { auc: auc?.value, rows: verdict?.measured.rows },
  )
  const { traffic } = await api.endpoint()
  stages.add(
    'deploy',
    first?.state === 'live' && traffic?.routes.length === 1,
    first?.state === 'live' ? 'version 1 is live at endpoint delay' : `version 1 is ${first?.state}: ${first?.reason}`,
    [first?.id, traffic?.routes[0]?.revision],
  )
  if (first?.state !== 'live') throw new Error('the first release did not go live; the rest of the story needs it')
}

async function metricsOf(client: Client, run: string): Promise<Record<string, number>> {
  const { run: found } = await client.get<{ run: { data: { metrics?: { key: string; value: number }[] } } }>(
    `/api/2.0/mlflow/runs/get?run_id=${run}`,
  )
  return Object.fromEntries((found.data.metrics ?? []).map(({ key, value }) => [key, value]))
}

/** Runs the two candidates' pipelines, as a person would; what becomes of them is the server's to decide. */
async function tryCandidates(api: Api, stages: Stages, say: (line: string) => void): Promise<void> {
  const candidate = async (pipeline: string): Promise<Release | undefined> => {
    const before = (await api.releases()).length
    const { id } = await api.start(pipeline)
    await until(api, async () => (await api.pipelineRun(id)).state !== 'running')
    const run = await api.pipelineRun(id)
    if (run.state !== 'done') throw new Error(`pipeline ${pipeline} ${run.state}: ${run.reason}`)
    // The first new one that came to something: another may wait for its end, as when the pipeline was started twice.
    let settled: Release | undefined
    await until(api, async () => {
      const all = await api.releases()
      settled = all
        .slice(0, all.length - before)
        .findLast(({ state }) => !['proposed', 'checking', 'approved', 'loading'].includes(state))
      return settled !== undefined
    })
    return settled
  }
  const shuffled = await candidate('candidate-shuffled')
  const verdict = shuffled && (await api.release(shuffled.id)).verdict
  stages.add(
    'refuse',
    shuffled?.state === 'refused',
    `version ${shuffled?.version}, trained on shuffled labels: ${shuffled?.state}, ${shuffled?.reason}`,
    [shuffled?.id],
    {
      rows: verdict?.measured.rows,
      auc: verdict?.measured.metrics.roc_auc?.candidate?.value,
      difference: verdict?.measured.metrics.roc_auc?.difference?.value,
    },
  )
  const brittle = await candidate('candidate-brittle')
  say(`  version ${brittle?.version} knows no new destination: ${brittle?.verdict?.reason}; it is ${brittle?.state}`)
}

/** The brittle candidate: approved by its gate, stopped by its guard. */
async function tellRollback(api: Api, stages: Stages): Promise<void> {
  const rolled = (await api.releases()).filter(({ state }) => state === 'rolled_back').at(-1)
  const detail = rolled && (await api.release(rolled.id))
  const last = detail?.decisions.at(-1)
  const numbers = Object.fromEntries(
    Object.entries(last?.facts ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  )
  stages.add(
    'rollback',
    rolled !== undefined && rolled.verdict?.passed === true && typeof numbers.failures === 'number',
    rolled
      ? `version ${rolled.version} passed its gate and was rolled back: ${last?.words}`
      : 'no release was rolled back',
    [rolled?.id],
    numbers,
  )
}

async function tellRetraining(api: Api, stages: Stages): Promise<void> {
  const alerts = await api.alerts()
  const { windows } = await api.monitor()
  const alert = alerts.at(-1)
  const evidence = (await api.retrainings()).at(-1)?.evidence
  const drifted = windows.at(-1)?.facts.drift[0]
  stages.add(
    'drift',
    alert !== undefined,
    alert
      ? `week of ${day(alert.opened_window_ms)}: AUC ${(evidence?.value ?? alert.value).toFixed(3)}, the second week in a row below ${alert.threshold}; most moved feature: ${drifted?.feature} (PSI ${drifted?.psi?.toFixed(2)})`
      : 'no alert was raised',
    alerts.map(({ id }) => id),
    {
      alerts: alerts.length,
      windows: windows.length,
      auc: evidence?.value,
      psi: drifted?.psi,
    },
  )
  const retrainings = await api.retrainings()
  const done = retrainings.filter(({ state }) => state === 'done')
  const first = done.at(-1)
  stages.add(
    'retrain',
    first !== undefined,
    first
      ? `${done.length} of ${retrainings.length} alerts led to a retraining, the others were held back (${retrainings.find(({ state }) => state === 'skipped')?.reason ?? 'none'})`
      : `no retraining ended well: ${retrainings[0]?.reason ?? 'none began'}`,
    done.flatMap(({ id, pipeline_run, dataset_version }) => [id, pipeline_run, dataset_version]),
    { retrainings: retrainings.length, done: done.length },
  )

  const releases = await api.releases()
  const promoted: ReleaseDetail[] = []
  for (const release of releases.filter(
    ({ version, state }) => version > 1 && (state === 'live' || state === 'superseded'),
  ))
    promoted.push(await api.release(release.id))
  const one = promoted.at(-1)
  const steps = one?.decisions.filter(({ state }) => state === 'canary') ?? []
  stages.add(
    'canary',
    steps.length > 0,
    one ? `version ${one.version} took traffic in ${steps.length + 1} steps` : 'no retrained version became a canary',
    [one?.id],
    { steps: steps.length },
  )
  const difference = one?.verdict?.measured.metrics.roc_auc?.difference
  stages.add(
    'promote',
    promoted.length > 0,
    one
      ? `version ${one.version} is promoted: ${difference ? `AUC ${difference.value >= 0 ? '+' : ''}${difference.value.toFixed(3)} [${difference.low.toFixed(3)}, ${difference.high.toFixed(3)}] against its predecessor on replayed traffic` : one.verdict?.reason}`
      : 'no retrained version was promoted',
    promoted.map(({ id }) => id),
    { promoted: promoted.length, difference: difference?.value },
  )
}

async function report(
  api: Api,
  replay: Replay,
  stages: Stages,
  facts: { event_lag: number; began: number; speed: number },
): Promise<Report> {
  const { totals } = replay
  const latencies = totals.latencies.slice(0, Math.min(totals.served, totals.latencies.length)).sort()
  const decisions: Report['decisions'] = []
  for (const release of (await api.releases()).reverse()) {
    for (const { state, words, watermark_ms } of (await api.release(release.id)).decisions) {
      if (['refused', 'canary', 'live', 'rolled_back'].includes(state))
        decisions.push({
          at: watermark_ms === null ? '          ' : day(watermark_ms),
          version: release.version,
          state,
          words,
        })
    }
  }
  const span = replay.flights.length > 1 ? replay.flights.at(-1)!.event_ms - replay.flights[0]!.event_ms : 0
  return {
    stages: stages.all(),
    requests: { served: totals.served, failed: totals.failed },
    auc_by_month: await aucByMonth(api, replay.flights),
    lags: {
      event_time_ms_max: Math.max(0, facts.event_lag),
      held_ms: totals.held_ms,
      longest_hold_ms: totals.longest_hold_ms,
    },
    speed: span / totals.sending_ms,
    stated_speed: facts.speed,
    latency_ms: {
      p50: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
      p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    },
    decisions,
    seconds: (performance.now() - facts.began) / 1000,
  }
}

/** The first version on every flight, beside what was really answered: both on the flights that got a label. */
async function aucByMonth(api: Api, flights: readonly Flight[]): Promise<Report['auc_by_month']> {
  const labelled = flights.filter((flight) => flight.label !== null)
  const frozen = new Map<Flight, number>()
  for (let from = 0; from < labelled.length; from += SCORE_ROWS) {
    const part = labelled.slice(from, from + SCORE_ROWS)
    const scores = await api.score(
      1,
      part.map(({ features }) => features),
    )
    for (const [at, flight] of part.entries()) if (scores[at] !== null) frozen.set(flight, scores[at]!)
  }
  const months = [...new Set(labelled.map(({ month }) => month))]
  return months.map((month) => {
    const rows = labelled.filter((flight) => flight.month === month)
    return {
      month,
      frozen: auc(
        rows.flatMap((flight) => (frozen.has(flight) ? [{ score: frozen.get(flight)!, label: flight.label! }] : [])),
      ),
      live: auc(
        rows.flatMap((flight) => (flight.score === undefined ? [] : [{ score: flight.score, label: flight.label! }])),
      ),
    }
  })
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** Waits for a condition that the server brings about. */
async function until(api: Api, met: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX
  while (!(await met())) {
    if (Date.now() > deadline)
      throw new Error(
        `it took longer than ${WAIT_MS_MAX / 60_000} minutes; under way: ${JSON.stringify((await api.busy()).parts)}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
