/**
 * What logging costs as the store grows, and what a point takes on disk. `GROWTH_POINTS=1e8` for the larger form: it takes 2 GB
 * of disk and some minutes.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventsMigrations } from '#kernel/events/index.ts'
import { holdsMigrations } from '#kernel/holds/index.ts'
import { ALL_PERMISSIONS } from '#kernel/http/index.ts'
import { seededRandom } from '#kernel/random.ts'
import type { Tx } from '#kernel/store/index.ts'
import { type Connection, openConnection } from '#kernel/store/sqlite/connection.ts'
import { migrateSqlite } from '#kernel/store/sqlite/migrate.ts'
import { threadSql } from '#kernel/store/sqlite/thread-sql.ts'
import { chart } from '../charts.ts'
import { historyColumns } from '../history.ts'
import { logBatch, logMetric } from '../metric-commands.ts'
import { createRun } from '../run-commands.ts'
import { trackingMigrations } from '../tracking.ts'
import { sealMetrics } from './seal.ts'

const POINTS_MAX = Number(process.env.GROWTH_POINTS ?? 1e7)
const SERIES_POINTS = 10_000
const WHO = { kind: 'person', id: 'per_test', name: 'ada', workspace: 'default', rights: ALL_PERMISSIONS } as const

/** The writer's own functions over its own connection: what runs in its thread, without the rest of the server around it. */
describe('as the store grows', () => {
  const random = seededRandom(3)
  let dir: string
  let file: string
  let connection: Connection
  let made = 0

  // A file of its own for each, so that its size is what the test made.
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-growth-'))
    file = join(dir, 'slipway.db')
    connection = openConnection(file, { readonly: false, cache_kib: 16 * 1024 })
    connection.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000')
    migrateSqlite(connection, [eventsMigrations, holdsMigrations, trackingMigrations], 1)
  })
  afterEach(() => {
    connection.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const write = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    connection.script('BEGIN IMMEDIATE')
    const value = await work(threadSql(connection).tx)
    connection.script('COMMIT')
    return value
  }
  const stamp = () => ({ who: WHO, now_ms: 1_700_000_000_000 + made, event_id: `evt_${made++}` })
  const newRun = async (tx: Tx): Promise<string> => {
    const run_id = (made++).toString(16).padStart(32, '0')
    const tags = [{ key: 'mlflow.user', value: 'ada' }]
    await createRun(tx, { ...stamp(), run_id, random_name: 'a-run', experiment_id: '0', tags })
    return run_id
  }
  const batch = (tx: Tx, run_id: string, key: string, first: number, count: number) =>
    logBatch(tx, {
      ...stamp(),
      run_id,
      params: [],
      tags: [],
      metrics: [],
      columns: {
        keys: [key],
        key: new Uint32Array(count),
        step: Float64Array.from({ length: count }, (_, at) => first + at),
        at_ms: Float64Array.from(
          { length: count },
          (_, at) => 1_700_000_000_000 + (first + at) * 1000 + random.next() * 99,
        ).map(Math.floor),
        value: Float64Array.from({ length: count }, () =>
          (first / 1000) % 2 === 0 ? random.next() : Math.fround(random.next()),
        ),
      },
    })

  /** Runs as create-run and one log-metric leave them, made by the database itself. */
  const grow = (first: number, count: number) => {
    const numbers = `WITH RECURSIVE numbers (n) AS (VALUES (${first}) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${first + count})`
    const key = "(SELECT run_key FROM run WHERE workspace = 'default' AND run_id = printf('f%031x', n))"
    connection.script(`BEGIN IMMEDIATE;
      ${numbers} INSERT INTO run (workspace, run_id, experiment, name, user_id, status, start_ms, end_ms, lifecycle, deleted_with_experiment)
        SELECT 'default', printf('f%031x', n), 0, 'a-run', 'ada', 'FINISHED', 1600000000000 + n, 1600000000001 + n, 'active', 0 FROM numbers;
      ${numbers} INSERT INTO run_tag (run_key, key, value) SELECT ${key}, 'mlflow.runName', 'a-run' FROM numbers;
      ${numbers} INSERT INTO run_metric (run_key, key, step, at_ms, value, is_nan)
        SELECT ${key}, 'loss', 1, 1600000000000 + n, random() / 1e18, 0 FROM numbers;
      ${numbers} INSERT INTO metric_point (series, step, at_ms, value, is_nan)
        SELECT (SELECT series FROM run_metric WHERE run_key = ${key} AND key = 'loss'), 1, 1600000000000 + n, 1, 0 FROM numbers;
      ${numbers} INSERT INTO event (workspace, id, name, at_ms, who_kind, who_id, who_name, behalf, subject_kind, subject_id,
          before_json, after_json, reason, sealed)
        SELECT 'default', printf('evt_f%031x', n), 'tracking.run-created', 1600000000000 + n, 'person', 'per_test', 'ada', NULL, 'run',
          printf('f%031x', n), 'null', '{}', NULL, 1 FROM numbers;
      COMMIT`)
  }

  /** Microseconds of processor time of one piece of work: the least of some rounds, in transactions of ten. */
  const costOf = async (work: (tx: Tx, at: number) => Promise<unknown>): Promise<number> => {
    const costs: number[] = []
    for (let round = 0; round < 12; round++) {
      const before = process.cpuUsage()
      for (let group = 0; group < 20; group++) {
        await write(async (tx) => {
          for (let at = 0; at < 10; at++) await work(tx, at)
        })
      }
      const used = process.cpuUsage(before)
      costs.push((used.user + used.system) / 200)
    }
    return Math.min(...costs)
  }

  let step = 0
  const measure = async (name: string, more: object) => {
    const runs: string[] = []
    for (let at = 0; at < 10; at++) runs.push(await write(newRun))
    const metric = () => ({ key: 'loss', value: random.next(), timestamp_ms: 1_700_000_000_000 + step, step: step++ })
    return {
      name,
      ...more,
      'create-run, µs': await costOf(newRun),
      'log-metric, µs': await costOf((tx, at) =>
        logMetric(tx, { workspace: 'default', run_id: runs[at]!, metric: metric() }),
      ),
      'log-batch of 100, µs': await costOf((tx, at) => {
        step += 100
        return batch(tx, runs[at]!, 'batch', step, 100)
      }),
    }
  }
  const sizeOf = () => {
    connection.script('PRAGMA wal_checkpoint(TRUNCATE)')
    return statSync(file).size
  }
  type Row = Awaited<ReturnType<typeof measure>>
  const flat = (rows: Row[], most: number) => {
    for (const column of ['create-run, µs', 'log-metric, µs', 'log-batch of 100, µs'] as const)
      expect(rows.at(-1)![column] / rows[0]![column], column).toBeLessThan(most)
  }

  test('logging costs what it cost, at 10^3, 10^5 and 10^6 runs', async () => {
    const rows: Row[] = []
    await measure('warm', {})
    let runs = 0
    for (const many of [1e3, 1e5, 1e6]) {
      for (; runs < many; runs += 1000) grow(runs, 1000)
      rows.push(await measure(`${many} runs`, { file_mb: Math.round(sizeOf() / 1e6) }))
    }
    console.table(rows)
    // Trees grow by a level; nothing is looked through.
    flat(rows, 2.5)
  })

  test(`a point takes at most 12 bytes, and logging costs what it cost, up to ${POINTS_MAX} points`, async () => {
    const rows: Row[] = []
    await measure('warm', {})
    const before = sizeOf()
    let points = 0
    let run_id = ''
    for (const many of [1e5, 1e6, 1e7, 1e8].filter((each) => each <= POINTS_MAX)) {
      while (points < many) {
        run_id = await write(newRun)
        for (let first = 0; first < SERIES_POINTS; first += 1000)
          await write((tx) => batch(tx, run_id, 'm', first, 1000))
        points += SERIES_POINTS
        for (let more = true; more; )
          more = (await write((tx) => sealMetrics(tx, { due: { runs: [], series: [] }, ended: [], budget_ms: 4 }))).more
      }
      // With the runs and points that measuring adds, which weigh at 10^5 and are nothing at 10^7.
      const bytes_per_point = Math.round(((sizeOf() - before) / points) * 100) / 100
      rows.push(await measure(`${many} points`, { bytes_per_point }))
    }
    console.table(rows)
    flat(rows, 2.5)
    expect(Number((rows.at(-1) as unknown as { bytes_per_point: number }).bytes_per_point)).toBeLessThanOrEqual(12)

    const { tx } = threadSql(connection)
    const took = async (work: () => Promise<unknown>) => {
      const times: number[] = []
      for (let round = 0; round < 9; round++) {
        const began = performance.now()
        await work()
        times.push(performance.now() - began)
      }
      return times.sort((a, b) => a - b)[4]!
    }
    const ask = { workspace: 'default', run_id }
    const read = {
      'history of 10,000 points, ms': await took(() => historyColumns(tx, { ...ask, key: 'm', limit: 25_000 })),
      'chart of 1,000 points, ms': await took(() => chart(tx, { ...ask, keys: ['m'], points: 1000 })),
    }
    console.table([read])
    expect((await historyColumns(tx, { ...ask, key: 'm', limit: 25_000 })).points.value).toHaveLength(SERIES_POINTS)
  })
})
