import { notFound } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { allIn } from './lists.ts'
import { batchReader } from './metrics/batches.ts'
import { drawSeries, type Window, type XAxis } from './metrics/thin.ts'
import type { Integer } from './model.ts'
import { mustFindRun } from './run-rows.ts'

/** Column-wise, for drawing: `value` has null where a point is NaN. */
export interface ChartSeries {
  key: string
  /** Points logged in the range; more than drawn when they were thinned out. */
  count: number
  step: number[]
  timestamp_ms: number[]
  value: (number | null)[]
}

/** Part of the x axis: steps, epoch milliseconds, or milliseconds since the run's start. Inclusive, each end optional. */
export interface ChartRange {
  x?: XAxis
  from?: number
  to?: number
}

export interface ChartAsk extends ChartRange {
  workspace: string
  run_id: string
  /** All keys when empty. */
  keys: readonly string[]
  /** About how many points a series may have; each bucket of the axis keeps its least, greatest and last. */
  points: number
}

export const CHART_KEYS_MAX = 200
/** Points read for one chart: what a reader thread does in about two seconds. */
const CHART_POINTS_READ_MAX = 2_000_000
/** Points drawn in one answer, over all series: about 20 MB of JSON. */
const CHART_POINTS_DRAWN_MAX = 400_000
const SERIES_POINTS_MIN = 30

export interface Chart {
  series: ChartSeries[]
  /** Keys that were too many, or whose points would have been: to be asked for by name. */
  left_out: string[]
}

/** In the run's own terms: relative time counts from its start. */
const windowOf = (start_ms: number, { x = 'step', from, to }: ChartRange): Window => {
  const base = x === 'relative' ? start_ms : 0
  return {
    order: x === 'step' ? 'step' : 'time',
    ...(from !== undefined && { from: from + base }),
    ...(to !== undefined && { to: to + base }),
  }
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
  const batches = batchReader(sql)
  let read = 0
  for (const { series, key } of chosen) {
    if (drawn.series.length >= CHART_KEYS_MAX || read >= CHART_POINTS_READ_MAX) {
      drawn.left_out.push(key)
      continue
    }
    const { points, count, decoded } = await drawSeries(sql, series, windowOf(run.start_ms, ask), ask.points, batches)
    drawn.series.push({ key, count, ...points })
    read += decoded
  }
  return drawn
}

export interface ChartsAsk extends ChartRange {
  workspace: string
  run_ids: readonly string[]
  keys: readonly string[]
  points: number
}

export interface Charts {
  /** By run in the order asked, then by key in the order asked; those that exist. */
  series: (ChartSeries & { run_id: string })[]
  runs: { run_id: string; name: string; status: string; start_ms: number }[]
  /** Series that would have been too much for one answer: to be asked for by themselves. */
  left_out: { run_id: string; key: string }[]
}

/** Several keys of several runs. Throws not-found for an unknown run. */
export async function charts(sql: Sql, ask: ChartsAsk): Promise<Charts> {
  const run_ids = [...new Set(ask.run_ids)]
  const keys = [...new Set(ask.keys)]
  const runs = await allIn<{ run_key: number; run_id: string; name: string; status: string; start_ms: number }>(
    sql,
    'SELECT run_key, run_id, name, status, start_ms FROM run WHERE workspace = ? AND run_id IN',
    [ask.workspace],
    run_ids,
  )
  const byId = new Map(runs.map((run) => [run.run_id, run]))
  const missing = run_ids.find((id) => !byId.has(id))
  if (missing !== undefined) throw notFound(`Run with id=${missing.slice(0, 300)} not found`, { field: 'run_ids' })
  const wanted: { run_id: string; start_ms: number; key: string; series: Integer }[] = []
  const found: Charts['runs'] = []
  for (const run_id of run_ids) {
    const { run_key, name, status, start_ms } = byId.get(run_id)!
    found.push({ run_id, name, status, start_ms })
    const rows = await allIn<{ series: Integer; key: string }>(
      sql,
      'SELECT series, key FROM run_metric WHERE run_key = ? AND key IN',
      [run_key],
      keys,
    )
    const series = new Map(rows.map((row) => [row.key, row.series]))
    for (const key of keys) if (series.has(key)) wanted.push({ run_id, start_ms, key, series: series.get(key)! })
  }
  const share = Math.floor(CHART_POINTS_DRAWN_MAX / Math.max(1, wanted.length))
  const most = Math.min(ask.points, Math.max(SERIES_POINTS_MIN, share))
  const drawn: Charts = { series: [], runs: found, left_out: [] }
  const batches = batchReader(sql)
  let read = 0
  for (const { run_id, start_ms, key, series } of wanted) {
    if (read >= CHART_POINTS_READ_MAX) {
      drawn.left_out.push({ run_id, key })
      continue
    }
    const { points, count, decoded } = await drawSeries(sql, series, windowOf(start_ms, ask), most, batches)
    drawn.series.push({ run_id, key, count, ...points })
    read += decoded
  }
  return drawn
}
