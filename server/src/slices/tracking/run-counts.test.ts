import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import { experimentCounts } from './experiment-rows.ts'
import { history } from './history.ts'
import { createSealer } from './metrics/sealer.ts'
import type { Run } from './model.ts'
import { trackingMigrations } from './tracking.ts'

eachStore('run counts', (open) => {
  let at: MlflowServer
  beforeAll(async () => {
    at = await startMlflowServer(open)
  })
  afterAll(() => at?.close())

  const experiment = (name: string) =>
    at.store.write((tx) => at.tracking.createExperiment(tx, at.who(), { name, tags: [] }))
  const newRun = (experiment_id: string, start_ms = 7) =>
    at.store.command<Run>('tracking.createRun', {
      ...at.tracking.draw.run(at.who()),
      experiment_id,
      tags: [],
      start_ms,
    })
  const end = (run_id: string, status = 'FINISHED') =>
    at.store.command('tracking.updateRun', { ...at.tracking.draw.stamp(at.who()), run_id, status })
  const write = (work: Parameters<typeof at.store.write>[0]) => at.store.write(work)

  /** As kept, beside what counting says. */
  const countsOf = async (id: string) => {
    const [kept, counted] = await at.store.read(async (sql) => [
      (await experimentCounts(sql, [Number(id)]))(Number(id)),
      await sql.all<{ lifecycle: string; status: string }>('SELECT lifecycle, status FROM run WHERE experiment = ?', [
        Number(id),
      ]),
    ])
    const active = counted.filter(({ lifecycle }) => lifecycle === 'active')
    expect(kept).toMatchObject({
      active: active.length,
      deleted: counted.length - active.length,
      running: active.filter(({ status }) => status === 'RUNNING').length,
    })
    return [kept.active, kept.deleted, kept.running, kept.last_started_ms]
  }

  test('are right after whatever happens to runs, many at once too', async () => {
    const [a, b] = [await experiment('counted'), await experiment('other')]
    expect(await countsOf(a)).toEqual([0, 0, 0, null])
    const runs = await Promise.all(Array.from({ length: 24 }, (_, i) => newRun(a, 100 + i)))
    const ids = runs.map(({ run_id }) => run_id)
    expect(await countsOf(a)).toEqual([24, 0, 24, 123])
    await Promise.all([
      ...ids.slice(0, 8).flatMap((id) => [end(id), end(id, 'FAILED'), end(id)]),
      ...ids.slice(8, 12).map((id) => write((tx) => at.tracking.deleteRun(tx, at.who(), id))),
      ...Array.from({ length: 4 }, () => newRun(a)),
    ])
    expect(await countsOf(a)).toEqual([24, 4, 16, 123])
    await write((tx) => at.tracking.restoreRun(tx, at.who(), ids[8]!))
    await end(ids[0]!, 'RUNNING')
    expect(await countsOf(a)).toEqual([25, 3, 18, 123])
    await at.call('POST', '/api/slipway/v1/runs/move', { run_ids: ids.slice(16, 20), to_experiment: b })
    await at.call('POST', '/api/slipway/v1/runs/copy', { run_ids: ids.slice(0, 2), to_experiment: b })
    expect(await countsOf(a)).toEqual([21, 3, 14, 123])
    expect(await countsOf(b)).toEqual([6, 0, 5, 119])
    await write((tx) => at.tracking.deleteExperiment(tx, at.who(), a))
    expect(await countsOf(a)).toEqual([0, 24, 0, null])
    await write((tx) => at.tracking.restoreExperiment(tx, at.who(), a))
    expect(await countsOf(a)).toEqual([21, 3, 14, 123])
    await write((tx) => tx.run('DELETE FROM run WHERE run_id IN (?, ?)', [ids[9]!, ids[23]!]))
    expect(await countsOf(a)).toEqual([20, 2, 13, 122])
  })
})

eachStore('a data folder from before', (open) => {
  test('has its runs counted and its points sealed, none lost', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slipway-before-'))
    copyFileSync(new URL('0001_tracking.sql', trackingMigrations.dir), join(dir, '0001_tracking.sql'))
    const opened = await open({ migrations: [{ owner: 'tracking', dir: pathToFileURL(`${dir}/`) }] })
    try {
      await opened.store.write(async (tx) => {
        await tx.run(`INSERT INTO experiment VALUES ('default', 3, 'old', 'mlflow-artifacts:/3', 'active', 0, 1, 1)`)
        for (const [n, lifecycle] of ['active', 'active', 'deleted'].entries()) {
          const run = await tx.get<{ run_key: number }>(
            `INSERT INTO run (workspace, run_id, experiment, name, user_id, status, start_ms, lifecycle, deleted_with_experiment)
             VALUES ('default', ?, 3, 'r', 'u', ?, ?, ?, 0) RETURNING run_key`,
            [`r${n}`, n === 0 ? 'FINISHED' : 'RUNNING', n, lifecycle],
          )
          const series = await tx.get<{ series: number }>(
            `INSERT INTO run_metric (run_key, key, step, at_ms, value, is_nan) VALUES (?, 'm', 1499, 1, 0, 0) RETURNING series`,
            [run!.run_key],
          )
          await tx.run(
            `INSERT INTO metric_point (series, step, at_ms, value, is_nan)
             WITH RECURSIVE steps (step) AS (SELECT CAST(0 AS INTEGER) UNION ALL SELECT step + 1 FROM steps WHERE step < 1499)
             SELECT CAST(? AS INTEGER), step, 1, CAST(step AS REAL), 0 FROM steps`,
            [series!.series],
          )
        }
      })
      const store = await opened.again({
        migrations: [trackingMigrations],
        catalog: new URL('../../../test/kit/tracking-catalog.ts', import.meta.url),
      })
      expect(await store.read(async (sql) => (await experimentCounts(sql, [3]))(3))).toEqual({
        active: 2,
        deleted: 1,
        running: 1,
        last_started_ms: 1,
      })
      await createSealer({ store, log: silentLog }).sealAll()
      const rows = await store.read((sql) =>
        sql.all<{ run_id: string; n: number }>(
          `SELECT r.run_id, (SELECT count(*) FROM metric_point p WHERE p.series = m.series) AS n
           FROM run r JOIN run_metric m ON m.run_key = r.run_key ORDER BY r.run_id`,
        ),
      )
      expect(rows.map(({ n }) => Number(n))).toEqual([0, 476, 476])
      for (const { run_id } of rows) {
        const { items } = await store.read((sql) => history(sql, { workspace: 'default', run_id, key: 'm' }))
        expect(items.map(({ value }) => value)).toEqual(Array.from({ length: 1500 }, (_, step) => step))
      }
    } finally {
      await opened.close()
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
