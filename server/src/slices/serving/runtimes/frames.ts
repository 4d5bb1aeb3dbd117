/**
 * One connection to a Python worker, as python/slipway/frames.py has it: four bytes of length, then JSON. What JSON cannot say stands as
 * null and is listed in `nonfinite`: a word (NaN, Infinity, -Infinity) and the path to the null.
 */
import { connect, type Socket } from 'node:net'
import { DomainError } from '#kernel/errors.ts'

/** Largest frame in either direction, as in python/slipway/frames.py. */
const FRAME_BYTES_MAX = 64 * 1024 ** 2
const LENGTH_BYTES = 4

export interface WorkerError {
  kind: 'bad-input' | 'model'
  message: string
  field?: string
  traceback?: string
}

type Message = Record<string, unknown>
type Path = (string | number)[]

export interface FrameLine {
  /** Answers come in the order of the questions. Rejects when the connection ends first. */
  ask(request: Message): Promise<Message>
  close(): void
}

/** A frame with its length. Throws too-large. */
export function encodeFrame(message: Message): Buffer {
  const nonfinite: unknown[] = []
  findNonFinite(message, [], nonfinite)
  const text = JSON.stringify(nonfinite.length === 0 ? message : { ...message, nonfinite })
  const length = Buffer.byteLength(text)
  if (length > FRAME_BYTES_MAX)
    throw new DomainError('too-large', 'the request is too large for the Python process of this model')
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + length)
  frame.writeUInt32BE(length, 0)
  frame.write(text, LENGTH_BYTES)
  return frame
}

/** The message of a frame's body, its non-finite numbers put back. Throws for what is no message. */
export function decodeFrame(text: string): Message {
  const message = JSON.parse(text) as Message
  const entries = (message.nonfinite ?? []) as [string, ...Path][]
  delete message.nonfinite
  for (const [word, ...path] of entries) {
    const last = path.pop()!
    let place: unknown = message
    for (const step of path) place = (place as Record<string | number, unknown>)[step]
    ;(place as Record<string | number, unknown>)[last] = Number(word)
  }
  return message
}

function findNonFinite(value: unknown, path: Path, found: unknown[]): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) found.push([String(value), ...path])
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const each = value[at]
      // Paths are made only where there is something to find below.
      if (typeof each === 'number' ? !Number.isFinite(each) : typeof each === 'object' && each !== null)
        findNonFinite(each, [...path, at], found)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) findNonFinite(each, [...path, key], found)
  }
}

export async function openFrames(path: string, onEnd: (error: Error) => void): Promise<FrameLine> {
  const socket: Socket = await new Promise((resolve, reject) => {
    const made = connect(path)
    made.once('connect', () => resolve(made))
    made.once('error', reject)
  })
  const waiting = new Map<number, { resolve(answer: Message): void; reject(error: unknown): void }>()
  let last = 0
  let parts: Buffer[] = []
  let have = 0
  let gone: Error | undefined

  const end = (error: Error) => {
    if (gone) return
    gone = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    socket.destroy()
    onEnd(error)
  }
  const take = (count: number): Buffer => {
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts = all.length > count ? [all.subarray(count)] : []
    have -= count
    return all.subarray(0, count)
  }
  let length = -1
  socket.on('error', end)
  socket.on('close', () => end(new DomainError('unavailable', 'the Python process of this model has ended')))
  socket.on('data', (chunk: Buffer) => {
    parts.push(chunk)
    have += chunk.length
    for (;;) {
      if (length < 0) {
        if (have < LENGTH_BYTES) return
        length = take(LENGTH_BYTES).readUInt32BE(0)
        if (length > FRAME_BYTES_MAX) return end(new Error('a frame of the Python process is too large'))
      }
      if (have < length) return
      let answer: Message
      try {
        answer = decodeFrame(take(length).toString())
      } catch (error) {
        return end(new Error('the Python process does not keep to the format', { cause: error }))
      }
      length = -1
      const one = waiting.get(answer.id as number)
      waiting.delete(answer.id as number)
      one?.resolve(answer)
    }
  })

  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone)
        const id = ++last
        const frame = encodeFrame({ ...request, id })
        waiting.set(id, { resolve, reject })
        socket.write(frame)
      }),
    close: () => end(new DomainError('unavailable', 'the model was unloaded')),
  }
}
