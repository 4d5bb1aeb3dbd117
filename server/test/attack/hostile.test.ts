/** Bodies too large, too deep or of wrong types, names that are meant to hurt, pages that nobody was given, and things that go meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALL_PERMISSIONS } from '#kernel/http/index.ts'
import { bodyFor, type Schema } from '#kit/bodies.ts'
import { type AnswerCheck, answerCheck } from '#kit/described.ts'
import { type Answer, harm, startTarget, type Target } from './target.ts'

const API = '/api/2.0/mlflow'
/** Neither in any answer nor in the way of the next request. */
const WRONG: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e308,
  2 ** 63,
  '',
  '\u0000',
  '9'.repeat(40),
  'NaN',
  '\ud800',
  '__proto__',
  [],
  {},
  [[]],
  [null],
  [{}],
  [{ key: {}, value: [] }],
  { constructor: { prototype: { polluted: true } } },
]
const NAMES: readonly string[] = [
  '\u0001\u0002\u001f',
  'line\nbreak\r\nx-injected: yes',
  '\u0000',
  'a\u0000b',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'; DROP TABLE run; --",
  '$' + '{7*7}{{7*7}}<%= 7*7 %>',
  '=cmd|" /C calc"!A0',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\ud800',
  '\udfff\ud800',
  'a\ud83d',
  '\u202egnp.exe',
  '\u200b\u200d\ufeff',
  'ı İ ſ K',
  'e\u0301',
  '🦊'.repeat(60),
  'x'.repeat(1_000_000),
  '../../etc/passwd',
  '%2e%2e%2f',
  ' leading and trailing ',
  '.',
  '..',
  '/',
]

let at: Target
let check: AnswerCheck
let operations: { method: string; route: string; path: string; body: Schema | undefined; query: string[] }[]
let experiment_id: string
let run_id: string

/** A call of MLflow's API; fails the test where the answer is not one that this wire knows. */
async function call(method: string, path: string, body?: unknown) {
  const answer = await at.send(method, `${API}/${path}`, body)
  const found = harm(answer)
  if (found) throw new Error(`${method} ${path} ${JSON.stringify(body)?.slice(0, 300)} ${found}`)
  return { ...answer, json: JSON.parse(answer.text) }
}
const newRun = async (): Promise<string> => (await call('POST', 'runs/create', { experiment_id })).json.run.info.run_id

beforeAll(async () => {
  at = await startTarget()
  const document = JSON.parse((await at.send('GET', '/openapi.json')).text)
  check = answerCheck(document)
  operations = at.app.parts.routes
    .table()
    .filter(({ path }) => path.startsWith(`${API}/`))
    .map(({ method, path }) => {
      const name = path.slice(API.length).replace(/:([a-z_]+)/g, '{$1}')
      const described = document.paths[API + name]?.[String(method).toLowerCase()] ?? {}
      return {
        method: String(method),
        route: path,
        path: name,
        body: described.requestBody?.content['application/json'].schema,
        query: (described.parameters ?? [])
          .filter((each: { in: string }) => each.in === 'query')
          .map((each: { name: string }) => each.name),
      }
    })
  experiment_id = (await call('POST', 'experiments/create', { name: 'attacked' })).json.experiment_id
  run_id = await newRun()
}, 120_000)
afterAll(() => at?.close())

test('a wrong type in any field of any call is an error of this wire, or passed over', async () => {
  const known = (): Record<string, string> => ({
    experiment_id,
    run_id,
    name: 'n',
    version: '1',
    model_id: 'm-0',
    tag_key: 'k',
  })
  const wrong: string[] = []
  const note = async (operation: (typeof operations)[number], query: string, body: unknown) => {
    const path = API + operation.path.replace(/\{([a-z_]+)\}/g, (_, name) => known()[name] ?? 'x')
    const answer = await at.send(operation.method, path + query, body)
    const found = harm(answer) ?? check(operation.method, operation.route, answer)
    if (found) wrong.push(`${operation.method} ${path}${query} ${JSON.stringify(body)?.slice(0, 200)}: ${found}`)
  }
  for (const operation of operations) {
    const { body, query } = operation
    if (body) {
      const whole = bodyFor(body, known()) as Record<string, unknown>
      await Promise.all(WRONG.map((value) => note(operation, '', value)))
      for (const name of Object.keys(body.properties ?? {}))
        await Promise.all(WRONG.map((value) => note(operation, '', { ...whole, [name]: value })))
    }
    for (const name of query)
      await Promise.all(
        WRONG.filter((value) => typeof value !== 'object').map((value) =>
          note(operation, `?${new URLSearchParams({ ...known(), [name]: String(value) })}`, undefined),
        ),
      )
  }
  expect(operations.length).toBeGreaterThan(60)
  expect(wrong.slice(0, 30)).toEqual([])
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  expect((await call('GET', `runs/get?run_id=${run_id}`)).status).toBeLessThan(500)
}, 180_000)

test('a hostile name is refused, or kept letter for letter', async () => {
  const mine = (await call('POST', 'experiments/create', { name: 'names' })).json.experiment_id
  const id = (await call('POST', 'runs/create', { experiment_id: mine })).json.run.info.run_id
  let kept = 0
  for (const name of NAMES) {
    const log = [
      ['runs/log-parameter', { run_id: id, key: name, value: name }, 'params'],
      ['runs/set-tag', { run_id: id, key: name, value: name }, 'tags'],
      ['runs/log-metric', { run_id: id, key: name, value: 1, timestamp: 1 }, 'metrics'],
    ] as const
    for (const [path, body, kind] of log) {
      const { status } = await call('POST', path, body)
      const { data } = (await call('GET', `runs/get?run_id=${id}`)).json.run
      const found = (data[kind] as { key: string; value: unknown }[]).filter(({ key }) => key === name)
      expect(found.length, `${path} ${JSON.stringify(name).slice(0, 60)} ${status}`).toBe(status === 200 ? 1 : 0)
      if (status === 200 && kind !== 'metrics') expect(found[0]!.value).toBe(name)
      if (status === 200) kept++
    }
    const made = await call('POST', 'experiments/create', { name })
    if (made.status === 200) {
      const asked = new URLSearchParams({ experiment_name: name.toWellFormed() })
      expect((await call('GET', `experiments/get-by-name?${asked}`)).json.experiment.name).toBe(name)
    }
    const model = await call('POST', 'registered-models/create', { name })
    if (model.status === 200) expect(model.json.registered_model.name).toBe(name)
  }
  expect(kept).toBeGreaterThan(15)
  // The pages' own lists take them too.
  for (const path of ['experiments', 'models', `runs?experiment=${mine}`, `runs/${id}`, 'audit'])
    expect((await at.send('GET', `/api/slipway/v1/${path}`)).status, path).toBe(200)
}, 120_000)

test('bodies too large or too deep are refused, with a length told and without', async () => {
  const large = `{"name":"${'x'.repeat(6 << 20)}"}`
  const deep = `{"name":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  const deepObjects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  for (const [what, body, path] of [
    ['large', large, `${API}/experiments/create`],
    ['deep', deep, `${API}/experiments/create`],
    ['deep', deepObjects, `${API}/runs/log-batch`],
    ['large', large, '/api/slipway/v1/run-views'],
    ['deep', deep, '/api/slipway/v1/run-views'],
    ['deep', deepObjects, '/api/slipway/v1/labels'],
  ] as const) {
    const answer = await at.send('POST', path, body)
    expect(harm(answer), `${what} ${path}`).toBeUndefined()
    expect([400, 413], `${what} ${path}`).toContain(answer.status)
  }
  const chunked = await fetch(`${at.app.url}${API}/experiments/create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${at.token}`, 'content-type': 'application/json' },
    body: new Blob([large]).stream(),
    duplex: 'half',
  } as RequestInit).catch((error: Error) => error)
  // Refused while it is sent: the client hears it, or finds the line closed.
  if (!(chunked instanceof Error)) expect(chunked.status).toBe(400)
  expect((await call('POST', 'experiments/search', { max_results: 1 })).status).toBe(200)
}, 60_000)

test('a page token that was forged, changed, or given by another list or workspace is refused', async () => {
  experiment_id = (await call('POST', 'experiments/create', { name: 'paged' })).json.experiment_id
  run_id = await newRun()
  for (let n = 0; n < 3; n++) {
    await newRun()
    await call('POST', 'registered-models/create', { name: `paged-${n}` })
    await call('POST', 'model-versions/create', { name: 'paged-0', source: 's3://b/x' })
    await call('POST', 'logged-models', { experiment_id })
    await call('POST', 'runs/log-metric', { run_id, key: 'paged', value: n, timestamp: n, step: n })
  }
  type List = [name: string, ask: (token: string) => Promise<Answer>]
  const post = (path: string, body: object): List => [
    path,
    (page_token) => at.send('POST', `${API}/${path}`, { ...body, max_results: 1, ...(page_token && { page_token }) }),
  ]
  const get = (path: string, query: Record<string, string> = {}): List => [
    path,
    (page_token) => at.send('GET', `${API}/${path}?${new URLSearchParams({ ...query, max_results: '1', page_token })}`),
  ]
  const own = (path: string, query: Record<string, string> = {}): List => [
    path,
    (cursor) => at.send('GET', `/api/slipway/v1/${path}?${new URLSearchParams({ ...query, limit: '1', cursor })}`),
  ]
  const lists: List[] = [
    post('experiments/search', {}),
    post('runs/search', { experiment_ids: [experiment_id] }),
    post('logged-models/search', { experiment_ids: [experiment_id] }),
    get('registered-models/search'),
    get('model-versions/search'),
    get('metrics/get-history', { run_id, metric_key: 'paged' }),
    own('experiments'),
    own('runs', { experiment: experiment_id }),
    own('logged-models', { experiment: experiment_id }),
    own('models'),
    own('audit'),
    own('runs/columns', { experiment: experiment_id }),
  ]
  const tokens = new Map<string, string>()
  for (const [name, ask] of lists) {
    const { text, status } = await ask('')
    expect(status, `${name} ${text}`).toBe(200)
    const { next_page_token, next_cursor } = JSON.parse(text)
    if (next_page_token ?? next_cursor) tokens.set(name, next_page_token ?? next_cursor)
  }
  expect(tokens.size).toBeGreaterThan(9)
  const [sample] = tokens.values()
  const forged = [
    sample!.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A')),
    sample!.slice(0, -2),
    `${sample}.${sample}`,
    Buffer.from('{"offset":0}').toString('base64'),
    'eyJvZmZzZXQiOjB9',
    '../../x',
    '\u0000',
    'x'.repeat(1500),
    '0',
  ]
  for (const [name, ask] of lists) {
    for (const token of forged) {
      const answer = await ask(token)
      expect(harm(answer), `${name} ${token.slice(0, 60)}`).toBeUndefined()
      expect(answer.status, `${name} ${token.slice(0, 60)}`).toBe(400)
    }
    for (const [from, token] of tokens) {
      const answer = await ask(token)
      expect(harm(answer), `${name} with a token of ${from}`).toBeUndefined()
      if (name !== from && !name.includes('/')) expect(answer.status, `${name} with a token of ${from}`).toBe(400)
    }
  }
  const { access, store } = at.app.parts
  const ada = { kind: 'person' as const, id: 'per_x', name: 'Ada', workspace: 'default', rights: ALL_PERMISSIONS }
  await store.write((tx) => access.createWorkspace(tx, ada, { name: 'elsewhere' }))
  const away = await at.send(
    'POST',
    `${API}/runs/search`,
    { experiment_ids: [experiment_id], max_results: 10, page_token: tokens.get('runs/search') },
    { 'x-mlflow-workspace': 'elsewhere' },
  )
  expect(harm(away)).toBeUndefined()
  expect(away.text).not.toContain(run_id)
}, 60_000)

test('what is acknowledged while an experiment or a run goes is there when it comes back, and nothing of the rest', async () => {
  const mine = (await call('POST', 'experiments/create', { name: 'going' })).json.experiment_id
  const ids: string[] = []
  for (let n = 0; n < 4; n++)
    ids.push((await call('POST', 'runs/create', { experiment_id: mine })).json.run.info.run_id)
  const root = (await call('GET', `runs/get?run_id=${ids[0]}`)).json.run.info.artifact_uri.replace(
    'mlflow-artifacts:/',
    '',
  )
  const acknowledged = new Map<string, Set<number>>(ids.map((id) => [id, new Set()]))
  const uploads = new Set<string>()
  const refusals = new Set<string>()
  const writer = async (id: string) => {
    for (let n = 0; n < 60; n++) {
      const { status, json } = await call('POST', 'runs/log-batch', {
        run_id: id,
        metrics: [{ key: 'loss', value: n, timestamp: n, step: n }],
        params: [{ key: `p${n}`, value: `${n}` }],
        tags: [{ key: `t${n}`, value: `${n}` }],
      })
      if (status === 200) acknowledged.get(id)!.add(n)
      else refusals.add(json.error_code)
    }
  }
  const uploader = async () => {
    for (let n = 0; n < 30; n++) {
      const path = `going/${n}.txt`
      const { status } = await at.send('PUT', `/api/2.0/mlflow-artifacts/artifacts/${root}/${path}`, `content ${n}`)
      expect([200, 400, 404]).toContain(status)
      if (status === 200) uploads.add(path)
    }
  }
  const deleter = async () => {
    for (let n = 0; n < 12; n++) {
      await call('POST', 'experiments/delete', { experiment_id: mine })
      await call('POST', 'experiments/restore', { experiment_id: mine })
      await call('POST', 'runs/delete', { run_id: ids[1] })
      await call('POST', 'runs/restore', { run_id: ids[1] })
    }
  }
  await Promise.all([...ids.map(writer), uploader(), deleter(), deleter()])
  for (const id of ids) await call('POST', 'runs/restore', { run_id: id })
  for (const id of ids) {
    const { data } = (await call('GET', `runs/get?run_id=${id}`)).json.run
    const { metrics } = (await call('GET', `metrics/get-history?run_id=${id}&metric_key=loss`)).json
    const told = [...acknowledged.get(id)!].sort((a, b) => a - b)
    expect(told.length).toBeGreaterThan(0)
    expect((metrics as { step: number }[]).map(({ step }) => step).sort((a, b) => a - b)).toEqual(told)
    expect((data.params as { key: string }[]).map(({ key }) => Number(key.slice(1))).sort((a, b) => a - b)).toEqual(
      told,
    )
    const tags = (data.tags as { key: string }[]).filter(({ key }) => /^t\d+$/.test(key))
    expect(tags.map(({ key }) => Number(key.slice(1))).sort((a, b) => a - b)).toEqual(told)
  }
  for (const code of refusals)
    expect(['INVALID_PARAMETER_VALUE', 'RESOURCE_DOES_NOT_EXIST', 'INVALID_STATE']).toContain(code)
  for (const path of uploads) {
    const { status, text } = await at.send('GET', `/api/2.0/mlflow-artifacts/artifacts/${root}/${path}`)
    expect([status, text]).toEqual([200, `content ${path.match(/\d+/)![0]}`])
  }
}, 120_000)
