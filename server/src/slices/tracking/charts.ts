import type { Sql } from '#kernel/store/index.ts'
import { scanPoints } from './history.ts'
import { LIMITS } from './limits.ts'
import type { Integer } from './model.ts'
import { type MetricRow, mustFindRun } from './run-rows.ts'

/** Column-wise, for drawing: `value` has null where a point is NaN. */
export interface ChartSeries {
  key: string
  /** Points logged; more than drawn when they were thinned out. */
  count: number
  step: number[]
  timestamp_ms: number[]
  value: (number | null)[]
}

export interface ChartAsk {
  workspace: string
  run_id: string
  /** All keys when empty. */
  keys: readonly string[]
  /** About how many points a series may have; each bucket keeps its least, greatest and last. */
  points: number
}

export const CHART_KEYS_MAX = 200
/** Points read for one chart: what a reader thread does in about two seconds. */
const CHART_POINTS_READ_MAX = 2_000_000

export interface Chart {
  series: ChartSeries[]
  /** Keys that were too many, or whose points would have been: to be asked for by name. */
  left_out: string[]
}

/** Series of a run, thinned out so that no extreme disappears. Throws not-found for an unknown run. */
export async function chart(sql: Sql, ask: ChartAsk): Promise<Chart> {
  const run = await mustFindRun(sql, ask.workspace, ask.run_id)
  const wanted = new Set(ask.keys)
  const rows = await sql.all<{ series: Integer; key: string }>(
    'SELECT series, key FROM run_metric WHERE run_key = ? ORDER BY key',
    [run.run_key],
  )
  const chosen = wanted.size > 0 ? rows.filter(({ key }) => wanted.has(key)) : rows
  const drawn: Chart = { series: [], left_out: [] }
  let read = 0
  for (const { series, key } of chosen) {
    if (drawn.series.length >= CHART_KEYS_MAX || read >= CHART_POINTS_READ_MAX) {
      drawn.left_out.push(key)
      continue
    }
    const thinned = await thin(sql, series, key, ask.points)
    drawn.series.push(thinned)
    read += thinned.count
  }
  return drawn
}

async function thin(sql: Sql, series: Integer, key: string, points: number): Promise<ChartSeries> {
  const counted = await sql.get<{ n: number }>(
    'SELECT count(*) AS n FROM (SELECT 1 AS one FROM metric_point WHERE series = ? LIMIT ?) AS counted',
    [series, LIMITS.history_unpaged],
  )
  const count = counted!.n
  const drawn: ChartSeries = { key, count, step: [], timestamp_ms: [], value: [] }
  const put = (row: MetricRow) => {
    drawn.step.push(Number(row.step))
    drawn.timestamp_ms.push(Number(row.at_ms))
    drawn.value.push(row.is_nan ? null : row.value)
  }
  // Three points a bucket at most: least, greatest and last.
  const size = count <= points ? 1 : Math.ceil((count * 3) / points)
  let bucket: MetricRow[] = []
  let seen = 0
  for await (const row of scanPoints(sql, series)) {
    bucket.push(row)
    if (bucket.length === size) {
      for (const kept of keep(bucket)) put(kept)
      bucket = []
    }
    if (++seen >= LIMITS.history_unpaged) break
  }
  for (const kept of keep(bucket)) put(kept)
  return drawn
}

function keep(bucket: readonly MetricRow[]): MetricRow[] {
  if (bucket.length <= 3) return [...bucket]
  const numbers = bucket.filter((row) => !row.is_nan)
  const kept = new Set<MetricRow>([bucket.at(-1)!])
  if (numbers.length > 0) {
    kept.add(numbers.reduce((least, row) => (row.value < least.value ? row : least)))
    kept.add(numbers.reduce((most, row) => (row.value > most.value ? row : most)))
  }
  return bucket.filter((row) => kept.has(row))
}
