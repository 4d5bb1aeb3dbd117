import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { decodeFrame, encodeFrame, openFrames } from './frames.ts'

const plain = (frame: Buffer) => frame.toString('utf8', 4)

test('numbers that JSON cannot say go and come as python/slipway/frames.py has it', () => {
  const message = {
    id: 1,
    payload: {
      columns: ['a', 'b'],
      data: [
        [1, Number.NaN],
        [Number.NEGATIVE_INFINITY, null],
      ],
    },
  }
  const frame = encodeFrame(message)
  expect(JSON.parse(plain(frame))).toEqual({
    id: 1,
    payload: {
      columns: ['a', 'b'],
      data: [
        [1, null],
        [null, null],
      ],
    },
    nonfinite: [
      ['NaN', 'payload', 'data', 0, 1],
      ['-Infinity', 'payload', 'data', 1, 0],
    ],
  })
  expect(frame.readUInt32BE(0)).toBe(frame.length - 4)
  expect(decodeFrame(plain(frame))).toEqual(message)
  expect(plain(encodeFrame({ id: 2, text: 'é' }))).toBe('{"id":2,"text":"é"}')
  expect(() => encodeFrame({ text: 'x'.repeat(64 * 2 ** 20) })).toThrow('too large')
})

async function talk(answer: (socket: Socket, frame: Buffer) => void) {
  const dir = await mkdtemp(join(tmpdir(), 'slf-'))
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => answer(socket, bytes as Buffer))
  })
  await new Promise<void>((resolve) => server.listen(join(dir, 's'), resolve))
  let ended: Error | undefined
  const line = await openFrames(join(dir, 's'), (error) => {
    ended = error
  })
  onTestFinished(async () => {
    line.close()
    server.close()
    await rm(dir, { recursive: true, force: true })
  })
  return { line, ended: () => ended }
}

test('frames cut anywhere, and several at once, are put together', async () => {
  const { line } = await talk(async (socket) => {
    if (socket.bytesRead < 50) return
    const both = Buffer.concat([1, 2, 3].map((id) => encodeFrame({ id, text: 'é'.repeat(id * 3) })))
    for (let at = 0; at < both.length; at += 5) {
      socket.write(both.subarray(at, at + 5))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  const answers = await Promise.all([1, 2, 3].map(() => line.ask({ op: 'something' })))
  expect(answers.map(({ text }) => (text as string).length)).toEqual([3, 6, 9])
})

test.each([
  ['what is no JSON', Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('{x}')])],
  ['an announcement past the limit', Buffer.from([0xff, 0, 0, 0])],
])('%s ends the line, and every question on it', async (_, bytes) => {
  const { line, ended } = await talk((socket) => void socket.write(bytes))
  await expect(Promise.all([line.ask({}), line.ask({})])).rejects.toThrow()
  expect(ended()).toBeInstanceOf(Error)
  await expect(line.ask({})).rejects.toThrow()
})
