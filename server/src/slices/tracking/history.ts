import { invalid } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { LIMITS } from './limits.ts'
import { allIn } from './lists.ts'
import { batchReader } from './metrics/batches.ts'
import { joined, noPoints, type Place, type Points, placeAt, pushPoint, slicePoints } from './metrics/points.ts'
import { countAtMost, type Scan, scanPoints } from './metrics/scan.ts'
import type { Integer, Metric, SearchPage } from './model.ts'
import { mustFindRun } from './run-rows.ts'

export interface RunMetric extends Metric {
  run_id: string
}

interface Series {
  series: Integer
  run_id: string
  key: string
}

async function seriesOf(sql: Sql, workspace: string, run_ids: readonly string[], key: string): Promise<Series[]> {
  return await allIn<Series>(
    sql,
    `SELECT m.series, r.run_id, m.key FROM run r JOIN run_metric m ON m.run_key = r.run_key
     WHERE r.workspace = ? AND m.key = ? AND r.run_id IN`,
    [workspace, key],
    [...new Set(run_ids)],
  )
}

/** The first `limit` points of a scan. */
async function firstPoints(sql: Sql, series: Integer, scan: Scan, limit: number): Promise<Points> {
  const parts: Points[] = []
  let left = limit
  for await (const some of scanPoints(sql, series, scan)) {
    parts.push(some.value.length > left ? slicePoints(some, 0, left) : some)
    left -= some.value.length
    if (left <= 0) break
  }
  return joined(parts)
}

const metricAt = (key: string, points: Points, at: number): Metric => ({
  key,
  value: points.value[at]!,
  timestamp_ms: points.at_ms[at]!,
  step: points.step[at]!,
})

export interface HistoryPage {
  workspace: string
  run_id: string
  key: string
  /** All when left out, up to a bound beyond which the caller has to page. */
  limit?: number
  position?: unknown
}

/** The last point of the page before: timestamp, step, value, is_nan. Independent of how the points are stored. */
type Position = { at: [Integer | string, Integer | string, number, number] }

function placeOf(position: unknown): Place {
  const { at } = position as Position
  if (!Array.isArray(at) || at.length !== 4) throw invalid('Invalid page token', { field: 'page_token' })
  const [at_ms, step, value, is_nan] = at
  const integer = (each: Integer | string) => (typeof each === 'string' ? BigInt(each) : each)
  return { at_ms: integer(at_ms), step: integer(step), value: is_nan ? Number.NaN : value }
}

function positionOf({ step, at_ms, value }: Place): Position {
  const plain = (each: Integer) => (typeof each === 'bigint' ? each.toString() : each)
  const isNan = Number.isNaN(value)
  return { at: [plain(at_ms), plain(step), isNan ? 0 : value, isNan ? 1 : 0] }
}

/** A page of points by column: a tenth of the work of one object a point. */
export interface HistoryColumns {
  key: string
  points: Points
  next?: unknown
}

/** Points by timestamp, step, value. Empty for an unknown run or key. */
export async function historyColumns(sql: Sql, ask: HistoryPage): Promise<HistoryColumns> {
  const { key } = ask
  const after = ask.position === undefined ? undefined : placeOf(ask.position)
  const [found] = await seriesOf(sql, ask.workspace, [ask.run_id], key)
  if (!found) return { key, points: noPoints() }
  const limit = ask.limit ?? LIMITS.history_unpaged
  const points = await firstPoints(sql, found.series, { order: 'time', ...(after && { after }) }, limit + 1)
  if (points.value.length <= limit) return { key, points }
  if (ask.limit === undefined) {
    throw invalid(`this metric has more than ${limit} points`, {
      field: 'max_results',
      remedy: `Ask for pages with max_results up to ${LIMITS.history_page}.`,
    })
  }
  return { key, points: slicePoints(points, 0, limit), next: positionOf(placeAt(points, limit - 1)) }
}

/** As historyColumns, point by point. */
export async function history(sql: Sql, ask: HistoryPage): Promise<SearchPage<Metric>> {
  const { points, next } = await historyColumns(sql, ask)
  const items = points.value.map((_, at) => metricAt(ask.key, points, at))
  return { items, ...(next !== undefined && { next }) }
}

/** Points of several runs by run id, timestamp, step, value; at most `limit` in all. */
export async function bulkHistory(
  sql: Sql,
  ask: { workspace: string; run_ids: readonly string[]; key: string; limit: number },
): Promise<RunMetric[]> {
  const series = await seriesOf(sql, ask.workspace, ask.run_ids, ask.key)
  series.sort((a, b) => (a.run_id < b.run_id ? -1 : 1))
  const all: RunMetric[] = []
  for (const { series: id, run_id } of series) {
    const left = ask.limit - all.length
    if (left <= 0) break
    const points = await firstPoints(sql, id, { order: 'time' }, left)
    for (let at = 0; at < points.value.length; at++) all.push({ ...metricAt(ask.key, points, at), run_id })
  }
  return all
}

export interface Interval {
  workspace: string
  run_ids: readonly string[]
  key: string
  start_step?: Integer
  end_step?: Integer
  /** Points of each run. */
  limit: number
}

/**
 * At most `limit` points a run, spread evenly over its points by step. Kept always: the first and last point, and
 * every run's first and last step in the range, so that overlaid curves end where their data end.
 */
export async function intervalHistory(sql: Sql, ask: Interval): Promise<RunMetric[]> {
  const found = new Map((await seriesOf(sql, ask.workspace, ask.run_ids, ask.key)).map((each) => [each.run_id, each]))
  const scan: Scan = {
    order: 'step',
    ...(ask.start_step !== undefined && { from: ask.start_step, to: ask.end_step! }),
  }
  const all: RunMetric[] = []
  for (const run_id of new Set(ask.run_ids)) {
    const series = found.get(run_id)
    if (!series) {
      await mustFindRun(sql, ask.workspace, run_id)
      continue
    }
    const points = await spread(sql, series.series, scan, ask.limit)
    for (let at = 0; at < points.value.length; at++) all.push({ ...metricAt(ask.key, points, at), run_id })
  }
  return all
}

/** Points held in memory while it is not known how many there are. */
const HELD_MAX = 200_000

/** At most `limit` points of a scan, at even distances by their number. */
async function spread(sql: Sql, series: Integer, scan: Scan, limit: number): Promise<Points> {
  const batches = batchReader(sql)
  const held = (await countAtMost(sql, series, scan, HELD_MAX + 1, batches)) <= HELD_MAX
  const kept = noPoints()
  const all: Points[] = []
  let count = 0
  for await (const some of scanPoints(sql, series, scan, batches)) {
    count += some.value.length
    if (held) all.push(some)
  }
  const wanted = placesOf(count, limit)
  let at = 0
  let seen = 0
  const keep = (some: Points) => {
    for (; at < wanted.length && wanted[at]! < seen + some.value.length; at++) {
      const i = wanted[at]! - seen
      pushPoint(kept, some.step[i]!, some.at_ms[i]!, some.value[i]!)
    }
    seen += some.value.length
  }
  if (held) for (const some of all) keep(some)
  else for await (const some of scanPoints(sql, series, scan, batches)) keep(some)
  return kept
}

function placesOf(count: number, limit: number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, i) => i)
  if (limit === 1) return [count - 1]
  const stride = (count - 1) / (limit - 1)
  return [...new Set(Array.from({ length: limit }, (_, i) => Math.round(i * stride)))]
}
