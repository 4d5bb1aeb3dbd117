import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCursors, createRoutes, type Routes } from '#kernel/http/index.ts'
import { createServer } from '#kernel/http/server.ts'
import { silentLog } from '#kernel/log.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { testStore } from '#kit/store.ts'
import { createDatasets, datasetRoutes, datasetsMigrations } from './index.ts'

const API = '/api/slipway/v1'
const CSV = 'id,at,city\n1,2013-01-01 05:00:00,Paris\n2,2013-01-02 05:00:00,Rome\n'

let kernel: TestKernel
let app: FastifyInstance
let routes: Routes
beforeAll(async () => {
  kernel = await openKernel(testStore, [datasetsMigrations])
  const datasets = createDatasets({ ...kernel, file_bytes_max: 1 << 20 })
  // The workspace is the header's, as a token's would be.
  const doorman = {
    identify: async (request: { headers: Record<string, unknown> }) =>
      person(String(request.headers['slipway-workspace'] ?? 'w')),
  }
  routes = createRoutes({ ...kernel, doorman })
  app = createServer({ log: silentLog, ids: kernel.ids, dev: true, hosts: [] })
  datasetRoutes(app, {
    route: routes.route,
    datasets,
    blobs: kernel.blobs,
    store: kernel.store,
    cursors: createCursors(new Uint8Array(32)),
  })
  await app.ready()
  await kernel.events.start()
  await kernel.jobs.start()
})
afterAll(async () => {
  // One whose upload was refused half-way is not idle to the server until its time is over.
  app.server.closeAllConnections()
  await app.close()
  await kernel.close()
})

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const call = async (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) => {
  const raw = typeof body === 'string'
  const answer = await app.inject({
    method,
    url: `${API}${path}`,
    headers: { host: 'localhost', ...(raw && { 'content-type': 'text/csv' }), ...headers },
    ...(body !== undefined && { payload: body as string }),
  })
  return { status: answer.statusCode, body: answer.body, headers: answer.headers, json: () => JSON.parse(answer.body) }
}

test('a file is uploaded by its digest, registered, profiled, listed, sampled and downloaded', async () => {
  const digest = digestOf(CSV)
  expect((await call('PUT', `/datasets/uploads/${digest}`, CSV)).json()).toEqual({ digest, size_bytes: CSV.length })
  const body = { files: [{ path: 'trips/a.csv', digest }], tags: { stage: 'raw' }, time_column: 'at', reason: 'first' }
  const made = await call('POST', '/datasets/trips/versions', body)
  expect(made).toMatchObject({ status: 200 })
  expect(made.json()).toMatchObject({ created: true, version: { number: 1, state: 'pending', time_from: null } })
  await kernel.settled()
  const version = (await call('GET', '/datasets/trips/versions/latest')).json()
  expect(version).toMatchObject({
    state: 'ready',
    row_count: 2,
    time_from: '2013-01-01T05:00:00.000Z',
    time_to: '2013-01-02T05:00:00.000Z',
    source: 'upload',
  })
  expect(version).not.toHaveProperty('workspace')
  expect((await call('GET', `/dataset-versions/${version.id}`)).json()).toEqual(version)
  expect((await call('GET', '/datasets')).json().items).toMatchObject([
    { name: 'trips', version_count: 1, latest: { id: version.id } },
  ])
  expect((await call('GET', '/datasets/trips')).json()).toMatchObject({ latest: { number: 1 } })
  expect((await call('GET', '/datasets/trips/versions')).json().items).toHaveLength(1)
  const profile = (await call('GET', '/datasets/trips/versions/1/profile')).json()
  expect(profile.columns[1]).toMatchObject({ kind: 'time', min: '2013-01-01T05:00:00.000Z' })
  expect((await call('GET', '/datasets/trips/versions/1/rows?limit=1')).json()).toEqual({
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'at', type: 'TIMESTAMP' },
      { name: 'city', type: 'VARCHAR' },
    ],
    rows: [[1, '2013-01-01T05:00:00.000Z', 'Paris']],
    truncated: false,
  })
  expect((await call('GET', '/datasets/trips/versions/1/files')).json().items).toEqual([
    { path: 'trips/a.csv', digest, size_bytes: CSV.length },
  ])
  const file = await call('GET', '/datasets/trips/versions/1/files/trips/a.csv')
  expect(file).toMatchObject({
    status: 200,
    body: CSV,
    headers: { etag: `"${digest}"`, 'content-length': String(CSV.length) },
  })
  const part = await call('GET', '/datasets/trips/versions/1/files/trips/a.csv', undefined, { range: 'bytes=3-6' })
  expect(part).toMatchObject({
    status: 206,
    body: CSV.slice(3, 7),
    headers: { 'content-range': `bytes 3-6/${CSV.length}` },
  })
})

test('another workspace sees none of it and cannot register the digest', async () => {
  const other = { 'slipway-workspace': 'other' }
  expect((await call('GET', '/datasets', undefined, other)).json().items).toEqual([])
  expect((await call('GET', '/datasets/trips/versions/1', undefined, other)).status).toBe(404)
  const stolen = await call(
    'POST',
    '/datasets/trips/versions',
    { files: [{ path: 'a.csv', digest: digestOf(CSV) }] },
    other,
  )
  expect(stolen).toMatchObject({ status: 400 })
  expect(stolen.json()).toMatchObject({ field: 'files', remedy: expect.stringContaining('/datasets/uploads/') })
})

test('bytes that are not what was announced, or too many, are refused', async () => {
  const wrong = await call('PUT', `/datasets/uploads/${digestOf('x')}`, CSV)
  expect(wrong.status).toBe(400)
  // Over a real connection: the refusal must reach a sender that is still sending.
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const large = await fetch(`${url}${API}/datasets/uploads`, { method: 'POST', body: Buffer.alloc(8 << 20) })
  expect(large.status).toBe(413)
  expect(await large.json()).toMatchObject({ title: 'too-large' })
  expect((await call('PUT', '/datasets/uploads/md5:abc', CSV)).status).toBe(400)
  const empty = await call('POST', '/datasets/uploads')
  expect(empty.json()).toEqual({ digest: digestOf(''), size_bytes: 0 })
})

test('tags change, pages turn, and a version is deleted', async () => {
  for (const row of ['3', '4']) {
    const { digest } = (await call('POST', '/datasets/uploads', `id\n${row}\n`)).json()
    await call('POST', '/datasets/pages/versions', { files: [{ path: 'a.csv', digest }] })
  }
  const first = (await call('GET', '/datasets/pages/versions?limit=1')).json()
  expect(first.items.map(({ number }: { number: number }) => number)).toEqual([2])
  const second = (await call('GET', `/datasets/pages/versions?limit=1&cursor=${first.next_cursor}`)).json()
  expect(second.items.map(({ number }: { number: number }) => number)).toEqual([1])
  expect(second).not.toHaveProperty('next_cursor')
  const tagged = await call('PATCH', '/datasets/pages/versions/1', { tags: { good: 'yes' } })
  expect(tagged.json().tags).toEqual({ good: 'yes' })
  expect((await call('DELETE', '/datasets/pages/versions/1')).status).toBe(200)
  expect((await call('GET', '/datasets/pages/versions/1')).status).toBe(404)
  expect((await call('GET', '/datasets/pages/versions?cursor=forged')).status).toBe(400)
})

test.each([
  ['GET', '/datasets/nothing', undefined, 404],
  ['GET', '/datasets/trips/versions/0', undefined, 400],
  ['GET', '/datasets/trips/versions/9', undefined, 404],
  ['GET', '/datasets/trips/versions/1/rows?limit=101', undefined, 400],
  ['GET', '/datasets/trips/versions/1/files/none.csv', undefined, 404],
  ['POST', '/datasets/trips/versions', { files: [] }, 400],
  ['POST', '/datasets/trips/versions', { files: [{ path: '../a.csv', digest: digestOf(CSV) }] }, 400],
  ['POST', '/datasets/bad name/versions', { files: [{ path: 'a.csv', digest: digestOf(CSV) }] }, 400],
  ['POST', '/datasets/trips/versions', { files: [{ path: 'a.csv', digest: digestOf(CSV) }], colour: 'red' }, 400],
  ['GET', '/dataset-versions/dsv_x', undefined, 404],
] as const)('%s %s is answered with a problem', async (method, path, body, status) => {
  const answer = await call(method, encodeURI(path), body)
  expect(answer.status).toBe(status)
  expect(answer.json()).toMatchObject({ status, detail: expect.any(String) })
})
