/**
 * Made from the route table: what stands in one workspace is not to be read from another, by any route that reads. The
 * things are there, the questions name them, and what is looked for in the answers is what no question says.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALL_PERMISSIONS, type RouteEntry } from '#kernel/http/index.ts'
import { type GuardedApp, routeName, startGuardedApp } from '#kit/app.ts'

const SECRET = 'walrus'
/** Reads that answer by a body. */
const ASKED_BY_POST = /\/(search|search-datasets|get-latest-versions|get-history-bulk)$/
/** Answers that never end. */
const STREAMS = /\/(live|logs)$/

let at: GuardedApp
let own: string
let foreign: string
/** What path and query parameters are called, and what they are in workspace `default`. */
const known: Record<string, string> = { version: '1', key: 'note', alias: 'champion', path: 'model/note.txt' }

async function send(method: string, path: string, token: string, body?: unknown) {
  const answer = await fetch(`${at.app.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
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
}, 60_000)
afterAll(() => at?.close())

/** Where a parameter of the same name means something else. */
const ELSE: Record<string, Record<string, string>> = {
  '/model-versions/get-artifact': { path: 'note.txt' },
  '/api/slipway/v1/audit': { name: 'registry.' },
}

/** The question of a route about the things in `default`. */
function ask(entry: RouteEntry, token: string) {
  const path = entry.path.replace(/:([A-Za-z_]+)|\*/g, (found, name) => known[name ?? found] ?? 'x')
  if (entry.method === 'GET') return send('GET', `${path}?${new URLSearchParams({ ...known, ...ELSE[path] })}`, token)
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
      if (text.includes(SECRET) || text.includes('271828')) telling.push(routeName(entry))
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
    ]),
  )
})
