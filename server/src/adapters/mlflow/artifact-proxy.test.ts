import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testStore } from '#kit/store.ts'

const API = '/api/2.0/mlflow'
const FILES = '/api/2.0/mlflow-artifacts/artifacts'

describe("artifacts on MLflow's wire", () => {
  let at: MlflowServer

  beforeAll(async () => {
    at = await startMlflowServer(testStore)
  })
  afterAll(() => at?.close())

  const raw = (path: string, init?: RequestInit) => fetch(`${at.url}${path}`, init)
  const newRun = async (): Promise<string> => {
    const { body } = await at.call('POST', `${API}/runs/create`, { experiment_id: '0' })
    return (body.run as { info: { run_id: string } }).info.run_id
  }
  const error = (status: number, error_code: string, message: unknown = expect.any(String)) => ({
    status,
    body: { error_code, message },
  })
  const put = (path: string, body: string | Uint8Array<ArrayBuffer>, more: RequestInit = {}) =>
    raw(`${FILES}/${path}`, { method: 'PUT', body, ...more })

  test('go up and down byte for byte, under any name', async () => {
    const bytes = Buffer.alloc(300_000, 7)
    for (const path of [
      'x/plain.bin',
      'x/a%20b+c=%5B1%5D.txt',
      'x/%E6%97%A5%E6%9C%AC.json',
      'x/100%25.txt',
      'x/%2541',
    ]) {
      expect((await put(path, bytes)).status, path).toBe(200)
      const answer = await raw(`${FILES}/${path}`)
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), path).toBe(true)
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename=/)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
    const { body } = await at.call('GET', `${FILES}?path=x`)
    expect((body.files as { path: string }[]).map(({ path }) => path)).toEqual([
      '%41',
      '100%.txt',
      'a b+c=[1].txt',
      'plain.bin',
      '日本.json',
    ])
    expect((await put('x/empty', '')).status).toBe(200)
    expect((await raw(`${FILES}/x/empty`)).headers.get('content-length')).toBe('0')
    expect(await at.call('GET', `${FILES}/x/absent`)).toMatchObject(error(404, 'RESOURCE_DOES_NOT_EXIST'))
    expect(await at.call('GET', `${FILES}/x`)).toMatchObject(
      error(400, 'INVALID_PARAMETER_VALUE', expect.stringContaining('directory')),
    )
    expect(await at.call('DELETE', `${FILES}/x/absent`)).toMatchObject({ status: 200 })
  })

  test('are read in ranges', async () => {
    await put('r/digits', '0123456789')
    const part = async (range: string, more = {}) => {
      const answer = await raw(`${FILES}/r/digits`, { headers: { range, ...more } })
      return [answer.status, await answer.text(), answer.headers.get('content-range')]
    }
    expect(await part('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10'])
    expect(await part('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await part('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await part('bytes=8-99')).toEqual([206, '89', 'bytes 8-9/10'])
    expect((await part('bytes=10-'))[0]).toBe(416)
    expect((await part('bytes=4-2'))[0]).toBe(416)
    expect((await part('lines=1-2'))[0]).toBe(200)
    const etag = (await raw(`${FILES}/r/digits`)).headers.get('etag')!
    expect((await raw(`${FILES}/r/digits`, { headers: { 'if-none-match': etag } })).status).toBe(304)
    expect(await part('bytes=0-1', { 'if-range': '"other"' })).toEqual([200, '0123456789', null])
  })

  test('of an upload that is cut nothing stays', async () => {
    const url = new URL(`${at.url}${FILES}/cut/file.bin`)
    await new Promise<void>((resolve) => {
      const upload = request(url, { method: 'PUT', headers: { 'content-length': 1_000_000 } })
      upload.on('error', () => resolve())
      upload.write(Buffer.alloc(100_000))
      setTimeout(() => upload.destroy(), 50)
    })
    expect(await at.call('GET', `${FILES}?path=cut`)).toEqual({ status: 200, body: { files: [] } })
  })

  test('never lead outside', async () => {
    for (const path of [
      '..%2f..%2fetc%2fpasswd',
      '%252e%252e%252fx',
      'a%5c..%5cb',
      '%2Fetc%2Fpasswd',
      'a%23b',
      'x%00y',
      'c:%2Fx',
    ]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await raw(`${FILES}/${path}`, { method, ...(method === 'PUT' && { body: 'x' }) })
        expect([path, method, answer.status, ((await answer.json()) as { message: string }).message]).toEqual([
          path,
          method,
          400,
          'Invalid path',
        ])
      }
      const listed = await raw(`${FILES}?path=${path}`)
      expect(listed.status).toBe(400)
    }
  })

  test('are found by run, put by pages, and not uploaded in parts', async () => {
    const run_id = await newRun()
    const upload = (query: string, body: string | Uint8Array<ArrayBuffer>) =>
      raw(`/ajax-api/2.0/mlflow/upload-artifact?${query}`, { method: 'POST', body })
    expect((await upload(`run_uuid=${run_id}&path=sub/a.txt`, 'hello')).status).toBe(200)
    expect(await (await upload(`path=a`, 'x')).json()).toMatchObject({ message: 'Request must specify run_uuid.' })
    expect(await (await upload(`run_uuid=${run_id}`, 'x')).json()).toMatchObject({
      message: 'Request must specify path.',
    })
    expect((await upload(`run_uuid=${run_id}&path=../a`, 'x')).status).toBe(400)
    expect((await upload(`run_uuid=${run_id}&path=big`, Buffer.alloc(10 * 1024 * 1024 + 1))).status).toBe(400)
    expect(await (await raw(`/get-artifact?run_id=${run_id}&path=sub/a.txt`)).text()).toBe('hello')
    expect((await at.call('GET', `${API}/artifacts/list?run_id=${run_id}&path=sub`)).body).toMatchObject({
      root_uri: `mlflow-artifacts:/0/${run_id}/artifacts`,
      files: [{ path: 'sub/a.txt', is_dir: false, file_size: 5 }],
    })
    expect((await at.call('GET', `/get-artifact?run_id=${run_id}&path=../../x`)).status).toBe(400)
    expect(await at.call('GET', '/api/2.0/mlflow-artifacts/presigned/x')).toMatchObject(
      error(501, 'NOT_IMPLEMENTED', expect.stringMatching(/^Presigned download is not supported for the current/)),
    )
  })
})
