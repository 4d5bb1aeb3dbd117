import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { createSegment, readHeader, readSegment } from './segment.ts'

const header = { workspace: 'w', endpoint: 'e', features: { x: 'DOUBLE' } }

async function path(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-segment-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return join(dir, 'a.seg')
}
const read = async (file: string, until?: number) => {
  const payloads: string[] = []
  const facts = await readSegment(file, (payload) => void payloads.push(payload.toString()), until)
  return { payloads, ...facts }
}

test('what was appended is read in order, and its header alone', async () => {
  const file = await path()
  const segment = await createSegment(file, header)
  expect(await read(file)).toMatchObject({ payloads: [], torn: false, header })
  await segment.append('one\n')
  const whole = segment.size_bytes
  await segment.append('zwei\n')
  await segment.sync()
  expect(await read(file)).toMatchObject({
    payloads: ['one\n', 'zwei\n'],
    torn: false,
    whole_bytes: segment.size_bytes,
  })
  expect(await read(file, whole)).toMatchObject({ payloads: ['one\n'], torn: false })
  expect(await readHeader(file)).toEqual(header)
  await segment.close()
})

test('wherever the file ends, the whole frames before are read and nothing else', async () => {
  const file = await path()
  const segment = await createSegment(file, header)
  const random = seededRandom(1)
  const ends = [{ at: segment.size_bytes, frames: 0 }]
  const frames = Array.from({ length: 20 }, () => 'x'.repeat(1 + Math.floor(random.next() * 50)))
  for (const [at, frame] of frames.entries()) {
    await segment.append(frame)
    ends.push({ at: segment.size_bytes, frames: at + 1 })
  }
  await segment.close()
  const bytes = await readFile(file)
  for (let size = bytes.length; size >= 0; size -= 1 + Math.floor(random.next() * 7)) {
    await truncate(file, size)
    const last = ends.findLast(({ at }) => at <= size)
    const found = await read(file)
    expect([size, found.payloads]).toEqual([size, frames.slice(0, last?.frames ?? 0)])
    expect([size, found.torn]).toEqual([size, size !== last?.at])
    if (!last) expect(found.header).toBeUndefined()
  }
})

test('a byte changed anywhere ends the reading there', async () => {
  const file = await path()
  const segment = await createSegment(file, header)
  const first = segment.size_bytes
  for (const frame of ['one', 'two', 'three']) await segment.append(frame)
  await segment.close()
  const bytes = await readFile(file)
  for (let at = first; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 0x41
    await writeFile(file, changed)
    const { payloads, torn } = await read(file)
    expect(torn).toBe(true)
    expect(['one', 'two', 'three'].slice(0, payloads.length)).toEqual(payloads)
    expect(payloads.length).toBeLessThan(3)
  }
})

test('zeros that a power cut leaves behind are no frames; another file is refused', async () => {
  const file = await path()
  const segment = await createSegment(file, header)
  await segment.append('one')
  await segment.close()
  await appendFile(file, Buffer.alloc(4096))
  expect(await read(file)).toMatchObject({ payloads: ['one'], torn: true })
  await writeFile(file, Buffer.alloc(200, 7))
  await expect(read(file)).rejects.toMatchObject({ problem: 'internal' })
  expect((await stat(file)).size).toBe(200)
})
