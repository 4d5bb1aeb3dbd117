/** One window of a monitor, computed from the log and the labels that are known now. */
import { type Analytics, type Cell, identifier } from '#kernel/analytics/index.ts'
import { readDuration } from '#kernel/units.ts'
import type { EndpointSpec } from '#slices/serving'
import { categoricalShares, ksTest, psi, type Reference, sharesOf } from './drift.ts'
import type { Labelled, OpenSpan } from './labelled.ts'
import { accuracyOfLabels, binaryMetric, type PerformanceMetric, regression } from './performance.ts'
import type { MonitorSpec } from './schema.ts'

const MS_MAX = 120_000
/** Rows that quality and drift are computed from; more are sampled evenly by id. */
const ROWS_MAX = 200_000
const DRIFT_ROWS_MAX = 20_000
const LABELS_MIN = 100
const DRIFTED_ABOVE = 0.2
const BINARY: readonly PerformanceMetric[] = ['roc_auc', 'log_loss', 'accuracy', 'precision', 'recall', 'f1']

export interface FeatureDrift {
  feature: string
  kind: Reference['kind']
  psi: number | null
  ks: number | null
  ks_p: number | null
  nulls: number
  /** Shares of the reference and of the window, by bin. */
  bins: { reference: number[]; current: number[]; names: string[] }
}

export interface WindowFacts {
  requests: number
  rows: number
  errors: number
  fallbacks: number
  labelled: number
  /** Rows by the version that answered. */
  versions: Record<string, number>
  metrics: Record<string, number | null>
  /** Why a measure is null. */
  words: string[]
  latency_ms: { p50: number | null; p95: number | null; p99: number | null }
  score: { mean: number | null; histogram: number[] }
  positives: number | null
  drift: FeatureDrift[]
  drift_version: number | null
}

export interface WindowInput {
  workspace: string
  endpoint: { name: string; spec: EndpointSpec }
  spec: MonitorSpec
  start_ms: number
  end_ms: number
  /** References of the features by version: what the version was trained on. */
  reference(version: number): Promise<Record<string, Reference> | undefined>
  /** Scores of the reference window, by twentieths. */
  score_reference: number[] | null
}

export async function computeWindow(
  deps: { analytics: Analytics; labelled: Labelled },
  input: WindowInput,
): Promise<WindowFacts> {
  const { endpoint } = input
  const facts: WindowFacts = {
    requests: 0,
    rows: 0,
    errors: 0,
    fallbacks: 0,
    labelled: 0,
    versions: {},
    metrics: {},
    words: [],
    latency_ms: { p50: null, p95: null, p99: null },
    score: { mean: null, histogram: [] },
    positives: null,
    drift: [],
    drift_version: null,
  }
  const span = await deps.labelled.open({
    workspace: input.workspace,
    endpoint: endpoint.name,
    from_ms: input.start_ms,
    to_ms: input.end_ms,
  })
  if (!span) {
    facts.words.push('no requests')
    return facts
  }
  try {
    const call = { files: span.files, tables: span.tables, timeout_ms: MS_MAX }
    const [counts, versions, histogram] = await deps.analytics.queries({
      ...call,
      statements: [
        {
          sql: `SELECT count(DISTINCT split_part(id, '.', 1)), count(*), count(*) FILTER (status = 'error'), count(*) FILTER (status = 'fallback'), count(truth),
                quantile_cont(latency_us, 0.5) / 1000, quantile_cont(latency_us, 0.95) / 1000, quantile_cont(latency_us, 0.99) / 1000, avg(score) FROM ${span.joined}`,
        },
        { sql: `SELECT answered_version, count(*) FROM ${span.predictions} GROUP BY 1 ORDER BY 2 DESC` },
        {
          sql: `SELECT least(19, floor(score * 20))::INT AS bin, count(*) FROM ${span.predictions} WHERE score BETWEEN 0 AND 1 GROUP BY 1`,
        },
      ],
    })
    const [requests, rows, errors, fallbacks, labelled, p50, p95, p99, mean] = counts!.rows[0] as (number | null)[]
    Object.assign(facts, {
      requests,
      rows,
      errors,
      fallbacks,
      labelled,
      versions: Object.fromEntries(versions!.rows.map(([version, count]) => [String(version), count])),
    })
    facts.latency_ms = { p50: p50!, p95: p95!, p99: p99! }
    facts.score.mean = mean ?? null
    facts.score.histogram = new Array(20).fill(0)
    for (const [bin, count] of histogram!.rows) facts.score.histogram[bin as number] = count as number
    facts.metrics.latency_p99 = facts.latency_ms.p99
    facts.metrics.error_rate = rows ? (errors! + fallbacks!) / rows : null
    if (span.labels_truncated)
      facts.words.push('there are more labels than one window takes along; quality is of the first')
    await addQuality(deps.analytics, call, span, input, facts)
    await addDrift(deps.analytics, call, span, input, facts, Number(versions!.rows[0]?.[0] ?? 0))
    if (input.score_reference && facts.score.histogram.length)
      facts.metrics.score_psi = psi(normal(input.score_reference), normal(facts.score.histogram))
  } finally {
    await span.done()
  }
  return facts
}

const normal = (counts: readonly number[]): number[] => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (total === 0 ? 0 : count / total))
}

type Call = Pick<Parameters<Analytics['query']>[0], 'timeout_ms'> & Pick<OpenSpan, 'files' | 'tables'>

async function addQuality(
  analytics: Analytics,
  call: Call,
  span: OpenSpan,
  { endpoint, spec }: WindowInput,
  facts: WindowFacts,
): Promise<void> {
  const { task = 'none', positive = 1 } = endpoint.spec
  const wanted = (spec.metrics ?? BINARY) as readonly string[]
  const labels_min = spec.labels_min ?? LABELS_MIN
  const needs = wanted.filter((metric) => !(metric in facts.metrics))
  if (task === 'none') return
  if (facts.labelled < labels_min) {
    for (const metric of needs) facts.metrics[metric] = null
    facts.words.push(`${facts.labelled} labels; quality is judged from ${labels_min} on`)
    return
  }
  const { rows } = await analytics.query({
    ...call,
    rows_max: ROWS_MAX,
    sql: `SELECT score, label, truth FROM ${span.joined} WHERE truth IS NOT NULL AND status <> 'error' AND score IS NOT NULL LIMIT ${ROWS_MAX}`,
  })
  if (task === 'regression') {
    const found = regression({
      truths: Float64Array.from(rows, (row) => Number(row[2])),
      answers: Float64Array.from(rows, (row) => row[0] as number),
    })
    for (const metric of ['mae', 'rmse', 'r2'] as const) facts.metrics[metric] = found?.[metric] ?? null
    return
  }
  if (task === 'multiclass') {
    facts.metrics.accuracy = accuracyOfLabels(
      rows.map((row) => String(row[2])),
      rows.map((row) => String(row[1])),
    )
    return
  }
  const is = (value: Cell | undefined): number => (String(value) === String(positive) ? 1 : 0)
  const threshold = endpoint.spec.threshold ?? 0.5
  const binary = {
    labels: Float64Array.from(rows, (row) => is(row[2])),
    scores: Float64Array.from(rows, (row) => row[0] as number),
    answers: Float64Array.from(rows, (row) => ((row[0] as number) >= threshold ? 1 : 0)),
  }
  facts.positives = binary.labels.reduce((sum, label) => sum + label, 0)
  for (const metric of BINARY) if (wanted.includes(metric)) facts.metrics[metric] = binaryMetric(metric, binary)
  if (facts.positives === 0 || facts.positives === rows.length)
    facts.words.push('all labels are of one class: the area under the curve and log loss are not defined')
}

async function addDrift(
  analytics: Analytics,
  call: Call,
  span: OpenSpan,
  input: WindowInput,
  facts: WindowFacts,
  version: number,
): Promise<void> {
  const { drift } = input.spec
  if (!drift || (drift.psi === false && drift.ks === false)) return
  const reference = await input.reference(version)
  if (!reference) {
    facts.words.push(`no training data of version ${version} is here to compare with`)
    return
  }
  facts.drift_version = version
  const features = span.features.filter((feature) => reference[feature])
  if (features.length === 0) return
  const { rows } = await analytics.query({
    ...call,
    rows_max: DRIFT_ROWS_MAX,
    sql: `SELECT ${features.map((feature) => identifier(`f_${feature}`)).join(', ')} FROM ${span.predictions} WHERE status <> 'error' ORDER BY hash(id) LIMIT ${DRIFT_ROWS_MAX}`,
  })
  for (const [at, feature] of features.entries()) {
    const was = reference[feature]!
    const values = rows.map((row) => row[at]!).filter((value) => value !== null)
    const nulls = rows.length === 0 ? 0 : 1 - values.length / rows.length
    if (was.kind === 'numeric') {
      const numbers = Float64Array.from(values, Number).sort()
      const current = sharesOf(numbers, was.edges)
      const ks = drift.ks === false ? undefined : ksTest(was.sample, numbers)
      facts.drift.push({
        feature,
        kind: 'numeric',
        psi: psi(was.shares, current),
        ks: ks?.statistic ?? null,
        ks_p: ks?.p ?? null,
        nulls,
        bins: { reference: was.shares, current, names: binNames(was.edges) },
      })
    } else {
      const current = categoricalShares(values.map(String), was.values)
      facts.drift.push({
        feature,
        kind: 'categorical',
        psi: psi(was.shares, current),
        ks: null,
        ks_p: null,
        nulls,
        bins: { reference: was.shares, current, names: [...was.values, 'other'] },
      })
    }
  }
  facts.drift.sort((a, b) => (b.psi ?? 0) - (a.psi ?? 0))
  const limit = drift.psi_above ?? DRIFTED_ABOVE
  facts.metrics.share_of_drifted_features =
    facts.drift.filter((one) => (one.psi ?? 0) > limit).length / facts.drift.length
}

const binNames = (edges: readonly number[]): string[] => [
  ...edges.map((edge, at) => (at === 0 ? `≤ ${short(edge)}` : `${short(edges[at - 1]!)} – ${short(edge)}`)),
  `> ${short(edges.at(-1) ?? 0)}`,
]
const short = (value: number): string => String(Number(value.toPrecision(4)))

export interface Grid {
  window_ms: number
  every_ms: number
  delay_ms: number
}

export const gridOf = (spec: MonitorSpec): Grid => {
  const window_ms = readDuration(spec.window)
  return {
    window_ms,
    every_ms: spec.every ? readDuration(spec.every) : window_ms,
    delay_ms: spec.label_delay ? readDuration(spec.label_delay) : 0,
  }
}

/** 1970-01-05: windows of whole weeks begin on Mondays, as ISO 8601 counts them. */
const MONDAY_MS = 4 * 86_400_000
const WEEK_MS = 7 * 86_400_000

/** Start of the first window that holds a moment: windows lie on multiples of `every` since the epoch, UTC. */
export function firstWindow({ window_ms, every_ms }: Grid, at_ms: number): number {
  const offset = every_ms % WEEK_MS === 0 ? MONDAY_MS : 0
  return Math.floor((at_ms - offset - window_ms) / every_ms) * every_ms + every_ms + offset
}
