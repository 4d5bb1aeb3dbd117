import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { createCursors, createRoutes, liveReply, type Permission, type Who } from './index.ts'
import { createServer, listen, type ServerOptions } from './server.ts'

const clock = manualClock()
const ids = createIds(clock, seededRandom(1))
const open: FastifyInstance[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.close()
  vi.useRealTimers()
})

/** A server with an echo, an upload that is read as it comes, and a live stream. `door` says who calls. */
async function serve(options: Partial<ServerOptions> = {}, door: (of: Who) => Promise<Who> = async (who) => who) {
  const app = createServer({ log: silentLog, ids, dev: false, hosts: [], ...options })
  open.push(app)
  const rights: Permission[] = ['insight.read', 'tracking.write']
  const { route } = createRoutes({
    store: {} as never,
    clock,
    ids,
    doorman: {
      identify: ({ headers }) =>
        door({
          kind: 'person',
          id: 'per_1',
          name: 'Ada',
          workspace: String(headers['slipway-workspace'] ?? 'w'),
          rights,
        }),
    },
  })
  const echo = async ({ who, body, request }: { who: Who; body: unknown; request: { url: string } }) => ({
    workspace: who.workspace,
    url: request.url,
    body: body ?? null,
  })
  route(app, { method: 'GET', path: '/echo', may: 'insight.read', handle: echo })
  route(app, { method: 'POST', path: '/echo', may: 'tracking.write', handle: echo })
  const streams = { begun: 0, ended: 0, send: (_event: string, _data: unknown) => {} }
  route(app, {
    method: 'GET',
    path: '/live',
    may: 'insight.read',
    handle: async ({ reply }) =>
      liveReply(reply, (send) => {
        streams.begun += 1
        streams.send = send
        return () => {
          streams.ended += 1
        }
      }),
  })
  await app.register(async (scope) => {
    scope.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
    route(scope, {
      method: 'PUT',
      path: '/file',
      may: 'tracking.write',
      body_bytes_max: 1 << 30,
      handle: async ({ body }) => {
        let bytes = 0
        for await (const chunk of body as AsyncIterable<Uint8Array>) bytes += chunk.length
        return { bytes }
      },
    })
  })
  const url = await listen(app, '127.0.0.1', 0)
  const port = Number(new URL(url).port)
  const raw = async (text: string): Promise<Socket & { said(): string }> => {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    socket.setEncoding('utf8').on('data', (chunk: unknown) => {
      said += String(chunk)
    })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(text)
    return Object.assign(socket, { said: () => said })
  }
  const call = (path: string, init: RequestInit = {}) => fetch(url + path, init)
  return { app, url, port, call, raw, streams }
}

const GET = (path: string, headers: Record<string, string> = {}) =>
  `GET ${path} HTTP/1.1\r\n${Object.entries({ host: 'localhost', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
const status = async (socket: Socket & { said(): string }) => {
  await expect.poll(() => socket.said()).toMatch(/^HTTP\/1\.1 \d+/)
  socket.destroy()
  return Number(socket.said().slice(9, 12))
}

describe('a request', () => {
  test('under /w/<name> is the same request in that workspace, whatever its name, on every method', async () => {
    const { call } = await serve()
    expect(await (await call('/w/blue/echo?a=1')).json()).toMatchObject({ workspace: 'blue', url: '/echo?a=1' })
    expect(await (await call('/w/caf%C3%A9%20%2F/echo', { method: 'POST' })).json()).toMatchObject({
      workspace: 'café /',
    })
    // The prefix has the word over a header, is taken off once, and names no path by itself.
    expect(await (await call('/w/blue/echo', { headers: { 'slipway-workspace': 'red' } })).json()).toMatchObject({
      workspace: 'blue',
    })
    expect((await call('/w/blue/w/red/echo')).status).toBe(404)
    expect((await call('/w/%zz/echo')).status).toBe(200)
    expect((await call('/w/blue')).status).toBe(404)
    expect((await call(`/w/${'x'.repeat(121)}/echo`)).status).toBe(404)
  })

  test('from a foreign page is refused, and one from a page without an origin may only read', async () => {
    const { call, url } = await serve({ hosts: ['models.example'] })
    const from = async (origin: string, method = 'GET') => (await call('/echo', { method, headers: { origin } })).status
    expect(await from(url)).toBe(200)
    expect(await from(url, 'POST')).toBe(200)
    expect(await from('https://evil.example')).toBe(403)
    expect(await from('https://evil.example', 'POST')).toBe(403)
    expect(await from('http://localhost:1')).toBe(403)
    expect(await from('null')).toBe(200)
    expect(await from('null', 'POST')).toBe(403)
    // A proxy that passes on another Host: the name that browsers use is told by server.hosts.
    expect(await from('https://models.example', 'POST')).toBe(200)
    expect(await from('https://models.example.test', 'POST')).toBe(403)
  })

  test('without sign-in is for loopback names and those given; a page elsewhere on this machine may only read', async () => {
    const { raw, call } = await serve({ dev: true, hosts: ['box.example'] })
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:80', 'box.example', 'BOX.example:1'])
      expect(await status(await raw(GET('/echo', { host }))), host).toBe(200)
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', ''])
      expect(await status(await raw(GET('/echo', { host }))), host).toBe(403)
    const from = async (method: string) =>
      (await call('/echo', { method, headers: { origin: 'http://localhost:5173' } })).status
    expect(await from('GET')).toBe(200)
    expect(await from('POST')).toBe(403)
  })

  test('that a browser sends without asking first is refused: forms and plain text', async () => {
    const { call } = await serve({ dev: true })
    const post = async (type: string, headers: Record<string, string> = {}) =>
      (await call('/echo', { method: 'POST', body: '{}', headers: { 'content-type': type, ...headers } })).status
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])
      expect(await post(type, { 'sec-fetch-site': 'same-origin' })).toBe(415)
    expect(await post('application/json', { 'sec-fetch-site': 'same-origin' })).toBe(200)
  })
})

test('a cursor is taken back unchanged or not at all', () => {
  const cursors = createCursors(Buffer.alloc(32, 1))
  const cursor = cursors.encode({ id: 'run_1', at: 5 })
  expect(cursors.decode(cursor)).toEqual({ id: 'run_1', at: 5 })
  expect(cursors.decode(undefined)).toBeUndefined()
  const [text, mark] = cursor.split('.') as [string, string]
  const other = Buffer.from(JSON.stringify({ id: 'run_2', at: 5 })).toString('base64url')
  const forged = [
    `${other}.${mark}`,
    text,
    `${text}.`,
    `.${mark}`,
    `${text}.${mark.slice(0, -2)}`,
    '.',
    '💥.💥',
    createCursors(Buffer.alloc(32, 2)).encode({ id: 'run_1', at: 5 }),
  ]
  for (const each of forged)
    expect(() => cursors.decode(each, 'page_token'), each).toThrow(
      expect.objectContaining({ problem: 'invalid', field: 'page_token', remedy: expect.any(String) }),
    )
})

describe('a live stream', () => {
  const begin = async (at: Awaited<ReturnType<typeof serve>>) => {
    const socket = await at.raw(GET('/live'))
    await expect.poll(() => socket.said()).toContain(': hello')
    return socket
  }

  test('tells what happens, and ends with its reader', async () => {
    const at = await serve()
    const socket = await begin(at)
    at.streams.send('event', { seq: 7 })
    await expect.poll(() => socket.said()).toContain('event: event\ndata: {"seq":7}\n\n')
    socket.destroy()
    await expect.poll(() => at.streams.ended).toBe(1)
  })

  test('does not keep the server from closing, whether its reader reads or not', async () => {
    const at = await serve()
    const reads = await begin(at)
    const stuck = await begin(at)
    stuck.pause()
    for (let n = 0; n < 40; n += 1) at.streams.send('event', { text: 'x'.repeat(25_000) })
    const ended = once(reads, 'end')
    const began = performance.now()
    await at.app.close()
    expect(performance.now() - began).toBeLessThan(2_000)
    await ended
    expect(at.streams).toMatchObject({ begun: 2, ended: 2 })
  })

  test('is not begun for a reader that left while it was asked who that is', async () => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const at = await serve({}, async (who) => {
      asked.resolve()
      await answer.promise
      return who
    })
    const socket = await at.raw(GET('/live'))
    await asked.promise
    const connections = () =>
      new Promise<number>((resolve) => at.app.server.getConnections((_, count) => resolve(count)))
    socket.destroy()
    await expect.poll(connections).toBe(0)
    answer.resolve()
    await sleep(20)
    expect(at.streams.begun).toBe(0)
  })

  test('ends within seconds of its right, and not because the store is away', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let now: 'here' | 'away' | 'gone' | 'elsewhere' = 'here'
    const at = await serve({}, async (who) => {
      if (now === 'away') throw new DomainError('unavailable', 'the store is away')
      if (now === 'gone') throw new DomainError('unauthenticated', 'this token was revoked')
      return now === 'elsewhere' ? { ...who, workspace: 'other' } : who
    })
    const [first, second] = [await begin(at), await begin(at)]
    now = 'away'
    await vi.advanceTimersByTimeAsync(11_000)
    expect([first.closed, second.closed]).toEqual([false, false])
    now = 'gone'
    const ended = Promise.all([once(first, 'close'), once(second, 'close')])
    await vi.advanceTimersByTimeAsync(5_000)
    await ended
    expect(at.streams).toMatchObject({ begun: 2, ended: 2 })
  })

  test('is refused when one caller has too many, and there is room again when some end', async () => {
    const at = await serve()
    const sockets = await Promise.all(Array.from({ length: 100 }, () => begin(at)))
    expect((await at.call('/live')).status).toBe(429)
    sockets[0]!.destroy()
    await expect.poll(() => at.streams.ended).toBe(1)
    await begin(at)
  })
})

describe('a body', () => {
  const head = (method: string, path: string, type: string) =>
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: 100\r\n\r\n`

  test('that does not come in time costs the connection, also when its sender was refused', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const at = await serve({}, async (who) => {
      if (who.workspace === 'strange') throw new DomainError('unauthenticated', 'nobody is signed in')
      return who
    })
    const slow = await at.raw(head('POST', '/echo', 'application/json'))
    const stranger = await at.raw(head('PUT', '/w/strange/file', 'application/octet-stream'))
    while (!stranger.said().startsWith('HTTP/1.1 401')) await new Promise((resolve) => setImmediate(resolve))
    for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve))
    const ended = Promise.all([once(slow, 'close'), once(stranger, 'close')])
    await vi.advanceTimersByTimeAsync(61_000)
    await ended
    expect(slow.said()).toBe('')
  })

  test('of a known upload may take as long as it likes while something comes, and no longer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const at = await serve()
    const turns = async () => {
      for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    const steady = await at.raw(head('PUT', '/file', 'application/octet-stream'))
    const silent = await at.raw(head('PUT', '/file', 'application/octet-stream'))
    await turns()
    for (let minutes = 0; minutes < 9; minutes += 1) {
      steady.write('x'.repeat(10))
      await turns()
      await vi.advanceTimersByTimeAsync(60_000)
    }
    expect(silent.closed).toBe(true)
    steady.write('x'.repeat(10))
    while (!steady.said().includes('"bytes":100')) await new Promise((resolve) => setImmediate(resolve))
    expect(steady.said()).toMatch(/^HTTP\/1\.1 200/)
  })
})

test('connections beyond the bound are closed, and those that are open are served', async () => {
  const { raw } = await serve({ connections_max: 2 })
  const [first, second] = [await raw(''), await raw('')]
  await sleep(20)
  const third = await raw(GET('/echo'))
  await once(third, 'close')
  expect(third.said()).toBe('')
  first.write(GET('/echo'))
  expect(await status(first)).toBe(200)
  second.destroy()
})
