/**
 * Made from the route table: what stands in one workspace is neither to be read from another nor to be changed, by any route.
 * The things are there, the questions name them, and what is looked for in the answers is what no question says.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ALL_PERMISSIONS, type RouteEntry } from '#kernel/http/index.ts'
import { type GuardedApp, routeName, startGuardedApp } from '#kit/app.ts'
import { bodyFor, type Schema } from '#kit/bodies.ts'

const SECRET = 'walrus'
/** Reads that answer by a body. */
const ASKED_BY_POST =
  /\/(search|search-datasets|get-latest-versions|get-history-bulk|runs\/(table(\.csv)?|charts|compare)|presigned-download-url)$/
/** Answers that never end. */
const STREAMS = /\/(live|logs)$/

let at: GuardedApp
let own: string
let foreign: string
/** What path and query parameters are called, and what they are in workspace `default`. */
const known: Record<string, string> = { version: '1', key: 'note', alias: 'champion', path: 'model/note.txt' }
/** Ids that no question names: whoever tells one has looked into the workspace. */
const hidden: string[] = []
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const CSV = `id,name\n1,${SECRET}\n2,${SECRET}\n`

async function send(method: string, path: string, token: string, body?: unknown) {
  const answer = await fetch(`${at.app.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': /\/(uploads|blobs)\//.test(path) ? 'application/octet-stream' : 'application/json',
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() }
}

beforeAll(async () => {
  at = await startGuardedApp()
  own = await at.token(ALL_PERMISSIONS)
  foreign = await at.token(ALL_PERMISSIONS, 'elsewhere')
  const make = async (method: string, path: string, body: unknown) => {
    const { status, text } = await send(method, path, own, body)
    expect(status, `${path}: ${text}`).toBeLessThan(300)
    // biome-ignore lint/suspicious/noExplicitAny: answers of several wires
    return (text === '' ? {} : JSON.parse(text)) as any
  }
  const api = '/api/2.0/mlflow'
  const tags = [{ key: 'note', value: SECRET }]
  const { experiment_id } = await make('POST', `${api}/experiments/create`, { name: 'of-default', tags })
  const { run } = await make('POST', `${api}/runs/create`, { experiment_id, run_name: SECRET, tags })
  const { run_id, artifact_uri } = run.info
  await make('POST', `${api}/runs/log-parameter`, { run_id, key: 'note', value: SECRET })
  await make('POST', `${api}/runs/log-metric`, { run_id, key: 'note', value: 271828, timestamp: 1, step: 1 })
  const proxy = '/api/2.0/mlflow-artifacts/artifacts'
  const root = String(artifact_uri).replace('mlflow-artifacts:/', '')
  await make('PUT', `${proxy}/${root}/model/note.txt`, SECRET)
  const { model } = await make('POST', `${api}/logged-models`, { experiment_id, source_run_id: run_id, tags })
  await make('POST', `${api}/registered-models/create`, { name: 'of-default', description: SECRET, tags })
  await make('POST', `${api}/model-versions/create`, {
    name: 'of-default',
    source: `runs:/${run_id}/model`,
    run_id,
    tags,
  })
  await make('POST', `${api}/registered-models/alias`, { name: 'of-default', alias: 'champion', version: '1' })
  Object.assign(known, {
    experiment_id,
    experiment: experiment_id,
    run_id,
    run: run_id,
    run_uuid: run_id,
    id: run_id,
    kind: 'run',
    model_id: model.info.model_id,
    model: 'of-default',
    name: 'of-default',
    experiment_name: 'of-default',
    metric_key: 'note',
    keys: 'note',
    artifact_file_path: 'model/note.txt',
    subject_kind: 'model',
    subject_id: 'of-default',
    '*': `${root}/model/note.txt`,
  })
  await makeTheLoop(make)
  await settled()
}, 120_000)
afterAll(() => at?.close())

/** Data with checks, code, a pipeline that ran, an endpoint with its monitor and a proposed release, a label, a saved view. */
async function makeTheLoop(make: (method: string, path: string, body: unknown) => Promise<Record<string, never>>) {
  const api = '/api/slipway/v1'
  const name = 'of-default'
  await make('PUT', `${api}/datasets/uploads/${digestOf(CSV)}`, CSV)
  const { version } = (await make('POST', `${api}/datasets/${name}/versions`, {
    files: [{ path: 'rows.csv', digest: digestOf(CSV) }],
    reason: SECRET,
    tags: { note: SECRET },
  })) as unknown as { version: { id: string } }
  const script = `echo ${SECRET}\n`
  await make('PUT', `${api}/code/blobs/${digestOf(script)}`, script)
  const file = { path: 'say.sh', digest: digestOf(script), size_bytes: script.length }
  const code = (await make('POST', `${api}/code`, { files: [file], branch: SECRET })).digest
  const yaml = `project: ${name}
datasets: { ${name}: { checks: [{ check: in_set, column: name, values: [${SECRET}] }] } }
pipelines: { ${name}: { steps: { say: { run: "sh say.sh; true ${SECRET}" } } } }
endpoints: { ${name}: { model: ${name}, alias: ${SECRET} } }
releases: { ${name}: { on_new_version: manual, retrain: { on: [${SECRET}], pipeline: ${name}, data: { last: 9d, dataset: ${name}, label: name } } } }
monitors: { ${name}: { endpoint: ${name}, window: 7d, alerts: [{ name: ${SECRET}, metric: error_rate, above: 0.5 }] } }
`
  await make('POST', `${api}/projects/apply`, { yaml, code })
  const run = (await make('POST', `${api}/pipelines/${name}/${name}/runs`, { reason: SECRET })).id
  const release = (await make('POST', `${api}/endpoints/${name}/releases`, { version: 1, reason: SECRET })).id
  const prediction = `prd_${'0'.repeat(32)}.0`
  await make('POST', `${api}/labels`, { labels: [{ prediction, value: SECRET }] })
  const { view_id } = await make('POST', `${api}/run-views`, { name: SECRET, state: {} }).catch(() => ({
    view_id: 'x',
  }))
  const step = async () => {
    const { steps } = JSON.parse((await send('GET', `${api}/pipeline-runs/${run}`, own)).text)
    return steps[0] as { id: string; state: string }
  }
  await vi.waitFor(async () => expect((await step()).state).toBe('done'), { timeout: 30_000, interval: 100 })
  Object.assign(known, {
    dataset_version: version.id,
    code,
    code_file: file.digest,
    release,
    prediction,
    view_id,
    pipeline_run: run,
    step: (await step()).id,
    dataset: name,
    project: name,
    pipeline: name,
    endpoint: name,
    monitor: name,
    digest: digestOf(CSV),
  })
}

/** Until nothing moves by itself any more; the gate of the release waits for a model that cannot be prepared here. */
async function settled() {
  const { events, store } = at.app.parts
  const busy = async () => {
    await events.idle()
    return store.read((sql) =>
      sql.all(
        "SELECT kind, note FROM job WHERE kind <> 'releases.gate' AND state IN ('waiting', 'running') AND run_at_ms <= ?",
        [at.clock.now()],
      ),
    )
  }
  await vi.waitFor(async () => expect(await busy()).toEqual([]), { timeout: 60_000, interval: 200 })
  const { items } = JSON.parse((await send('GET', '/api/slipway/v1/jobs', own)).text) as { items: { id: string }[] }
  hidden.push(...items.map(({ id }) => id))
}

/** Where a parameter of the same name means something else, or with '' is left out. */
const ELSE: [route: RegExp, () => Record<string, string>][] = [
  [/^\/model-versions\/get-artifact$/, () => ({ path: 'note.txt' })],
  [/^\/api\/slipway\/v1\/audit$/, () => ({ name: 'registry.', id: '' })],
  [/^\/api\/slipway\/v1\/jobs$/, () => ({ kind: 'pipelines.step' })],
  [/\/pipeline-runs\//, () => ({ run: known.pipeline_run! })],
  [/\/dataset-versions\//, () => ({ id: known.dataset_version! })],
  [/\/verdicts$/, () => ({ version: known.dataset_version! })],
  [/\/files\/\*$/, () => ({ '*': 'rows.csv' })],
  [/\/code\/:digest$/, () => ({ digest: known.code! })],
]

const namesFor = ({ path }: RouteEntry): Record<string, string> =>
  Object.assign({ ...known }, ...ELSE.filter(([route]) => route.test(path)).map(([, names]) => names()))

/** The question of a route about the things in `default`. */
function ask(entry: RouteEntry, token: string) {
  const names = namesFor(entry)
  const path = entry.path.replace(/:([A-Za-z_]+)|\*/g, (found, name) => names[name ?? found] ?? 'x')
  if (entry.method === 'GET') {
    const asked = Object.entries({ ...names, follow: 'false' }).filter(([, value]) => value !== '')
    return send('GET', `${path}?${new URLSearchParams(asked)}`, token)
  }
  return send(entry.method as string, path, token, {
    ...known,
    version: 1,
    experiment_ids: [known.experiment_id],
    run_ids: [known.run_id],
    max_results: 100,
  })
}

test('what stands in a workspace is read from it, and from no other', async () => {
  const table = at.app.parts.routes.table()
  const reads = table.filter(
    ({ method, path, may }) =>
      may !== 'anonymous' && !STREAMS.test(path) && (method === 'GET' || ASKED_BY_POST.test(path)),
  )
  const tells = async (token: string) => {
    const telling: string[] = []
    for (const entry of reads) {
      const { text } = await ask(entry, token)
      if ([SECRET, '271828', ...hidden].some((word) => text.includes(word))) telling.push(routeName(entry))
    }
    return telling
  }
  expect(await tells(foreign)).toEqual([])
  // The same questions find it at home, or they would prove nothing.
  const home = await tells(own)
  expect(home.length).toBeGreaterThan(20)
  expect(home).toEqual(
    expect.arrayContaining([
      'GET /api/2.0/mlflow/runs/get',
      'POST /api/2.0/mlflow/runs/search',
      'GET /api/2.0/mlflow/metrics/get-history',
      'GET /api/2.0/mlflow/logged-models/:model_id',
      'GET /api/2.0/mlflow/model-versions/get',
      'GET /api/2.0/mlflow-artifacts/artifacts/*',
      'GET /get-artifact',
      'GET /model-versions/get-artifact',
      'GET /api/slipway/v1/models/:model',
      'GET /api/slipway/v1/models/:model/versions/:version',
      'GET /api/slipway/v1/audit',
      'GET /api/slipway/v1/lineage',
      'GET /api/slipway/v1/jobs',
      'GET /api/slipway/v1/datasets/:name/versions/:version',
      'GET /api/slipway/v1/datasets/:name/versions/:version/rows',
      'GET /api/slipway/v1/datasets/:name/versions/:version/profile',
      'GET /api/slipway/v1/datasets/:name/versions/:version/files/*',
      'GET /api/slipway/v1/dataset-versions/:id',
      'GET /api/slipway/v1/datasets/:name/checks',
      'GET /api/slipway/v1/datasets/:name/versions/:version/verdict',
      'GET /api/slipway/v1/pipelines/:project/:pipeline',
      'GET /api/slipway/v1/pipeline-runs/:run',
      'GET /api/slipway/v1/steps/:step',
      'GET /api/slipway/v1/steps/:step/log',
      'GET /api/slipway/v1/projects/:project',
      'GET /api/slipway/v1/code/:digest',
      'GET /api/slipway/v1/endpoints/:endpoint',
      'GET /api/slipway/v1/endpoints/:endpoint/policy',
      'GET /api/slipway/v1/monitors/:monitor',
      'GET /api/slipway/v1/predictions/:prediction/labels',
      'GET /api/slipway/v1/releases/:release',
    ]),
  )
})

test('live streams tell of their own workspace alone', async () => {
  const { run_id } = known
  const open = async (path: string, token: string) => {
    const answer = await fetch(`${at.app.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
    const told = { status: answer.status, text: '', stop: () => answer.body!.cancel().catch(() => undefined) }
    const read = async () => {
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) told.text += chunk
    }
    read().catch(() => undefined)
    return told
  }
  const api = '/api/slipway/v1'
  const paths = [`${api}/live`, `${api}/runs/${run_id}/live`, `${api}/steps/${known.step}/log?follow=true`]
  const home = await Promise.all(paths.map((path) => open(path, own)))
  const away = await Promise.all(paths.map((path) => open(path, foreign)))
  const name = `${SECRET} again`
  await send('POST', '/api/2.0/mlflow/registered-models/create', own, { name })
  await send('POST', '/api/2.0/mlflow/runs/log-metric', own, {
    run_id,
    key: 'late',
    value: 271828,
    timestamp: 2,
    step: 2,
  })
  await expect.poll(() => home[0]!.text).toContain(name)
  await expect.poll(() => home[1]!.text).toContain('271828')
  await expect.poll(() => home[2]!.text).toContain(SECRET)
  for (const told of away) {
    expect(told.text).not.toContain(SECRET)
    expect(told.text).not.toContain('271828')
  }
  expect(away.map(({ status }) => status)).toEqual([200, 404, 404])
  await Promise.all([...home, ...away].map(({ stop }) => stop()))
})

test('what stands in a workspace is changed from it, and from no other', async () => {
  const { store, routes } = at.app.parts
  const document = JSON.parse((await send('GET', '/openapi.json', own)).text)
  const OWN: Record<string, unknown> = {
    '/api/slipway/v1/projects/apply': { yaml: `project: ${known.project}`, code: known.code },
    '/api/slipway/v1/code': { files: [{ path: 'x', digest: known.code_file, size_bytes: 12 }] },
    '/api/slipway/v1/datasets/:name/versions': {
      files: [{ path: 'rows.csv', digest: known.digest }],
      tags: { a: 'b' },
    },
    '/api/slipway/v1/datasets/:name/versions/:version': { tags: { note: 'stolen' } },
    '/api/slipway/v1/datasets/:name/checks': { checks: [] },
    '/api/slipway/v1/pipelines/:project/:pipeline/runs': {},
    '/api/slipway/v1/models/:model/versions': { source: `runs:/${known.run_id}/model` },
  }
  const foreignBody = (entry: RouteEntry): unknown => {
    if (entry.path in OWN) return OWN[entry.path]
    // MLflow's wire takes much more than it has use for: what its calls need is said below.
    const ours = entry.path.startsWith('/api/slipway/')
    const described =
      ours && document.paths[entry.path.replace(/:([A-Za-z_]+)/g, '{$1}')]?.[String(entry.method).toLowerCase()]
    const schema = described?.requestBody?.content?.['application/json']?.schema as Schema | undefined
    if (schema) return bodyFor(schema, namesFor(entry))
    if (described) return undefined
    return {
      ...namesFor(entry),
      new_name: 'stolen',
      value: /log-metric$/.test(entry.path) ? 5 : 'stolen',
      timestamp: 1,
      status: 'FAILED',
      source: `runs:/${known.run_id}/model`,
      description: 'stolen',
      stage: 'Archived',
      models: [{ model_id: known.model_id, step: '0' }],
      tags: [{ key: 'note', value: 'stolen' }],
      params: [{ key: 'late', value: 'stolen' }],
      metrics: [{ key: 'note', value: 9, timestamp: 9, step: 9 }],
    }
  }
  const last = /delete|remove|cancel|rollback|refuse|rename|move/
  const rank = (entry: RouteEntry) => (entry.method === 'DELETE' || last.test(entry.path) ? 1 : 0)
  const writes = routes
    .table()
    .filter(
      ({ method, path, may }) =>
        method !== 'GET' && !ASKED_BY_POST.test(path) && /\./.test(may) && !/^access/.test(may),
    )
    .sort((a, b) => rank(a) - rank(b))
  const change = async (token: string) => {
    const done: string[] = []
    for (const entry of writes) {
      const names = namesFor(entry)
      const path = entry.path.replace(/:([A-Za-z_]+)|\*/g, (found, name) => names[name ?? found] ?? 'x')
      const upload = /\/(uploads|blobs)\//.test(path) ? CSV : foreignBody(entry)
      const { status } = await send(entry.method as string, path, token, upload)
      if (status < 300) done.push(routeName(entry))
    }
    return done
  }
  /** Every row that says it is of `default`, and every row of a table that hangs on such a row. */
  const rows = () =>
    store.read(async (sql) => {
      const tables = await sql.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
      const found = new Set<string>()
      for (const { name } of tables) {
        // Last uses of tokens, counts of calls, and what the two workspaces share.
        if (
          /^(access_|token|session|client_call|delivery|watermark|event_head|experiment_counter|schedule|migration)/.test(
            name as string,
          )
        )
          continue
        for (const row of await sql.all(`SELECT * FROM "${name}"`))
          if (row.workspace === undefined || row.workspace === 'default') found.add(`${name} ${JSON.stringify(row)}`)
      }
      return found
    })
  const seen = async () => {
    const texts: string[] = []
    for (const path of [
      `/api/2.0/mlflow/runs/get?run_id=${known.run_id}`,
      `/api/2.0/mlflow/logged-models/${known.model_id}`,
      '/api/2.0/mlflow/registered-models/get?name=of-default',
      '/api/slipway/v1/datasets/of-default/versions/1',
      '/api/slipway/v1/datasets/of-default/checks',
      '/api/slipway/v1/projects/of-default',
      `/api/slipway/v1/releases/${known.release}`,
    ])
      texts.push((await send('GET', path, own)).text)
    return texts
  }
  await settled()
  const [before, told] = [await rows(), await seen()]
  await change(foreign)
  await settled()
  const after = await rows()
  expect([...before].filter((row) => !after.has(row))).toEqual([])
  const said = (row: string) => row.includes('"workspace":"default"')
  expect([...after].filter((row) => said(row) && !before.has(row))).toEqual([])
  expect(await seen()).toEqual(told)
  // The same calls change it at home, or they would prove nothing.
  const home = await change(own)
  expect(home.length).toBeGreaterThan(40)
  expect(home).toEqual(
    expect.arrayContaining([
      'POST /api/2.0/mlflow/runs/log-batch',
      'POST /api/2.0/mlflow/runs/update',
      'POST /api/2.0/mlflow/runs/delete',
      'POST /api/2.0/mlflow/experiments/delete',
      'DELETE /api/2.0/mlflow-artifacts/artifacts/*',
      'PATCH /api/slipway/v1/datasets/:name/versions/:version',
      'DELETE /api/slipway/v1/datasets/:name/versions/:version',
      'PUT /api/slipway/v1/datasets/:name/checks',
      'POST /api/slipway/v1/projects/apply',
      'POST /api/slipway/v1/code',
    ]),
  )
}, 120_000)
