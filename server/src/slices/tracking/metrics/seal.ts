import type { Sql, Tx } from '#kernel/store/index.ts'
import { insertMany } from '../lists.ts'
import type { Integer } from '../model.ts'
import { isEnded } from '../model.ts'
import { takeApart } from './batches.ts'
import { decodePoints, encodePoints, encodeSummary, NARROW_BOUND } from './codec.ts'
import { lockSealing } from './copy.ts'
import { insertChunk, pointRow } from './forms.ts'
import { BLOCK_POINTS, CHUNK_POINTS_MIN, SEAL_POINTS_MIN } from './limits.ts'
import { appendPoints, merged, noPoints, type Points, pushPoint, slicePoints, sorted } from './points.ts'
import { type Due, noteDue, noteEnded, takeDue, takeEnded } from './unsealed.ts'

/** Chunks taken at a time: a batch is 1,000 points at most, a chunk 5 at least. */
const CHUNKS_MAX = 256
const POINTS_IN_HAND_MAX = 2 * BLOCK_POINTS

const NARROW = `step BETWEEN -${NARROW_BOUND} AND ${NARROW_BOUND} AND at_ms BETWEEN -${NARROW_BOUND} AND ${NARROW_BOUND}`

interface PointRow {
  step: Integer
  at_ms: Integer
  value: number
  is_nan: number
}

const pointsOf = (rows: readonly PointRow[]): Points => {
  const points = noPoints()
  for (const { step, at_ms, value, is_nan } of rows) pushPoint(points, step, at_ms, is_nan ? Number.NaN : value)
  return sorted(points, 'step')
}

/** Rows up to a block's worth, taken out of the table. What is taken is what is answered, whatever others log meanwhile. */
async function takeRows(tx: Tx, series: Integer): Promise<Points> {
  const last = await tx.get<PointRow>(
    `SELECT step, at_ms, value, is_nan FROM metric_point WHERE series = ? AND ${NARROW}
     ORDER BY step, at_ms, value, is_nan LIMIT 1 OFFSET ?`,
    [series, BLOCK_POINTS - 1],
  )
  const bound = last ? ' AND (step, at_ms, value, is_nan) <= (?, ?, ?, ?)' : ''
  return pointsOf(
    await tx.all<PointRow>(
      `DELETE FROM metric_point WHERE series = ? AND ${NARROW}${bound} RETURNING step, at_ms, value, is_nan`,
      [series, ...(last ? [last.step, last.at_ms, last.value, last.is_nan] : [])],
    ),
  )
}

/** The oldest chunks; `last` is the key of the last one taken. */
async function takeChunks(tx: Tx, series: Integer): Promise<{ points: Points; more: boolean; last?: number }> {
  const chunks = await tx.all<{ chunk_key: number; points: number }>(
    'SELECT chunk_key, points FROM metric_chunk WHERE series = ? ORDER BY chunk_key LIMIT ?',
    [series, CHUNKS_MAX],
  )
  let count = 0
  let last: number | undefined
  for (const chunk of chunks) {
    if (last !== undefined && count + chunk.points > POINTS_IN_HAND_MAX) break
    count += chunk.points
    last = chunk.chunk_key
  }
  if (last === undefined) return { points: noPoints(), more: false }
  const taken = await tx.all<{ body: Uint8Array }>(
    'DELETE FROM metric_chunk WHERE series = ? AND chunk_key <= ? RETURNING body',
    [series, last],
  )
  const all = noPoints()
  for (const { body } of taken) appendPoints(all, decodePoints(body))
  return { points: sorted(all, 'step'), more: last !== chunks.at(-1)!.chunk_key || chunks.length === CHUNKS_MAX, last }
}

/** The series' newest block when it is not full, taken out, so that ends of runs do not add up to many small ones. */
async function takeOpenBlock(tx: Tx, series: Integer): Promise<Points> {
  const block = await tx.get<{ block_key: number; points: number }>(
    'SELECT block_key, points FROM metric_block WHERE series = ? ORDER BY block_key DESC LIMIT 1',
    [series],
  )
  if (!block || block.points >= BLOCK_POINTS) return noPoints()
  await tx.run('DELETE FROM metric_block WHERE series = ? AND block_key = ?', [series, block.block_key])
  const taken = await tx.get<{ body: Uint8Array }>('DELETE FROM metric_block_body WHERE block_key = ? RETURNING body', [
    block.block_key,
  ])
  return decodePoints(taken!.body)
}

export async function writeBlock(tx: Tx, series: Integer, points: Points): Promise<void> {
  const { step, at_ms } = points
  let in_time_order = 1
  let [min_ms, max_ms] = [at_ms[0]!, at_ms[0]!]
  for (let i = 1; i < at_ms.length; i++) {
    if (at_ms[i]! < at_ms[i - 1]!) in_time_order = 0
    if (at_ms[i]! < min_ms) min_ms = at_ms[i]!
    if (at_ms[i]! > max_ms) max_ms = at_ms[i]!
  }
  const put = await tx.get<{ block_key: number }>(
    'INSERT INTO metric_block_body (body) VALUES (?) RETURNING block_key',
    [encodePoints(points, true)],
  )
  await tx.run(
    `INSERT INTO metric_block (series, block_key, points, min_step, max_step, min_ms, max_ms, in_time_order, summary)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [series, put!.block_key, step.length, step[0]!, step.at(-1)!, min_ms, max_ms, in_time_order, encodeSummary(points)],
  )
}

/**
 * Seals a part of a series: some milliseconds of work. Full blocks of what is there, and the rest too when its run has ended.
 * Answers whether there is more to do at once, and how many points went into blocks.
 */
export async function sealSeries(tx: Tx, series: Integer): Promise<{ more: boolean; sealed: number }> {
  const run = await tx.get<{ status: string }>(
    'SELECT r.status FROM run_metric m JOIN run r ON r.run_key = m.run_key WHERE m.series = ?',
    [series],
  )
  if (!run) return { more: false, sealed: 0 }
  const waiting = await tx.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 AS one FROM metric_point WHERE series = ? AND ${NARROW} LIMIT ?) AS in_rows)
       + (SELECT coalesce(sum(points), 0) FROM (SELECT points FROM metric_chunk WHERE series = ? LIMIT ?) AS in_chunks) AS n`,
    [series, BLOCK_POINTS, series, CHUNKS_MAX],
  )
  const ended = isEnded(run.status)
  if (Number(waiting!.n) < (ended ? SEAL_POINTS_MIN : BLOCK_POINTS)) return { more: false, sealed: 0 }

  const chunks = await takeChunks(tx, series)
  const rows = chunks.points.value.length < BLOCK_POINTS ? await takeRows(tx, series) : noPoints()
  const fresh = merged(chunks.points, rows, 'step')
  const all = merged(await takeOpenBlock(tx, series), fresh, 'step')
  const more = chunks.more || rows.value.length >= BLOCK_POINTS || chunks.points.value.length >= BLOCK_POINTS
  const count = all.value.length
  let at = 0
  for (; count - at >= BLOCK_POINTS; at += BLOCK_POINTS)
    await writeBlock(tx, series, slicePoints(all, at, at + BLOCK_POINTS))
  if (at < count) {
    const rest = slicePoints(all, at)
    // With more to come the rest waits for it; so does that of a run that goes on.
    if (ended && !more && rest.value.length >= CHUNK_POINTS_MIN) {
      await writeBlock(tx, series, rest)
      at = count
    } else await putBack(tx, series, rest, chunks.last)
  }
  return { more, sealed: at }
}

/** In the place of what was taken: behind chunks that came later, blocks would overlap. */
export async function putBack(tx: Tx, series: Integer, points: Points, chunk_key?: number): Promise<void> {
  if (points.value.length >= CHUNK_POINTS_MIN) return await insertChunk(tx, series, points, chunk_key)
  const rows = points.value.map((value, at) => pointRow(series, points.step[at]!, points.at_ms[at]!, value))
  await insertMany(tx, 'metric_point (series, step, at_ms, value, is_nan)', rows, 'ON CONFLICT DO NOTHING')
}

export interface SealMetrics {
  /** What to look at, beside what this process knows of. */
  due: Due
  /** Runs that ended in another thread. */
  ended: readonly number[]
  /** Longest that one call works, a little more at most. */
  budget_ms: number
}

const AT_ONCE = 64

/** Seals what is due for a bounded time. Answers whether there is more to do. */
export async function sealMetrics(
  tx: Tx,
  { due, ended, budget_ms }: SealMetrics,
): Promise<{ more: boolean; sealed: number }> {
  await lockSealing(tx)
  const until = performance.now() + budget_ms
  for (const run_key of ended) noteEnded(run_key)
  takeEnded()
  const known = takeDue(AT_ONCE)
  const runs = [...due.runs, ...known.runs]
  const series = [...due.series, ...known.series]
  const all = { runs: [...runs], series: [...series] }
  let sealed = 0
  try {
    while (runs.length > 0 && performance.now() < until) {
      if (!(await takeApart(tx, runs[0]!))) runs.shift()
    }
    while (series.length > 0 && performance.now() < until) {
      const done = await sealSeries(tx, series[0]!)
      sealed += done.sealed
      if (!done.more) series.shift()
    }
  } catch (error) {
    // What was done is undone, and perhaps tried again at once.
    noteDue(all)
    throw error
  }
  noteDue({ runs, series })
  return { more: runs.length + series.length > 0, sealed }
}

/** Of the series behind `after`, those that have unsealed points worth sealing; `next` is where to go on. */
export async function unsealedSeries(
  sql: Sql,
  { after, limit }: { after: Integer; limit: number },
): Promise<{ due: Integer[]; next?: Integer }> {
  const due: Integer[] = []
  let series = after
  for (let looked = 0; looked < limit; looked++) {
    const found = await sql.get<{ series: Integer | null }>(
      `SELECT min(series) AS series FROM (
         SELECT * FROM (SELECT series FROM metric_point WHERE series > ? ORDER BY series LIMIT 1) AS in_rows
         UNION ALL SELECT * FROM (SELECT series FROM metric_chunk WHERE series > ? ORDER BY series LIMIT 1) AS in_chunks) AS found`,
      [series, series],
    )
    if (found!.series === null) return { due }
    series = found!.series
    const there = await sql.get<{ n: number }>(
      `SELECT (SELECT count(*) FROM (SELECT 1 AS one FROM metric_point WHERE series = ? LIMIT ?) AS in_rows)
         + (SELECT coalesce(sum(points), 0) FROM (SELECT points FROM metric_chunk WHERE series = ? LIMIT ?) AS in_chunks) AS n`,
      [series, SEAL_POINTS_MIN, series, SEAL_POINTS_MIN],
    )
    if (Number(there!.n) >= SEAL_POINTS_MIN) due.push(series)
  }
  return { due, next: series }
}
