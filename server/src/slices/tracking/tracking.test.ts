import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Who } from '#kernel/http/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import type { Chart } from './charts.ts'
import type { LogBatch, LogMetric } from './metric-commands.ts'
import type { MetricInput, Run, SearchPage } from './model.ts'

eachStore('tracking', (open) => {
  let at: MlflowServer
  let ada: Who

  beforeAll(async () => {
    at = await startMlflowServer(open)
    ada = at.who()
  })
  afterAll(() => at?.close())

  const write = <T>(work: (tx: Tx) => Promise<T>) => at.store.write(work)
  const experiment = (name: string, who = ada) =>
    write((tx) => at.tracking.createExperiment(tx, who, { name, tags: [] }))
  const newRun = (experiment_id: string, more: object = {}, who = ada) =>
    at.store.command<Run>('tracking.createRun', { ...at.tracking.draw.run(who), experiment_id, tags: [], ...more })
  const getRun = (run_id: string, workspace = 'default') =>
    at.store.query<Run>('tracking.getRun', { workspace, run_id })
  const log = (run_id: string, metric: Partial<MetricInput>, workspace = 'default') =>
    at.store.command('tracking.logMetric', {
      workspace,
      run_id,
      metric: { key: 'm', value: 0, timestamp_ms: 1, step: 0, ...metric },
    } satisfies LogMetric)
  const batch = (run_id: string, more: Partial<LogBatch>) =>
    at.store.command('tracking.logBatch', {
      ...at.tracking.draw.stamp(ada),
      run_id,
      metrics: [],
      params: [],
      tags: [],
      ...more,
    })
  const eventsOf = (kind: 'run' | 'experiment' | 'logged-model', id: string) =>
    at.store.read(async (sql) => (await at.events.list(sql, 'default', { subject: { kind, id }, limit: 50 })).reverse())

  describe('experiments', () => {
    test('ids rise over the whole server, and 0 is the own Default of every workspace', async () => {
      const blue = at.who('blue')
      const own = await write((tx) => at.tracking.ensureDefaultExperiment(tx, 'blue'))
      const first = await experiment('first')
      const second = await experiment('first', blue)
      expect(Number(second)).toBe(Number(first) + 1)
      expect(own).not.toBe('0')
      const asked = (workspace: string, experiment_id: string) =>
        at.store.query<{ experiment_id: string; name: string }>('tracking.getExperiment', { workspace, experiment_id })
      expect(await asked('default', '0')).toMatchObject({ experiment_id: '0', name: 'Default' })
      expect(await asked('blue', '0')).toMatchObject({ experiment_id: own, name: 'Default' })
      await expect(asked('blue', first)).rejects.toMatchObject({ problem: 'not-found' })
      expect((await newRun('', {}, at.who('green'))).experiment_id).not.toBe('0')
    })

    test('of one name there is one, however many make it at once', async () => {
      const made = await Promise.allSettled(Array.from({ length: 8 }, () => experiment('raced')))
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const each of made) {
        if (each.status === 'rejected') expect(each.reason).toMatchObject({ problem: 'already-exists' })
      }
    })

    test('keep artifacts here or in a store that every client reaches, never on its own disk', async () => {
      const make = (artifact_location: string) =>
        write((tx) =>
          at.tracking.createExperiment(tx, ada, { name: `at ${artifact_location}`, artifact_location, tags: [] }),
        )
      for (const location of ['/tmp/a', 'file:///tmp/a', 'FILE:a', 'a/b', 'C:\\a', 'c:/a', '//host/a', ':a'])
        await expect(make(location), location).rejects.toMatchObject({
          problem: 'invalid',
          field: 'artifact_location',
          message: expect.stringContaining('leave it out'),
        })
      for (const location of ['s3://bucket/a', 'mlflow-artifacts:/a', 'dbfs:/a', 'wasbs://a@b.example/c'])
        await make(location)
    })

    test('take their active runs into deletion and back, and leave those deleted before', async () => {
      const id = await experiment('deleted')
      const [kept, gone] = [await newRun(id), await newRun(id)]
      await write((tx) => at.tracking.deleteRun(tx, ada, gone.run_id))
      await write((tx) => at.tracking.deleteExperiment(tx, ada, id))
      expect((await getRun(kept.run_id)).lifecycle).toBe('deleted')
      await expect(newRun(id)).rejects.toMatchObject({ problem: 'invalid' })
      await expect(write((tx) => at.tracking.deleteExperiment(tx, ada, id))).rejects.toMatchObject({
        problem: 'not-found',
      })
      await write((tx) => at.tracking.restoreExperiment(tx, ada, id))
      expect((await getRun(kept.run_id)).lifecycle).toBe('active')
      expect((await getRun(gone.run_id)).lifecycle).toBe('deleted')
      expect((await eventsOf('experiment', id)).map(({ name }) => name)).toEqual([
        'tracking.experiment-created',
        'tracking.experiment-deleted',
        'tracking.experiment-restored',
      ])
    })
  })

  describe('metrics', () => {
    test('keep every point once, and the latest by step, timestamp, value', async () => {
      const { run_id } = await newRun('0')
      await log(run_id, { step: 5, timestamp_ms: 10, value: 1 })
      await log(run_id, { step: 4, timestamp_ms: 99, value: 9 })
      await log(run_id, { step: 5, timestamp_ms: 10, value: 1 })
      await log(run_id, { step: 5, timestamp_ms: 10, value: -1 })
      expect((await getRun(run_id)).metrics).toEqual([{ key: 'm', value: 1, timestamp_ms: 10, step: 5 }])
      await log(run_id, { step: 5, timestamp_ms: 10, value: 2 })
      expect((await getRun(run_id)).metrics[0]!.value).toBe(2)
      const { items } = await at.store.query<SearchPage<MetricInput>>('tracking.history', {
        workspace: 'default',
        run_id,
        key: 'm',
      })
      expect(items.map(({ step, value }) => [step, value])).toEqual([
        [5, -1],
        [5, 1],
        [5, 2],
        [4, 9],
      ])
    })

    test('are NaN, bounded infinities and 64-bit steps', async () => {
      const { run_id } = await newRun('0')
      await log(run_id, { key: 'nan', value: Number.NaN })
      await log(run_id, { key: 'up', value: Infinity })
      await log(run_id, { key: 'down', value: -Infinity })
      await log(run_id, { key: 'far', value: 1, step: 2n ** 62n, timestamp_ms: 2n ** 60n })
      await log(run_id, { key: 'back', value: 1, step: -3 })
      const metrics = new Map((await getRun(run_id)).metrics.map((each) => [each.key, each]))
      expect(metrics.get('nan')!.value).toBeNaN()
      expect(metrics.get('up')!.value).toBe(Number.MAX_VALUE)
      expect(metrics.get('down')!.value).toBe(-Number.MAX_VALUE)
      expect(metrics.get('far')).toMatchObject({ step: 2n ** 62n, timestamp_ms: 2n ** 60n })
      expect(metrics.get('back')!.step).toBe(-3)
      // NaN orders as 0: what is greater replaces it, what is less does not.
      await log(run_id, { key: 'nan', value: -1 })
      expect((await getRun(run_id)).metrics.find(({ key }) => key === 'nan')!.value).toBeNaN()
      await log(run_id, { key: 'nan', value: 1 })
      expect((await getRun(run_id)).metrics.find(({ key }) => key === 'nan')!.value).toBe(1)
    })

    test('of many writers at once are all there, and the latest is right', async () => {
      const { run_id } = await newRun('0')
      await Promise.all(
        Array.from({ length: 64 }, (_, i) =>
          i % 4 === 0
            ? batch(run_id, {
                metrics: [{ key: 'm', value: i, timestamp_ms: 1, step: i }],
                params: [{ key: `p${i}`, value: '1' }],
              })
            : log(run_id, { step: i, value: i }),
        ),
      )
      const run = await getRun(run_id)
      expect(run.metrics[0]).toMatchObject({ step: 63, value: 63 })
      expect(run.params).toHaveLength(16)
      const { items } = await at.store.query<SearchPage<MetricInput>>('tracking.history', {
        workspace: 'default',
        run_id,
        key: 'm',
      })
      expect(items).toHaveLength(64)
    })

    test('come in pages, in samples and thinned out with every extreme', async () => {
      const { run_id } = await newRun('0')
      for (let first = 0; first < 3000; first += 1000) {
        await batch(run_id, {
          metrics: Array.from({ length: 1000 }, (_, i) => ({
            key: 'm',
            value: first + i === 1234 ? 1e6 : first + i === 2345 ? -1e6 : Math.sin(first + i),
            timestamp_ms: first + i,
            step: first + i,
          })),
        })
      }
      const ask = { workspace: 'default', run_id, key: 'm' }
      const seen: unknown[] = []
      let position: unknown
      do {
        const page: SearchPage<MetricInput> = await at.store.query('tracking.history', {
          ...ask,
          limit: 700,
          ...(position !== undefined && { position }),
        })
        seen.push(...page.items.map(({ step }) => step))
        position = page.next
      } while (position !== undefined)
      expect(seen).toEqual(Array.from({ length: 3000 }, (_, i) => i))

      const interval = (more: object) =>
        at.store.query<{ step: number }[]>('tracking.intervalHistory', {
          workspace: 'default',
          run_ids: [run_id],
          key: 'm',
          limit: 10,
          ...more,
        })
      const steps = (await interval({})).map(({ step }) => step)
      expect(steps).toHaveLength(10)
      expect([steps[0], steps.at(-1)]).toEqual([0, 2999])
      expect((await interval({ start_step: 5, end_step: 8 })).map(({ step }) => step)).toEqual([5, 6, 7, 8])
      expect((await interval({ limit: 1 })).map(({ step }) => step)).toEqual([2999])

      const chart = await at.store.query<Chart>('tracking.chart', {
        workspace: 'default',
        run_id,
        keys: [],
        points: 100,
      })
      const [drawn] = chart.series
      expect(drawn!.count).toBe(3000)
      expect(drawn!.step.length).toBeLessThanOrEqual(103)
      expect(drawn!.step.at(-1)).toBe(2999)
      expect(drawn!.value).toContain(1e6)
      expect(drawn!.value).toContain(-1e6)
    })
  })

  describe('a run', () => {
    test('that is refused leaves nothing of its batch', async () => {
      const { run_id } = await newRun('0')
      await batch(run_id, { params: [{ key: 'a', value: '1' }] })
      await expect(
        batch(run_id, {
          metrics: [{ key: 'm', value: 1, timestamp_ms: 1, step: 0 }],
          params: [
            { key: 'b', value: '1' },
            { key: 'a', value: '2' },
          ],
          tags: [{ key: 't', value: '1' }],
        }),
      ).rejects.toMatchObject({ problem: 'invalid' })
      const run = await getRun(run_id)
      expect([run.metrics, run.params, run.tags.map(({ key }) => key)]).toEqual([
        [],
        [{ key: 'a', value: '1' }],
        ['mlflow.runName'],
      ])
    })

    test('tells of its beginning and end, and of what is changed after it', async () => {
      const { run_id } = await newRun('0', { name: 'told' })
      const stamp = () => at.tracking.draw.stamp(ada)
      await at.store.command('tracking.setTag', { ...stamp(), run_id, tag: { key: 'during', value: '1' } })
      const dataset = {
        name: 'd',
        digest: '1',
        source_type: 'http',
        source: `{"url":"http://a.example/api/slipway/v1/dataset-versions/dsv_${'0'.repeat(32)}"}`,
      }
      await at.store.command('tracking.logInputs', {
        ...stamp(),
        run_id,
        datasets: [{ dataset, tags: [] }],
        models: [],
      })
      await at.store.command('tracking.updateRun', { ...stamp(), run_id, status: 'FINISHED', end_ms: Date.now() })
      await at.store.command('tracking.updateRun', { ...stamp(), run_id, status: 'FINISHED' })
      await at.store.command('tracking.setTag', { ...stamp(), run_id, tag: { key: 'during', value: '2' } })
      await at.store.command('tracking.setTag', { ...stamp(), run_id, tag: { key: 'during', value: '2' } })
      await at.store.command('tracking.deleteTag', { ...stamp(), run_id, key: 'during' })
      await batch(run_id, {
        params: [{ key: 'late', value: '1' }],
        tags: [{ key: '__proto__', value: 'x' }],
        metrics: [{ key: 'late', value: 1, timestamp_ms: 1, step: 0 }],
      })
      const events = await eventsOf('run', run_id)
      expect(events.map(({ name }) => name)).toEqual([
        'tracking.run-created',
        'tracking.run-ended',
        'tracking.run-amended',
        'tracking.run-amended',
        'tracking.run-amended',
      ])
      expect(events[2]).toMatchObject({ before: { tags: { during: '1' } }, after: { tags: { during: '2' } } })
      expect(events[3]).toMatchObject({ before: { tags: { during: '2' } }, after: { tags: { during: null } } })
      expect(events[4]!.after).toMatchObject({ params: { late: '1' } })
      const edges = await at.store.read((sql) =>
        sql.all('SELECT from_kind, from_id, relation FROM lineage_edge WHERE to_kind = ? AND to_id = ?', [
          'run',
          run_id,
        ]),
      )
      expect(edges).toEqual([{ from_kind: 'dataset-version', from_id: `dsv_${'0'.repeat(32)}`, relation: 'input' }])
    })

    test('of a pipeline step says which, and is found by it', async () => {
      const step: Who = { ...ada, kind: 'run', id: 'stp_1', name: 'step train' }
      const parent = await newRun('0', {}, step)
      const child = await newRun('0', { tags: [{ key: 'mlflow.parentRunId', value: parent.run_id }] }, step)
      expect(parent.tags).toContainEqual({ key: 'slipway.step_run', value: 'stp_1' })
      const found = await at.store.read((sql) => at.tracking.runsOfStep(sql, 'default', 'stp_1'))
      expect(found.map(({ run_id }) => run_id)).toEqual([parent.run_id, child.run_id])
      const children = await at.store.read((sql) => at.tracking.childRuns(sql, 'default', parent.run_id))
      expect(children.map(({ run_id }) => run_id)).toEqual([child.run_id])
      const edges = await at.store.read((sql) =>
        sql.all('SELECT to_kind, to_id, relation FROM lineage_edge WHERE from_id = ?', [parent.run_id]),
      )
      expect(edges).toEqual([{ to_kind: 'step-run', to_id: 'stp_1', relation: 'part-of' }])
    })

    test('is made and changed by other slices together with what is theirs', async () => {
      const { tracking } = at
      const run_id = await write(async (tx) => {
        const made = await tracking.createRun(tx, ada, { experiment_id: '0', name: 'of a step' })
        await tracking.logBatch(tx, ada, made.run_id, { params: [{ key: 'a', value: '1' }] })
        await tracking.updateRun(tx, ada, made.run_id, { status: 'FINISHED', end_ms: 5 })
        return made.run_id
      })
      expect(await getRun(run_id)).toMatchObject({
        name: 'of a step',
        params: [{ key: 'a', value: '1' }],
        status: 'FINISHED',
        end_ms: 5,
      })
      let undone = ''
      const failing = write(async (tx) => {
        undone = (await tracking.createRun(tx, ada, { experiment_id: '0' })).run_id
        throw new Error('of another slice')
      })
      await expect(failing).rejects.toThrow('of another slice')
      await expect(getRun(undone)).rejects.toMatchObject({ problem: 'not-found' })
    })

    test('of another workspace is not there, for whatever is asked', async () => {
      const blue = at.who('blue')
      const { run_id } = await newRun('0')
      const stamp = at.tracking.draw.stamp(blue)
      const asked = await Promise.allSettled([
        getRun(run_id, 'blue'),
        log(run_id, {}, 'blue'),
        at.store.command('tracking.setTag', { ...stamp, run_id, tag: { key: 'a', value: 'b' } }),
        at.store.command('tracking.logParam', { ...stamp, run_id, param: { key: 'a', value: 'b' } }),
        at.store.command('tracking.updateRun', { ...stamp, run_id, status: 'FAILED' }),
        at.store.command('tracking.logInputs', { ...stamp, run_id, datasets: [], models: [] }),
        write((tx) => at.tracking.deleteRun(tx, blue, run_id)),
      ])
      for (const each of asked) expect(each).toMatchObject({ status: 'rejected', reason: { problem: 'not-found' } })
      const page = await at.store.query<SearchPage<Run>>('tracking.searchRuns', {
        workspace: 'blue',
        experiment_ids: ['0', '1', '2'],
        limit: 100,
      })
      expect(page.items.some((run) => run.run_id === run_id)).toBe(false)
    })
  })
})
