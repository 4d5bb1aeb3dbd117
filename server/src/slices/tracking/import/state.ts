import { pairsDigest, pointDigest } from '#kernel/point-set.ts'
import type { Sql } from '#kernel/store/index.ts'
import { batchReader } from '../metrics/batches.ts'
import { scanPoints } from '../metrics/scan.ts'
import type { Integer, KeyValue } from '../model.ts'
import { findRun } from '../run-rows.ts'
import type { RunState } from './model.ts'

/** What is here of these runs; of `keys` alone when they are named. Runs that are not here are left out. */
export async function importState(
  sql: Sql,
  ask: { workspace: string; run_ids: readonly string[]; keys?: readonly string[] },
): Promise<RunState[]> {
  const states: RunState[] = []
  const keys = ask.keys && new Set(ask.keys)
  for (const run_id of ask.run_ids) {
    const run = await findRun(sql, ask.workspace, run_id)
    if (!run) continue
    const { run_key } = run
    const pairs = async (table: 'run_param' | 'run_tag') => {
      const rows = await sql.all<KeyValue>(`SELECT key, value FROM ${table} WHERE run_key = ?`, [run_key])
      return { count: rows.length, digest: pairsDigest(rows) }
    }
    const count = async (table: 'run_input' | 'run_model') =>
      Number((await sql.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE run_key = ?`, [run_key]))!.n)
    const series = await sql.all<{ key: string; series: Integer }>(
      'SELECT key, series FROM run_metric WHERE run_key = ? ORDER BY key',
      [run_key],
    )
    const metrics: RunState['metrics'] = []
    const batches = batchReader(sql)
    for (const { key, series: number } of series) {
      if (keys && !keys.has(key)) continue
      const digest = pointDigest()
      for await (const some of scanPoints(sql, number, { order: 'step' }, batches)) digest.add(some)
      metrics.push({ key, count: digest.count(), digest: digest.hex() })
    }
    states.push({
      run_id,
      experiment_id: String(run.experiment),
      params: await pairs('run_param'),
      tags: await pairs('run_tag'),
      inputs: await count('run_input'),
      models: await count('run_model'),
      metrics,
    })
  }
  return states
}
