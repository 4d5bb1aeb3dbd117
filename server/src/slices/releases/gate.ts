/** Measures a candidate against the champion: on replayed labelled traffic where there is any, else on a data version. */
import type { Sql } from '#kernel/store/index.ts'
import { readDuration } from '#kernel/units.ts'
import type { LabelledRow } from '#slices/monitoring'
import type { EndpointSpec, Scorer } from '#slices/serving'
import { blocksOf } from './blocks.ts'
import { bootstrap } from './bootstrap.ts'
import type { ReleasesDeps } from './deps.ts'
import { judge, type Measured, type Verdict } from './gate-rules.ts'
import type { Release } from './release-store.ts'
import * as rows from './release-store.ts'
import { kindOf, numbersOf, type Said, sayings } from './sayings.ts'
import type { GateRule } from './schema.ts'

const ROWS_DEFAULT = 20_000
/** Rows below which nothing is compared: an interval on fewer says too little. */
const ROWS_MIN = 100
const RESAMPLES = 1000
const CONFIDENCE_DEFAULT = 0.95
const LATENCY_ROWS = 200
const LATENCY_WARM_ROWS = 20
const LATENCY_PASSES = 3

export async function runGate(
  deps: ReleasesDeps,
  release: Release,
  context: { signal: AbortSignal; progress(share: number | null, note?: string): void },
): Promise<Verdict> {
  const started = performance.now()
  const { store, serving } = deps
  const { workspace, model, version, endpoint: name } = release
  const [endpoint, champion, preparation, data, watermark] = await store.read(async (sql: Sql) => [
    await serving.getEndpoint(sql, workspace, name),
    await rows.liveRelease(sql, workspace, name),
    await serving.preparation(sql, workspace, model, version),
    await deps.trainingData(sql, workspace, model, version),
    await serving.watermark(sql, workspace, name),
  ])
  const gate = release.policy.gate ?? {}
  const rules = gate.rules ?? []

  context.progress(0.1, 'gathering rows')
  const found = await gatherRows(deps, release, data, watermark)
  const measured: Measured = {
    rows: found.rows.length,
    source: found.source,
    source_words: found.words,
    tainted: found.tainted,
    drawn: null,
    from_ms: found.from_ms,
    to_ms: found.to_ms,
    left_out: found.left_out,
    compared: found.rows.length,
    failed: 0,
    failure: null,
    metrics: {},
    latency_p99_ms: null,
    form: preparation?.form ?? null,
    form_reason: preparation?.reason ?? 'it was not prepared',
    data: data.map(({ id, name: dataset, number, verdict }) => ({ id, name: dataset, number, verdict })),
    champion: champion ? { release: champion.id, version: champion.version } : null,
  }

  if (found.source !== 'none') {
    const candidate = await serving.openScorer(workspace, model, version, endpoint.spec)
    try {
      context.progress(0.2, `scoring ${found.rows.length} rows`)
      const mine = await candidate.score(
        found.rows.map((row) => row.features),
        { signal: context.signal, onProgress: (share) => context.progress(0.2 + share * 0.3) },
      )
      measured.failed = mine.failed
      measured.failure = mine.failures[0]?.error ?? null
      measured.latency_p99_ms = await latencyOf(candidate, found.rows)
      const asked = askedOf(rules)
      if (asked.length > 0) {
        const said = sayings(endpoint.spec, mine.scores, mine.labels)
        const theirs = champion ? await championSaid(deps, champion, found.rows, endpoint.spec, context.signal) : null
        // Answered, but with nothing that its task could be measured by: as good as no answer.
        const empty = said.filter((one) => one === null).length - mine.failed
        if (empty > 0) {
          measured.failed += empty
          measured.failure ??= 'its answers hold no score or label; see score and task of the endpoint'
        }
        context.progress(0.7, 'resampling')
        // Rows that either failed on say nothing of the difference; how many they are is told.
        const keep = found.rows.map((_, at) => at).filter((at) => said[at] !== null && (!theirs || theirs[at] !== null))
        const { truths, sides } = numbersOf(endpoint.spec, keep, found.rows, [said, ...(theirs ? [theirs] : [])])
        measured.compared = keep.length
        const blocks = blocksOf(keep.map((at) => found.rows[at]!.event_ms))
        measured.drawn = { by: blocks.by, count: blocks.count }
        measured.metrics = await bootstrap(
          {
            kind: kindOf(endpoint.spec),
            asked,
            truths,
            candidate: sides[0]!,
            champion: sides[1] ?? null,
            blocks: blocks.of,
            resamples: RESAMPLES,
            seed: Number.parseInt(release.id.slice(-8), 16),
          },
          context.signal,
        )
      }
    } finally {
      await candidate.close()
    }
  }
  return { ...judge(rules, measured), seconds: (performance.now() - started) / 1000 }
}

/** Each metric with each confidence that its rules ask for; the first keeps the plain name. */
function askedOf(rules: readonly GateRule[]): { metric: string; confidence: number; name: string }[] {
  const asked = new Map<string, { metric: string; confidence: number; name: string }>()
  for (const rule of rules) {
    if (!('metric' in rule)) continue
    const metric = String(rule.metric)
    const first = [...asked.values()].find((one) => one.metric === metric)
    // A rule without a confidence reads the measured value: any interval will do.
    if (first && (rule.confidence === undefined || rule.confidence === first.confidence)) continue
    const confidence = rule.confidence ?? CONFIDENCE_DEFAULT
    const name = first ? `${metric}@${confidence}` : metric
    asked.set(name, { metric, confidence, name })
  }
  return [...asked.values()]
}

interface Rows {
  rows: LabelledRow[]
  source: Measured['source']
  words: string
  tainted: string | null
  from_ms: number | null
  to_ms: number | null
  left_out: number
}

async function gatherRows(
  deps: ReleasesDeps,
  release: Release,
  data: Awaited<ReturnType<ReleasesDeps['trainingData']>>,
  watermark: number | undefined,
): Promise<Rows> {
  const { replay } = release.policy.gate ?? {}
  const trained = trainedUntil(data)
  const replayed =
    replay && watermark !== undefined ? await replayedRows(deps, release, trained.to_ms, watermark) : null
  if (replayed && replayed.rows.length >= ROWS_MIN && trained.to_ms !== null) return replayed
  const words =
    replayed === null
      ? replay
        ? 'no traffic was labelled yet'
        : 'the gate replays no traffic'
      : replayed.rows.length >= ROWS_MIN
        ? trained.words
        : `only ${replayed.rows.length} labelled requests of the last ${replay!.last} lie after the candidate's training data`
  const held = await heldOutRows(deps, release, data)
  if (held?.rows) return held.rows
  const both = [words, ...(held ? [held.words] : [])].join(', and ')
  // What it answers and how fast can be tried on requests that it may have been trained on; how well it answers cannot.
  if (replayed && replayed.rows.length >= ROWS_MIN) return { ...replayed, tainted: both }
  return { rows: [], source: 'none', words: both, tainted: null, from_ms: null, to_ms: null, left_out: 0 }
}

/** The event time up to which the candidate's training data reach; null: nobody can say. */
function trainedUntil(data: Awaited<ReturnType<ReleasesDeps['trainingData']>>): {
  to_ms: number | null
  words: string
} {
  if (data.length === 0)
    return {
      to_ms: null,
      words: 'its run names no training data of ours, so the replay may hold what it was trained on',
    }
  const timeless = data.filter(({ time_to_ms }) => time_to_ms === null)
  if (timeless.length === 0) return { to_ms: Math.max(...data.map(({ time_to_ms }) => time_to_ms!)), words: '' }
  const names = timeless.map(({ name, number }) => `${name}@${number}`).join(', ')
  return {
    to_ms: null,
    words: `its training data ${names} have no time_column, so the replay may hold what it was trained on`,
  }
}

async function replayedRows(
  deps: ReleasesDeps,
  { workspace, endpoint, policy }: Release,
  trained_ms: number | null,
  watermark: number,
): Promise<Rows> {
  const { last, rows_max = ROWS_DEFAULT } = policy.gate!.replay!
  const from_ms = watermark - readDuration(last)
  const found = await deps.monitoring.labelledRows({ workspace, endpoint, from_ms, to_ms: watermark + 1, rows_max })
  // Requests that the candidate was trained on would flatter it.
  const honest = trained_ms === null ? found : found.filter((row) => row.event_ms! > trained_ms)
  return {
    rows: honest,
    source: 'replay',
    words: `replayed traffic of ${last}`,
    tainted: null,
    from_ms: honest[0]?.event_ms ?? null,
    to_ms: honest.at(-1)?.event_ms ?? null,
    left_out: found.length - honest.length,
  }
}

/** The rows of `evaluate_on`, or why they cannot be used; undefined without one. */
async function heldOutRows(
  deps: ReleasesDeps,
  { workspace, policy }: Release,
  data: Awaited<ReturnType<ReleasesDeps['trainingData']>>,
): Promise<{ rows?: Rows; words: string } | undefined> {
  const { evaluate_on, replay } = policy.gate ?? {}
  if (!evaluate_on) return undefined
  const { dataset, label } = evaluate_on
  const rows_max = replay?.rows_max ?? ROWS_DEFAULT
  const found = await deps.monitoring.rowsOfDataset({ workspace, dataset, label, rows_max })
  if (!found) return { words: `dataset ${dataset} has no version that passed its checks` }
  const words = `${dataset}@${found.number}`
  if (data.some(({ id, digest }) => id === found.id || digest === found.digest))
    return { words: `${words} is what the candidate was trained on` }
  if (found.rows.length < ROWS_MIN) return { words: `${words} has only ${found.rows.length} rows` }
  const times = found.rows.flatMap(({ event_ms }) => (event_ms === null ? [] : [event_ms])).sort((a, b) => a - b)
  return {
    words,
    rows: {
      rows: found.rows,
      source: 'dataset',
      words,
      tainted: null,
      from_ms: times[0] ?? null,
      to_ms: times.at(-1) ?? null,
      left_out: 0,
    },
  }
}

/** What the champion said when it answered these very requests; the rest it is asked again. */
async function championSaid(
  deps: ReleasesDeps,
  champion: Release,
  given: readonly LabelledRow[],
  spec: EndpointSpec,
  signal: AbortSignal,
): Promise<(Said | null)[]> {
  const said = sayings(
    spec,
    given.map((row) => (row.answered_by === champion.revision ? row.score : null)),
    given.map((row) => (row.answered_by === champion.revision ? row.answer : null)),
  )
  const missing = said.flatMap((one, at) => (one === null ? [at] : []))
  if (missing.length === 0) return said
  const scorer = await deps.serving.openScorer(champion.workspace, champion.model, champion.version, spec)
  try {
    const again = await scorer.score(
      missing.map((at) => given[at]!.features),
      { signal },
    )
    for (const [place, one] of sayings(spec, again.scores, again.labels).entries()) said[missing[place]!] = one
  } finally {
    await scorer.close()
  }
  return said
}

async function latencyOf(scorer: Scorer, given: readonly LabelledRow[]): Promise<number> {
  const step = Math.max(1, Math.floor(given.length / LATENCY_ROWS))
  const rows = given.filter((_, at) => at % step === 0).map((row) => row.features)
  await scorer.time(rows.slice(0, LATENCY_WARM_ROWS))
  const passes: number[] = []
  for (let pass = 0; pass < LATENCY_PASSES; pass++) {
    const times = (await scorer.time(rows.slice(0, LATENCY_ROWS))).sort((a, b) => a - b)
    passes.push(times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0)
  }
  return passes.sort((a, b) => a - b)[LATENCY_PASSES >> 1]!
}
