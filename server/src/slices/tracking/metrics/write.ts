import type { SqlValue, Tx } from '#kernel/store/index.ts'
import { allIn, groupSize, insertMany } from '../lists.ts'
import type { Integer, MetricColumns, MetricInput } from '../model.ts'
import { isNarrow, type SeriesPoints } from './codec.ts'
import { bounded, columnsOf, insertBatch, insertChunk, POINT, POINT_ONCE, pointRow } from './forms.ts'
import { CHUNK_POINTS_MIN } from './limits.ts'
import { noPoints, pushPoint, sorted } from './points.ts'
import { noteBatch, noteLogged } from './unsealed.ts'

/** Whether the point at `a` comes after that at `b` by (step, timestamp, value). */
function isLater({ step, at_ms, value }: MetricColumns, a: number, b: number): boolean {
  if (step[a] !== step[b]) return step[a]! > step[b]!
  if (at_ms[a] !== at_ms[b]) return at_ms[a]! > at_ms[b]!
  return columnsOf(value[a]!)[0] > columnsOf(value[b]!)[0]
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

interface Latest {
  key: string
  step: Integer
  at_ms: Integer
  value: number
}

/** The series of each key, whose latest point is the one given unless a later one is there. */
async function putLatest(tx: Tx, run_key: number, latest: readonly Latest[]): Promise<Map<string, Integer>> {
  const series = new Map<string, Integer>()
  for (let first = 0; first < latest.length; ) {
    const size = groupSize(latest.length - first)
    const values: SqlValue[] = []
    for (let at = first; at < first + size; at++) {
      const { key, step, at_ms, value } = latest[at]!
      values.push(run_key, key, step, at_ms, ...columnsOf(value))
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

export function byColumn(metrics: readonly MetricInput[]): MetricColumns {
  const keys = new Map<string, number>()
  const key = metrics.map((metric) => {
    const known = keys.get(metric.key)
    if (known !== undefined) return known
    keys.set(metric.key, keys.size)
    return keys.size - 1
  })
  return {
    keys: [...keys.keys()],
    key,
    step: metrics.map(({ step }) => step),
    at_ms: metrics.map(({ timestamp_ms }) => timestamp_ms),
    value: metrics.map(({ value }) => value),
  }
}

/**
 * Checked points of a run: those of one key as a chunk when they are some, those of many keys together as a batch, else as
 * rows.
 */
export async function writePoints(tx: Tx, run_key: number, points: MetricColumns): Promise<void> {
  const { keys, key, step, at_ms, value } = points
  const counts = new Array<number>(keys.length).fill(0)
  const latest = new Array<number>(keys.length).fill(-1)
  for (let at = 0; at < value.length; at++) {
    const of = key[at]!
    counts[of]!++
    if (latest[of]! < 0 || isLater(points, at, latest[of]!)) latest[of] = at
  }
  // In one order always, so that batches of one run do not wait for each other crosswise.
  const order = keys.map((name, of) => ({ name, of })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const found = await putLatest(
    tx,
    run_key,
    order.map(({ name, of }) => {
      const at = latest[of]!
      return { key: name, step: step[at]!, at_ms: at_ms[at]!, value: value[at]! }
    }),
  )
  const series = keys.map((name) => found.get(name)!)
  const chunks = counts.map((count) => (count >= CHUNK_POINTS_MIN ? noPoints() : undefined))
  const rest: SeriesPoints = { series: [], ...noPoints() }
  const wide: SqlValue[][] = []
  for (let at = 0; at < value.length; at++) {
    const of = key[at]!
    if (!isNarrow(step[at]!) || !isNarrow(at_ms[at]!)) {
      wide.push(pointRow(series[of]!, step[at]!, at_ms[at]!, value[at]!))
      continue
    }
    const into = chunks[of] ?? rest
    if (into === rest) rest.series.push(Number(series[of]!))
    pushPoint(into, step[at]!, at_ms[at]!, bounded(value[at]!))
  }
  for (const [of, chunk] of chunks.entries()) {
    if (chunk && chunk.value.length > 0) await insertChunk(tx, series[of]!, sorted(chunk, 'step'))
    noteLogged(run_key, series[of]!, counts[of]!)
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
