/**
 * Reads the points of a series in order, each once, whichever form they are in: rows, batches, chunks, sealed blocks. What a
 * bound leaves out is not decoded, and no more is in memory than overlaps.
 */
import type { Sql, SqlValue } from '#kernel/store/index.ts'
import { allIn } from '../lists.ts'
import type { Integer } from '../model.ts'
import { type Batches, batchReader } from './batches.ts'
import { decodePoints } from './codec.ts'
import {
  comparePlaces,
  countBelow,
  joined,
  mainOf,
  merged,
  noPoints,
  type Order,
  type Place,
  type Points,
  placeAt,
  pushPoint,
  slicePoints,
  sorted,
} from './points.ts'

export interface Scan {
  order: Order
  /** Inclusive bounds of the order's first column. */
  from?: Integer
  to?: Integer
  /** Goes on after this point. */
  after?: Place
}

/** A chunk or block, not yet decoded. */
export interface Piece {
  table: 'chunk' | 'block'
  key: number
  points: number
  min_step: Integer
  max_step: Integer
  min_ms: Integer
  max_ms: Integer
}

/** The rows read at a time. */
const ROWS_MAX = 4096
/** Overlapping pieces that are sorted together. */
const PIECES_AT_ONCE = 64
/** Bodies fetched by one statement. */
const BODIES = 8

const RANGES = 'points, min_step, max_step, min_ms, max_ms'

/** Chunks and blocks that may hold points within the bounds, by their least. */
export async function piecesOf(sql: Sql, series: Integer, { order, from, to, after }: Scan): Promise<Piece[]> {
  const [min, max] = order === 'step' ? ['min_step', 'max_step'] : ['min_ms', 'max_ms']
  const least = after === undefined ? from : order === 'step' ? after.step : after.at_ms
  const within = `${least === undefined ? '' : ` AND ${max} >= ?`}${to === undefined ? '' : ` AND ${min} <= ?`}`
  const bounds = [series, ...(least === undefined ? [] : [least]), ...(to === undefined ? [] : [to])]
  return await sql.all<Piece>(
    `SELECT 'chunk' AS "table", chunk_key AS key, ${RANGES} FROM metric_chunk WHERE series = ?${within}
     UNION ALL SELECT 'block', block_key, ${RANGES} FROM metric_block WHERE series = ?${within}
     ORDER BY ${min}, key`,
    [...bounds, ...bounds],
  )
}

const BODY_OF = {
  chunk: 'SELECT chunk_key AS key, body FROM metric_chunk WHERE chunk_key IN',
  block: 'SELECT block_key AS key, body FROM metric_block_body WHERE block_key IN',
}

/** The decoded points of pieces in the order given; each call of `next` answers the following one. */
export function pieceReader(sql: Sql, pieces: readonly Piece[]): { next(): Promise<Points> } {
  const fetched = new Map<string, Uint8Array>()
  let at = 0
  return {
    async next() {
      const piece = pieces[at++]!
      const name = `${piece.table} ${piece.key}`
      if (!fetched.has(name)) {
        const keys: number[] = []
        for (let i = at - 1; i < pieces.length && keys.length < BODIES; i++) {
          if (pieces[i]!.table === piece.table) keys.push(pieces[i]!.key)
        }
        for (const row of await allIn<{ key: number; body: Uint8Array }>(sql, BODY_OF[piece.table], [], keys)) {
          fetched.set(`${piece.table} ${row.key}`, row.body)
        }
      }
      const body = fetched.get(name)!
      fetched.delete(name)
      return decodePoints(body)
    },
  }
}

interface PointRow {
  step: Integer
  at_ms: Integer
  value: number
  is_nan: number
}

/** Rows within the bounds, a bounded number at a time; undefined when there are no more. */
function rowReader(sql: Sql, series: Integer, { order, from, to, after }: Scan): () => Promise<Points | undefined> {
  const columns = order === 'step' ? 'step, at_ms, value, is_nan' : 'at_ms, step, value, is_nan'
  const main = order === 'step' ? 'step' : 'at_ms'
  let place: readonly SqlValue[] | undefined = after && columnsOf(order, after)
  let ended = false
  return async () => {
    if (ended) return undefined
    const rows = await sql.all<PointRow>(
      `SELECT step, at_ms, value, is_nan FROM metric_point WHERE series = ?${from === undefined ? '' : ` AND ${main} >= ?`}${
        to === undefined ? '' : ` AND ${main} <= ?`
      }${place ? ` AND (${columns}) > (?, ?, ?, ?)` : ''} ORDER BY ${columns} LIMIT ?`,
      [series, ...(from === undefined ? [] : [from]), ...(to === undefined ? [] : [to]), ...(place ?? []), ROWS_MAX],
    )
    ended = rows.length < ROWS_MAX
    const points = noPoints()
    for (const row of rows) pushPoint(points, row.step, row.at_ms, row.is_nan ? Number.NaN : row.value)
    const last = rows.at(-1)
    if (last) place = columnsOf(order, { ...last, value: last.is_nan ? Number.NaN : last.value })
    return points
  }
}

/** Rows of a series in step order, some at a time. Bounds hold for scans by step alone. */
export async function* rowPoints(sql: Sql, series: Integer, scan: Scan): AsyncGenerator<Points> {
  const next = rowReader(sql, series, scan.order === 'step' ? scan : { order: 'step' })
  for (let some = await next(); some; some = await next()) yield some
}

function columnsOf(order: Order, { step, at_ms, value }: Place): SqlValue[] {
  const isNan = Number.isNaN(value)
  return [...(order === 'step' ? [step, at_ms] : [at_ms, step]), isNan ? 0 : value, isNan ? 1 : 0]
}

/** Those of sorted points that are within the bounds. */
export function within(points: Points, { order, from, to, after }: Scan): Points {
  const main = mainOf(points, order)
  let first = from === undefined ? 0 : countBelow(main, from)
  let end = main.length
  if (to !== undefined) while (end > first && main[end - 1]! > to) end--
  if (after !== undefined) {
    first = Math.max(first, countBelow(main, order === 'step' ? after.step : after.at_ms))
    while (first < end && comparePlaces(order, placeAt(points, first), after) <= 0) first++
  }
  return first === 0 && end === main.length ? points : slicePoints(points, first, end)
}

/**
 * Points of a series in order, some at a time, exact repeats once. What a caller does not ask for is neither read nor
 * decoded. Whoever reads several series of a run hands in one reader of batches for all of them.
 */
export async function* scanPoints(
  sql: Sql,
  series: Integer,
  scan: Scan,
  batches: Batches = batchReader(sql),
): AsyncGenerator<Points> {
  const { order } = scan
  const pieces = await piecesOf(sql, series, scan)
  const bodies = pieceReader(sql, pieces)
  const rows = rowReader(sql, series, scan)
  const leastOf = (piece: Piece) => (order === 'step' ? piece.min_step : piece.min_ms)
  let at = 0
  /** All further rows are at or after it; undefined when there are none. */
  let rows_from: Integer | undefined = Number.NEGATIVE_INFINITY
  let waiting = within(sorted(await batches(series), order), scan)
  for (;;) {
    const piece_from = at < pieces.length ? leastOf(pieces[at]!) : undefined
    if (rows_from !== undefined && (piece_from === undefined || rows_from <= piece_from)) {
      const more = await rows()
      if (more === undefined) rows_from = undefined
      else {
        rows_from = mainOf(more, order).at(-1) ?? rows_from
        waiting = merged(waiting, more, order)
      }
    } else if (piece_from !== undefined) {
      // Those that overlap are sorted together: one by one, many of them would be merged many times.
      const some: Points[] = []
      let reach = piece_from
      do {
        const reaches = order === 'step' ? pieces[at]!.max_step : pieces[at]!.max_ms
        if (reaches > reach) reach = reaches
        some.push(await bodies.next())
        at++
      } while (at < pieces.length && some.length < PIECES_AT_ONCE && leastOf(pieces[at]!) <= reach)
      waiting = merged(waiting, within(sorted(joined(some), order), scan), order)
    } else {
      if (waiting.value.length > 0) yield waiting
      return
    }
    const next_piece = at < pieces.length ? leastOf(pieces[at]!) : undefined
    const bound = least(rows_from, next_piece)
    const ready = bound === undefined ? waiting.value.length : countBelow(mainOf(waiting, order), bound)
    if (ready > 0) {
      yield ready === waiting.value.length ? waiting : slicePoints(waiting, 0, ready)
      waiting = slicePoints(waiting, ready)
    }
  }
}

const least = (a: Integer | undefined, b: Integer | undefined): Integer | undefined =>
  a === undefined ? b : b === undefined ? a : a < b ? a : b

/** Rows within the bounds, up to `most`. */
export async function countRows(sql: Sql, series: Integer, { order, from, to }: Scan, most: number): Promise<number> {
  const main = order === 'step' ? 'step' : 'at_ms'
  const rows = await sql.get<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 AS one FROM metric_point WHERE series = ?${
      from === undefined ? '' : ` AND ${main} >= ?`
    }${to === undefined ? '' : ` AND ${main} <= ?`} LIMIT ?) AS counted`,
    [series, ...(from === undefined ? [] : [from]), ...(to === undefined ? [] : [to]), most],
  )
  return Number(rows!.n)
}

/** An upper bound of the points within the bounds: repeats in several forms count each time. Rows are counted up to `rows_max`. */
export async function countAtMost(
  sql: Sql,
  series: Integer,
  scan: Scan,
  rows_max: number,
  batches: Batches,
): Promise<number> {
  const pieces = await piecesOf(sql, series, scan)
  const rows = await countRows(sql, series, scan, rows_max)
  return pieces.reduce((sum, { points }) => sum + points, rows + (await batches(series)).value.length)
}
