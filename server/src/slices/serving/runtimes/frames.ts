import { connect, type Socket } from 'node:net'
import { DomainError } from '#kernel/errors.ts'

/** Largest frame in either direction, as in python/slipway/frames.py. */
const FRAME_BYTES_MAX = 64 * 1024 ** 2

export interface WorkerError {
  kind: 'bad-input' | 'model'
  message: string
  field?: string
  traceback?: string
}

/** One connection to a Python worker: length-prefixed JSON, answers matched by id. */
export interface FrameLine {
  ask(request: Record<string, unknown>, signal?: AbortSignal): Promise<Record<string, unknown>>
  readonly waiting: number
  close(): void
}

export async function openFrames(path: string, onEnd: (error: Error) => void): Promise<FrameLine> {
  const socket: Socket = await new Promise((resolve, reject) => {
    const made = connect(path)
    made.once('connect', () => resolve(made))
    made.once('error', reject)
  })
  const waiting = new Map<number, { resolve(answer: Record<string, unknown>): void; reject(error: unknown): void }>()
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
  socket.on('error', end)
  socket.on('close', () => end(new DomainError('unavailable', 'the Python process of this model has ended')))
  socket.on('data', (chunk: Buffer) => {
    parts.push(chunk)
    have += chunk.length
    while (have >= 4) {
      if (parts.length > 1 && (parts[0]!.length < 4 || have >= 4 + parts[0]!.readUInt32BE(0)))
        parts = [Buffer.concat(parts)]
      const [first] = parts
      const length = first!.readUInt32BE(0)
      if (length > FRAME_BYTES_MAX) return end(new Error('a frame of the Python process is too large'))
      if (have < 4 + length) return
      const whole = first!.length >= 4 + length ? first! : Buffer.concat(parts)
      const answer = JSON.parse(whole.toString('utf8', 4, 4 + length)) as Record<string, unknown>
      parts = whole.length > 4 + length ? [whole.subarray(4 + length)] : []
      have -= 4 + length
      const one = waiting.get(answer.id as number)
      waiting.delete(answer.id as number)
      one?.resolve(answer)
    }
  })

  return {
    get waiting() {
      return waiting.size
    },
    ask: (request, signal) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone)
        const id = ++last
        const payload = Buffer.from(JSON.stringify({ ...request, id }))
        if (payload.length > FRAME_BYTES_MAX)
          return reject(new DomainError('too-large', 'the request is too large for the Python process of this model'))
        const stop = () => {
          waiting.delete(id)
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', stop, { once: true })
        waiting.set(id, {
          resolve(answer) {
            signal?.removeEventListener('abort', stop)
            resolve(answer)
          },
          reject(error) {
            signal?.removeEventListener('abort', stop)
            reject(error)
          },
        })
        const head = Buffer.allocUnsafe(4)
        head.writeUInt32BE(payload.length, 0)
        socket.write(head)
        socket.write(payload)
      }),
    close: () => end(new DomainError('unavailable', 'the model was unloaded')),
  }
}
