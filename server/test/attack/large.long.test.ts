/** One artifact of 5 GB up and down: its bytes are the same, and memory does not grow with them. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer } from './server-process.ts'

const BYTES = Number(process.env.TEST_LARGE_BYTES ?? 5 * 1024 ** 3)
const CHUNK = 1 << 20
const GROWTH_MAX = 100 * 1024 ** 2

let root: string
let server: Awaited<ReturnType<typeof startServer>>
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-large-'))
  server = await startServer(join(root, 'data'))
}, 120_000)
afterAll(async () => {
  await server?.stop()
  rmSync(root, { recursive: true, force: true })
})

/** Other bytes in every chunk, without the cost of randomness. */
function* generated(): Iterable<Buffer> {
  for (let at = 0; at < BYTES; at += CHUNK) {
    const chunk = Buffer.alloc(Math.min(CHUNK, BYTES - at), (at / CHUNK) % 251)
    chunk.writeDoubleLE(at, 0)
    yield chunk
  }
}

/** Resident bytes of the server, as Linux counts them. */
const resident = (): number =>
  1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1])

const url = () => new URL(`${server.url}/api/2.0/mlflow-artifacts/artifacts/large/file.bin`)

function put(bytes: Iterable<Buffer>, length: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url(), { method: 'PUT', headers: { 'content-length': length } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode!)
    })
    asked.on('error', reject)
    pipeline(Readable.from(bytes, { objectMode: false }), asked).catch(reject)
  })
}

test.runIf(process.platform === 'linux')(
  'an artifact of gigabytes goes up and down in constant memory, byte for byte',
  async () => {
    // What a first upload loads is not counted.
    expect(await put([Buffer.alloc(64 << 20)], 64 << 20)).toBe(200)
    const before = resident()
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, resident())
    }, 50)
    try {
      expect(await put(generated(), BYTES)).toBe(200)
      const sent = createHash('sha256')
      for (const chunk of generated()) sent.update(chunk)
      const got = createHash('sha256')
      const answer = await fetch(url())
      expect(Number(answer.headers.get('content-length'))).toBe(BYTES)
      for await (const chunk of answer.body!) got.update(chunk)
      const digest = sent.digest('hex')
      expect(got.digest('hex')).toBe(digest)
      expect(answer.headers.get('etag')).toBe(`"${digest}"`)
    } finally {
      clearInterval(watch)
    }
    process.stdout.write(`${BYTES} bytes: ${Math.round((most - before) / 1024 ** 2)} MB more than before\n`)
    expect(most - before).toBeLessThan(GROWTH_MAX)

    // Cut half-way: nothing of it is seen, and nothing stays.
    const asked = request(new URL(`${url()}-cut`), { method: 'PUT', headers: { 'content-length': BYTES } })
    asked.on('error', () => undefined)
    for (let n = 0; n < 50; n++) asked.write(Buffer.alloc(CHUNK, 3))
    await expect.poll(() => readdirSync(join(root, 'data', 'blobs', 'tmp')).length).toBe(1)
    asked.destroy()
    await expect.poll(() => readdirSync(join(root, 'data', 'blobs', 'tmp')), { timeout: 30_000 }).toEqual([])
    expect((await fetch(`${url()}-cut`)).status).toBe(404)
  },
)
