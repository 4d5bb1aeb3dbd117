import type { Sql } from '#kernel/store/index.ts'
import { allIn } from '../lists.ts'
import type { Integer } from '../model.ts'
import type { Batches } from './batches.ts'
import { decodeSummary } from './codec.ts'
import {
  appendPoints,
  comparePlaces,
  mainOf,
  noPoints,
  type Order,
  type Place,
  type Points,
  placeAt,
  pushPoint,
  sorted,
} from './points.ts'
import { countRows, type Piece, pieceReader, piecesOf, rowPoints, type Scan, scanPoints, within } from './scan.ts'

export type XAxis = 'step' | 'time' | 'relative'

/** Part of the x axis, inclusive; its ends where they are given. */
export interface Window {
  order: Order
  from?: number
  to?: number
}

export interface Drawn {
  points: { step: number[]; timestamp_ms: number[]; value: (number | null)[] }
  /** Points in the window; exact unless thinned out, when a point that is stored twice counts twice. */
  count: number
  /** Points that had to be decoded. */
  decoded: number
}

const columns = ({ step, at_ms, value }: Points): Drawn['points'] => ({
  step: step.map(Number),
  timestamp_ms: at_ms.map(Number),
  value: value.map((each) => (Number.isNaN(each) ? null : each)),
})

/** Rows counted before a series is taken for a long one. */
const ROWS_COUNTED_MAX = 1_000_000

/**
 * A series in a window: all its points when they are at most `most`, else the least, greatest and last of each of `most / 3`
 * equal parts of the axis. Blocks that lie within one part are told by their summaries alone.
 */
export async function drawSeries(
  sql: Sql,
  series: Integer,
  window: Window,
  most: number,
  batches: Batches,
): Promise<Drawn> {
  const scan = windowScan(window)
  const pieces = await piecesOf(sql, series, scan)
  const batched = within(sorted(await batches(series), scan.order), scan)
  const rows = batched.value.length + (await countRows(sql, series, scan, ROWS_COUNTED_MAX))
  const surely = pieces.filter((piece) => isInside(piece, scan)).reduce((sum, { points }) => sum + points, rows)
  let decoded = 0
  if (surely <= most) {
    const all = noPoints()
    for await (const some of scanPoints(sql, series, scan, batches)) appendPoints(all, some)
    decoded = all.value.length
    if (decoded <= most) return { points: columns(all), count: decoded, decoded }
  }
  const thinned = await thin(sql, series, scan, pieces, batched, Math.max(1, Math.floor(most / 3)))
  return { ...thinned, decoded: thinned.decoded + decoded }
}

const rangeOf = (piece: Piece, { order }: Scan): [Integer, Integer] =>
  order === 'step' ? [piece.min_step, piece.max_step] : [piece.min_ms, piece.max_ms]

function isInside(piece: Piece, scan: Scan): boolean {
  const [least, most] = rangeOf(piece, scan)
  return (scan.from === undefined || least >= scan.from) && (scan.to === undefined || most <= scan.to)
}

/** Steps and timestamps are integers: the ends of a window that fall between two move inwards. */
function windowScan({ order, from, to }: Window): Scan {
  return {
    order,
    ...(from !== undefined && { from: integer(Math.ceil(from)) }),
    ...(to !== undefined && { to: integer(Math.floor(to)) }),
  }
}

const INT64_MAX = 2n ** 63n - 1n
const integer = (value: number): Integer => {
  if (Number.isSafeInteger(value)) return value
  const exact = BigInt(Math.max(-(2 ** 63), Math.min(2 ** 63, value)))
  return exact > INT64_MAX ? INT64_MAX : exact < -INT64_MAX ? -INT64_MAX : exact
}

interface Bucket {
  least: Place | undefined
  greatest: Place | undefined
  last: Place | undefined
}

async function thin(
  sql: Sql,
  series: Integer,
  scan: Scan,
  pieces: readonly Piece[],
  batched: Points,
  parts: number,
): Promise<Drawn> {
  const { order } = scan
  const ends = await endsOf(sql, series, scan, pieces, batched)
  const [low, high] = ends.map(Number) as [number, number]
  const width = (high - low) / parts
  const partOf = (x: Integer) => (width === 0 ? 0 : Math.min(parts - 1, Math.floor((Number(x) - low) / width)))
  const isInOnePart = (piece: Piece) => {
    const [from, to] = rangeOf(piece, scan)
    return isInside(piece, scan) && partOf(from) === partOf(to)
  }
  const buckets: (Bucket | undefined)[] = new Array(parts)
  let count = 0

  const put = (part: number, least: Place | undefined, greatest: Place | undefined, last: Place) => {
    const bucket: Bucket = buckets[part] ?? { least: undefined, greatest: undefined, last: undefined }
    buckets[part] = bucket
    if (least && (!bucket.least || least.value < bucket.least.value)) bucket.least = least
    if (greatest && (!bucket.greatest || greatest.value > bucket.greatest.value)) bucket.greatest = greatest
    if (!bucket.last || comparePlaces(order, last, bucket.last) > 0) bucket.last = last
  }
  const putAll = (points: Points) => {
    const main = mainOf(points, order)
    for (let i = 0; i < main.length; i++) {
      if ((scan.from !== undefined && main[i]! < scan.from) || (scan.to !== undefined && main[i]! > scan.to)) continue
      count++
      const place = placeAt(points, i)
      const number = Number.isNaN(place.value) ? undefined : place
      put(partOf(main[i]!), number, number, place)
    }
  }

  const whole = pieces.filter((piece) => piece.table === 'block' && isInOnePart(piece))
  const summaries = await allIn<{ block_key: number; in_time_order: number; summary: Uint8Array }>(
    sql,
    'SELECT block_key, in_time_order, summary FROM metric_block WHERE series = ? AND block_key IN',
    [series],
    whole.map(({ key }) => key),
  )
  const told = new Map(
    summaries
      .filter(({ in_time_order }) => order === 'step' || in_time_order === 1)
      .map(({ block_key, summary }) => [block_key, decodeSummary(summary)]),
  )
  const read: Piece[] = []
  for (const piece of pieces) {
    const summary = piece.table === 'block' ? told.get(piece.key) : undefined
    if (summary) {
      put(partOf(rangeOf(piece, scan)[0]), summary.least, summary.greatest, summary.last)
      count += piece.points
    } else read.push(piece)
  }
  let decoded = 0
  putAll(batched)
  decoded += batched.value.length
  const bodies = pieceReader(sql, read)
  for (const piece of read) {
    putAll(await bodies.next())
    decoded += piece.points
  }
  for await (const some of rowPoints(sql, series, scan)) {
    putAll(some)
    decoded += some.value.length
  }

  const drawn = noPoints()
  for (const bucket of buckets) {
    if (!bucket) continue
    const { least, greatest, last } = bucket
    const kept = [least, greatest, last].filter((place) => place !== undefined)
    kept.sort((a, b) => comparePlaces(order, a, b))
    for (const [at, place] of kept.entries()) {
      if (at > 0 && comparePlaces(order, kept[at - 1]!, place) === 0) continue
      pushPoint(drawn, place.step, place.at_ms, place.value)
    }
  }
  return { points: columns(drawn), count, decoded }
}

/** The least and greatest x of what is in the window. */
async function endsOf(
  sql: Sql,
  series: Integer,
  scan: Scan,
  pieces: readonly Piece[],
  batched: Points,
): Promise<[Integer, Integer]> {
  const main = scan.order === 'step' ? 'step' : 'at_ms'
  const rows = await sql.get<{ low: Integer | null; high: Integer | null }>(
    `SELECT min(${main}) AS low, max(${main}) AS high FROM metric_point WHERE series = ?${
      scan.from === undefined ? '' : ` AND ${main} >= ?`
    }${scan.to === undefined ? '' : ` AND ${main} <= ?`}`,
    [series, ...(scan.from === undefined ? [] : [scan.from]), ...(scan.to === undefined ? [] : [scan.to])],
  )
  let { low, high } = rows!
  const inBatches = mainOf(batched, scan.order)
  const ranges = pieces.map((piece) => rangeOf(piece, scan))
  if (inBatches.length > 0) ranges.push([inBatches[0]!, inBatches.at(-1)!])
  for (const [least, most] of ranges) {
    if (low === null || least < low) low = least
    if (high === null || most > high) high = most
  }
  // A piece may reach beyond the window.
  if (scan.from !== undefined && (low === null || low < scan.from)) low = scan.from
  if (scan.to !== undefined && (high === null || high > scan.to)) high = scan.to
  return [low ?? 0, high ?? 0]
}
