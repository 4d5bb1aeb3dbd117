/** The pool against a worker that is a socket server in this process: what a real one cannot be made to do at will. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { decodeFrame, encodeFrame } from './frames.ts'
import { loadPython, type PythonLimits } from './python.ts'
import type { Runtime } from './runtime.ts'

let dir: string
let runtime: Runtime | undefined
let starts = 0
let startable = true
/** Requests that workers hold, in order of arrival, across all workers. */
let held: { value: unknown; answer(predictions: unknown): void; die(): void }[] = []
let auto = true
/** Rows of each call that was answered at once. */
let calls: number[] = []
/** What the model says to the rows of one call; `die`: it takes the process with it. */
let model: (values: number[]) => unknown[] | 'die' | Error = (values) => values

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slp-'))
  starts = 0
  startable = true
  held = []
  auto = true
  calls = []
  model = (values) => values
})
afterEach(async () => {
  await runtime?.close()
  runtime = undefined
  await rm(dir, { recursive: true, force: true })
})

async function startWorker(path: string) {
  starts++
  if (!startable) throw new Error('no memory')
  await rm(path, { force: true })
  const ended = Promise.withResolvers<{ reason: string }>()
  const sockets = new Set<Socket>()
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    ended.resolve({ reason: 'exit' })
  }
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk as Buffer])
      while (socket.writable && bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const length = bytes.readUInt32BE(0)
        const request = decodeFrame(bytes.toString('utf8', 4, 4 + length))
        bytes = bytes.subarray(4 + length)
        const { data } = request.payload as { data: unknown[][] }
        const answer = (predictions: unknown) =>
          void socket.write(encodeFrame({ id: request.id, predictions, took_ms: 0.1 }))
        if (auto) {
          calls.push(data.length)
          const said = model(data.map(([value]) => value as number))
          // What it has answered before gets through, as from a process that ends itself.
          if (said === 'die') return void socket.end(() => void setTimeout(stop, 20))
          if (said instanceof Error)
            socket.write(encodeFrame({ id: request.id, error: { kind: 'model', message: said.message } }))
          else answer(said)
        } else held.push({ value: data[0]![0], answer, die: () => void stop() })
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { exited: ended.promise, stop }
}

async function load(workers = 1, times: PythonLimits = {}) {
  const pool = { start: startWorker, socketPath: (worker: number) => join(dir, `w${worker}`) }
  const features = [{ name: 'x', type: 'double' as const, optional: false }]
  runtime = await loadPython(pool, workers, features, silentLog, { backoff_ms: 20, ...times })
  return (value: number, signal?: AbortSignal) => runtime!.predict({ rows: [[value]], params: {} }, signal)
}
const holds = (count: number) => vi.waitFor(() => expect(held).toHaveLength(count))

test('only the request that a process died of fails; those behind it are answered by the next', async () => {
  const ask = await load()
  auto = false
  const answers = Promise.allSettled([1, 2, 3, 4].map((value) => ask(value)))
  await holds(2)
  auto = true
  held[0]!.die()
  const [first, ...rest] = await answers
  expect(first).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('ended while') } })
  expect(rest.map((one) => one.status === 'fulfilled' && one.value.outputs)).toEqual([[2], [3], [4]])
  expect(starts).toBe(2)
})

test('a process that hangs on a request that was given up is replaced', async () => {
  const ask = await load(1, { hung_ms: 50 })
  auto = false
  const stop = new AbortController()
  const given_up = ask(1, stop.signal)
  await holds(1)
  stop.abort(new Error('too late'))
  await expect(given_up).rejects.toThrow('too late')
  auto = true
  expect((await ask(2)).outputs).toEqual([2])
  await vi.waitFor(() => expect(starts).toBe(2))
  expect((await ask(3)).outputs).toEqual([3])
})

test('what waits is bounded, and what was given up while it waited is never begun', async () => {
  const ask = await load(1, { waiting_max: 3 })
  auto = false
  const stop = new AbortController()
  const many = [1, 2, 3, 4, 5].map((value) => ask(value, value === 4 ? stop.signal : undefined))
  await holds(2)
  await expect(ask(6)).rejects.toMatchObject({ problem: 'too-many' })
  stop.abort(new Error('gone'))
  await expect(many[3]).rejects.toThrow('gone')
  auto = true
  for (const one of held) one.answer([one.value])
  expect((await Promise.all([many[0], many[1], many[2], many[4]])).map((one) => one!.outputs[0])).toEqual([1, 2, 3, 5])
  expect(held.map(({ value }) => value)).toEqual([1, 2])
})

test('while no process starts, requests are refused at once, and served when one does', async () => {
  const ask = await load()
  auto = false
  const first = ask(1)
  await holds(1)
  startable = false
  held[0]!.die()
  await expect(first).rejects.toThrow('ended while')
  await vi.waitFor(() => expect(starts).toBeGreaterThan(2))
  await expect(ask(2)).rejects.toMatchObject({ problem: 'unavailable' })
  startable = true
  auto = true
  await vi.waitFor(async () => expect((await ask(3)).outputs).toEqual([3]), { timeout: 5000 })
})

test('closing answers everybody', async () => {
  const ask = await load(2)
  auto = false
  const many = Promise.allSettled([1, 2, 3, 4, 5, 6].map((value) => ask(value)))
  await holds(4)
  await runtime!.close()
  expect((await many).every(({ status }) => status === 'rejected')).toBe(true)
  await expect(ask(1)).rejects.toMatchObject({ problem: 'unavailable' })
})

test('rows that wait go in one call, once they have had the same answer alone', async () => {
  const ask = await load(1, { batch_rows: 16 })
  const many = (count: number) => Promise.all(Array.from({ length: count }, async (_, n) => (await ask(n)).outputs[0]))
  expect(await many(200)).toEqual(Array.from({ length: 200 }, (_, n) => n))
  calls = []
  expect(await many(80)).toEqual(Array.from({ length: 80 }, (_, n) => n))
  expect(calls.length).toBeLessThan(12)
  expect(Math.max(...calls)).toBe(16)
  // A row that the model raises on or dies of hurts nobody else, whomever it met in a call.
  model = (values) => (values.includes(13) ? new Error('unlucky') : values.includes(33) ? 'die' : values)
  const told = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => ask(n)))
  expect(told.flatMap((one, n) => (one.status === 'rejected' ? [[n, (one.reason as Error).message]] : []))).toEqual([
    [13, 'unlucky'],
    [33, expect.stringContaining('ended while')],
  ])
  expect(told.every((one, n) => one.status === 'rejected' || one.value.outputs[0] === n)).toBe(true)
})

test('a model whose answer depends on the rows beside it is asked row by row, and never answered otherwise', async () => {
  const ask = await load(1, { batch_rows: 16 })
  model = (values) => values.map((value) => value / Math.max(...values, 1))
  const many = () => Promise.all(Array.from({ length: 60 }, async (_, n) => (await ask(n)).outputs[0]))
  const alone = Array.from({ length: 60 }, (_, n) => (n === 0 ? 0 : 1))
  expect(await many()).toEqual(alone)
  calls = []
  expect(await many()).toEqual(alone)
  expect(Math.max(...calls)).toBe(1)
})

test('what waits is bounded in bytes, too; a single large request is not refused', async () => {
  const ask = await load(1, { waiting_bytes_max: 1000 })
  auto = false
  const large = (size: number) =>
    runtime!.predict({ rows: [], raw: { kind: 'inputs', payload: { data: [['x'.repeat(size)]] } }, params: {} })
  const first = [ask(1), ask(2)]
  await holds(2)
  const waits = large(5000)
  await expect(large(10)).rejects.toMatchObject({ problem: 'too-many' })
  auto = true
  for (const one of held) one.answer([one.value])
  await Promise.all([...first, waits])
})
