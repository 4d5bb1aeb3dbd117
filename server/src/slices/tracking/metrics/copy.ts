import type { Sql, Tx } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import { takeAllApart } from './batches.ts'

/** While it is held nothing is sealed: for whoever reads the three forms by several statements of a write. */
export const lockSealing = (tx: Tx): Promise<void> => tx.lock('metric-sealing')

/** Points of a run in all their forms; rows are counted up to `rows_max`. */
export async function countRunPoints(sql: Sql, run_key: number, rows_max: number): Promise<number> {
  const counted = await sql.get<{ n: number }>(
    `SELECT (SELECT count(*) FROM (SELECT 1 AS one FROM run_metric m JOIN metric_point p ON p.series = m.series
         WHERE m.run_key = ? LIMIT ?) AS in_rows)
       + (SELECT coalesce(sum(c.points), 0) FROM run_metric m JOIN metric_chunk c ON c.series = m.series WHERE m.run_key = ?)
       + (SELECT coalesce(sum(b.points), 0) FROM run_metric m JOIN metric_block b ON b.series = m.series WHERE m.run_key = ?)
       + (SELECT coalesce(sum(points), 0) FROM metric_batch WHERE run_key = ?) AS n`,
    [run_key, rows_max, run_key, run_key, run_key],
  )
  return Number(counted!.n)
}

/** The points of each key of a run that the other run has as well. */
export async function copyRunPoints(tx: Tx, from: number, to: number): Promise<void> {
  await lockSealing(tx)
  await takeAllApart(tx, from)
  const pairs = 'FROM run_metric o JOIN run_metric n ON n.run_key = ? AND n.key = o.key'
  await tx.run(
    `INSERT INTO metric_point (series, step, at_ms, value, is_nan)
     SELECT n.series, p.step, p.at_ms, p.value, p.is_nan ${pairs} JOIN metric_point p ON p.series = o.series
     WHERE o.run_key = ?`,
    [to, from],
  )
  await tx.run(
    `INSERT INTO metric_chunk (series, points, min_step, max_step, min_ms, max_ms, body)
     SELECT n.series, c.points, c.min_step, c.max_step, c.min_ms, c.max_ms, c.body ${pairs}
     JOIN metric_chunk c ON c.series = o.series WHERE o.run_key = ? ORDER BY c.chunk_key`,
    [to, from],
  )
  const blocks = await tx.all<{ series: Integer; source: Integer; block_key: number }>(
    `SELECT n.series, o.series AS source, b.block_key ${pairs} JOIN metric_block b ON b.series = o.series
     WHERE o.run_key = ? ORDER BY b.block_key`,
    [to, from],
  )
  for (const { series, source, block_key } of blocks) {
    const put = await tx.get<{ block_key: number }>(
      'INSERT INTO metric_block_body (body) SELECT body FROM metric_block_body WHERE block_key = ? RETURNING block_key',
      [block_key],
    )
    await tx.run(
      `INSERT INTO metric_block (series, block_key, points, min_step, max_step, min_ms, max_ms, in_time_order, summary)
       SELECT CAST(? AS INTEGER), CAST(? AS INTEGER), points, min_step, max_step, min_ms, max_ms, in_time_order, summary
       FROM metric_block WHERE series = ? AND block_key = ?`,
      [series, put!.block_key, source, block_key],
    )
  }
}
