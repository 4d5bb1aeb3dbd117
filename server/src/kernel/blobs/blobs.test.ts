import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { type Blobs, createBlobs } from './index.ts'

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const fileOf = (digest: string) => join(dir, 'blobs', 'sha256', digest.slice(7, 9), digest.slice(7))

let dir: string
let blobs: Blobs
const create = (more: object = {}) => createBlobs({ dir, log: silentLog, reserve_bytes: 0, ...more })

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-blobs-'))
  blobs = await create()
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const leftOver = () => readdir(join(dir, 'blobs', 'tmp'))

test.each([0, 1, 63, 262_144, 1_048_576, 3_000_017])(
  '%i bytes come back as they went in, by every way in and out',
  async (size) => {
    const bytes = randomBytes(size)
    const ref = { digest: digestOf(bytes), size_bytes: size }
    expect(await blobs.put(bytes)).toEqual(ref)
    expect(await blobs.put(Readable.from([bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)]))).toEqual(ref)
    const path = join(dir, 'some file')
    await writeFile(path, bytes)
    expect(await blobs.putFile(path)).toEqual(ref)

    expect(await blobs.stat(ref.digest)).toEqual({ size_bytes: size })
    expect(bytes.equals(await blobs.read(ref.digest))).toBe(true)
    const { stream, size_bytes } = await blobs.open(ref.digest)
    expect(size_bytes).toBe(size)
    expect(bytes.equals(await buffer(stream))).toBe(true)
    await blobs.materialise(ref.digest, join(dir, 'copy'))
    expect(bytes.equals(await readFile(join(dir, 'copy')))).toBe(true)
    const lent = await blobs.lend(ref.digest)
    expect(bytes.equals(await readFile(lent.path))).toBe(true)
    await lent.done()

    expect(await readdir(join(dir, 'blobs', 'sha256'))).toEqual([ref.digest.slice(7, 9)])
    expect((await stat(fileOf(ref.digest))).size).toBe(size + 64)
    expect((await readFile(fileOf(ref.digest))).subarray(0, 16)).toEqual(
      Buffer.from('SLIPBLOB\x01\x01\0\0\0\0\0\0', 'latin1'),
    )
    expect(await leftOver()).toEqual([])
  },
)

test('a range is cut out of the content, both ends included, and one outside is refused', async () => {
  const bytes = randomBytes(600_000)
  const { digest } = await blobs.put(bytes)
  const range = async (start: number, end: number) => {
    const { stream, size_bytes } = await blobs.open(digest, { start, end })
    expect(size_bytes).toBe(600_000)
    return buffer(stream)
  }
  expect(await range(0, 0)).toEqual(bytes.subarray(0, 1))
  expect(bytes.subarray(100, 400_001).equals(await range(100, 400_000))).toBe(true)
  expect(await range(599_999, 10_000_000)).toEqual(bytes.subarray(599_999))
  for (const [start, end] of [
    [600_000, 600_001],
    [-1, 5],
    [5, 4],
    [0.5, 2],
  ] as const) {
    await expect(range(start, end)).rejects.toMatchObject({ problem: 'invalid', field: 'range' })
  }
})

test('the same bytes put at once by many are kept once', async () => {
  const bytes = randomBytes(500_000)
  const refs = await Promise.all(Array.from({ length: 8 }, () => blobs.put(bytes)))
  expect(new Set(refs.map(({ digest }) => digest)).size).toBe(1)
  expect(await readdir(join(dir, 'blobs', 'sha256', refs[0]!.digest.slice(7, 9)))).toHaveLength(1)
  expect(bytes.equals(await blobs.read(refs[0]!.digest))).toBe(true)
})

test('nothing stays of a put that is too large, differs, breaks off or is called off', async () => {
  const bytes = randomBytes(3_000_000)
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
  }
  await expect(blobs.put(Readable.from(pieces()), { max_bytes: 2_999_999 })).rejects.toMatchObject({
    problem: 'too-large',
  })
  await expect(blobs.put(bytes, { expect: digestOf(Buffer.from('other')) })).rejects.toMatchObject({
    problem: 'invalid',
    field: 'digest',
  })
  await expect(blobs.put(bytes, { expect: 'md5:1' })).rejects.toMatchObject({ problem: 'invalid', field: 'digest' })
  const broken = async function* () {
    yield bytes.subarray(0, 2_000_000)
    throw new Error('the line broke')
  }
  await expect(blobs.put(broken())).rejects.toThrow('the line broke')
  const off = new AbortController()
  let closed = false
  const endless = async function* () {
    try {
      for (;;) {
        yield bytes.subarray(0, 1_000_000)
        off.abort(new Error('called off'))
      }
    } finally {
      closed = true
    }
  }
  await expect(blobs.put(endless(), { signal: off.signal })).rejects.toThrow('called off')
  expect(closed).toBe(true)
  expect(await leftOver()).toEqual([])
  expect(await readdir(join(dir, 'blobs', 'sha256'))).toEqual([])
  expect(await blobs.put(bytes, { expect: digestOf(bytes) })).toMatchObject({ size_bytes: bytes.length })
  await expect(blobs.putFile(join(dir, 'missing'))).rejects.toMatchObject({ problem: 'invalid', field: 'path' })
  await expect(blobs.putFile(dir)).rejects.toMatchObject({ problem: 'invalid', field: 'path' })
})

test('below the reserve a put is refused with the path, and reading goes on', async () => {
  const { digest } = await blobs.put(Buffer.from('kept'))
  const full = await create({ reserve_bytes: 2 ** 60 })
  await expect(full.put(Buffer.from('more'))).rejects.toMatchObject({
    problem: 'storage-full',
    message: expect.stringContaining(dir),
  })
  await expect(full.materialise(digest, join(dir, 'copy'))).rejects.toMatchObject({ problem: 'storage-full' })
  expect(Buffer.from(await full.read(digest)).toString()).toBe('kept')
  expect(await leftOver()).toEqual([])
})

test('damage is found by every whole read and by verify, and putting the bytes again heals it', async () => {
  const bytes = randomBytes(700_000)
  const { digest } = await blobs.put(bytes)
  const other = await blobs.put(Buffer.from('sound'))
  const file = await readFile(fileOf(digest))
  const corrupt = { problem: 'internal', message: expect.stringContaining('corrupt'), facts: { corrupt: digest } }
  const all = async () => {
    const found = []
    for await (const one of blobs.verify()) found.push(one)
    return found.sort((a, b) => Number(a.ok) - Number(b.ok))
  }
  for (const damage of [
    () => writeFile(fileOf(digest), file.with(300_000, file[300_000]! ^ 1)),
    () => truncate(fileOf(digest), 500_000),
    () => writeFile(fileOf(digest), 'short'),
    () => writeFile(fileOf(digest), file.with(0, 0)),
  ]) {
    await damage()
    await expect(blobs.read(digest)).rejects.toMatchObject(corrupt)
    await expect(blobs.open(digest).then(({ stream }) => buffer(stream))).rejects.toMatchObject(corrupt)
    await expect(blobs.materialise(digest, join(dir, 'copy'))).rejects.toMatchObject(corrupt)
    await expect(blobs.lend(digest)).rejects.toMatchObject(corrupt)
    expect(await all()).toEqual([
      { digest, ok: false },
      { digest: other.digest, ok: true },
    ])
  }
  expect(await readdir(join(dir, 'cache', 'plain'))).toEqual([])
  expect(await readdir(dir)).toEqual(['blobs', 'cache'])
  await writeFile(fileOf(digest), file.with(8, 2))
  await expect(blobs.read(digest)).rejects.toMatchObject({ problem: 'unsupported' })
  await blobs.put(bytes)
  expect(bytes.equals(await blobs.read(digest))).toBe(true)
})

test('nothing but a digest becomes part of a path', async () => {
  const wrong = [
    '',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    'sha256:../../../../etc/passwd',
    `${'a'.repeat(64)}\n`,
    `sha1:${'a'.repeat(64)}`,
  ]
  for (const digest of wrong) {
    for (const call of [
      () => blobs.open(digest),
      () => blobs.read(digest),
      () => blobs.stat(digest),
      () => blobs.remove(digest),
      () => blobs.lend(digest),
    ]) {
      await expect(call()).rejects.toMatchObject({ problem: 'invalid', field: 'digest' })
    }
  }
  const unknown = `sha256:${'a'.repeat(64)}`
  expect(await blobs.stat(unknown)).toBeUndefined()
  await expect(blobs.open(unknown)).rejects.toMatchObject({ problem: 'not-found' })
  await expect(blobs.read((await blobs.put(randomBytes(100))).digest, 99)).rejects.toMatchObject({
    problem: 'too-large',
  })
})

test('a stream that is given up half-way closes its file', async () => {
  const { digest } = await blobs.put(randomBytes(5_000_000))
  const open = async () => (await readdir('/proc/self/fd').catch(() => [])).length
  const before = await open()
  for (let n = 0; n < 5; n++) {
    const { stream } = await blobs.open(digest)
    for await (const _ of stream) break
  }
  while ((await open()) > before) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('lent copies stay while they are read, serve many readers from one file, and the cache keeps to its cap', async () => {
  blobs = await create({ cache_bytes: 250_000 })
  const refs = await Promise.all(Array.from({ length: 4 }, () => blobs.put(randomBytes(100_000))))
  const plain = async () => (await readdir(join(dir, 'cache', 'plain'))).sort()
  const hex = (n: number) => refs[n]!.digest.slice(7)
  const [first, again] = await Promise.all([blobs.lend(refs[0]!.digest), blobs.lend(refs[0]!.digest)])
  expect(again.path).toBe(first.path)
  expect((await stat(first.path)).mode & 0o777).toBe(0o400)
  const rest = await Promise.all([1, 2, 3].map((n) => blobs.lend(refs[n]!.digest)))
  expect(await plain()).toHaveLength(4)
  await first.done()
  await first.done()
  expect(await plain()).toHaveLength(4)
  for (const lent of rest) await lent.done()
  expect(await plain()).toContain(hex(0))
  expect(await plain()).toHaveLength(2)
  await again.done()

  // After a restart: what is whole is used again, what was half made is gone.
  await writeFile(join(dir, 'cache', 'plain', `${hex(1)}.x.partial`), 'half')
  await symlink('/etc/passwd', join(dir, 'cache', 'plain', 'odd'))
  blobs = await create({ cache_bytes: 250_000 })
  expect(await plain()).toHaveLength(2)
  const lent = await blobs.lend(refs[0]!.digest)
  await blobs.remove(refs[0]!.digest)
  expect((await readFile(lent.path)).length).toBe(100_000)
  await lent.done()
  expect(await plain()).not.toContain(hex(0))
  expect(await blobs.stat(refs[0]!.digest)).toBeUndefined()
  await expect(blobs.lend(refs[0]!.digest)).rejects.toMatchObject({ problem: 'not-found' })
})

test('a copy that is borrowed while others are cleared away stays', async () => {
  const refs = await Promise.all(Array.from({ length: 30 }, () => blobs.put(randomBytes(1_000))))
  for (const { digest } of refs) await (await blobs.lend(digest)).done()
  // All copies are idle when the next process comes, with room for fewer: the first loan clears the others away.
  const small = await create({ cache_bytes: 10_000 })
  const borrowing: ReturnType<Blobs['lend']>[] = []
  for (const { digest } of [refs[0]!, ...refs.slice(1).reverse()]) {
    borrowing.push(small.lend(digest))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const lent = await Promise.all(borrowing)
  for (const [n, { path }] of lent.entries()) expect((await readFile(path)).length, `copy ${n}`).toBe(1_000)
})

test('what an ended process left half-written is cleaned up at the next start', async () => {
  await writeFile(join(dir, 'blobs', 'tmp', 'half'), 'half')
  blobs = await create()
  expect(await leftOver()).toEqual([])
})
