import type { SqlValue, Tx } from '#kernel/store/index.ts'
import { allIn, groupSize, insertMany } from '../lists.ts'
import type { Integer, MetricInput } from '../model.ts'
import { isNarrow, type SeriesPoints } from './codec.ts'
import { bounded, columnsOf, insertBatch, insertChunk, POINT, POINT_ONCE, pointRow } from './forms.ts'
import { CHUNK_POINTS_MIN } from './limits.ts'
import { noPoints, pushPoint, sorted } from './points.ts'
import { noteBatch, noteLogged } from './unsealed.ts'

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

const SERIES = 'SELECT series FROM run_metric WHERE run_key = ? AND key = ?'
const PUT_POINT = `INSERT INTO ${POINT} VALUES (?, ?, ?, ?, ?) ${POINT_ONCE}`

/** One point, as a row. */
export async function writePoint(tx: Tx, run_key: number, metric: MetricInput): Promise<void> {
  const { key, step, timestamp_ms, value } = metric
  const [number, is_nan] = columnsOf(value)
  const put = await tx.get<{ series: Integer }>(putLatestText(1), [run_key, key, step, timestamp_ms, number, is_nan])
  const there = put ?? (await tx.get<{ series: Integer }>(SERIES, [run_key, key]))
  await tx.run(PUT_POINT, [there!.series, step, timestamp_ms, number, is_nan])
  noteLogged(run_key, there!.series, 1)
}

/**
 * Checked points of a run: those of one key as a chunk when they are some, those of many keys together as a batch, else as
 * rows.
 */
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
  const rest: SeriesPoints = { series: [], ...noPoints() }
  const wide: SqlValue[][] = []
  for (const key of keys) {
    const { all } = byKey.get(key)!
    const id = series.get(key)!
    const chunk = noPoints()
    const isChunk = all.length >= CHUNK_POINTS_MIN
    for (const { step, timestamp_ms, value } of all) {
      if (!isNarrow(step) || !isNarrow(timestamp_ms)) wide.push(pointRow(id, step, timestamp_ms, value))
      else if (isChunk) pushPoint(chunk, step, timestamp_ms, bounded(value))
      else {
        rest.series.push(Number(id))
        pushPoint(rest, step, timestamp_ms, bounded(value))
      }
    }
    if (chunk.value.length > 0) await insertChunk(tx, id, sorted(chunk, 'step'))
    noteLogged(run_key, id, all.length)
  }
  if (rest.value.length >= CHUNK_POINTS_MIN) {
    await insertBatch(tx, run_key, rest)
    noteBatch(run_key)
  } else {
    for (let at = 0; at < rest.value.length; at++)
      wide.push(pointRow(rest.series[at]!, rest.step[at]!, rest.at_ms[at]!, rest.value[at]!))
  }
  if (wide.length > 0) await insertMany(tx, POINT, wide, POINT_ONCE)
}
