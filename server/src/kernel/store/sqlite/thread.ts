import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { DomainError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { type Answer, compactInput, fromPlainError, type PlainError, plainError, type Request } from './protocol.ts'

// Taken when loaded: a test that puts fake timers in place must not stop the store.
const soon = setImmediate

type Settle = { resolve(value: unknown): void; reject(error: unknown): void }

/** The main thread's end of a thread beside the database: sends what was asked in a tick as one message. */
export interface Thread {
  /** Resolves when the thread has answered `done`. */
  ask(request: Request): Promise<unknown>
  /** Resolves when the thread has answered `done` to a callback whose statements are sent by `statement`. */
  expect(id: number): Promise<unknown>
  /** One statement of a callback. */
  statement(request: Extract<Request, { kind: 'statement' }>): Promise<unknown>
  tell(request: Request): void
  /** Statements of this callback that are not yet answered fail. */
  forget(id: number): void
  /** Requests that wait for `done`. */
  readonly outstanding: number
  /** Resolves when the thread has ended without having been asked to. */
  readonly lost: Promise<Error>
  stop(): Promise<void>
}

const YOUNG_MB = 16

/** All that a thread's environment holds. It does not inherit the compile cache: with it, it starts in half the time and takes 10 MB less. */
function environment(): Record<string, string> {
  const cache = getCompileCacheDir()
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }
}

export interface ThreadOptions {
  entry: URL
  name: string
  data: unknown
  /** JavaScript memory; a thread that wants more ends, and whoever waited for it is told. */
  heap_mb: number
  log: Log
}

export async function startThread(options: ThreadOptions): Promise<Thread> {
  const worker = new Worker(options.entry, {
    name: options.name,
    workerData: options.data,
    env: environment(),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB, maxOldGenerationSizeMb: options.heap_mb },
  })
  const asked = new Map<number, Settle>()
  /** By callback, then by statement. */
  const statements = new Map<number, Map<number, Settle>>()
  let outbox: Request[] = []
  let transfer: ArrayBuffer[] = []
  let broken: DomainError | undefined
  let stopping: Promise<void> | undefined
  const ready = Promise.withResolvers<void>()
  const lost = Promise.withResolvers<Error>()

  /** A callback is over: what it still had under way is never answered. */
  const forget = (id: number, error: Error) => {
    for (const { reject } of statements.get(id)?.values() ?? []) reject(error)
    statements.delete(id)
  }
  const fail = (why: string) => {
    broken ??= new DomainError('unavailable', `the ${options.name} thread ended: ${why}`, {
      remedy: 'Try again in a moment. Whether a write that was under way took place can be seen by reading.',
    })
    ready.reject(broken)
    for (const { reject } of asked.values()) reject(broken)
    for (const id of statements.keys()) forget(id, broken)
    asked.clear()
    if (!stopping) lost.resolve(broken)
  }
  worker.on('error', (error) => fail(String(error)))
  worker.on('exit', (code) => fail(`exit code ${code}`))
  worker.on('message', (answers: Answer[]) => {
    for (const answer of answers) {
      if (answer.kind === 'ready') ready.resolve()
      else if (answer.kind === 'failed-start') ready.reject(fromPlainError(answer.error))
      else if (answer.kind === 'statement') settle(statements.get(answer.id), answer.seq, answer)
      else {
        forget(answer.id, answer.error ? fromPlainError(answer.error) : new Error('the write has ended'))
        settle(asked, answer.id, answer)
      }
    }
  })
  const settle = (
    from: Map<number, Settle> | undefined,
    key: number,
    answer: { value?: unknown; error?: PlainError },
  ) => {
    const waiting = from?.get(key)
    from?.delete(key)
    if (answer.error) waiting?.reject(fromPlainError(answer.error))
    else waiting?.resolve(answer.value)
  }

  const flush = () => {
    const batch = outbox
    const buffers = transfer
    outbox = []
    transfer = []
    try {
      worker.postMessage(batch, buffers)
    } catch {
      // Something in the batch was not plain data: send one by one, and refuse that one.
      for (const request of batch)
        try {
          worker.postMessage([request])
        } catch (error) {
          const plain = plainError(new Error(`input that is not plain data: ${(error as Error).message}`))
          if (request.kind === 'statement') settle(statements.get(request.id), request.seq, { error: plain })
          else settle(asked, request.id, { error: plain })
        }
    }
  }
  const tell = (request: Request) => {
    if (outbox.length === 0) soon(flush)
    if (request.kind === 'call') outbox.push({ ...request, input: compactInput(request.input, transfer) })
    else outbox.push(request)
  }
  const answered = (map: Map<number, Settle>, key: number, request?: Request) =>
    new Promise<unknown>((resolve, reject) => {
      if (broken) return reject(broken)
      map.set(key, { resolve, reject })
      if (request) tell(request)
    })

  try {
    await ready.promise
  } catch (error) {
    await worker.terminate()
    throw error
  }
  return {
    ask: (request) => answered(asked, request.id, request),
    expect: (id) => answered(asked, id),
    statement(request) {
      const own = statements.get(request.id) ?? new Map<number, Settle>()
      statements.set(request.id, own)
      return answered(own, request.seq, request)
    },
    forget: (id) => forget(id, new Error('the read has ended')),
    tell(request) {
      if (!broken) tell(request)
    },
    get outstanding() {
      return asked.size
    },
    lost: lost.promise,
    stop() {
      stopping ??= (async () => {
        if (!broken) await answered(asked, 0, { kind: 'close', id: 0 })
        await worker.terminate()
      })()
      return stopping
    },
  }
}
