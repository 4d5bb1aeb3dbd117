import type { Sql, Tx } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import { takeAllApart } from './batches.ts'
import { decodePoints } from './codec.ts'
import { lockSealing } from './copy.ts'
import { columnsOf } from './forms.ts'
import { countBelow, type Place, type Points, placeAt, slicePoints } from './points.ts'
import { scanPoints } from './scan.ts'
import { putBack, writeBlock } from './seal.ts'

/**
 * Takes out all points of a run from a step on, whichever form they are in, and makes the points before the latest ones: what a
 * training that began again at that step logs anew.
 */
export async function dropFromStep(tx: Tx, run_key: number, step: Integer): Promise<void> {
  await lockSealing(tx)
  await takeAllApart(tx, run_key)
  const all = await tx.all<{ series: Integer; step: Integer }>(
    'SELECT series, step FROM run_metric WHERE run_key = ? ORDER BY series',
    [run_key],
  )
  for (const { series, step: latest } of all) {
    // The latest point is the greatest step.
    if (latest < step) continue
    await dropOfSeries(tx, series, step)
    const last = await lastOf(tx, series)
    if (!last) await tx.run('DELETE FROM run_metric WHERE series = ?', [series])
    else
      await tx.run('UPDATE run_metric SET step = ?, at_ms = ?, value = ?, is_nan = ? WHERE series = ?', [
        last.step,
        last.at_ms,
        ...columnsOf(last.value),
        series,
      ])
  }
}

async function dropOfSeries(tx: Tx, series: Integer, step: Integer): Promise<void> {
  await tx.run('DELETE FROM metric_point WHERE series = ? AND step >= ?', [series, step])
  const chunks = await tx.all<{ body: Uint8Array }>(
    'DELETE FROM metric_chunk WHERE series = ? AND max_step >= ? RETURNING body',
    [series, step],
  )
  for (const { body } of chunks) {
    await putBack(tx, series, below(decodePoints(body), step))
  }
  const blocks = await tx.all<{ block_key: number }>(
    'DELETE FROM metric_block WHERE series = ? AND max_step >= ? RETURNING block_key',
    [series, step],
  )
  for (const { block_key } of blocks) {
    const taken = await tx.get<{ body: Uint8Array }>(
      'DELETE FROM metric_block_body WHERE block_key = ? RETURNING body',
      [block_key],
    )
    const kept = below(decodePoints(taken!.body), step)
    if (kept.value.length > 0) await writeBlock(tx, series, kept)
  }
}

/** Chunks and blocks stand in step order. */
const below = (points: Points, step: Integer): Points => slicePoints(points, 0, countBelow(points.step, step))

async function lastOf(sql: Sql, series: Integer): Promise<Place | undefined> {
  const greatest = await sql.get<{ step: Integer | null }>(
    `SELECT max(step) AS step FROM (
       SELECT max(step) AS step FROM metric_point WHERE series = ?
       UNION ALL SELECT max(max_step) FROM metric_chunk WHERE series = ?
       UNION ALL SELECT max(max_step) FROM metric_block WHERE series = ?) AS steps`,
    [series, series, series],
  )
  if (greatest!.step === null) return undefined
  let last: Place | undefined
  for await (const some of scanPoints(sql, series, { order: 'step', from: greatest!.step })) {
    last = placeAt(some, some.value.length - 1)
  }
  return last
}
