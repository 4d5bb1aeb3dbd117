import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import { createEvents, eventsMigrations } from '#kernel/events/index.ts'
import { createCursors, createRoutes } from '#kernel/http/index.ts'
import { createServer } from '#kernel/http/server.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom, systemRandom } from '#kernel/random.ts'
import { eachStore } from '#kit/store.ts'
import { accessMigrations, accessRoutes, auditRoutes, createAccess } from './index.ts'

type Opened = Awaited<ReturnType<typeof build>>
type Open = Parameters<Parameters<typeof eachStore>[1]>[0]

const API = '/api/slipway/v1'
const PASSWORD = 'seven quiet herons'

async function build(open: Open, dev = false) {
  const clock = manualClock()
  const ids = createIds(clock, seededRandom(7))
  const { store, close } = await open({ migrations: [eventsMigrations, accessMigrations], clock })
  const events = createEvents({ store, clock, ids, log: silentLog, random: systemRandom })
  const access = createAccess({
    store,
    events,
    clock,
    ids,
    random: systemRandom,
    log: silentLog,
    dev,
    token_grace_ms: 900_000,
    password_cost_log2: 10,
  })
  const app = createServer({ log: silentLog, ids, dev, hosts: [] })
  const { route } = createRoutes({ store, doorman: access.doorman, clock, ids })
  const cursors = createCursors(new Uint8Array(32))
  accessRoutes(app, { route, access, store, cursors })
  auditRoutes(app, { route, events, cursors })
  route(app, { method: 'GET', path: '/read', may: 'registry.read', handle: async ({ who }) => who })
  route(app, { method: 'POST', path: '/write', may: 'registry.write', handle: async ({ who }) => who })
  await app.ready()

  /** One call; `as` is a token, a cookie, or nothing. */
  const call = async (method: string, url: string, options: { as?: string; body?: unknown; headers?: object } = {}) => {
    const { as, body, headers } = options
    const identity = as === undefined ? {} : as.includes('=') ? { cookie: as } : { authorization: `Bearer ${as}` }
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers: { host: 'localhost', ...identity, ...headers },
      ...(body !== undefined && { payload: body as object }),
    })
    const cookie = String(answer.headers['set-cookie'] ?? '').split(';')[0]!
    return { status: answer.statusCode, body: answer.body === '' ? {} : answer.json(), cookie, headers: answer.headers }
  }
  const api = (method: string, path: string, options?: Parameters<typeof call>[2]) => call(method, API + path, options)
  /** The first admin's cookie. */
  const begin = async () => {
    const link = (await store.write((tx) => access.setupLink(tx)))!
    const key = link.split('key=')[1]!
    const { cookie, status } = await api('POST', '/setup', { body: { key, name: 'Ada', password: PASSWORD } })
    expect(status).toBe(200)
    return cookie
  }
  /** Another person's cookie, with a role in the workspace. */
  const join = async (admin: string, name: string, role: string) => {
    const added = await api('POST', '/people', { as: admin, body: { name, role } })
    expect(added.status).toBe(201)
    const key = added.body.link.split('key=')[1]
    const { cookie } = await api('POST', '/setup', { body: { key, password: PASSWORD } })
    return { id: added.body.person.id as string, cookie }
  }
  const token = async (as: string, body: object, headers = {}) => {
    const made = await api('POST', '/tokens', { as, body: { name: 'ci', ...body }, headers })
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    return { secret: made.body.secret as string, id: made.body.token.id as string }
  }
  return {
    access,
    store,
    events,
    clock,
    call,
    api,
    begin,
    join,
    token,
    async close() {
      await access.stop()
      await app.close()
      await close()
    },
  }
}

eachStore('access', (open) => {
  let at: Opened
  beforeEach(async () => {
    at = await build(open)
  })
  afterEach(() => at.close())

  test('the set-up link makes the first admin, once', async () => {
    const first = (await at.store.write((tx) => at.access.setupLink(tx)))!
    const second = (await at.store.write((tx) => at.access.setupLink(tx)))!
    const [old, key] = [first, second].map((link) => link.split('key=')[1]!)
    const body = { key, name: 'Ada', password: PASSWORD }
    expect((await at.api('POST', '/setup', { body: { ...body, key: old } })).status).toBe(404)
    expect((await at.api('POST', '/setup', { body: { ...body, password: 'short' } })).body).toMatchObject({
      status: 400,
      field: 'password',
    })
    expect((await at.api('GET', `/setup?key=${key}`)).body).toEqual({ name: null })
    const both = await Promise.all([at.api('POST', '/setup', { body }), at.api('POST', '/setup', { body })])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 404])
    const cookie = both.find(({ status }) => status === 200)!
    expect(cookie.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict/)
    const me = await at.api('GET', '/me', { as: cookie.cookie })
    expect(me.body).toMatchObject({ kind: 'person', name: 'Ada', workspace: 'default', dev: false })
    expect(await at.store.write((tx) => at.access.setupLink(tx))).toBeUndefined()
  })

  test('a link does not work after a day', async () => {
    const key = (await at.store.write((tx) => at.access.setupLink(tx)))!.split('key=')[1]!
    at.clock.advance(24 * 3600_000 + 1)
    expect((await at.api('GET', `/setup?key=${key}`)).status).toBe(404)
  })

  test('sign-in opens a session that slides, ends idle, and ends at sign-out', async () => {
    const admin = await at.begin()
    expect((await at.api('POST', '/sessions', { body: { name: 'ada', password: 'wrong password' } })).status).toBe(401)
    const { cookie } = await at.api('POST', '/sessions', { body: { name: 'ADA', password: PASSWORD } })
    for (let hours = 0; hours < 24; hours += 8) {
      expect((await at.api('GET', '/me', { as: cookie })).status).toBe(200)
      await at.access.doorman.flush()
      at.clock.advance(8 * 3600_000)
    }
    expect((await at.api('GET', '/me', { as: cookie })).status).toBe(200)
    expect((await at.api('GET', '/me', { as: admin })).status).toBe(401)
    expect((await at.api('DELETE', '/sessions/current', { as: cookie })).status).toBe(200)
    expect((await at.api('GET', '/me', { as: cookie })).status).toBe(401)
  })

  test('guessing passwords is slowed down, also when the guesses come at once', async () => {
    await at.begin()
    const guess = () => at.api('POST', '/sessions', { body: { name: 'Ada', password: 'not the password' } })
    const guesses = await Promise.all(Array.from({ length: 8 }, guess))
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(3)
    expect((await at.api('POST', '/sessions', { body: { name: 'Ada', password: PASSWORD } })).status).toBe(429)
    at.clock.advance(15 * 60_000)
    expect((await at.api('POST', '/sessions', { body: { name: 'Ada', password: PASSWORD } })).status).toBe(200)
  })

  test('roles decide what a person may do, and change at once', async () => {
    const admin = await at.begin()
    const bob = await at.join(admin, 'Bob', 'viewer')
    expect((await at.call('GET', '/read', { as: bob.cookie })).status).toBe(200)
    const refused = await at.call('POST', '/write', { as: bob.cookie, body: {} })
    expect(refused.body).toMatchObject({ status: 403, detail: 'Bob lacks registry.write in workspace default' })
    await at.api('PUT', `/workspaces/default/members/${bob.id}`, { as: admin, body: { role: 'editor' } })
    expect((await at.call('POST', '/write', { as: bob.cookie, body: {} })).status).toBe(200)
    await at.api('DELETE', `/workspaces/default/members/${bob.id}`, { as: admin })
    expect((await at.call('GET', '/read', { as: bob.cookie })).status).toBe(404)
  })

  test('a workspace is not there for who is no member of it', async () => {
    const admin = await at.begin()
    const bob = await at.join(admin, 'Bob', 'admin')
    expect((await at.api('POST', '/workspaces', { as: admin, body: { name: 'risk' } })).status).toBe(201)
    const inRisk = { 'slipway-workspace': 'risk' }
    const read = (as: string, headers = {}) => at.call('GET', '/read', { as, headers })
    expect((await read(admin, inRisk)).body).toMatchObject({ workspace: 'risk' })
    expect((await read(admin, { 'x-mlflow-workspace': 'risk' })).body).toMatchObject({ workspace: 'risk' })
    expect((await at.call('GET', '/w/risk/read', { as: admin })).body).toMatchObject({ workspace: 'risk' })
    const unknown = await read(bob.cookie, { 'slipway-workspace': 'rosk' })
    const foreign = await read(bob.cookie, inRisk)
    expect([foreign.status, foreign.body.detail]).toEqual([404, "no workspace 'risk'"])
    expect(unknown.status).toBe(404)
    const secret = (await at.token(admin, { role: 'viewer' }, inRisk)).secret
    expect((await read(secret)).body).toMatchObject({ workspace: 'risk', kind: 'token', behalf: { name: 'Ada' } })
    expect((await read(secret, { 'slipway-workspace': 'default' })).status).toBe(404)
    expect((await at.api('GET', '/workspaces', { as: bob.cookie })).body.items).toHaveLength(2)
    // An admin of a workspace of their own is no admin of the server.
    const eve = await at.api('POST', '/people', { as: admin, headers: inRisk, body: { name: 'Eve', role: 'admin' } })
    const key = eve.body.link.split('key=')[1]
    const { cookie } = await at.api('POST', '/setup', { body: { key, password: PASSWORD } })
    expect((await read(cookie)).body).toMatchObject({ workspace: 'risk' })
    expect((await at.api('POST', '/workspaces', { as: cookie, body: { name: 'own' } })).status).toBe(403)
    const grab = await at.api('PUT', `/workspaces/default/members/${eve.body.person.id}`, {
      as: cookie,
      body: { role: 'admin' },
    })
    expect(grab.status).toBe(404)
    expect((await at.api('POST', `/people/${bob.id}/invitation`, { as: cookie })).status).toBe(403)
    expect((await at.api('GET', '/workspaces', { as: cookie })).body.items).toMatchObject([{ name: 'risk' }])
  })

  test('a workspace always keeps an admin', async () => {
    const admin = await at.begin()
    const me = (await at.api('GET', '/me', { as: admin })).body.id
    expect((await at.api('DELETE', `/workspaces/default/members/${me}`, { as: admin })).status).toBe(409)
    const down = await at.api('PUT', `/workspaces/default/members/${me}`, { as: admin, body: { role: 'viewer' } })
    expect(down.status).toBe(409)
    expect((await at.api('PATCH', `/people/${me}`, { as: admin, body: { disabled: true } })).status).toBe(409)
  })

  test('a token does no more than it says, than its maker may, and than its time', async () => {
    const admin = await at.begin()
    const bob = await at.join(admin, 'Bob', 'editor')
    const { secret, id } = await at.token(bob.cookie, { rights: ['registry.read'] })
    expect(secret).toMatch(/^slw_[0-9A-Za-z]{43}$/)
    expect((await at.call('GET', '/read', { as: secret })).body).toMatchObject({ id, rights: ['registry.read'] })
    expect((await at.call('POST', '/write', { as: secret, body: {} })).status).toBe(403)
    const basic = { authorization: `Basic ${Buffer.from(`ci:${secret}`).toString('base64')}` }
    expect((await at.call('GET', '/read', { headers: basic })).status).toBe(200)
    expect((await at.call('GET', '/read', { as: `${secret.slice(0, -1)}_` })).status).toBe(401)
    const beyond = await at.api('POST', '/tokens', { as: bob.cookie, body: { name: 'x', role: 'admin' } })
    expect(beyond.body).toMatchObject({ status: 403, field: 'role' })
    const child = await at.api('POST', '/tokens', { as: secret, body: { name: 'x', rights: ['registry.read'] } })
    expect(child.status).toBe(403)

    const writer = (await at.token(bob.cookie, { rights: ['registry.write'] })).secret
    await at.api('PUT', `/workspaces/default/members/${bob.id}`, { as: admin, body: { role: 'viewer' } })
    expect((await at.call('POST', '/write', { as: writer, body: {} })).status).toBe(401)
    const soon = new Date(at.clock.now() + 60_000).toISOString()
    const short = (await at.token(bob.cookie, { role: 'viewer', expires_at: soon })).secret
    expect((await at.call('GET', '/read', { as: short })).status).toBe(200)
    at.clock.advance(60_000)
    expect((await at.call('GET', '/read', { as: short })).body).toMatchObject({ detail: 'this token has expired' })
  })

  test('a revoked token stops at once here, and within 5 seconds elsewhere', async () => {
    const admin = await at.begin()
    const { secret, id } = await at.token(admin, { role: 'viewer' })
    expect((await at.call('GET', '/read', { as: secret })).status).toBe(200)
    expect((await at.api('DELETE', `/tokens/${id}`, { as: admin })).body).toMatchObject({ id })
    expect((await at.call('GET', '/read', { as: secret })).status).toBe(401)

    const other = await at.token(admin, { role: 'viewer' })
    expect((await at.call('GET', '/read', { as: other.secret })).status).toBe(200)
    // Another process revokes it: this one learns of it when it asks again.
    await at.store.write((tx) => tx.run('UPDATE access_token SET revoked_ms = 1 WHERE id = ?', [other.id]))
    at.clock.advance(4_999)
    expect((await at.call('GET', '/read', { as: other.secret })).status).toBe(200)
    at.clock.advance(1)
    expect((await at.call('GET', '/read', { as: other.secret })).status).toBe(401)
  })

  test('tokens are kept as digests, and their last use is told', async () => {
    const admin = await at.begin()
    const { secret } = await at.token(admin, { role: 'application' })
    await at.call('GET', '/read', { as: secret })
    await at.access.doorman.flush()
    const { items } = (await at.api('GET', '/tokens', { as: admin })).body
    expect(items).toMatchObject([{ name: 'ci', made_by: 'Ada', last_used_at: new Date(at.clock.now()).toISOString() }])
    const kept = await at.store.read((sql) => sql.all('SELECT * FROM access_token'))
    expect(JSON.stringify(kept)).not.toContain(secret.slice(4))
    expect(kept[0]!.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  test('a run carries a token of its own that ends with it', async () => {
    const behalf = { kind: 'rule', id: 'retrain@ab12', name: 'rule:retrain@ab12' } as const
    const secret = await at.store.write((tx) =>
      at.access.issueRunToken(tx, {
        workspace: 'default',
        run: 'stp_1',
        rights: ['registry.read'],
        expires_ms: at.clock.now() + 3600_000,
        behalf,
      }),
    )
    const who = (await at.call('GET', '/read', { as: secret })).body
    expect(who).toEqual({
      kind: 'run',
      id: 'stp_1',
      name: 'run stp_1',
      workspace: 'default',
      rights: ['registry.read'],
      behalf,
    })
    await at.store.write((tx) => at.access.endRunTokens(tx, 'default', 'stp_1'))
    expect((await at.call('GET', '/read', { as: secret })).status).toBe(401)
  })

  test('a cookie changes nothing from a foreign page or as a form', async () => {
    const admin = await at.begin()
    const write = (headers: object, body: unknown = {}) => at.call('POST', '/write', { as: admin, headers, body })
    expect((await write({ 'sec-fetch-site': 'same-origin', origin: 'http://localhost' })).status).toBe(200)
    expect((await write({ 'sec-fetch-site': 'same-site' })).status).toBe(403)
    expect((await write({ origin: 'http://evil.example' })).status).toBe(403)
    expect((await write({ 'content-type': 'text/plain' }, 'x')).status).toBe(403)
  })

  test('known tokens hold for a while when the store is away, unknown ones do not', async () => {
    const admin = await at.begin()
    const { secret } = await at.token(admin, { role: 'viewer' })
    const fresh = await at.token(admin, { role: 'viewer' })
    expect((await at.call('GET', '/read', { as: secret })).status).toBe(200)
    await at.store.close()
    at.clock.advance(600_000)
    expect((await at.call('GET', '/read', { as: secret })).status).toBe(200)
    expect((await at.call('GET', '/read', { as: fresh.secret })).status).toBeGreaterThanOrEqual(500)
    at.clock.advance(300_001)
    expect((await at.call('GET', '/read', { as: secret })).status).toBeGreaterThanOrEqual(500)
  })

  test('what happened can be read, by actor, name and subject, in pages', async () => {
    const admin = await at.begin()
    const bob = await at.join(admin, 'Bob', 'viewer')
    const names = async (query: string) =>
      (await at.api('GET', `/audit?${query}`, { as: admin })).body.items.map((each: { name: string }) => each.name)
    expect(await names('limit=2')).toEqual(['access.signed-in', 'access.password-set'])
    expect(await names('name=access.member')).toEqual(['access.member-set', 'access.member-set'])
    expect(await names(`subject_kind=person&subject_id=${bob.id}&name=access.person`)).toEqual(['access.person-added'])
    const first = (await at.api('GET', '/audit?limit=1', { as: admin })).body
    const second = (await at.api('GET', `/audit?limit=1&cursor=${first.next_cursor}`, { as: admin })).body
    expect(second.items[0].seq).toBe(first.items[0].seq - 1)
    expect((await at.api('GET', '/audit?subject_kind=person', { as: admin })).body).toMatchObject({
      status: 400,
      field: 'subject_id',
    })
    expect((await at.api('GET', '/audit?from=yesterday', { as: admin })).body).toMatchObject({ field: 'from' })
    expect((await at.api('GET', '/audit/verify', { as: admin })).body).toMatchObject({ ok: true, broken: null })
    const told = JSON.stringify((await at.api('GET', '/audit?limit=100', { as: admin })).body)
    expect(told).not.toContain(PASSWORD)
    expect(told).not.toContain('key=')
  })
})

eachStore('access without sign-in', (open) => {
  test('whoever asks is an admin of a workspace that is there', async () => {
    const at = await build(open, true)
    try {
      expect((await at.call('POST', '/write', { body: {} })).body).toMatchObject({ id: 'dev', workspace: 'default' })
      expect((await at.call('GET', '/read', { headers: { 'slipway-workspace': 'nowhere' } })).status).toBe(404)
      await at.api('POST', '/workspaces', { body: { name: 'risk' } })
      expect((await at.call('GET', '/w/risk/read')).body).toMatchObject({ workspace: 'risk' })
      const { secret } = await at.token('', { role: 'viewer' })
      expect((await at.call('GET', '/read', { as: secret })).body).toMatchObject({ kind: 'token' })
      expect((await at.call('POST', '/write', { as: secret, body: {} })).status).toBe(403)
      expect((await at.call('GET', '/read', { as: `slw_${'0'.repeat(43)}` })).status).toBe(401)
      expect((await at.call('GET', '/read', { as: 'token-of-another-server' })).status).toBe(200)
      expect((await at.call('GET', '/read', { headers: { host: 'evil.example' } })).status).toBe(403)
    } finally {
      await at.close()
    }
  })
})
