/** Very many runs, written straight into a SQLite file: what no client could log within a test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { silentLog } from '#kernel/log.ts'
import { openStore } from '#kernel/store/index.ts'
import type { OpenTestStore, TestStoreOptions } from './store.ts'

export interface ManyRuns {
  runs: number
  metrics: number
  params: number
  tags: number
  /** Metric keys of one run, out of `metrics`; all when left out. */
  metrics_of_a_run?: number
}

/** A store whose Default experiment has so many runs with so many columns; a tenth of the values are missing. */
export function storeWithManyRuns(many: ManyRuns): OpenTestStore {
  return async (options: TestStoreOptions = {}) => {
    const dir = mkdtempSync(join(tmpdir(), 'slipway-many-'))
    const path = join(dir, 'slipway.db')
    const url = `sqlite:${path}`
    const open = () =>
      openStore({ migrations: [], log: silentLog, disk_reserve_bytes: 0, query_ms_max: 600_000, ...options, url })
    await (await open()).close()
    fill(path, many)
    const store = await open()
    return {
      store,
      url,
      again: open,
      close: async () => {
        await store.close()
        rmSync(dir, { recursive: true, force: true })
      },
    }
  }
}

const NUMBERS = 'WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)'
/** 0 to 1, and a tenth of all cells missing. */
const RANDOM = '((random() >> 11) / 9007199254740992.0 + 0.5)'
const THERE = 'abs(random() % 10) > 0'

export function fill(path: string, many: ManyRuns): void {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA temp_store = MEMORY')
  const run = (sql: string, ...values: number[]) => database.prepare(sql).run(...values)
  database.exec('BEGIN')
  run(
    `INSERT OR IGNORE INTO experiment (workspace, experiment, name, artifact_location, lifecycle, is_default, created_ms, updated_ms)
     VALUES ('default', 0, 'Default', 'mlflow-artifacts:/0', 'active', 1, 1, 1)`,
  )
  run(
    `${NUMBERS} INSERT INTO run (workspace, run_id, experiment, name, user_id, status, start_ms, end_ms, lifecycle, deleted_with_experiment)
     SELECT 'default', lower(hex(randomblob(16))), 0, 'run-' || i, 'user-' || (i % 7),
       CASE i % 5 WHEN 0 THEN 'FAILED' ELSE 'FINISHED' END, 1700000000000 + i * 1000, 1700000000500 + i * 1000, 'active', 0 FROM n`,
    many.runs,
  )
  const wanted = many.metrics_of_a_run ?? many.metrics
  run(
    `${NUMBERS} INSERT INTO run_metric (run_key, key, step, at_ms, value, is_nan)
     SELECT r.run_key, 'metric_' || ((r.run_key * 31 + n.i) % ${many.metrics}), 1, 1, ${RANDOM}, 0 FROM run r CROSS JOIN n
     WHERE ${THERE}`,
    wanted,
  )
  run(
    `${NUMBERS} INSERT INTO run_param (run_key, key, value)
     SELECT r.run_key, 'param_' || n.i,
       CASE n.i % 3 WHEN 0 THEN CAST(round(${RANDOM}, 3) AS TEXT) WHEN 1 THEN 'choice-' || abs(random() % 20) ELSE 'text ' || abs(random() % 100000) END
     FROM run r CROSS JOIN n WHERE ${THERE}`,
    many.params,
  )
  run(
    `${NUMBERS} INSERT INTO run_tag (run_key, key, value)
     SELECT r.run_key, 'tag_' || n.i, 'label-' || abs(random() % 50) FROM run r CROSS JOIN n WHERE ${THERE}`,
    many.tags,
  )
  database.exec('COMMIT')
  database.close()
}
