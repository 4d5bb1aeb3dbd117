import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCursors, createRoutes } from '#kernel/http/index.ts'
import { createServer } from '#kernel/http/server.ts'
import { silentLog } from '#kernel/log.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { testStore } from '#kit/store.ts'
import { createDatasets, datasetsMigrations, datasetVersionProfiled } from '#slices/datasets'
import { createQuality, qualityMigrations, qualityRoutes } from './index.ts'

const API = '/api/slipway/v1'

let kernel: TestKernel
let app: FastifyInstance
beforeAll(async () => {
  kernel = await openKernel(testStore, [datasetsMigrations, qualityMigrations])
  const datasets = createDatasets(kernel)
  const quality = createQuality({ ...kernel, datasets })
  const { route } = createRoutes({ ...kernel, doorman: { identify: async () => person() } })
  app = createServer({ log: silentLog, ids: kernel.ids, dev: true, hosts: [] })
  qualityRoutes(app, { route, quality, datasets, cursors: createCursors(new Uint8Array(32)) })
  await app.ready()
  kernel.events.on(datasetVersionProfiled, 'quality', ['quality.write'], (tx, who, event) =>
    quality.considerVersion(tx, who, event),
  )
  await kernel.events.start()
  await kernel.jobs.start()
  const blob = await kernel.blobs.put(Buffer.from('id\n1\n1\n'))
  await kernel.store.write((tx) => quality.setChecks(tx, person(), 'trips', [{ check: 'unique', column: 'id' }]))
  await kernel.store.write((tx) =>
    datasets.register(tx, person(), { name: 'trips', files: [{ path: 'a.csv', ...blob }] }),
  )
  await kernel.settled()
})
afterAll(async () => {
  await app.close()
  await kernel.close()
})

const call = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => {
  const answer = await app.inject({
    method,
    url: `${API}${path}`,
    headers: { host: 'localhost' },
    ...(body && { payload: body }),
  })
  return { status: answer.statusCode, json: () => JSON.parse(answer.body) }
}

test('a failing version is told with its verdict, and accepted with a reason', async () => {
  const refused = (await call('GET', '/datasets/trips/versions/latest/verdict')).json()
  expect(refused).toMatchObject({
    may: false,
    pending: false,
    verdict: { state: 'failed', override: null, results: [{ name: 'unique(id)', unexpected: 2 }] },
  })
  const { items } = (await call('GET', '/quality/verdicts?dataset=trips')).json()
  expect(items).toMatchObject([{ id: refused.verdict.id, counts: { failed: 1 } }])
  expect(items[0]).not.toHaveProperty('results')
  expect((await call('GET', `/quality/verdicts/${refused.verdict.id}`)).json()).toEqual(refused.verdict)
  expect((await call('POST', '/datasets/trips/versions/1/override', { reason: '' })).status).toBe(400)
  const accepted = await call('POST', '/datasets/trips/versions/1/override', { reason: 'repeated on purpose' })
  expect(accepted.json()).toMatchObject({ override: { reason: 'repeated on purpose', who: { name: 'Ada' } } })
  expect((await call('GET', '/datasets/trips/versions/1/verdict')).json()).toMatchObject({
    may: true,
    reason: 'accepted by Ada: repeated on purpose',
  })
})

test('checks are read and stated; mistakes are told with path and remedy', async () => {
  expect((await call('GET', '/datasets/trips/checks')).json()).toMatchObject({
    checks: [{ check: 'unique', columns: ['id'] }],
    who: { name: 'Ada' },
  })
  const wrong = await call('PUT', '/datasets/trips/checks', { checks: [{ check: 'uniq', column: 'id' }] })
  expect(wrong.status).toBe(400)
  expect(wrong.json()).toMatchObject({ field: 'checks[0].check', remedy: 'Did you mean unique?' })
  const stated = await call('PUT', '/datasets/trips/checks', { checks: [{ check: 'row_count', min: 1 }] })
  expect(stated.json()).toMatchObject({
    checks: [{ check: 'row_count', name: 'row_count', severity: 'error', min: 1 }],
  })
  await kernel.settled()
  expect((await call('GET', '/datasets/trips/versions/1/verdict')).json()).toMatchObject({
    may: true,
    reason: null,
    verdict: { state: 'passed' },
  })
  expect(await call('POST', '/datasets/trips/versions/1/verify')).toMatchObject({ status: 202 })
  await kernel.settled()
  expect((await call('GET', '/datasets/none/checks')).json()).toMatchObject({ checks: [], set_at: null })
  expect((await call('GET', '/datasets/none/versions/1/verdict')).status).toBe(404)
  expect((await call('GET', '/quality/verdicts/ver_none')).status).toBe(404)
})
