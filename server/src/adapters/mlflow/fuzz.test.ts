import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'

const POSTS = [
  'experiments/create',
  'experiments/search',
  'experiments/update',
  'experiments/delete',
  'experiments/restore',
  'experiments/set-experiment-tag',
  'experiments/delete-experiment-tag',
  'experiments/search-datasets',
  'runs/create',
  'runs/update',
  'runs/delete',
  'runs/restore',
  'runs/log-metric',
  'runs/log-parameter',
  'runs/set-tag',
  'runs/delete-tag',
  'runs/log-batch',
  'runs/log-inputs',
  'runs/outputs',
  'runs/log-model',
  'runs/search',
  'logged-models',
  'logged-models/search',
]
const GETS = [
  'experiments/get',
  'experiments/get-by-name',
  'experiments/search',
  'runs/get',
  'metrics/get-history',
  'metrics/get-history-bulk',
  'metrics/get-history-bulk-interval',
  'artifacts/list',
  'logged-models/x',
  'logged-models/x/artifacts/directories',
]
const NAMES = [
  'experiment_id',
  'experiment_ids',
  'name',
  'new_name',
  'key',
  'value',
  'timestamp',
  'step',
  'tags',
  'params',
  'metrics',
  'run_id',
  'run_uuid',
  'run_ids',
  'status',
  'end_time',
  'start_time',
  'filter',
  'order_by',
  'max_results',
  'page_token',
  'view_type',
  'run_view_type',
  'datasets',
  'models',
  'model_json',
  'metric_key',
  'path',
  'artifact_location',
  'artifactLocation',
  'start_step',
  'end_step',
  'model_id',
  'model_type',
  'source_run_id',
  'experiment_name',
  'artifact_directory_path',
  '__proto__',
]

const LEAVES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  -0,
  2 ** 63,
  '',
  'a',
  '0',
  '1',
  'RUNNING',
  'ALL',
  'NaN',
  '🦊',
  '\u0000',
  'x'.repeat(9000),
  '../..',
  'm-1',
  '2024-01-01',
  '9'.repeat(30),
  'metrics.a > 1',
  "tags.`a` LIKE '%'",
  'start_time DESC',
  '[]',
  '{}',
  '__proto__',
  'mlflow-artifacts:/x',
  'runs:/x',
  'file:///etc',
  '%2e%2e%2f',
]

eachStore('whatever a client sends', (open, database) => {
  let at: MlflowServer
  let run_id: string

  beforeAll(async () => {
    at = await startMlflowServer(open)
    const { body } = await at.call('POST', '/api/2.0/mlflow/runs/create', { experiment_id: '0' })
    run_id = (body.run as { info: { run_id: string } }).info.run_id
  })
  afterAll(() => at?.close())

  test('is never our mistake', async () => {
    const random = seededRandom(3)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!
    const leaf = (): unknown => pick([...LEAVES, run_id, run_id])
    const value = (depth = 0): unknown => {
      const kind = random.next()
      if (depth > 2 || kind < 0.6) return leaf()
      if (kind < 0.8) return Array.from({ length: Math.floor(random.next() * 4) }, () => value(depth + 1))
      return object(depth + 1)
    }
    const object = (depth = 0): Record<string, unknown> =>
      Object.fromEntries(
        ['key', 'value', 'timestamp', 'name', 'digest', 'source', 'source_type', 'dataset', 'model_id', 'field_name']
          .filter(() => random.next() < 0.6)
          .map((name) => [name, value(depth + 1)]),
      )
    const body = () => {
      const fields = Object.fromEntries(NAMES.filter(() => random.next() < 0.3).map((name) => [name, value()]))
      // Half of them name a run or experiment that is there, so that more is read than the first field.
      return random.next() < 0.5 ? { ...fields, run_id, experiment_id: '0', experiment_ids: ['0'] } : fields
    }
    const seen = new Map<number, number>()
    const check = async (method: string, path: string, init: RequestInit, sent: unknown) => {
      const answer = await fetch(`${at.url}/api/2.0/mlflow/${path}`, { method, ...init })
      const text = await answer.text()
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      if (answer.status >= 500)
        throw new Error(`${method} ${path} ${JSON.stringify(sent)} was answered ${answer.status} ${text}`)
      if (answer.status !== 200)
        expect(JSON.parse(text)).toEqual({ error_code: expect.any(String), message: expect.any(String) })
      // Experiment 0 and the run stay usable, so that later bodies reach further than "is deleted".
      if (path === 'runs/delete') await at.call('POST', '/api/2.0/mlflow/runs/restore', { run_id })
      if (path === 'experiments/delete')
        await at.call('POST', '/api/2.0/mlflow/experiments/restore', { experiment_id: '0' })
    }
    const rounds = database === 'sqlite' ? 30 : 12
    for (let round = 0; round < rounds; round++) {
      for (const path of POSTS) {
        const sent = body()
        await check('POST', path, { body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }, sent)
      }
      for (const path of GETS) {
        const sent = body()
        const query = new URLSearchParams()
        for (const [name, each] of Object.entries(sent)) {
          for (const one of [each].flat().slice(0, 5)) query.append(name, String(one).slice(0, 300))
        }
        await check('GET', `${path}?${query}`, {}, sent)
      }
    }
    expect(seen.get(200)).toBeGreaterThan(20)
    expect(seen.get(400)).toBeGreaterThan(100)
  })

  test('is never our mistake, also where one field alone is wrong', async () => {
    const key = 'k'
    const timestamp = 1
    const dataset = { name: 'd', digest: '1', source_type: 'http', source: 'x' }
    const experiment_id = '0'
    const valid: Record<string, Record<string, unknown>> = {
      'experiments/create': { name: 'n', artifact_location: 'mlflow-artifacts:/x', tags: [{ key, value: 'v' }] },
      'experiments/search': {
        filter: "name = 'x'",
        order_by: ['name'],
        max_results: 5,
        view_type: 'ALL',
        page_token: '',
      },
      'experiments/set-experiment-tag': { experiment_id, key, value: 'v' },
      'runs/create': { experiment_id, run_name: 'n', user_id: 'u', start_time: 5, tags: [{ key, value: 'v' }] },
      'runs/update': { run_id, run_name: 'n', end_time: 5, status: 'FINISHED' },
      'runs/log-metric': {
        run_id,
        key,
        value: 1,
        timestamp,
        step: 1,
        model_id: '',
        dataset_name: 'd',
        dataset_digest: '1',
      },
      'runs/log-parameter': { run_id, key, value: 'v' },
      'runs/set-tag': { run_id, key, value: 'v' },
      'runs/log-batch': {
        run_id,
        metrics: [{ key, value: 1, timestamp }],
        params: [{ key, value: 'v' }],
        tags: [{ key, value: 'v' }],
      },
      'runs/log-inputs': { run_id, datasets: [{ dataset, tags: [{ key, value: 'v' }] }], models: [] },
      'runs/search': {
        experiment_ids: ['0'],
        filter: 'metrics.k > 0',
        order_by: ['metrics.k DESC'],
        max_results: 2,
        run_view_type: 'ALL',
      },
      'logged-models': {
        experiment_id,
        name: 'n',
        model_type: 't',
        source_run_id: run_id,
        params: [{ key, value: 'v' }],
        tags: [{ key, value: 'v' }],
      },
      'logged-models/search': {
        experiment_ids: ['0'],
        filter: "name = 'n'",
        order_by: [{ field_name: 'metrics.k', ascending: false }],
        max_results: 2,
        datasets: [{ dataset_name: 'd' }],
      },
    }
    let taken = 0
    const post = async (path: string, sent: unknown) => {
      const { status, body } = await at.call('POST', `/api/2.0/mlflow/${path}`, sent)
      if (status >= 500)
        throw new Error(`${path} ${JSON.stringify(sent)} was answered ${status} ${JSON.stringify(body)}`)
      if (status === 200) taken++
    }
    for (const [path, fields] of Object.entries(valid)) {
      await post(path, fields)
      for (const name of Object.keys(fields)) {
        for (const leaf of LEAVES) {
          const whole = fields[name]
          // Inside of a list as well as in its place.
          const entry: unknown = Array.isArray(whole) ? whole[0] : undefined
          const inner = entry !== null && typeof entry === 'object' ? entry : {}
          await post(path, { ...fields, [name]: leaf })
          if (Array.isArray(whole)) await post(path, { ...fields, [name]: [leaf] })
          for (const field of Object.keys(inner)) await post(path, { ...fields, [name]: [{ ...inner, [field]: leaf }] })
        }
      }
    }
    expect(taken).toBeGreaterThan(300)
  }, 120_000)
})
