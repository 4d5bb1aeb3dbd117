import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { storeWithManyRuns } from '#kit/many-runs.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import type { Run, SearchPage } from '../../model.ts'
import { createRunSealer } from './sealer.ts'

const RUNS = 2_500

test('a few thousand runs are sealed by themselves, and pages of them come at once', async () => {
  const at = await startMlflowServer(storeWithManyRuns({ runs: RUNS, metrics: 30, params: 6, tags: 3 }))
  const sealer = createRunSealer({ store: at.store, now: Date.now, log: silentLog })
  const table = async (more: object) => {
    const answer = await at.call('POST', '/api/slipway/v1/runs/table', { experiments: ['0'], limit: 20, ...more })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    return answer.body as { total: number; rows: { values: number[] }[] }
  }
  const loose = async () =>
    Number(
      (await at.store.read((sql) => sql.get<{ n: number }>('SELECT count(*) AS n FROM run WHERE segment IS NULL')))!.n,
    )
  try {
    const asked = {
      filter: "metrics.metric_1 > 0.5 AND params.param_1 = 'choice-3'",
      order_by: ['metrics.metric_2 DESC'],
    }
    const before = await table({ ...asked, columns: ['metrics.metric_2', 'params.param_2'] })
    sealer.start()
    while ((await loose()) >= 512) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await table({ ...asked, columns: ['metrics.metric_2', 'params.param_2'] })).toEqual(before)
    expect(before.total).toBeGreaterThan(10)
    const counted = await at.store.read((sql) =>
      sql.get<{ n: number }>(`SELECT count(*) AS n FROM run_metric WHERE key = 'metric_7' AND value < 0.25`),
    )
    expect((await table({ filter: 'metrics.metric_7 < 0.25' })).total).toBe(Number(counted!.n))

    const took: number[] = []
    for (let i = 0; i < 20; i++) {
      const began = performance.now()
      await table({ order_by: [`metrics.metric_${i}`], filter: `metrics.metric_${29 - i} > 0.3` })
      took.push(performance.now() - began)
    }
    // Others use this machine, too.
    expect(took.sort((a, b) => a - b)[5]).toBeLessThan(100)
  } finally {
    await sealer.stop()
    await at.close()
  }
})

eachStore('sealing', (open, database) => {
  let at: MlflowServer
  let experiment: string
  beforeAll(async () => {
    at = await startMlflowServer(open)
    experiment = await at.store.write((tx) => at.tracking.createExperiment(tx, at.who(), { name: 'sealed', tags: [] }))
  })
  afterAll(() => at?.close())

  const sealer = () => createRunSealer({ store: at.store, now: Date.now, log: silentLog })
  const newRun = async (value: number) => {
    const { run_id } = await at.store.command<Run>('tracking.createRun', {
      ...at.tracking.draw.run(at.who()),
      experiment_id: experiment,
      tags: [],
    })
    await log(run_id, value, 0)
    return run_id
  }
  const log = (run_id: string, value: number, step: number) =>
    at.store.command('tracking.logMetric', {
      workspace: 'default',
      run_id,
      metric: { key: 'm', value, timestamp_ms: 1, step },
    })
  const found = async (filter: string) => {
    const ask = { workspace: 'default', experiment_ids: [experiment], filter, limit: 100 }
    const { items } = await at.store.query<SearchPage<Run>>('tracking.searchRuns', ask)
    return items.map(({ run_id }) => run_id)
  }

  test('a run that is changed while it is sealed is seen as it became', async () => {
    const [early, between, late] = [await newRun(1), await newRun(1), await newRun(1)]
    const { segment } = await at.store.command<{ segment: number }>('tracking.openSegment', {
      ...{ experiment: Number(experiment), runs_max: 100, now_ms: 1, skip_locked: database === 'postgres' },
    })
    expect(await found('metrics.m = 1')).toHaveLength(3)
    await log(early, 2, 1)
    const packed = await at.store.query('tracking.packSegment', { segment, cells_max: 1000 })
    await log(between, 2, 1)
    expect(await found('metrics.m = 1')).toEqual([late])
    await at.store.command('tracking.sealSegment', packed)
    expect(await found('metrics.m = 1')).toEqual([late])
    await log(late, 2, 1)
    expect(await found('metrics.m = 1')).toEqual([])
    expect((await found('metrics.m = 2')).sort()).toEqual([early, between, late].sort())
  })

  test('a segment that its server left open gives its runs back', async () => {
    const run_id = await newRun(5)
    const { segment } = await at.store.command<{ segment: number }>('tracking.openSegment', {
      ...{ experiment: Number(experiment), runs_max: 100, now_ms: 1, skip_locked: false },
    })
    expect(await found('metrics.m = 5')).toEqual([run_id])
    expect(await at.store.query('tracking.wornSegments', { dead_share: 1, opened_before_ms: 2 })).toContain(segment)
    await at.store.command('tracking.dropSegment', { segment })
    await at.store.command('tracking.dropSegment', { segment })
    expect(await found('metrics.m = 5')).toEqual([run_id])
    await sealer().sealAll()
    expect(await found('metrics.m = 5')).toEqual([run_id])
  })

  test('deleting and restoring an experiment takes its sealed runs along', async () => {
    const all = (await found('')).length
    await sealer().sealAll()
    await at.store.write((tx) => at.tracking.deleteExperiment(tx, at.who(), experiment))
    expect(await found('')).toEqual([])
    await sealer().sealAll()
    await at.store.write((tx) => at.tracking.restoreExperiment(tx, at.who(), experiment))
    expect(await found('')).toHaveLength(all)
  })

  test.skipIf(database === 'sqlite')('waits for those who began to write before', async () => {
    const run_id = await newRun(7)
    const slow = at.store.write(async (tx) => {
      await tx.run(`UPDATE run_metric SET value = 8 WHERE key = 'm' AND value = 7`)
      await tx.get('SELECT CAST(pg_sleep(1.5) AS TEXT) AS slept')
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await sealer().sealAll()
    await slow
    expect(await found('metrics.m = 8')).toEqual([run_id])
    expect(await found('metrics.m = 7')).toEqual([])
  })
})
