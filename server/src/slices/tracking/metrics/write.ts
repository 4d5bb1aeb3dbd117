import type { SqlValue, Tx } from '#kernel/store/index.ts'
import { allIn, groupSize, insertMany } from '../lists.ts'
import type { Integer, MetricInput } from '../model.ts'
import { encodePoints, isNarrow } from './codec.ts'
import { CHUNK_POINTS_MIN } from './limits.ts'
import { noPoints, type Points, pushPoint, sorted } from './points.ts'
import { noteLogged } from './unsealed.ts'

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

const isLater = (a: MetricInput, b: MetricInput): boolean => {
  if (a.step !== b.step) return a.step > b.step
  if (a.timestamp_ms !== b.timestamp_ms) return a.timestamp_ms > b.timestamp_ms
  return columnsOf(a.value)[0] > columnsOf(b.value)[0]
}

const PUT_LATEST = 'INSERT INTO run_metric (run_key, key, step, at_ms, value, is_nan) VALUES'
const UNLESS_LATER = `ON CONFLICT (run_key, key) DO UPDATE SET
    step = excluded.step, at_ms = excluded.at_ms, value = excluded.value, is_nan = excluded.is_nan
  WHERE (excluded.step, excluded.at_ms, excluded.value) > (run_metric.step, run_metric.at_ms, run_metric.value)
  RETURNING series, key`
const putLatestOf = new Map<number, string>()
/** The statement for so many keys. */
function putLatestText(size: number): string {
  let text = putLatestOf.get(size)
  if (text === undefined) {
    text = `${PUT_LATEST} ${Array(size).fill('(?, ?, ?, ?, ?, ?)').join(', ')} ${UNLESS_LATER}`
    putLatestOf.set(size, text)
  }
  return text
}

/** The series of each key, whose latest point is the one given unless a later one is there. */
async function putLatest(tx: Tx, run_key: number, latest: readonly MetricInput[]): Promise<Map<string, Integer>> {
  const series = new Map<string, Integer>()
  for (let first = 0; first < latest.length; ) {
    const size = groupSize(latest.length - first)
    const values: SqlValue[] = []
    for (let at = first; at < first + size; at++) {
      const { key, step, timestamp_ms, value } = latest[at]!
      values.push(run_key, key, step, timestamp_ms, ...columnsOf(value))
    }
    for (const put of await tx.all<{ series: Integer; key: string }>(putLatestText(size), values)) {
      series.set(put.key, put.series)
    }
    first += size
  }
  const older = latest.filter(({ key }) => !series.has(key)).map(({ key }) => key)
  if (older.length > 0) {
    const there = await allIn<{ series: Integer; key: string }>(
      tx,
      'SELECT series, key FROM run_metric WHERE run_key = ? AND key IN',
      [run_key],
      older,
    )
    for (const found of there) series.set(found.key, found.series)
  }
  return series
}

/** Narrow points of a series in step order, as one blob. */
export async function insertChunk(tx: Tx, series: Integer, points: Points): Promise<void> {
  let [min_ms, max_ms] = [points.at_ms[0]!, points.at_ms[0]!]
  for (const at_ms of points.at_ms) {
    if (at_ms < min_ms) min_ms = at_ms
    if (at_ms > max_ms) max_ms = at_ms
  }
  await tx.run(
    'INSERT INTO metric_chunk (series, points, min_step, max_step, min_ms, max_ms, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    [series, points.value.length, points.step[0]!, points.step.at(-1)!, min_ms, max_ms, encodePoints(points, false)],
  )
}

const POINT = 'metric_point (series, step, at_ms, value, is_nan)'
const ONCE = 'ON CONFLICT DO NOTHING'

const SERIES = 'SELECT series FROM run_metric WHERE run_key = ? AND key = ?'
const PUT_POINT = `INSERT INTO ${POINT} VALUES (?, ?, ?, ?, ?) ${ONCE}`

/** One point, as a row. */
export async function writePoint(tx: Tx, run_key: number, metric: MetricInput): Promise<void> {
  const { key, step, timestamp_ms, value } = metric
  const [number, is_nan] = columnsOf(value)
  const put = await tx.get<{ series: Integer }>(putLatestText(1), [run_key, key, step, timestamp_ms, number, is_nan])
  const there = put ?? (await tx.get<{ series: Integer }>(SERIES, [run_key, key]))
  await tx.run(PUT_POINT, [there!.series, step, timestamp_ms, number, is_nan])
  noteLogged(run_key, there!.series, 1)
}

/** Checked points of a run: those of one key as a chunk when they are some, else as rows. */
export async function writePoints(tx: Tx, run_key: number, metrics: readonly MetricInput[]): Promise<void> {
  const byKey = new Map<string, { latest: MetricInput; all: MetricInput[] }>()
  for (const metric of metrics) {
    const known = byKey.get(metric.key)
    if (!known) byKey.set(metric.key, { latest: metric, all: [metric] })
    else {
      known.all.push(metric)
      if (isLater(metric, known.latest)) known.latest = metric
    }
  }
  // In one order always, so that batches of one run do not wait for each other crosswise.
  const keys = [...byKey.keys()].sort()
  const series = await putLatest(
    tx,
    run_key,
    keys.map((key) => byKey.get(key)!.latest),
  )
  const rows: SqlValue[][] = []
  for (const key of keys) {
    const { all } = byKey.get(key)!
    const id = series.get(key)!
    const chunk = noPoints()
    const isChunk = all.length >= CHUNK_POINTS_MIN
    for (const { step, timestamp_ms, value } of all) {
      if (isChunk && isNarrow(step) && isNarrow(timestamp_ms)) pushPoint(chunk, step, timestamp_ms, bounded(value))
      else rows.push(pointRow(id, step, timestamp_ms, value))
    }
    if (chunk.value.length > 0) await insertChunk(tx, id, sorted(chunk, 'step'))
    noteLogged(run_key, id, all.length)
  }
  if (rows.length > 0) await insertMany(tx, POINT, rows, ONCE)
}
