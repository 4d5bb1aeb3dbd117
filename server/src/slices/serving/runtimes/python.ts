/** A model that its own Python answers: a small pool of processes, each restarted when it dies or hangs. */
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Log } from '#kernel/log.ts'
import type { Ask } from '../forms.ts'
import type { Features } from '../signature.ts'
import { type FrameLine, openFrames, type WorkerError } from './frames.ts'
import type { Prediction, Runtime } from './runtime.ts'

const BACKOFF_MS = 250
const BACKOFF_MS_MAX = 30_000
/** A process that lived this long was sound: its next start waits for nothing. */
const SOUND_MS = 10_000
/** Requests that may wait for each process; more are refused, so that a slow model cannot fill the memory. */
const WAITING_MAX = 256
/** Requests handed to one process at once: the next lies ready when one is done. */
const DEPTH = 2
/** A process still busy with a request that was given up this long ago hangs, and is replaced. */
const HUNG_MS = 20_000

/** One started process; see kernel/environments. */
export interface WorkerProcess {
  readonly exited: Promise<{ reason: string }>
  stop(): Promise<void>
}

export interface PythonPool {
  /** Starts a process that will listen on `socket`; resolves when it does. */
  start(socket: string): Promise<WorkerProcess>
  socketPath(worker: number): string
}

interface Task {
  request: Record<string, unknown>
  resolve(answer: Record<string, unknown>): void
  reject(error: unknown): void
  /** Answered or given up: a process may still be at it. */
  over: boolean
}

interface Slot {
  at: number
  line: FrameLine | undefined
  process: WorkerProcess | undefined
  /** What the process works on, first come first. */
  sent: Task[]
  failures: number
}

export interface PythonTimes {
  hung_ms?: number
  backoff_ms?: number
  waiting_max?: number
}

export async function loadPython(
  pool: PythonPool,
  workers: number,
  features: Features | undefined,
  log: Log,
  { hung_ms = HUNG_MS, backoff_ms = BACKOFF_MS, waiting_max = WAITING_MAX }: PythonTimes = {},
): Promise<Runtime> {
  let closed = false
  let queue: Task[] = []
  const stopped = Promise.withResolvers<void>()
  const slots: Slot[] = Array.from({ length: workers }, (_, at) => ({
    at,
    line: undefined,
    process: undefined,
    sent: [],
    failures: 0,
  }))

  const pump = (): void => {
    while (queue.length > 0) {
      let free: Slot | undefined
      for (const slot of slots)
        if (slot.line && slot.sent.length < DEPTH && (!free || slot.sent.length < free.sent.length)) free = slot
      if (!free) return
      const task = queue.shift()!
      if (!task.over) send(free, task)
    }
  }

  const send = (slot: Slot, task: Task): void => {
    slot.sent.push(task)
    const done = () => {
      const place = slot.sent.indexOf(task)
      if (place >= 0) slot.sent.splice(place, 1)
      pump()
    }
    slot.line!.ask(task.request).then(
      (answer) => {
        task.resolve(answer)
        done()
      },
      (error: unknown) => {
        // With the connection gone, `dropped` has decided already; what is left here could not be sent at all.
        if (!slot.sent.includes(task)) return
        task.reject(error)
        done()
      },
    )
  }

  /** The first request is what the process died of, or with; those behind it were not begun and go to another. */
  const dropped = (slot: Slot): void => {
    slot.line = undefined
    const [first, ...rest] = slot.sent
    slot.sent = []
    first?.reject(new ModelError('its Python process ended while it worked on this request'))
    if (!closed) queue = [...rest, ...queue]
    else for (const task of rest) task.reject(unloaded())
    pump()
  }

  const start = async (slot: Slot): Promise<void> => {
    const socket = pool.socketPath(slot.at)
    const process = await pool.start(socket)
    const born = performance.now()
    try {
      slot.line = await openFrames(socket, () => {
        dropped(slot)
        if (!closed) void process.stop()
      })
    } catch (error) {
      await process.stop()
      throw error
    }
    slot.process = process
    void process.exited.then(({ reason }) => {
      slot.line?.close()
      slot.process = undefined
      if (closed) return
      slot.failures = performance.now() - born > SOUND_MS ? 0 : slot.failures + 1
      log.warn({ reason }, 'the Python process of a model has ended; it is started again')
      void restart(slot)
    })
    pump()
  }

  const restart = async (slot: Slot): Promise<void> => {
    while (!closed) {
      const wait_ms = slot.failures === 0 ? 0 : Math.min(BACKOFF_MS_MAX, backoff_ms * 2 ** (slot.failures - 1))
      await Promise.race([new Promise((resolve) => setTimeout(resolve, wait_ms).unref()), stopped.promise])
      if (closed) return
      try {
        await start(slot)
        if (closed) await slot.process?.stop()
        return
      } catch (error) {
        if (closed) return
        slot.failures++
        log.error({ err: error }, 'the Python process of a model does not start')
        if (slots.every((one) => !one.line)) {
          for (const task of queue) task.reject(restarting())
          queue = []
        }
      }
    }
  }

  const close = async (): Promise<void> => {
    closed = true
    stopped.resolve()
    for (const task of queue) task.reject(unloaded())
    queue = []
    await Promise.all(
      slots.map(async (slot) => {
        slot.line?.close()
        await slot.process?.stop()
      }),
    )
  }

  const ask = (request: Record<string, unknown>, signal: AbortSignal | undefined): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(unloaded())
      if (signal?.aborted) return reject(signal.reason)
      // After a crash one waits for the next process; when that does not start, one hears so at once.
      if (slots.every((slot) => !slot.line && slot.failures > 1)) return reject(restarting())
      if (queue.length >= waiting_max * workers)
        return reject(
          new DomainError('too-many', 'too many requests wait for this model', {
            remedy: 'Send fewer at once, or raise serving.workers.',
          }),
        )
      const settle = (end: () => void) => {
        if (task.over) return
        task.over = true
        signal?.removeEventListener('abort', giveUp)
        end()
      }
      const task: Task = {
        request,
        over: false,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      }
      const giveUp = () => {
        task.reject(signal?.reason)
        const place = queue.indexOf(task)
        if (place >= 0) queue.splice(place, 1)
        const slot = slots.find(({ sent }) => sent.includes(task))
        if (!slot) return
        setTimeout(() => {
          if (closed || !slot.sent.includes(task)) return
          log.warn('the Python process of a model hangs; it is replaced')
          void slot.process?.stop()
        }, hung_ms).unref()
      }
      signal?.addEventListener('abort', giveUp)
      queue.push(task)
      pump()
    })

  try {
    const started = await Promise.allSettled(slots.map(start))
    const failed = started.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
  } catch (error) {
    await close()
    throw error
  }

  return {
    form: 'python',
    features,
    inline: () => false,
    async predict(given: Ask, signal?: AbortSignal): Promise<Prediction> {
      const { kind, payload } = given.raw ?? {
        kind: 'dataframe_split',
        payload: { columns: features!.map(({ name }) => name), data: given.rows },
      }
      const params = Object.keys(given.params).length > 0 ? { params: given.params } : {}
      const answer = await ask({ op: 'predict', kind, payload, ...params }, signal)
      const error = answer.error as WorkerError | undefined
      if (error?.kind === 'bad-input')
        throw invalid(error.message, error.field === undefined ? {} : { field: error.field })
      if (error) throw new ModelError(error.message, error.traceback)
      const { predictions } = answer
      if (Array.isArray(predictions) && (given.raw || predictions.length === given.rows.length))
        return { outputs: predictions }
      return { outputs: [predictions], raw: predictions }
    },
    close,
  }
}

const unloaded = () => new DomainError('unavailable', 'the model was unloaded', { remedy: 'Send the request again.' })
const restarting = () =>
  new DomainError('unavailable', 'the Python process of this model does not start', {
    remedy: 'It is tried again; the log of the server says why.',
  })

/** The model itself failed on an input that looked right. */
export class ModelError extends Error {
  readonly traceback: string | undefined

  constructor(message: string, traceback?: string) {
    super(message)
    this.name = 'ModelError'
    this.traceback = traceback
  }
}
