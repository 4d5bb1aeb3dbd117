import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { createOutbound } from '#kernel/outbound/index.ts'
import { systemRandom } from '#kernel/random.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { eachStore } from '#kit/store.ts'
import { type Collaboration, collaborationMigrations, createCollaboration } from './index.ts'

const SECRET = 'a secret of the receiver'
const who = person()
const fact = { entity: 'model_version', action: 'created', data: { name: 'churn', version: '1' } }

let receiver: Server
let url: string
let got: { headers: IncomingHttpHeaders; body: string }[] = []
let answers: { status: number; headers?: Record<string, string> }[] = []

beforeAll(async () => {
  receiver = createServer((request, reply) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      got.push({ headers: request.headers, body })
      const { status, headers = {} } = answers.shift() ?? { status: 200 }
      reply.writeHead(status, headers).end('heard')
    })
  })
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
})
afterAll(() => receiver?.close())

eachStore('webhooks', (open) => {
  let kernel: TestKernel
  let it: Collaboration

  beforeEach(async () => {
    got = []
    answers = []
    kernel = await openKernel(open, [collaborationMigrations])
    const { store, events, jobs, clock, ids } = kernel
    const outbound = createOutbound({ allow: [new URL(url).host], log: silentLog })
    const secret = new Uint8Array(32).fill(7)
    it = createCollaboration({ store, events, jobs, outbound, clock, ids, random: systemRandom, secret })
    await jobs.start()
  })
  afterEach(() => kernel.close())

  const make = (more = {}) =>
    kernel.store.write((tx) =>
      it.createWebhook(tx, who, { name: 'hook', url, topics: ['model_version.created'], secret: SECRET, ...more }),
    )
  const tell = (told = fact) => kernel.store.write((tx) => it.tell(tx, who, async () => told))
  const log = async (id: string) =>
    (await kernel.store.read((sql) => it.messages(sql, who.workspace, id))).map(
      ({ state, attempts, status }) => `${state} ${attempts} ${status}`,
    )
  /** The next attempt comes due when the clock has moved on. */
  const later = async (ms: number) => {
    await kernel.jobs.idle()
    kernel.clock.advance(ms)
    await kernel.jobs.idle()
  }

  test('tell with a signature over the bytes that were sent, to those who listen', async () => {
    const hook = await make()
    await make({ name: 'deaf', topics: ['prompt.created'] })
    await make({ name: 'off', active: false })
    await tell()
    await kernel.jobs.idle()
    expect(got).toHaveLength(1)
    const { headers, body } = got[0]!
    const id = headers['x-mlflow-delivery-id']
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const signed = `${id}.${headers['x-mlflow-timestamp']}.${body}`
    expect(headers['x-mlflow-signature']).toBe(`v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`)
    expect(JSON.parse(body)).toEqual({ ...fact, timestamp: '2026-02-01T00:00:00.000Z', workspace: 'w' })
    expect(await log(hook.id)).toEqual(['delivered 1 200'])
  })

  test('are tried again as the receiver asks, the same bytes each time, and given up in the end', async () => {
    const hook = await make()
    answers = [{ status: 503 }, { status: 429, headers: { 'retry-after': '20' } }]
    await tell()
    await later(2_100)
    expect(got).toHaveLength(2)
    await later(19_000)
    expect(got).toHaveLength(2)
    await later(1_100)
    expect(new Set(got.map(({ body }) => body)).size).toBe(1)
    expect(await log(hook.id)).toEqual(['delivered 3 200'])

    answers = Array.from({ length: 9 }, () => ({ status: 500 }))
    await tell()
    for (let round = 0; round < 6; round++) await later(60_000)
    expect((await log(hook.id))[0]).toBe('failed 4 500')
    answers = [{ status: 410 }]
    await tell()
    await later(60_000)
    expect((await log(hook.id))[0]).toBe('failed 1 410')
  })

  test('keep their secret: no answer, no event and no row shows it', async () => {
    const hook = await make()
    await kernel.store.write((tx) => it.updateWebhook(tx, who, hook.id, { name: 'renamed' }))
    const shown = await kernel.store.read(async (sql) => [
      await it.getWebhook(sql, 'w', hook.id),
      await it.listWebhooks(sql, 'w', 10),
      await sql.all('SELECT before_json, after_json FROM event'),
      await sql.all('SELECT * FROM webhook'),
    ])
    expect(JSON.stringify(shown)).not.toContain(SECRET)
    expect(JSON.stringify(shown.slice(0, 2))).not.toContain('secret')
    await tell()
    await kernel.jobs.idle()
    expect(got[0]?.headers['x-mlflow-signature']).toBeDefined()
    await kernel.store.write((tx) => it.updateWebhook(tx, who, hook.id, { secret: '' }))
    await tell()
    await kernel.jobs.idle()
    expect(got[1]?.headers['x-mlflow-signature']).toBeUndefined()
  })

  test('go with their log, and what was under way is not sent', async () => {
    const hook = await make()
    answers = [{ status: 503 }]
    await tell()
    await kernel.jobs.idle()
    await kernel.store.write((tx) => it.deleteWebhook(tx, who, hook.id))
    await later(60_000)
    expect(got).toHaveLength(1)
    expect(await kernel.store.read((sql) => sql.all('SELECT * FROM webhook_message'))).toEqual([])
    await expect(kernel.store.read((sql) => it.getWebhook(sql, 'w', hook.id))).rejects.toThrow('not found')
  })

  test('reach no private address that an admin has not named', async () => {
    await expect(it.checkAddress('http://127.0.0.1:1/x')).rejects.toMatchObject({ problem: 'invalid', field: 'url' })
    await expect(it.checkAddress('https://169.254.169.254/x')).rejects.toMatchObject({ problem: 'invalid' })
    await expect(it.checkAddress('ftp://example.com/x')).rejects.toMatchObject({ problem: 'invalid' })
    const hook = await make({ url: 'https://[::1]:9/x' })
    await tell()
    await kernel.jobs.idle()
    expect(await log(hook.id)).toEqual(['failed 1 null'])
  })

  describe('are refused', () => {
    test.each([
      ['name', { name: '-x' }],
      ['name', { name: 'a'.repeat(64) }],
      ['events', { topics: [] }],
      ['secret', { secret: 'x'.repeat(1001) }],
      ['description', { description: 'a\0b' }],
    ])('for a bad %s', async (field, more) => {
      await expect(make(more)).rejects.toMatchObject({ problem: 'invalid', field })
    })
  })
})
