/** One window of a monitor, computed from the log and the labels that are known now: two calls of analytics, whatever its size. */
import { type Analytics, type Cell, identifier } from '#kernel/analytics/index.ts'
import type { EndpointSpec } from '#slices/serving'
import { psi, type Reference } from './drift.ts'
import { driftOf, type FeatureDrift } from './feature-drift.ts'
import { positiveSql } from './label-values.ts'
import type { Labelled } from './labelled.ts'
import { columnsOf, MEASURES, measureQuality } from './quality.ts'
import { numberOf } from './reference-data.ts'
import type { MonitorSpec } from './schema.ts'

const MS_MAX = 120_000
/** Labelled rows that quality is computed from; of more, as many by the hash of their ids. */
const QUALITY_ROWS_MAX = 200_000
const DRIFT_ROWS_MAX = 20_000
const LABELS_MIN = 100
const DRIFTED_ABOVE = 0.2

export interface WindowFacts {
  requests: number
  rows: number
  errors: number
  fallbacks: number
  labelled: number
  /** Rows by the version that answered. */
  versions: Record<string, number>
  metrics: Record<string, number | null>
  /** Why a measure is null, and what else a reader should know. */
  words: string[]
  latency_ms: { p50: number | null; p95: number | null; p99: number | null }
  /** Counts of scores in twentieths of 0..1. */
  score: { mean: number | null; histogram: number[] }
  positives: number | null
  drift: FeatureDrift[]
  /** Version whose training data the features are compared with: the one that answered most rows. */
  drift_version: number | null
  /** Event times of the first and last row; null without rows. */
  seen: { from_ms: number; to_ms: number } | null
}

/** What a window was computed from, for telling later whether anything changed. */
export interface WindowBasis {
  first_id: string | null
  last_id: string | null
  labels_digest: string | null
}

export interface WindowInput {
  workspace: string
  endpoint: { name: string; spec: EndpointSpec }
  spec: MonitorSpec
  start_ms: number
  end_ms: number
  /** References of the features by version: what the version was trained on. */
  reference(version: number): Promise<Record<string, Reference> | undefined>
  /** Counts of scores in the version's own first full window, in twentieths. */
  scoreReference(version: number): Promise<number[] | undefined>
}

export const noFacts = (...words: string[]): WindowFacts => ({
  requests: 0,
  rows: 0,
  errors: 0,
  fallbacks: 0,
  labelled: 0,
  versions: {},
  metrics: {},
  words,
  latency_ms: { p50: null, p95: null, p99: null },
  score: { mean: null, histogram: [] },
  positives: null,
  drift: [],
  drift_version: null,
  seen: null,
})

/** The version that answered most rows; 0 when none did. */
export const mainVersion = (facts: Pick<WindowFacts, 'versions'>): number =>
  Number(Object.entries(facts.versions).sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0)

export async function computeWindow(
  deps: { analytics: Analytics; labelled: Pick<Labelled, 'open'> },
  input: WindowInput,
): Promise<{ facts: WindowFacts; basis: WindowBasis }> {
  const { endpoint, spec } = input
  const span = await deps.labelled.open(
    { workspace: input.workspace, endpoint: endpoint.name, from_ms: input.start_ms, to_ms: input.end_ms },
    (from) => [
      {
        sql: `SELECT count(DISTINCT split_part(id, '.', 1)), count(*), count(*) FILTER (status = 'error'), count(*) FILTER (status = 'fallback'),
              quantile_cont(latency_us, [0.5, 0.95, 0.99])[1] / 1000, quantile_cont(latency_us, [0.5, 0.95, 0.99])[2] / 1000, quantile_cont(latency_us, [0.5, 0.95, 0.99])[3] / 1000,
              avg(${numberOf('score')}), min(event_ms), max(event_ms) FROM ${from}`,
      },
      { sql: `SELECT answered_version, count(*) FROM ${from} GROUP BY 1 ORDER BY 2 DESC, 1 DESC` },
      {
        sql: `SELECT least(19, floor(score * 20))::INT, count(*) FROM ${from} WHERE score BETWEEN 0 AND 1 GROUP BY 1`,
      },
    ],
  )
  if (!span) return { facts: noFacts('no requests'), basis: { first_id: null, last_id: null, labels_digest: null } }
  try {
    const [counts, versions, histogram] = span.told
    const [requests, rows, errors, fallbacks, p50, p95, p99, mean, from_ms, to_ms] = counts!.rows[0] as (
      | number
      | null
    )[]
    const facts: WindowFacts = {
      ...noFacts(),
      requests: requests!,
      rows: rows!,
      errors: errors!,
      fallbacks: fallbacks!,
      versions: Object.fromEntries(versions!.rows.map(([version, count]) => [String(version), count as number])),
      latency_ms: { p50: p50!, p95: p95!, p99: p99! },
      score: { mean: mean ?? null, histogram: new Array(20).fill(0) },
      seen: { from_ms: from_ms!, to_ms: to_ms! },
    }
    for (const [bin, count] of histogram!.rows) facts.score.histogram[bin as number] = count as number
    facts.metrics.latency_p99 = p99!
    facts.metrics.error_rate = (errors! + fallbacks!) / rows!

    const version = versions!.rows[0]![0] as number
    const drift_wanted = spec.drift && !(spec.drift.psi === false && spec.drift.ks === false)
    const reference = drift_wanted ? await input.reference(version) : undefined
    const features = reference ? span.features.filter((feature) => reference[feature]) : []
    const [labels, quality, sample] = await deps.analytics.queries({
      files: span.files,
      tables: span.tables,
      timeout_ms: MS_MAX,
      rows_max: QUALITY_ROWS_MAX,
      statements: [
        {
          sql: `SELECT count(*), coalesce(bit_xor(hash(id, truth)), 0)::VARCHAR FROM ${span.joined} WHERE truth IS NOT NULL`,
        },
        { sql: qualityRows(endpoint.spec, span.joined) },
        ...(features.length > 0
          ? [
              {
                sql: `SELECT ${features
                  .map((feature) =>
                    reference![feature]!.kind === 'numeric'
                      ? numberOf(identifier(`f_${feature}`))
                      : `${identifier(`f_${feature}`)}::VARCHAR`,
                  )
                  .join(
                    ', ',
                  )} FROM ${span.predictions} WHERE status <> 'error' ORDER BY hash(id) LIMIT ${DRIFT_ROWS_MAX}`,
              },
            ]
          : []),
      ],
    })
    facts.labelled = labels!.rows[0]![0] as number
    await addQuality(quality!.rows, input, facts)
    if (drift_wanted && !reference) facts.words.push(`no training data of version ${version} is here to compare with`)
    if (reference && sample) {
      facts.drift_version = version
      facts.drift = await driftOf(features, reference, sample.rows, spec.drift!.ks !== false)
      const limit = spec.drift!.psi_above ?? DRIFTED_ABOVE
      facts.metrics.share_of_drifted_features =
        facts.drift.filter((one) => (one.psi ?? 0) > limit).length / facts.drift.length
    }
    const scores = await input.scoreReference(version)
    if (scores && total(facts.score.histogram) > 0)
      facts.metrics.score_psi = psi(normal(scores), normal(facts.score.histogram))
    return {
      facts,
      basis: { first_id: span.first_id, last_id: span.last_id, labels_digest: labels!.rows[0]![1] as string },
    }
  } finally {
    await span.done()
  }
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)
const normal = (counts: readonly number[]): number[] => {
  const all = total(counts)
  return counts.map((count) => (all === 0 ? 0 : count / all))
}

/** Labelled rows as the task needs them. Rows that cannot be judged are left out here and counted by their absence. */
function qualityRows({ task = 'none', positive = 1 }: EndpointSpec, joined: string): string {
  const score = numberOf('score')
  const known = `FROM ${joined} WHERE truth IS NOT NULL AND status <> 'error'`
  const end = `ORDER BY hash(id) LIMIT ${QUALITY_ROWS_MAX}`
  switch (task) {
    case 'binary':
      return `SELECT (${positiveSql(positive, 'truth')})::INT, ${score} ${known} AND ${score} IS NOT NULL ${end}`
    case 'regression':
      return `SELECT ${numberOf('truth')}, ${score} ${known} AND ${score} IS NOT NULL AND ${numberOf('truth')} IS NOT NULL ${end}`
    case 'multiclass':
      return `SELECT truth, label ${known} AND label IS NOT NULL ${end}`
    default:
      return 'SELECT 1 WHERE false'
  }
}

async function addQuality(rows: Cell[][], { endpoint, spec }: WindowInput, facts: WindowFacts): Promise<void> {
  const { task = 'none', threshold = 0.5 } = endpoint.spec
  if (task === 'none') return
  const able = MEASURES[task]
  const wanted = (spec.metrics ?? able).filter((metric) => able.includes(metric) && !(metric in facts.metrics))
  const labels_min = spec.labels_min ?? LABELS_MIN
  if (rows.length < facts.labelled && rows.length < QUALITY_ROWS_MAX)
    facts.words.push(`${facts.labelled - rows.length} labelled rows cannot be judged: they failed, or lack a score`)
  if (rows.length < labels_min) {
    for (const metric of wanted) facts.metrics[metric] = null
    facts.words.push(`${rows.length} labels; quality is judged from ${labels_min} on`)
    return
  }
  if (rows.length === QUALITY_ROWS_MAX)
    facts.words.push(`quality is of ${QUALITY_ROWS_MAX} rows, chosen by the hash of their ids`)
  const found = await measureQuality({ ...columnsOf(task, rows), task, threshold, wanted })
  for (const metric of wanted) facts.metrics[metric] = found.metrics[metric] ?? null
  if (found.positives === null) return
  facts.positives = found.positives
  if (facts.positives === 0 || facts.positives === rows.length)
    facts.words.push('all labels are of one class: the area under the curve and log loss are not defined')
  else if (facts.metrics.log_loss === null) facts.words.push('log loss is not defined: a score lies outside 0..1')
}
