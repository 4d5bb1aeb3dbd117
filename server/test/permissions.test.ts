/**
 * Made from the route table of the whole server: who may not, is kept out, on every route there is. A route without a
 * permission cannot be written (its type asks for one); one that is open to all has to be named here.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addRoutes } from '#app/routes.ts'
import type { RunningApp } from '#app/start.ts'
import { UI_ROOTS } from '#app/web.ts'
import { ALL_PERMISSIONS, ROLE_RIGHTS, type RouteEntry } from '#kernel/http/index.ts'
import { createServer } from '#kernel/http/server.ts'
import { silentLog } from '#kernel/log.ts'
import { type GuardedApp, routeName as name, startGuardedApp } from '#kit/app.ts'

/** What anybody may ask: whether it lives, what it is, the ways in, and pages that hold no data. */
const OPEN = [
  'GET /',
  'GET /health',
  'GET /ready',
  'GET /version',
  'GET /openapi.json',
  'GET /slipway.schema.json',
  'GET /setup',
  'GET /sign-in',
  'GET /api/slipway/v1/setup',
  'POST /api/slipway/v1/setup',
  'POST /api/slipway/v1/sessions',
  'GET /api/3.0/mlflow/server-info',
  'GET /ajax-api/3.0/mlflow/server-info',
  // To this machine alone, and to the server's admins: below.
  'GET /metrics',
  'GET /assets/*',
  ...UI_ROOTS.flatMap((root) => [`GET /${root}`, `GET /${root}/*`]),
]

/** Foreign wires that have to be in the table: a wire that goes round it would go round every check. */
const WIRES = [
  'POST /api/2.0/mlflow/runs/create',
  'POST /ajax-api/2.0/mlflow/runs/log-batch',
  'POST /api/2.0/mlflow/model-versions/create',
  'PUT /api/2.0/mlflow-artifacts/artifacts/*',
  'GET /get-artifact',
  'GET /model-versions/get-artifact',
  'POST /serve/:endpoint/invocations',
]

let guardedApp: GuardedApp
let app: RunningApp
const tokens: Record<string, string> = {}
/** As the server began; the second one below adds its own to the same table. */
let table: readonly RouteEntry[]
/** The same routes on a server that is asked without a socket, so that a caller's address can be said. */
let bare: ReturnType<typeof createServer>
const served: string[] = []

beforeAll(async () => {
  guardedApp = await startGuardedApp()
  app = guardedApp.app
  const { clock, token } = guardedApp
  tokens.elsewhere = await token(ALL_PERMISSIONS, 'elsewhere')
  tokens.expired = await token(ALL_PERMISSIONS, 'default', clock.now() + 1)
  table = [...app.parts.routes.table()]
  for (const permission of new Set(table.map(({ may }) => may))) {
    if (permission === 'anonymous' || permission === 'signed-in') continue
    tokens[`not ${permission}`] = await token(ALL_PERMISSIONS.filter((each) => each !== permission))
  }
  tokens.viewer = await token(ROLE_RIGHTS.viewer)
  tokens.scraper = await token(['insight.admin'])
  clock.advance(1)
  bare = createServer({ log: silentLog, ids: app.parts.ids, dev: false, hosts: [] })
  bare.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (each !== 'HEAD' && each !== 'OPTIONS') served.push(`${each} ${url}`)
  })
  await addRoutes(bare, app.parts)
  await bare.ready()
}, 60_000)
afterAll(async () => {
  await bare?.close()
  await guardedApp?.close()
})

const guarded = () => table.filter(({ may }) => may !== 'anonymous')

/** One call of a route with its parameters filled; only who may is of interest, so nothing needs to be there. */
async function call(entry: RouteEntry, token?: string, headers: Record<string, string> = {}) {
  const path = entry.path
    .replace(/:version\b/g, '1')
    .replace(/:[A-Za-z_]+/g, 'x')
    .replace(/\*/g, 'x')
  const response = await fetch(`${app.url}${path}`, {
    method: entry.method as string,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
  })
  const text = await response.text()
  return { status: response.status, text }
}

/** Every guarded route with the status that it answered, to be compared as one list. */
async function answers(ask: (entry: RouteEntry) => Promise<{ status: number }>) {
  const statuses: Record<string, number> = {}
  for (const entry of guarded()) statuses[name(entry)] = (await ask(entry)).status
  return statuses
}
const all = (status: number) => Object.fromEntries(guarded().map((entry) => [name(entry), status]))

describe('every route', () => {
  test('says who may, and those open to all are known', () => {
    const open = table.filter(({ may }) => may === 'anonymous').map(name)
    expect(open.sort()).toEqual([...OPEN].sort())
    expect(table.length).toBeGreaterThan(100)
    expect(WIRES.filter((each) => !table.some((entry) => name(entry) === each))).toEqual([])
  })

  test('that the server answers went through the table', () => {
    const known = new Set(guardedApp.app.parts.routes.table().map(name))
    expect(served.length).toBeGreaterThan(100)
    expect(served.filter((each) => !known.has(each))).toEqual([])
  })

  test('asks for a token', async () => {
    expect(await answers((entry) => call(entry))).toEqual(all(401))
  })

  test('refuses a token that has expired, and one that was never made', async () => {
    expect(await answers((entry) => call(entry, tokens.expired))).toEqual(all(401))
    expect(await answers((entry) => call(entry, `slw_${'0'.repeat(43)}`))).toEqual(all(401))
  })

  test('is not there for a token of another workspace', async () => {
    const foreign = (header: string) => (entry: RouteEntry) => call(entry, tokens.elsewhere, { [header]: 'default' })
    expect(await answers(foreign('slipway-workspace'))).toEqual(all(404))
    expect(await answers(foreign('x-mlflow-workspace'))).toEqual(all(404))
  })

  test('refuses a token that lacks its one right and has all others', async () => {
    const asked = guarded().filter(({ may }) => may !== 'signed-in')
    const statuses: Record<string, number> = {}
    for (const entry of asked) statuses[name(entry)] = (await call(entry, tokens[`not ${entry.may}`])).status
    expect(statuses).toEqual(Object.fromEntries(asked.map((entry) => [name(entry), 403])))
  })
})

test('the metrics of the whole server are for its own machine and for its admins', async () => {
  const ask = async (remoteAddress: string, token?: string, headers: Record<string, string> = {}) =>
    (
      await bare.inject({
        url: '/metrics',
        remoteAddress,
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      })
    ).statusCode
  for (const here of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(await ask(here), here).toBe(200)
  expect(await ask('127.0.0.1', undefined, { 'x-forwarded-for': '10.0.0.9' })).toBe(401)
  expect(await ask('10.0.0.9')).toBe(401)
  expect(await ask('10.0.0.9', tokens.expired)).toBe(401)
  expect(await ask('10.0.0.9', tokens.viewer)).toBe(403)
  expect(await ask('10.0.0.9', tokens.elsewhere)).toBe(403)
  expect(await ask('10.0.0.9', tokens.scraper)).toBe(200)
})
