/**
 * Made from the route table of the whole server: who may not, is kept out, on every route there is. A route without a
 * permission cannot be written (its type asks for one); one that is open to all has to be named here.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addRoutes } from '#app/routes.ts'
import { type RunningApp, startApp } from '#app/start.ts'
import { manualClock } from '#kernel/clock.ts'
import { ALL_PERMISSIONS, type Permission, type RouteEntry } from '#kernel/http/index.ts'
import { createServer } from '#kernel/http/server.ts'
import { silentLog } from '#kernel/log.ts'
import { readConfig } from '../src/config.ts'

/** What anybody may ask: whether it lives, what it is, the ways in, and pages that hold no data. */
const OPEN = [
  'GET /',
  'GET /health',
  'GET /ready',
  'GET /version',
  'GET /openapi.json',
  'GET /setup',
  'GET /sign-in',
  'GET /api/slipway/v1/setup',
  'POST /api/slipway/v1/setup',
  'POST /api/slipway/v1/sessions',
  'GET /api/3.0/mlflow/server-info',
  'GET /ajax-api/3.0/mlflow/server-info',
  'GET /ping',
  'GET /serve/:endpoint/ping',
  'GET /v2/health/live',
  'GET /v2/health/ready',
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

let dir: string
let app: RunningApp
const tokens: Record<string, string> = {}
const clock = manualClock(Date.now())
const name = ({ method, path }: RouteEntry) => `${method} ${path}`

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'slipway-permissions-'))
  const config = readConfig({ flags: { data: dir, port: '0', 'log.level': 'silent' }, env: {}, cwd: dir })
  app = await startApp(config, { log: silentLog, clock })
  const { access, store } = app.parts
  const key = app.setupLink!.split('key=')[1]!
  const { person } = await access.acceptInvitation({ key, name: 'Ada', password: 'seven quiet herons' })
  const who = { kind: 'person', ...person, workspace: 'default', rights: ALL_PERMISSIONS } as const
  await store.write((tx) => access.createWorkspace(tx, who, { name: 'elsewhere' }))
  const make = async (label: string, rights: readonly Permission[], workspace = 'default', expires_ms?: number) => {
    const input = { name: label, rights, ...(expires_ms !== undefined && { expires_ms }) }
    tokens[label] = (await store.write((tx) => access.makeToken(tx, { ...who, workspace }, input))).secret
  }
  await make('all', ALL_PERMISSIONS)
  await make('elsewhere', ALL_PERMISSIONS, 'elsewhere')
  await make('expired', ALL_PERMISSIONS, 'default', clock.now() + 1)
  for (const permission of new Set(app.parts.routes.table().map(({ may }) => may))) {
    if (permission === 'anonymous' || permission === 'signed-in') continue
    await make(
      `not ${permission}`,
      ALL_PERMISSIONS.filter((each) => each !== permission),
    )
  }
  clock.advance(1)
}, 60_000)

afterAll(async () => {
  await app?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const guarded = () => app.parts.routes.table().filter(({ may }) => may !== 'anonymous')

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
    const table = app.parts.routes.table()
    const open = table.filter(({ may }) => may === 'anonymous').map(name)
    expect(open.filter((each) => !OPEN.includes(each))).toEqual([])
    expect(table.length).toBeGreaterThan(100)
    expect(WIRES.filter((each) => !table.some((entry) => name(entry) === each))).toEqual([])
  })

  test('that the server answers went through the table', async () => {
    const served: string[] = []
    const bare = createServer({ log: silentLog, ids: app.parts.ids, dev: false, hosts: [] })
    bare.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) if (each !== 'HEAD' && each !== 'OPTIONS') served.push(`${each} ${url}`)
    })
    await addRoutes(bare, app.parts)
    await bare.ready()
    const known = new Set(app.parts.routes.table().map(name))
    expect(served.length).toBeGreaterThan(100)
    expect(served.filter((each) => !known.has(each))).toEqual([])
    await bare.close()
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
