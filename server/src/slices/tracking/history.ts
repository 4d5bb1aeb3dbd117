import { invalid } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { LIMITS } from './limits.ts'
import { allIn } from './lists.ts'
import type { Integer, Metric, SearchPage } from './model.ts'
import { type MetricRow, mustFindRun, toMetric } from './run-rows.ts'

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

const POINTS = 'SELECT step, at_ms, value, is_nan FROM metric_point WHERE series = ?'

export interface HistoryPage {
  workspace: string
  run_id: string
  key: string
  /** All when left out, up to a bound beyond which the caller has to page. */
  limit?: number
  position?: unknown
}

type Position = { at: [Integer | string, Integer | string, number, number] }

/** Points by timestamp, step, value. Empty for an unknown run or key. */
export async function history(sql: Sql, ask: HistoryPage): Promise<SearchPage<Metric>> {
  const [found] = await seriesOf(sql, ask.workspace, [ask.run_id], ask.key)
  if (!found) return { items: [] }
  const limit = ask.limit ?? LIMITS.history_unpaged
  const after = ask.position as Position | undefined
  if (after !== undefined && !(Array.isArray(after.at) && after.at.length === 4)) {
    throw invalid('Invalid page token', { field: 'page_token' })
  }
  const rows = await sql.all<MetricRow>(
    `${POINTS}${after ? ' AND (at_ms, step, value, is_nan) > (?, ?, ?, ?)' : ''}
     ORDER BY at_ms, step, value, is_nan LIMIT ?`,
    [
      found.series,
      ...(after ? after.at.map((each) => (typeof each === 'string' ? BigInt(each) : each)) : []),
      limit + 1,
    ],
  )
  const items = rows.slice(0, limit).map((row) => toMetric({ ...row, key: ask.key }))
  if (rows.length <= limit) return { items }
  if (ask.limit === undefined) {
    throw invalid(`this metric has more than ${limit} points`, {
      field: 'max_results',
      remedy: `Ask for pages with max_results up to ${LIMITS.history_page}.`,
    })
  }
  const last = rows[limit - 1]!
  const plain = (value: Integer) => (typeof value === 'bigint' ? value.toString() : value)
  return { items, next: { at: [plain(last.at_ms), plain(last.step), last.value, last.is_nan] } satisfies Position }
}

/** Points of several runs by run id, timestamp, step, value; at most `limit` in all. */
export async function bulkHistory(
  sql: Sql,
  ask: { workspace: string; run_ids: readonly string[]; key: string; limit: number },
): Promise<RunMetric[]> {
  const series = await seriesOf(sql, ask.workspace, ask.run_ids, ask.key)
  series.sort((a, b) => (a.run_id < b.run_id ? -1 : 1))
  const points: RunMetric[] = []
  for (const { series: id, run_id } of series) {
    const left = ask.limit - points.length
    if (left <= 0) break
    const rows = await sql.all<MetricRow>(`${POINTS} ORDER BY at_ms, step, value, is_nan LIMIT ?`, [id, left])
    for (const row of rows) points.push({ ...toMetric({ ...row, key: ask.key }), run_id })
  }
  return points
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
  const range = ask.start_step === undefined ? '' : ' AND step >= ? AND step <= ?'
  const bounds = ask.start_step === undefined ? [] : [ask.start_step, ask.end_step!]
  const points: RunMetric[] = []
  for (const run_id of new Set(ask.run_ids)) {
    const series = found.get(run_id)
    if (!series) {
      await mustFindRun(sql, ask.workspace, run_id)
      continue
    }
    const counted = await sql.get<{ n: number }>(`SELECT count(*) AS n FROM metric_point WHERE series = ?${range}`, [
      series.series,
      ...bounds,
    ])
    const n = counted!.n
    const stride = ask.limit === 1 ? n : (n - 1) / (ask.limit - 1)
    const order = 'step, at_ms, value, is_nan'
    const rows =
      n <= ask.limit
        ? await sql.all<MetricRow>(`${POINTS}${range} ORDER BY ${order}`, [series.series, ...bounds])
        : await everyNth(sql, series.series, range, bounds, stride, n, ask.limit)
    for (const row of rows) points.push({ ...toMetric({ ...row, key: ask.key }), run_id })
  }
  return points
}

/** Reads the points in bounded pieces and keeps those at the wanted places, so that memory stays small. */
async function everyNth(
  sql: Sql,
  series: Integer,
  range: string,
  bounds: readonly Integer[],
  stride: number,
  n: number,
  limit: number,
): Promise<MetricRow[]> {
  const wanted = new Set(limit === 1 ? [n - 1] : Array.from({ length: limit }, (_, i) => Math.round(i * stride)))
  const kept: MetricRow[] = []
  let seen = 0
  for await (const row of scanPoints(sql, series, range, bounds)) {
    if (wanted.has(seen++)) kept.push(row)
  }
  return kept
}

const SCAN_ROWS = 20_000

/** All points of a series by step, a piece at a time. */
export async function* scanPoints(
  sql: Sql,
  series: Integer,
  range = '',
  bounds: readonly Integer[] = [],
): AsyncGenerator<MetricRow> {
  let last: MetricRow | undefined
  for (;;) {
    const rows: MetricRow[] = await sql.all<MetricRow>(
      `${POINTS}${range}${last ? ' AND (step, at_ms, value, is_nan) > (?, ?, ?, ?)' : ''}
       ORDER BY step, at_ms, value, is_nan LIMIT ?`,
      [series, ...bounds, ...(last ? [last.step, last.at_ms, last.value, last.is_nan] : []), SCAN_ROWS],
    )
    yield* rows
    if (rows.length < SCAN_ROWS) return
    last = rows.at(-1)
  }
}
