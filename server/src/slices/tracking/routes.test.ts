import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testStore } from '#kit/store.ts'
import type { LoggedModel, Run } from './model.ts'

const API = '/api/slipway/v1'

let at: MlflowServer

beforeAll(async () => {
  at = await startMlflowServer(testStore)
})
afterAll(() => at?.close())

const newRun = (more: object = {}) =>
  at.store.command<Run>('tracking.createRun', {
    ...at.tracking.draw.run(at.who()),
    experiment_id: '0',
    tags: [],
    ...more,
  })
const log = (run_id: string, step: number, value = step) =>
  at.store.command('tracking.logMetric', {
    workspace: 'default',
    run_id,
    metric: { key: 'loss', value, timestamp_ms: step, step },
  })
const get = async (path: string) => (await at.call('GET', `${API}${path}`)).body

test('the page of a run comes in one call', async () => {
  const parent = await newRun({ name: 'parent' })
  const run = await newRun({
    name: 'child',
    tags: [
      { key: 'mlflow.parentRunId', value: parent.run_id },
      { key: 'mlflow.note.content', value: 'what it is' },
      { key: 'mlflow.source.git.commit', value: 'abc' },
    ],
  })
  const stamp = () => at.tracking.draw.stamp(at.who())
  const { run_id } = run
  const model = await at.store.command<LoggedModel>('tracking.createModel', {
    ...at.tracking.draw.model(at.who()),
    ...{ experiment_id: '0', name: 'clf', source_run_id: run_id, params: [], tags: [] },
  })
  const file = async (path: string, text: string) => {
    const ref = await at.blobs.put(Buffer.from(text))
    await at.store.write((tx) => at.tracking.artifacts.put(tx, at.who(), path, ref))
  }
  await file(
    `0/models/${model.model_id}/artifacts/requirements.txt`,
    'mlflow==3.17.2\n# a comment\nscikit-learn==1.9.1\n',
  )
  await file(`0/models/${model.model_id}/artifacts/python_env.yaml`, 'python: 3.11.9\n')
  await file(`0/${run_id}/artifacts/plots/roc.png`, 'png')
  await at.store.command('tracking.logOutputs', { ...stamp(), run_id, models: [{ model_id: model.model_id, step: 2 }] })
  const dataset = {
    name: 'd',
    digest: '1',
    source_type: 'http',
    source: `slipway://dataset-version/dsv_${'1'.repeat(32)}`,
  }
  const tags = [{ key: 'mlflow.data.context', value: 'training' }]
  await at.store.command('tracking.logInputs', { ...stamp(), run_id, datasets: [{ dataset, tags }], models: [] })
  await log(run_id, 1, Number.NaN)

  expect(await get(`/runs/${run_id}`)).toMatchObject({
    run_id,
    name: 'child',
    status: 'RUNNING',
    description: 'what it is',
    experiment: { experiment_id: '0', name: 'Default' },
    metrics: [{ key: 'loss', value: null, step: 1 }],
    inputs: [{ name: 'd', context: 'training', dataset_version: `dsv_${'1'.repeat(32)}` }],
    models: [{ model_id: model.model_id, direction: 'output', step: 2, name: 'clf' }],
    artifacts: [{ path: 'plots', is_dir: true }],
    parent: { name: 'parent' },
    environment: {
      git_commit: 'abc',
      python_version: '3.11.9',
      requirements: ['mlflow==3.17.2', 'scikit-learn==1.9.1'],
      from_model: model.model_id,
    },
  })
  expect((await get(`/runs/${parent.run_id}`)).children).toMatchObject([{ run_id }])
  expect(await get(`/runs/${run_id}/artifacts?path=plots`)).toEqual({
    items: [{ path: 'plots/roc.png', is_dir: false, size_bytes: 3 }],
  })
  expect(await (await fetch(`${at.url}${API}/runs/${run_id}/artifacts/file?path=plots/roc.png`)).text()).toBe('png')
  expect((await at.call('GET', `${API}/runs/${run_id}/artifacts/file?path=../x`)).status).toBe(400)
  expect(await get(`/logged-models/${model.model_id}`)).toMatchObject({ name: 'clf', files: [{}, {}] })
  expect((await at.call('GET', `${API}/runs/none`)).body).toMatchObject({
    status: 404,
    detail: 'Run with id=none not found',
  })
})

test('lists are filtered, ordered and paged, and experiments count their runs', async () => {
  const id = await at.store.write((tx) => at.tracking.createExperiment(tx, at.who(), { name: 'counted', tags: [] }))
  for (let i = 0; i < 5; i++) {
    const { run_id } = await newRun({ experiment_id: id, start_ms: 1000 + i })
    await log(run_id, i)
    if (i === 0) await at.store.write((tx) => at.tracking.deleteRun(tx, at.who(), run_id))
  }
  const first = await get(`/runs?experiment=${id}&limit=3`)
  const second = await get(`/runs?experiment=${id}&limit=3&cursor=${first.next_cursor}`)
  const values = [first, second].flatMap(({ items }) => (items as Run[]).map((run) => run.metrics[0]!.value))
  expect(values).toEqual([4, 3, 2, 1])
  expect(second.next_cursor).toBeUndefined()
  const filtered = await get(
    `/runs?experiment=${id}&filter=${encodeURIComponent('metrics.loss > 2')}&order_by=metrics.loss`,
  )
  expect((filtered.items as Run[]).map((run) => run.metrics[0]!.value)).toEqual([3, 4])
  expect(((await get('/runs?limit=1000')).items as Run[]).length).toBeGreaterThan(4)
  expect((await at.call('GET', `${API}/runs?filter=nonsense`)).body).toMatchObject({ status: 400, field: 'filter' })
  expect((await at.call('GET', `${API}/runs?cursor=forged`)).status).toBe(400)
  expect(await get(`/experiments/${id}`)).toMatchObject({
    name: 'counted',
    runs: { active: 4, deleted: 1, running: 4, last_started: '1970-01-01T00:00:01.004Z' },
  })
  expect((await get('/experiments')).items).toMatchObject([{ name: 'counted' }, { name: 'Default' }])
})

test('a watched run tells its new points and its end', async () => {
  const { run_id } = await newRun({ name: 'watched' })
  await log(run_id, 0)
  const stream = await fetch(`${at.url}${API}/runs/${run_id}/live`)
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  let told = ''
  const until = async (text: string) => {
    while (!told.includes(text)) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`the stream ended before ${text}: ${told}`)
      told += value
    }
  }
  await until('event: ready')
  await Promise.all([log(run_id, 1), log(run_id, 2), log(run_id, 3, Number.NaN)])
  await until('"step":3')
  await at.store.command('tracking.updateRun', { ...at.tracking.draw.stamp(at.who()), run_id, status: 'FINISHED' })
  await until('event: run')
  await until('FINISHED')
  await reader.cancel()
  const points = [...told.matchAll(/event: metrics\ndata: (.*)\n/g)].flatMap(
    ([, data]) => (JSON.parse(data!) as { points: { step: number; value: number | null }[] }).points,
  )
  expect(points.map(({ step, value }) => [step, value])).toEqual([
    [1, 1],
    [2, 2],
    [3, null],
  ])
  expect((await get(`/runs/${run_id}/metrics?keys=loss&points=10`)).series).toEqual([
    { key: 'loss', count: 4, step: [0, 1, 2, 3], timestamp_ms: [0, 1, 2, 3], value: [0, 1, 2, null] },
  ])
  expect((await at.call('GET', `${API}/runs/none/live`)).status).toBe(404)
})

test('runs are deleted and restored', async () => {
  const { run_id } = await newRun()
  expect((await at.call('DELETE', `${API}/runs/${run_id}`)).status).toBe(200)
  expect(await get(`/runs/${run_id}`)).toMatchObject({ lifecycle: 'deleted' })
  expect((await at.call('POST', `${API}/runs/${run_id}/restore`)).status).toBe(200)
  expect(await get(`/runs/${run_id}`)).toMatchObject({ lifecycle: 'active' })
})
