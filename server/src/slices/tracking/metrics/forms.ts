/** How a point stands in the store before it is sealed: as a row, in a chunk of its series, in a batch of its run. */
import type { SqlValue, Tx } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import { encodePoints, encodeSeriesPoints, type SeriesPoints } from './codec.ts'
import type { Points } from './points.ts'

const DOUBLE_MAX = Number.MAX_VALUE

/** Infinities are kept as the greatest doubles, as MLflow keeps them, and -0 as 0. */
export const bounded = (value: number): number =>
  Number.isNaN(value) ? value : Math.max(-DOUBLE_MAX, Math.min(DOUBLE_MAX, value)) + 0

/** No database keeps NaN: it is marked, and compares as 0. */
export const columnsOf = (value: number): [value: number, is_nan: 0 | 1] =>
  Number.isNaN(value) ? [0, 1] : [bounded(value), 0]

export const pointRow = (series: Integer, step: Integer, at_ms: Integer, value: number): SqlValue[] => [
  series,
  step,
  at_ms,
  ...columnsOf(value),
]

/** Narrow points of a series in step order, as one blob; with the key of a chunk that was taken, in its place. */
export async function insertChunk(tx: Tx, series: Integer, points: Points, chunk_key?: number): Promise<void> {
  let [min_ms, max_ms] = [points.at_ms[0]!, points.at_ms[0]!]
  for (const at_ms of points.at_ms) {
    if (at_ms < min_ms) min_ms = at_ms
    if (at_ms > max_ms) max_ms = at_ms
  }
  const { step, value } = points
  const row = [series, value.length, step[0]!, step.at(-1)!, min_ms, max_ms, encodePoints(points, false)]
  if (chunk_key === undefined) await tx.run(`${PUT_CHUNK}) VALUES (?, ?, ?, ?, ?, ?, ?)`, row)
  else await tx.run(`${PUT_CHUNK}, chunk_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, [...row, chunk_key])
}
const PUT_CHUNK = 'INSERT INTO metric_chunk (series, points, min_step, max_step, min_ms, max_ms, body'

export const POINT = 'metric_point (series, step, at_ms, value, is_nan)'
export const POINT_ONCE = 'ON CONFLICT DO NOTHING'

/** Narrow points of several series of a run, as one blob. */
export async function insertBatch(tx: Tx, run_key: number, points: SeriesPoints): Promise<void> {
  await tx.run('INSERT INTO metric_batch (run_key, points, body) VALUES (?, ?, ?)', [
    run_key,
    points.value.length,
    encodeSeriesPoints(points),
  ])
}
