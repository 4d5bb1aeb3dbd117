import type { Sql, Tx } from '#kernel/store/index.ts'
import { insertMany } from '../lists.ts'
import type { Integer } from '../model.ts'
import { decodeSeriesPoints } from './codec.ts'
import { insertChunk, POINT, POINT_ONCE, pointRow } from './forms.ts'
import { BATCHES_OPEN_MAX, CHUNK_POINTS_MIN } from './limits.ts'
import { noPoints, type Points, pushPoint, sorted } from './points.ts'

/** Points taken apart at a time: some milliseconds of work. */
const POINTS_IN_HAND_MAX = 8192

/** A series' points that are still in batches of its run, in no order, a repeat possibly twice. */
export type Batches = (series: Integer) => Promise<Points>

/**
 * Reads the batches of a run once, for however many of its series are asked for. Belongs to one snapshot: made for a query, and
 * not kept.
 */
export function batchReader(sql: Sql): Batches {
  const runs = new Map<number, Map<Integer, Points>>()
  return async (series) => {
    const run = await sql.get<{ run_key: number }>('SELECT run_key FROM run_metric WHERE series = ?', [series])
    if (!run) return noPoints()
    let bySeries = runs.get(run.run_key)
    if (!bySeries) {
      bySeries = new Map()
      runs.set(run.run_key, bySeries)
      const batches = await sql.all<{ body: Uint8Array }>(
        'SELECT body FROM metric_batch WHERE run_key = ? ORDER BY batch_key',
        [run.run_key],
      )
      for (const { body } of batches) sort(bySeries, body)
    }
    return bySeries.get(series) ?? noPoints()
  }
}

function sort(into: Map<Integer, Points>, body: Uint8Array): void {
  const { series, step, at_ms, value } = decodeSeriesPoints(body)
  for (let i = 0; i < value.length; i++) {
    let points = into.get(series[i]!)
    if (!points) {
      points = noPoints()
      into.set(series[i]!, points)
    }
    pushPoint(points, step[i]!, at_ms[i]!, value[i]!)
  }
}

/** Takes a run's oldest batches apart into the series' own forms. Answers whether there are more. */
export async function takeApart(tx: Tx, run_key: number): Promise<boolean> {
  const batches = await tx.all<{ batch_key: number; points: number }>(
    'SELECT batch_key, points FROM metric_batch WHERE run_key = ? ORDER BY batch_key LIMIT ?',
    [run_key, BATCHES_OPEN_MAX],
  )
  let points = 0
  let taken = 0
  while (taken < batches.length && (taken === 0 || points + batches[taken]!.points <= POINTS_IN_HAND_MAX))
    points += batches[taken++]!.points
  if (taken === 0) return false
  const bodies = await tx.all<{ body: Uint8Array }>(
    'DELETE FROM metric_batch WHERE run_key = ? AND batch_key <= ? RETURNING body',
    [run_key, batches[taken - 1]!.batch_key],
  )
  const bySeries = new Map<Integer, Points>()
  for (const { body } of bodies) sort(bySeries, body)
  for (const [series, taken] of bySeries) {
    const points = sorted(taken, 'step')
    if (points.value.length >= CHUNK_POINTS_MIN) await insertChunk(tx, series, points)
    else {
      const rows = points.value.map((value, at) => pointRow(series, points.step[at]!, points.at_ms[at]!, value))
      await insertMany(tx, POINT, rows, POINT_ONCE)
    }
  }
  return taken < batches.length || batches.length === BATCHES_OPEN_MAX
}

/** All of a run's batches: before its series are changed or copied one by one. */
export async function takeAllApart(tx: Tx, run_key: number): Promise<void> {
  while (await takeApart(tx, run_key));
}

/** Of the runs behind `after`, those with enough batches to be taken apart; `next` is where to go on. */
export async function batchedRuns(
  sql: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<{ runs: number[]; next?: number }> {
  const runs: number[] = []
  let run_key = after
  for (let looked = 0; looked < limit; looked++) {
    const found = await sql.get<{ run_key: number }>(
      'SELECT run_key FROM metric_batch WHERE run_key > ? ORDER BY run_key LIMIT 1',
      [run_key],
    )
    if (!found) return { runs }
    run_key = found.run_key
    const many = await sql.get('SELECT batch_key FROM metric_batch WHERE run_key = ? LIMIT 1 OFFSET ?', [
      run_key,
      BATCHES_OPEN_MAX - 1,
    ])
    if (many) runs.push(run_key)
  }
  return { runs, next: run_key }
}
