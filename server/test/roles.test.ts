/**
 * Made from the route table: a viewer, an editor and an admin, each signed in, at every route of the server. What the roles
 * may is written here a second time, so that a right that slips into a role shows.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Permission, Role, RouteEntry } from '#kernel/http/index.ts'
import { type GuardedApp, routeName as name, startGuardedApp } from '#kit/app.ts'

const API = '/api/slipway/v1'
const MAY: Record<Role, (right: Permission) => boolean> = {
  viewer: (right) => right.endsWith('.read'),
  editor: (right) => /\.(read|write|infer|label)$/.test(right) && right !== 'access.write',
  admin: () => true,
}
/** Reads that are asked by a body: a viewer changes nothing by them. */
const READS_BY_BODY =
  /\/(search|search-datasets|get-latest-versions|get-history-bulk|compare|table(\.csv)?|charts|presigned-download-url|imports\/state)$/

let at: GuardedApp
const cookies = {} as Record<Role, string>

async function call(role: Role, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${at.app.url}${path}`, {
    method,
    headers: { cookie: cookies[role], ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  })
  // Live streams have no end; their status is all that is asked.
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    await answer.body?.cancel()
    return { status: answer.status, text: '' }
  }
  return { status: answer.status, text: await answer.text() }
}

beforeAll(async () => {
  at = await startGuardedApp()
  const { access, store } = at.app.parts
  for (const role of Object.keys(MAY) as Role[]) {
    const { link } = await store.write((tx) => access.addPerson(tx, at.ada, { name: role, role }))
    await access.acceptInvitation({ key: link.split('key=')[1]!, name: role, password: `seven quiet ${role}s` })
    const answer = await fetch(`${at.app.url}${API}/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: role, password: `seven quiet ${role}s` }),
    })
    cookies[role] = answer.headers.get('set-cookie')!.split(';')[0]!
  }
}, 60_000)
afterAll(() => at?.close())

const guarded = (): RouteEntry[] =>
  at.app.parts.routes.table().filter(({ may }) => may !== 'anonymous' && may !== 'signed-in')

test.each(Object.keys(MAY) as Role[])('%s may what the role says, at every route', async (role) => {
  const expected: Record<string, string> = {}
  const found: Record<string, string> = {}
  for (const entry of guarded()) {
    const path = entry.path
      .replace(/:version\b/g, '1')
      .replace(/:[A-Za-z_]+/g, 'x')
      .replace(/\*/g, 'x')
    const { status, text } = await call(role, entry.method as string, path)
    const lacks = status === 403 && text.includes(`lacks ${entry.may}`)
    expected[name(entry)] = MAY[role](entry.may as Permission) ? 'may' : 'may not'
    found[name(entry)] = status === 401 ? 'is not known' : lacks ? 'may not' : 'may'
  }
  expect(found).toEqual(expected)
  expect(Object.keys(found).length).toBeGreaterThan(150)
})

test('what a viewer may is only to read', () => {
  const changes = guarded().filter(({ method, may }) => method !== 'GET' && String(may).endsWith('.read'))
  expect(changes.map(name).filter((each) => !READS_BY_BODY.test(each))).toEqual([])
})

test('a project file is applied only by whoever may do all that it says', async () => {
  const digest = `sha256:${createHash('sha256').update('x').digest('hex')}`
  const upload = await fetch(`${at.app.url}${API}/code/blobs/${digest}`, {
    method: 'PUT',
    headers: { cookie: cookies.editor, 'content-type': 'application/octet-stream' },
    body: 'x',
  })
  expect(upload.status).toBe(200)
  const made = await call('editor', 'POST', `${API}/code`, { files: [{ path: 'x', digest, size_bytes: 1 }] })
  const code = JSON.parse(made.text).digest as string
  const apply = async (rights: readonly Permission[], yaml: string) => {
    const answer = await fetch(`${at.app.url}${API}/projects/apply`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await at.token(rights)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ yaml, code }),
    })
    const { detail } = (await answer.json()) as { detail?: string }
    return { status: answer.status, detail }
  }
  const step = '{ steps: { fit: { run: echo } } }'
  const some: readonly Permission[] = ['pipelines.read', 'pipelines.write']
  expect(await apply(some, `project: p\npipelines: { fit: ${step} }`)).toMatchObject({ status: 200 })
  const cases: [section: string, yaml: string, needs: Permission, rest: readonly Permission[]][] = [
    ['datasets', 'datasets: { d: { checks: [{ check: not_null, column: id }] } }', 'quality.write', ['datasets.write']],
    ['endpoints', 'endpoints: { e: { model: m } }', 'serving.write', []],
    [
      'releases',
      'endpoints: { e: { model: m } }\nreleases: { e: {} }',
      'registry.write',
      ['serving.write', 'serving.read', 'releases.read', 'releases.write', 'registry.read', 'monitoring.read'],
    ],
    ['pipelines', `pipelines: { fit: { triggers: [{ cron: "0 3 * * 1" }], ${step.slice(1)} }`, 'registry.write', some],
  ]
  for (const [section, yaml, needs, rest] of cases) {
    const refused = await apply([...some, ...rest], `project: p\n${yaml}`)
    expect(refused, section).toMatchObject({ status: 403 })
    expect(refused.detail, section).toMatch(new RegExp(`'${section}' needs [^;]*${needs.replace('.', '\\.')}`))
  }
  // What an earlier file said goes only by the same right: leaving a section out takes its things away.
  const all = await call('editor', 'POST', `${API}/projects/apply`, {
    yaml: 'project: q\nendpoints: { e: { model: m } }',
    code,
  })
  expect(all.status, all.text).toBe(200)
  expect((await apply(some, 'project: q')).detail).toContain("'endpoints' needs serving.write")
  expect((await call('viewer', 'POST', `${API}/projects/apply`, { yaml: 'project: q', code })).status).toBe(403)
})
