import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROLE_RIGHTS } from '#kernel/http/index.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testStore } from '#kit/store.ts'

const API = '/api/2.0/mlflow'

describe("MLflow's wire", () => {
  let at: MlflowServer

  beforeAll(async () => {
    at = await startMlflowServer(testStore)
  })
  afterAll(() => at?.close())

  const raw = (path: string, init?: RequestInit) => fetch(`${at.url}${path}`, init)
  const newRun = async (): Promise<string> => {
    const { body } = await at.call('POST', `${API}/runs/create`, { experiment_id: '0', start_time: '1700000000000' })
    return (body.run as { info: { run_id: string } }).info.run_id
  }
  const getRun = async (run_id: string) =>
    (await at.call('GET', `${API}/runs/get?run_id=${run_id}`)).body.run as {
      info: Record<string, unknown>
      data: { metrics: { key: string; value: unknown; step: unknown }[]; tags: { key: string; value: string }[] }
    }
  const error = (status: number, error_code: string, message: unknown = expect.any(String)) => ({
    status,
    body: { error_code, message },
  })

  describe('conventions', () => {
    test('names in snake_case or lowerCamelCase, not both', async () => {
      const made = await at.call('POST', `${API}/experiments/create`, {
        name: 'camel',
        artifactLocation: 'mlflow-artifacts:/camel',
      })
      const id = made.body.experiment_id as string
      expect((await at.call('GET', `${API}/experiments/get?experimentId=${id}`)).body.experiment).toMatchObject({
        artifact_location: 'mlflow-artifacts:/camel',
      })
      expect(await at.call('POST', `${API}/experiments/delete`, { experiment_id: id, experimentId: id })).toMatchObject(
        error(
          400,
          'INVALID_PARAMETER_VALUE',
          "Request specifies both 'experiment_id' and 'experimentId'; provide only one of them.",
        ),
      )
    })

    test('integers as number or text, doubles as number or their names, and 64 bits of them', async () => {
      const run_id = await newRun()
      const log = (more: object) =>
        at.call('POST', `${API}/runs/log-metric`, { run_id, key: 'm', timestamp: '5', value: 1, ...more })
      expect(await log({ value: 'NaN' })).toEqual({ status: 200, body: {} })
      expect(await log({ key: 'i', value: '-Infinity' })).toEqual({ status: 200, body: {} })
      expect(await log({ key: 's', value: '1.5', step: '7' })).toEqual({ status: 200, body: {} })
      const text = `{"run_id":"${run_id}","key":"b","value":1,"timestamp":1,"step":9007199254740993}`
      await raw(`${API}/runs/log-metric`, {
        method: 'POST',
        body: text,
        headers: { 'content-type': 'application/json' },
      })
      const answer = await (await raw(`${API}/runs/get?run_id=${run_id}`)).text()
      expect(answer).toContain('"step":9007199254740993')
      const { data } = JSON.parse(answer).run as Awaited<ReturnType<typeof getRun>>
      expect(data.metrics.map(({ key, value }) => [key, value])).toEqual([
        ['b', 1],
        ['i', -Number.MAX_VALUE],
        ['m', 'NaN'],
        ['s', 1.5],
      ])
      expect(await log({ value: 'abc' })).toMatchObject(
        error(
          400,
          'INVALID_PARAMETER_VALUE',
          expect.stringMatching(
            /^Invalid value "abc" for parameter 'value' supplied: {2}Hint: Value was of type 'str'\. See the API docs/,
          ),
        ),
      )
      expect(await log({ timestamp: -1 })).toMatchObject(
        error(400, 'INVALID_PARAMETER_VALUE', expect.stringContaining('nonnegative')),
      )
      expect(await log({ timestamp: 1.5 })).toMatchObject(error(400, 'INVALID_PARAMETER_VALUE'))
      expect(await log({ step: '99999999999999999999' })).toMatchObject(error(400, 'INVALID_PARAMETER_VALUE'))
      expect(await log({ value: undefined })).toMatchObject(
        error(
          400,
          'INVALID_PARAMETER_VALUE',
          "Missing value for required parameter 'value'. See the API docs for more information about request parameters.",
        ),
      )
    })

    test('wrong entries of a batch are named by their place', async () => {
      const run_id = await newRun()
      const metric = { key: 'a', value: 1, timestamp: 1 }
      const refused = async (more: object) =>
        (await at.call('POST', `${API}/runs/log-batch`, { run_id, ...more })).body.message
      expect(await refused({ metrics: [metric, { ...metric, key: 'b!' }] })).toMatch(
        /^Invalid value "b!" for parameter 'metrics\[1\]\.name' supplied: Names may only contain/,
      )
      expect(await refused({ params: [{ key: '' }] })).toMatch(
        /^Missing value for required parameter 'params\[0\]\.key'/,
      )
      expect(await refused({ tags: [{ key: 'a', value: 5 }] })).toMatch(
        /^Invalid value 5 for parameter 'tags\[0\]\.value' supplied/,
      )
      expect(await refused({ metrics: 'x' })).toMatch(/^Invalid value "x" for parameter 'metrics' supplied/)
      expect(await refused({ tags: [{ key: 'k'.repeat(251), value: '' }] })).toBe(
        "'tags[0].key' exceeds the maximum length of 250 characters",
      )
      expect(
        await refused({
          params: [
            { key: 'a', value: '1' },
            { key: 'a', value: '2' },
          ],
        }),
      ).toMatch(/^Duplicate parameter keys have been submitted: \['a'\]/)
    })

    test('a body is JSON, also as text in JSON, also on DELETE, and may be missing', async () => {
      const post = (body: string, type?: string, method = 'POST', path = '/experiments/create') =>
        raw(`${API}${path}`, { method, body, headers: type === undefined ? {} : { 'content-type': type } })
      expect(
        (await post(JSON.stringify(JSON.stringify({ name: 'double' })), 'application/json; charset=utf-8')).status,
      ).toBe(200)
      expect((await post('{"name":"x"}', 'text/xml')).status).toBe(400)
      expect((await post('{"name":', 'application/json')).status).toBe(400)
      expect((await post('[1]', 'application/json')).status).toBe(400)
      expect(await (await post('null', 'application/json')).json()).toMatchObject({
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining("'name'"),
      })
      const { body } = await at.call('POST', `${API}/logged-models`, {
        experiment_id: '0',
        tags: [{ key: 'a/b', value: '1' }],
      })
      const { model_id } = (body.model as { info: { model_id: string } }).info
      expect(
        (await post('{"tag_key":"a/b"}', 'application/json', 'DELETE', `/logged-models/${model_id}/tags/a%2Fb`)).status,
      ).toBe(200)
    })

    test('unknown paths and methods are told apart from unknown things', async () => {
      expect(await at.call('GET', `${API}/runs/get?run_id=${'a'.repeat(32)}`)).toEqual(
        error(404, 'RESOURCE_DOES_NOT_EXIST', `Run with id=${'a'.repeat(32)} not found`),
      )
      for (const path of [
        `${API}/nothing`,
        '/api/3.0/mlflow/traces',
        '/ajax-api/3.0/mlflow/gateway/endpoints/list',
        '/api/2.0/mlflow-artifacts/nothing',
        '/v1/traces',
        '/graphql',
        '/gateway/chat/mlflow/invocations',
      ]) {
        expect(await at.call('POST', path, {})).toMatchObject(error(404, 'ENDPOINT_NOT_FOUND'))
      }
      // Spans come as protobuf; that nobody takes them is what the client has to hear.
      const spans = { method: 'POST', body: 'x', headers: { 'content-type': 'application/x-protobuf' } }
      expect(await (await raw('/v1/traces', spans)).json()).toMatchObject({ error_code: 'ENDPOINT_NOT_FOUND' })
      expect(await at.call('POST', `${API}/runs/get`, {})).toMatchObject(error(405, 'BAD_REQUEST'))
      expect((await raw(`${API}/runs/get`, { method: 'POST' })).headers.get('allow')).toContain('GET')
    })

    test('the browser alias is the same API', async () => {
      expect((await at.call('POST', '/ajax-api/2.0/mlflow/experiments/search', {})).body).toMatchObject({
        experiments: expect.any(Array),
      })
      expect(
        (await at.call('POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', { experiment_ids: ['0'] })).body,
      ).toEqual({ dataset_summaries: [] })
      expect(
        (await at.call('POST', '/api/2.0mlflow/experiments/search-datasets', { experiment_ids: ['0'] })).status,
      ).toBe(200)
    })

    test('forged and foreign page tokens are refused', async () => {
      for (const page_token of ['x', 'e30.AAAA', 'W10.', Buffer.from('{"offset":0}').toString('base64')]) {
        expect(await at.call('POST', `${API}/runs/search`, { experiment_ids: ['0'], page_token })).toMatchObject(
          error(400, 'INVALID_PARAMETER_VALUE'),
        )
      }
      for (const max_results of [0, -1, 50_001, 'x']) {
        expect((await at.call('POST', `${API}/runs/search`, { experiment_ids: ['0'], max_results })).status).toBe(400)
      }
    })

    test('who may not is told so in these words', async () => {
      at.as({ ...at.who(), rights: ROLE_RIGHTS.viewer })
      try {
        expect(await at.call('POST', `${API}/runs/create`, { experiment_id: '0' })).toMatchObject(
          error(403, 'PERMISSION_DENIED'),
        )
        expect((await at.call('GET', `${API}/experiments/get?experiment_id=0`)).status).toBe(200)
      } finally {
        at.as(undefined)
      }
    })
  })

  test('hostile names are data', async () => {
    const run_id = await newRun()
    const tag = (key: unknown, value: unknown) => at.call('POST', `${API}/runs/set-tag`, { run_id, key, value })
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      expect((await tag(key, '<script>')).status).toBe(200)
    expect((await tag('html', `<img src=x onerror=alert(1)>'"; DROP TABLE run;--\u001b[0m`)).status).toBe(200)
    expect((await tag('a\u0000b', 'x')).status).toBe(400)
    expect(await tag('nul', 'a\u0000b')).toMatchObject(error(400, 'INVALID_PARAMETER_VALUE'))
    expect((await tag('x'.repeat(1_000_000), 'x')).status).toBe(400)
    expect((await at.call('POST', `${API}/experiments/create`, { name: 'x'.repeat(1_000_000) })).status).toBe(400)
    const { data } = await getRun(run_id)
    expect(data.tags.map(({ key }) => key)).toEqual([
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'html',
      'mlflow.runName',
      'toString',
    ])
    expect(
      (
        await raw(`${API}/runs/set-tag`, {
          method: 'POST',
          body: 'x'.repeat(5 << 20),
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(400)
  })

  test('history of many runs comes at once, bounded', async () => {
    const runs = [await newRun(), await newRun()].sort()
    for (const run_id of runs) {
      await at.call('POST', `${API}/runs/log-batch`, {
        run_id,
        metrics: Array.from({ length: 50 }, (_, i) => ({ key: 'm', value: i, timestamp: i, step: i })),
      })
    }
    const ids = runs.map((run_id) => `run_id=${run_id}`).join('&')
    const bulk = (query: string) => at.call('GET', `/ajax-api/2.0/mlflow/metrics/get-history-bulk?${query}`)
    const { body } = await bulk(`${ids}&metric_key=m`)
    const points = body.metrics as { run_id: string; step: number }[]
    expect(points).toHaveLength(100)
    expect(points.map(({ run_id }) => run_id)).toEqual([...Array(50).fill(runs[0]), ...Array(50).fill(runs[1])])
    expect(await bulk('metric_key=m')).toMatchObject(
      error(400, 'INVALID_PARAMETER_VALUE', 'GetMetricHistoryBulk request must specify at least one run_id.'),
    )
    expect(await bulk(ids)).toMatchObject(
      error(400, 'INVALID_PARAMETER_VALUE', 'GetMetricHistoryBulk request must specify a metric_key.'),
    )
    const interval = (query: string) =>
      at.call(
        'GET',
        `/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?${ids.replaceAll('run_id', 'run_ids')}&metric_key=m&${query}`,
      )
    expect((await interval('max_results=5')).body.metrics).toHaveLength(10)
    expect((await interval('start_step=10&end_step=12')).body.metrics).toHaveLength(6)
    for (const query of ['start_step=1', 'start_step=5&end_step=1', 'max_results=0', 'max_results=2501']) {
      expect((await interval(query)).status, query).toBe(400)
    }
  })

  test('a server says what it is, to anybody', async () => {
    expect(await (await raw('/version')).text()).toBe('3.17.2')
    expect((await at.call('GET', '/api/3.0/mlflow/server-info')).body).toMatchObject({
      store_type: 'SqlStore',
      multipart_uploads_enabled: false,
    })
    expect(await at.call('POST', '/api/3.0/mlflow/workspaces', { name: 'x' })).toMatchObject(
      error(403, 'PERMISSION_DENIED'),
    )
  })

  test('workspaces are apart on this wire', async () => {
    const inBlue = { 'x-mlflow-workspace': 'blue', 'content-type': 'application/json' }
    const made = await raw(`${API}/experiments/create`, {
      method: 'POST',
      headers: inBlue,
      body: JSON.stringify({ name: 'theirs' }),
    })
    const { experiment_id } = (await made.json()) as { experiment_id: string }
    expect((await raw(`${API}/experiments/get?experiment_id=${experiment_id}`, { headers: inBlue })).status).toBe(200)
    expect(await at.call('GET', `${API}/experiments/get?experiment_id=${experiment_id}`)).toMatchObject(
      error(404, 'RESOURCE_DOES_NOT_EXIST'),
    )
    expect(await at.call('GET', `/w/blue${API}/experiments/get?experiment_id=${experiment_id}`)).toMatchObject({
      status: 200,
    })
  })
})
