import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBlobs } from '#kernel/blobs/index.ts'
import { manualClock } from '#kernel/clock.ts'
import { silentLog } from '#kernel/log.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testStore } from '#kit/store.ts'
import { createMultipart } from './multipart.ts'

const FILES = '/api/2.0/mlflow-artifacts'

interface Begun {
  upload_id: string
  credentials: { url: string; part_number: number; headers: Record<string, string> }[]
}

describe('an upload in parts', () => {
  let at: MlflowServer
  beforeAll(async () => {
    at = await startMlflowServer(testStore)
  })
  afterAll(() => at?.close())

  const begin = async (folder: string, name: string, num_parts: number) =>
    (await at.call('POST', `${FILES}/mpu/create/${folder}`, { path: `/somebody/${name}`, num_parts }))
      .body as unknown as Begun
  const send = async ({ credentials }: Begun, texts: string[]) => {
    const parts = []
    for (const [index, text] of texts.entries()) {
      const { url, headers, part_number } = credentials[index]!
      const answer = await fetch(url, { method: 'PUT', headers, body: text })
      expect(answer.status).toBe(200)
      parts.push({ part_number, etag: answer.headers.get('etag'), url })
    }
    return parts
  }
  const complete = (folder: string, name: string, upload_id: string, parts: unknown) =>
    at.call('POST', `${FILES}/mpu/complete/${folder}`, { path: `/somebody/${name}`, upload_id, parts })
  const read = async (path: string) => (await fetch(`${at.url}${FILES}/artifacts/${path}`)).text()
  const refused = { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } }

  test('becomes one file when it is completed, in whatever order the parts came', async () => {
    const begun = await begin('m/big', 'a.bin', 3)
    expect(begun.credentials.map(({ part_number }) => part_number)).toEqual([1, 2, 3])
    const parts = await send(begun, ['one,', 'two,', 'three'])
    expect(await at.call('GET', `${FILES}/artifacts/m/big/a.bin`)).toMatchObject({ status: 404 })
    expect(await complete('m/big', 'a.bin', begun.upload_id, parts.toReversed())).toEqual({ status: 200, body: {} })
    expect(await read('m/big/a.bin')).toBe('one,two,three')
    expect(await complete('m/big', 'a.bin', begun.upload_id, parts)).toMatchObject({ status: 404 })
  })

  test('counts a part that was sent again as it is named', async () => {
    const begun = await begin('m', 'again.bin', 1)
    const first = await send(begun, ['first'])
    await send(begun, ['second'])
    expect(await complete('m', 'again.bin', begun.upload_id, first)).toMatchObject({ status: 200 })
    expect(await read('m/again.bin')).toBe('first')
  })

  test('leaves nothing when it is aborted', async () => {
    const begun = await begin('m', 'gone.bin', 2)
    const parts = await send(begun, ['a', 'b'])
    const body = { path: 'gone.bin', upload_id: begun.upload_id }
    expect(await at.call('POST', `${FILES}/mpu/abort/m`, body)).toEqual({ status: 200, body: {} })
    expect(await at.call('POST', `${FILES}/mpu/abort/m`, body)).toMatchObject({ status: 200 })
    expect(await complete('m', 'gone.bin', begun.upload_id, parts)).toMatchObject({ status: 404 })
    expect((await fetch(begun.credentials[0]!.url, { method: 'PUT', body: 'late' })).status).toBe(404)
  })

  test('is refused where it is not what was begun', async () => {
    const begun = await begin('m', 'x.bin', 2)
    const parts = await send(begun, ['a', 'b'])
    expect(await complete('m', 'x.bin', begun.upload_id, parts.slice(1))).toMatchObject(refused)
    expect(await complete('m', 'x.bin', begun.upload_id, [parts[0], parts[0]])).toMatchObject(refused)
    expect(
      await complete('m', 'x.bin', begun.upload_id, [parts[0], { part_number: 2, etag: '0'.repeat(64) }]),
    ).toMatchObject(refused)
    expect(await complete('m', 'other.bin', begun.upload_id, parts)).toMatchObject(refused)
    expect(await complete('m', 'x.bin', 'forged.AAAA', parts)).toMatchObject(refused)
    for (const num_parts of [0, -1, 10_001, 'x'])
      expect(await at.call('POST', `${FILES}/mpu/create/m`, { path: 'x', num_parts })).toMatchObject(refused)
    for (const path of ['..', 'a/..%2f..', 'C:\\x'])
      expect(await at.call('POST', `${FILES}/mpu/create/m`, { path, num_parts: 1 })).toMatchObject(refused)
    expect(await at.call('POST', `${FILES}/mpu/create/..%2f..`, { path: 'x', num_parts: 1 })).toMatchObject(refused)
    expect((await fetch(`${begun.credentials[0]!.url}9`, { method: 'PUT', body: 'x' })).status).toBe(400)
    const { url } = begun.credentials[0]!
    const elsewhere = await fetch(url, { method: 'PUT', body: 'x', headers: { 'x-mlflow-workspace': 'elsewhere' } })
    expect(elsewhere.status).toBe(400)
  })
})

test('parts that nobody completes go after a day, and a part that breaks off leaves nothing', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-parts-'))
  try {
    const clock = manualClock(Date.now())
    const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
    const parts = createMultipart({ dir, blobs, clock, reserve_bytes: 0 })
    const old = await parts.begin()
    async function* broken() {
      yield Buffer.from('half')
      throw new Error('the line is cut')
    }
    await expect(parts.take(old, 1, broken())).rejects.toThrow('cut')
    expect(readdirSync(join(dir, 'uploads', old))).toEqual([])
    clock.advance(25 * 60 * 60_000)
    const young = await parts.begin()
    expect(existsSync(join(dir, 'uploads', old))).toBe(false)
    await expect(parts.take(old, 1, broken())).rejects.toMatchObject({ problem: 'not-found' })
    await parts.end(young)
    await parts.end('../../etc')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
