import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GuardedApp, startGuardedApp } from '#kit/app.ts'
import { absentFamily } from './absent.ts'
import { readAgent } from './compatibility.ts'

interface Item {
  client: string
  version: string
  method: string
  endpoint: string
  supported: boolean
  count: number
  last_seen: string
  note: string | null
}

describe('the page Compatibility', () => {
  let it: GuardedApp
  let token: string

  beforeAll(async () => {
    it = await startGuardedApp()
    token = await it.token(['tracking.read', 'tracking.write', 'insight.read'])
  }, 60_000)
  afterAll(() => it?.close())

  const call = (method: string, path: string, agent: string, authorization: string | null = `Bearer ${token}`) =>
    fetch(`${it.app.url}${path}`, { method, headers: { 'user-agent': agent, ...(authorization && { authorization }) } })
  const items = async (): Promise<Item[]> => {
    const answer = await call('GET', '/api/slipway/v1/compatibility', 'curl/8')
    return ((await answer.json()) as { items: Item[] }).items
  }
  const counts = (all: readonly Item[]) =>
    all.map((each) => `${each.client} ${each.version} ${each.method} ${each.endpoint} ${each.supported} ${each.count}`)

  test('says which versions of clients called what, and what is not there, ids left out', async () => {
    const newest = 'mlflow-python-client/3.17.2'
    const oldest = 'mlflow-python-client/2.9.2'
    for (const id of ['0', '17']) await call('GET', `/api/2.0/mlflow/experiments/get?experiment_id=${id}`, newest)
    await call('GET', '/ajax-api/2.0/mlflow/experiments/get?experiment_id=0', 'Mozilla/5.0 (X11; Linux x86_64)')
    await call('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', oldest)
    for (const id of ['tr-1', 'tr-2']) {
      const answer = await call('GET', `/api/3.0/mlflow/traces/${id}?secret=1`, newest)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' })
    }
    await call('POST', '/v1/traces', newest)
    await call('GET', '/api/2.0/mlflow/never/heard/of', newest)
    await call('POST', '/api/2.0/mlflow/artifacts/presigned-upload-url', newest)
    // Strangers are not counted: nobody fills the table from outside.
    await call('GET', '/api/3.0/mlflow/traces/tr-3', newest, null)
    await call('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', newest, 'Bearer nonsense')

    const wanted = [
      'mlflow-python-client 3.17.2 GET /api/…/mlflow/traces false 2',
      'mlflow-python-client 3.17.2 POST /v1/traces false 1',
      'mlflow-python-client 3.17.2 GET another path false 1',
      'mlflow-python-client 3.17.2 POST /api/2.0/mlflow/artifacts/presigned-upload-url false 1',
      'mlflow-python-client 3.17.2 GET /api/2.0/mlflow/experiments/get true 2',
      'browser  GET /api/2.0/mlflow/experiments/get true 1',
      'mlflow-python-client 2.9.2 GET /api/2.0/mlflow/experiments/get true 1',
    ].sort()
    await expect.poll(async () => counts(await items()).sort(), { timeout: 10_000 }).toEqual(wanted)
    const all = await items()
    expect(all[0]).toMatchObject({ endpoint: '/api/…/mlflow/traces', note: expect.stringContaining('Traces') })
    expect(all.filter(({ supported }) => supported).every(({ note }) => note === null)).toBe(true)
    // Written down, counted on, and of this workspace alone.
    await it.app.parts.compatibility.flush()
    expect(counts(await items()).sort()).toEqual(wanted)
    await call('GET', '/api/2.0/mlflow/experiments/get?experiment_id=0', oldest)
    await expect
      .poll(async () => counts(await items()), { timeout: 10_000 })
      .toContain('mlflow-python-client 2.9.2 GET /api/2.0/mlflow/experiments/get true 2')
    const elsewhere = await it.app.parts.store.read((sql) => it.app.parts.compatibility.items(sql, 'elsewhere'))
    expect(elsewhere).toEqual([])
  })

  test.each([
    'POST /v1/traces',
    'POST /api/2.0/mlflow/traces',
    'PATCH /api/2.0/mlflow/traces/tr-1/tags',
    'POST /api/3.0/mlflow/traces/search',
    'POST /api/3.0/mlflow/traces/tr-1/assessments',
    'GET /ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-1',
    'POST /api/3.0/mlflow/datasets/create',
    'GET /api/3.0/mlflow/datasets/d-1/records',
    'POST /api/3.0/mlflow/scorers/register',
    'POST /api/3.0/mlflow/issues/search',
    'GET /api/3.0/mlflow/label-schemas/1',
    'GET /api/3.0/mlflow/review-queues/1',
    'POST /api/3.0/mlflow/prompt-optimization/jobs',
    'GET /ajax-api/3.0/jobs/1',
    'GET /api/3.0/mlflow/gateway/endpoints',
    'POST /ajax-api/2.0/mlflow/gateway-proxy',
    'POST /gateway/chat/mlflow/invocations',
    'POST /graphql',
    'GET /ajax-api/3.0/mlflow/ui-telemetry',
  ])('%s is not there: no thing is missed, nothing breaks, and it is known what was asked', async (asked) => {
    const [method, path] = asked.split(' ') as [string, string]
    const answer = await fetch(`${it.app.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-protobuf' },
      ...(method !== 'GET' && { body: new Uint8Array([10, 0, 255]) }),
    })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' })
    expect(absentFamily(path.split('?')[0]!).endpoint).not.toBe('another path')
  })

  test.each([
    ['mlflow-python-client/3.17.2', 'mlflow-python-client', '3.17.2'],
    ['python-requests/2.32.3 extra', 'python-requests', '2.32.3'],
    ['node', 'node', ''],
    ['Mozilla/5.0 (Macintosh)', 'browser', ''],
    ['', 'unknown', ''],
    ['<script>', 'unknown', ''],
    [`x/${'9'.repeat(500)}`, 'x', '9'.repeat(30)],
  ])('reads %s', (header, client, version) => expect(readAgent(header)).toEqual({ client, version }))
})
