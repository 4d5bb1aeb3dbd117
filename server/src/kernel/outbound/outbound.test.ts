import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { reachOf } from './addresses.ts'
import { createOutbound, type OutboundRequest } from './index.ts'

let server: Server
let port: number
let answer: (request: IncomingMessage, response: ServerResponse) => void
let requests: { url: string; headers: IncomingMessage['headers']; body: string }[] = []

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    requests.push({ url: request.url!, headers: request.headers, body })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const outbound = (resolve?: (host: string) => Promise<string[]>, allow = [`127.0.0.1:${port}`, `hooks.test:${port}`]) =>
  createOutbound({ allow, log: silentLog, ...(resolve && { resolve }) })
const here = async () => ['127.0.0.1']

test('every address that is not public is known as such, however it is written', () => {
  const never = [
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'nonsense',
    '',
  ]
  const not_public = [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '198.18.0.1',
    '192.0.2.1',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '100::1',
  ]
  const everybodys = [
    '1.1.1.1',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '169.253.255.255',
    '2606:4700:4700::1111',
    '2a00:1450::1',
    '::ffff:8.8.8.8',
  ]
  const of = (addresses: string[]) => [...new Set(addresses.map(reachOf))]
  expect(Object.fromEntries(never.map((address) => [address, reachOf(address)]))).toEqual(
    Object.fromEntries(never.map((address) => [address, 'never'])),
  )
  expect(of(not_public)).toEqual(['private'])
  expect(of(everybodys)).toEqual(['public'])
})

test('a call to a listed address carries method, headers and body, and answers status, headers and body', async () => {
  requests = []
  answer = (_request, response) => response.writeHead(201, { 'x-answer': 'yes' }).end('made')
  const reply = await outbound().send({
    url: `http://127.0.0.1:${port}/hook?a=1`,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
    body: '{"a":1}',
  })
  expect(reply).toMatchObject({ status: 201, headers: { 'x-answer': 'yes' } })
  expect(Buffer.from(reply.body).toString()).toBe('made')
  expect(requests).toMatchObject([
    {
      url: '/hook?a=1',
      body: '{"a":1}',
      headers: { authorization: 'Bearer x', host: `127.0.0.1:${port}`, 'content-length': '7' },
    },
  ])
})

test.each([
  'https://127.0.0.1/',
  'https://localhost/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::]/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://192.168.0.1:8443/',
  'https://100.64.0.1/',
  'https://[fd00::1]/',
  'https://169.254.169.254/latest/meta-data',
  'https://[fe80::1]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[fd00:ec2::254]/',
  'http://1.1.1.1/',
  'http://127.0.0.1:1/',
])('%s is refused before anything is sent', async (url) => {
  await expect(outbound().send({ url })).rejects.toMatchObject({ problem: 'forbidden', field: 'url' })
  await expect(outbound().check(url)).rejects.toMatchObject({ problem: 'forbidden' })
})

test('link-local and metadata addresses are refused even when they are listed; a private one names the setting', async () => {
  const listed = outbound(async () => ['169.254.169.254'], ['169.254.169.254:80', 'meta.test:80'])
  for (const url of ['http://169.254.169.254/', 'http://meta.test/']) {
    await expect(listed.send({ url })).rejects.toMatchObject({
      problem: 'forbidden',
      message: expect.stringContaining('never called'),
    })
  }
  await expect(outbound(async () => ['10.0.0.9']).send({ url: 'https://intern.test:8443/' })).rejects.toMatchObject({
    problem: 'forbidden',
    remedy: 'an admin can add intern.test:8443 to outbound.allow',
  })
})

test('one bad address among good ones refuses the name', async () => {
  await expect(outbound(async () => ['1.1.1.1', '127.0.0.1']).check('https://mixed.test/')).rejects.toMatchObject({
    problem: 'forbidden',
  })
  await outbound(async () => ['1.1.1.1', '2606:4700:4700::1111']).check('https://public.test/')
})

test('the name is looked up once and the checked address is called: a second answer cannot differ', async () => {
  answer = (_request, response) => response.end('here')
  let lookups = 0
  const resolve = async () => [lookups++ === 0 ? '127.0.0.1' : '10.255.255.1']
  const reply = await outbound(resolve).send({ url: `http://hooks.test:${port}/`, timeout_ms: 2_000 })
  expect(Buffer.from(reply.body).toString()).toBe('here')
  expect(lookups).toBe(1)
  expect(requests.at(-1)!.headers.host).toBe(`hooks.test:${port}`)
})

test('a redirect is an answer, not a way on', async () => {
  requests = []
  answer = (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
  expect(await outbound().send({ url: `http://127.0.0.1:${port}/` })).toMatchObject({
    status: 302,
    headers: { location: 'http://169.254.169.254/' },
  })
  expect(requests).toHaveLength(1)
})

test('everything has an end: time, size of the answer, patience of the caller, a connection that breaks', async () => {
  const send = (more: Partial<OutboundRequest>) => outbound(here).send({ url: `http://hooks.test:${port}/`, ...more })
  answer = (_request, response) => void response.write('a')
  await expect(send({ timeout_ms: 60 })).rejects.toMatchObject({
    problem: 'unavailable',
    message: 'no answer within 60 ms',
  })
  const off = new AbortController()
  setTimeout(() => off.abort(new Error('called off')), 30)
  await expect(send({ signal: off.signal })).rejects.toThrow('called off')
  answer = (_request, response) => void response.end('x'.repeat(2_000))
  await expect(send({ answer_bytes_max: 1_999 })).rejects.toMatchObject({ problem: 'too-large' })
  expect((await send({ answer_bytes_max: 2_000 })).body).toHaveLength(2_000)
  answer = (_request, response) => void response.destroy()
  await expect(send({})).rejects.toMatchObject({ problem: 'unavailable' })
  const slow = outbound(() => new Promise(() => {}))
  await expect(slow.send({ url: `http://hooks.test:${port}/`, timeout_ms: 40 })).rejects.toMatchObject({
    problem: 'unavailable',
  })
  const lost = outbound(async () => Promise.reject(new Error('ENOTFOUND')))
  await expect(lost.send({ url: `http://hooks.test:${port}/` })).rejects.toMatchObject({
    problem: 'unavailable',
    message: expect.stringContaining('hooks.test'),
  })
  const shut = createTcpServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => shut.once('listening', resolve))
  const { port: gone } = shut.address() as AddressInfo
  await new Promise((resolve) => shut.close(resolve))
  await expect(outbound(here, [`127.0.0.1:${gone}`]).send({ url: `http://127.0.0.1:${gone}/` })).rejects.toMatchObject({
    problem: 'unavailable',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

test('what is no address of the web, carries a password or sets our headers is refused', async () => {
  answer = (_request, response) => void response.end()
  for (const url of [
    '',
    'nonsense',
    'file:///etc/passwd',
    'ftp://a.test/',
    'gopher://a.test/',
    'https://user:secret@a.test/',
  ]) {
    const error = await outbound()
      .send({ url })
      .catch((thrown) => thrown)
    expect(error, url).toMatchObject({ problem: 'invalid', field: 'url' })
    expect(error.message).not.toContain('secret')
  }
  for (const header of ['Host', 'content-length', 'Transfer-Encoding', 'connection']) {
    await expect(
      outbound().send({ url: `http://127.0.0.1:${port}/`, headers: { [header]: 'x' } }),
    ).rejects.toMatchObject({ problem: 'invalid', field: 'headers' })
  }
  await expect(
    outbound().send({ url: `http://127.0.0.1:${port}/`, headers: { 'x-a': 'b\r\nhost: c' } }),
  ).rejects.toMatchObject({ problem: 'unavailable' })
})

test('the list of allowed places is checked when it is set', async () => {
  for (const entry of ['127.0.0.1', 'a.test', 'http://a.test:80', 'a.test:port', ':80', 'a.test/x:80', '']) {
    expect(() => createOutbound({ allow: [entry], log: silentLog }), entry).toThrow(
      expect.objectContaining({ problem: 'invalid', field: 'outbound.allow' }),
    )
  }
  const allowed = outbound(here, ['LOCALHOST:80', '[0::1]:9000', '0x7f.1:81'])
  await allowed.check('http://localhost/')
  await allowed.check('http://[::1]:9000/')
  await allowed.check('http://127.0.0.1:81/')
})
