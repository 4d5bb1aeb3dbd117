/**
 * Made from the route table and the API's description: wherever a path, an id or a name can be said, ways out of the folder are
 * tried. Nothing outside is read, written or lost, and every refusal is one that the wire knows.
 */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bodyFor, type Schema } from '#kit/bodies.ts'
import { IN_BODIES, IN_URLS, sampleOf } from './corpus.ts'
import { harm, startTarget, type Target } from './target.ts'

/** Names under which a path is said, or what becomes one further on. */
const PATH_LIKE =
  /^(\*|.*path|file|files|folder|run|run_id|run_uuid|source|artifact_location|endpoint|step|code|model_json|digest)$/
/** Of other parameters, and of the pages' own addresses, which all answer one page. */
const SAMPLE = 12
const AT_ONCE = 8
/** Answers that never end. */
const STREAMS = /\/live$/

interface Parameter {
  name: string
  in: string
}
interface Operation {
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

let at: Target
let paths: Record<string, Record<string, Operation>>
const known: Record<string, string> = { version: '1', path: 'model/note.txt', key: 'note' }

beforeAll(async () => {
  at = await startTarget()
  paths = JSON.parse((await at.send('GET', '/openapi.json')).text).paths
  const make = async (method: string, path: string, body: unknown) => {
    const { status, text } = await at.send(method, path, body)
    expect(status, text).toBeLessThan(300)
    return JSON.parse(text)
  }
  const api = '/api/2.0/mlflow'
  const { experiment_id } = await make('POST', `${api}/experiments/create`, { name: 'attacked' })
  const { run } = await make('POST', `${api}/runs/create`, { experiment_id })
  const { run_id, artifact_uri } = run.info
  const root = String(artifact_uri).replace('mlflow-artifacts:/', '')
  await make('PUT', `/api/2.0/mlflow-artifacts/artifacts/${root}/model/note.txt`, 'kept')
  const { model } = await make('POST', `${api}/logged-models`, { experiment_id, source_run_id: run_id })
  await make('POST', `${api}/registered-models/create`, { name: 'attacked' })
  await make('POST', `${api}/model-versions/create`, { name: 'attacked', source: `runs:/${run_id}/model`, run_id })
  Object.assign(known, {
    experiment_id,
    run_id,
    run: run_id,
    run_uuid: run_id,
    model_id: model.info.model_id,
    model: 'attacked',
    name: 'attacked',
    '*': `${root}/model/note.txt`,
    digest: `sha256:${'0'.repeat(64)}`,
  })
}, 120_000)
afterAll(() => at?.close())

/** One way to say something: the request with `payload` in one of its places. */
interface Place {
  name: string
  isPath: boolean
  inBody: boolean
  say(payload: string): [method: string, path: string, body?: unknown]
}

function placesOf(method: string, route: string): Place[] {
  const operation = paths[route.replace(/:([A-Za-z_]+)|\*/g, (_, name) => `{${name ?? '*'}}`)]?.[method.toLowerCase()]
  const filled = (change: Record<string, string> = {}) =>
    route.replace(/:([A-Za-z_]+)|\*/g, (_, name) => {
      const key = name ?? '*'
      return change[key] ?? known[key] ?? 'x'
    })
  const asked = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'query')
  const query = (change: Record<string, string> = {}) => {
    const said = asked
      .filter(({ name }) => name in change || (name in known && name !== 'version'))
      .map(({ name }) => `${name}=${change[name] ?? encodeURIComponent(known[name]!)}`)
    return said.length > 0 ? `?${said.join('&')}` : ''
  }
  const json = operation?.requestBody?.content['application/json']?.schema
  const body = json ? (bodyFor(json, known) as Record<string, unknown>) : method === 'PUT' ? 'bytes' : undefined
  const place = (name: string, say: Place['say'], inBody = false): Place => ({
    name: `${method} ${route} ${name}`,
    isPath: PATH_LIKE.test(name) && !(name === '*' && !route.startsWith('/a')),
    inBody,
    say,
  })
  return [
    ...[...route.matchAll(/:([A-Za-z_]+)|\*/g)].map(([, key = '*']) =>
      place(key, (payload) => [method, filled({ [key]: payload }) + query(), body]),
    ),
    ...asked.map(({ name }) =>
      place(name, (payload) => [
        method,
        filled() + query({ [name]: payload.replace(/[&#]/g, encodeURIComponent) }),
        body,
      ]),
    ),
    ...Object.keys(json?.properties ?? {}).map((name) =>
      place(
        name,
        (payload) => [
          method,
          filled() + query(),
          { ...(body as object), [name]: likeThat((body as Record<string, unknown>)[name], payload) },
        ],
        true,
      ),
    ),
  ]
}

/** What stood there, with the payload in place of each text. */
function likeThat(value: unknown, payload: string): unknown {
  if (Array.isArray(value)) return value.map((each) => likeThat(each, payload))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, likeThat(each, payload)]))
  return payload
}

test('there are at least 200 ways to say it, in URLs and in bodies', () => {
  expect(IN_URLS.length).toBeGreaterThanOrEqual(200)
  expect(IN_BODIES.length).toBeGreaterThanOrEqual(200)
})

test('no path, id or name leads out of the folder, whatever route it is said to', async () => {
  const before = at.outside()
  const ruin = /delete|remove|apply|rename/
  const table = at.app.parts.routes
    .table()
    .filter(
      ({ path }) =>
        !STREAMS.test(path) &&
        !path.startsWith('/ajax-api') &&
        !/tokens|people|sign|invitation|setup|password|session/.test(path),
    )
    // What the others stand on goes last.
    .sort(
      (a, b) => Number(a.method === 'DELETE' || ruin.test(a.path)) - Number(b.method === 'DELETE' || ruin.test(b.path)),
    )
  const wrong: string[] = []
  let asked = 0
  let covered = 0
  for (const [index, entry] of table.entries()) {
    for (const place of placesOf(String(entry.method), entry.path)) {
      const all = place.inBody ? IN_BODIES : IN_URLS
      const payloads = place.isPath ? all : sampleOf(all, SAMPLE, index)
      if (place.isPath) covered++
      const waiting = [...payloads]
      const one = async () => {
        for (let payload = waiting.shift(); payload !== undefined; payload = waiting.shift()) {
          asked++
          const [method, path, body] = place.say(payload)
          const found = harm(await at.send(method, path, body))
          if (found) wrong.push(`${place.name} ← ${JSON.stringify(payload).slice(0, 120)}: ${found}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, one))
    }
  }
  process.stdout.write(`${asked} requests at ${covered} path-like places of ${table.length} routes\n`)
  expect(wrong.slice(0, 40)).toEqual([])
  expect(covered).toBeGreaterThan(40)
  expect(at.outside()).toEqual(before)
  for (const path of ['/canary.txt', '/tmp/canary.txt', '/x-injected']) expect(existsSync(path), path).toBe(false)
}, 300_000)

test('what climbs is refused by the artifact proxy in the words of its wire, and nothing is kept of it', async () => {
  const climbs = IN_URLS.filter((path) => /^(\.\.|%2e%2e|%252e%252e)(\/|%2f|%252f)/i.test(path))
  expect(climbs.length).toBeGreaterThan(20)
  for (const path of climbs) {
    const put = await at.send('PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}`, 'x')
    expect(put.status, path).toBe(400)
    expect(JSON.parse(put.text).error_code).toBe('INVALID_PARAMETER_VALUE')
  }
})
