/** A model that its own Python answers: a small pool of processes, each restarted when it dies or hangs. */
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Log } from '#kernel/log.ts'
import type { Ask } from '../forms.ts'
import type { Cell, Features } from '../signature.ts'
import { type FrameLine, openFrames, type WorkerError } from './frames.ts'
import type { Prediction, Runtime } from './runtime.ts'
import { createWaiting, sizeOf, type Task } from './waiting.ts'

const BACKOFF_MS = 250
const BACKOFF_MS_MAX = 30_000
/** A process that lived this long was sound: its next start waits for nothing. */
const SOUND_MS = 10_000
/** Requests that may wait for each process, and their bytes in all; more are refused, so that a slow model cannot fill the memory. */
const WAITING_MAX = 256
const WAITING_BYTES_MAX = 128 * 1024 ** 2
/** Calls handed to one process at once: the next lies ready when one is done. */
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

interface Slot {
  at: number
  line: FrameLine | undefined
  process: WorkerProcess | undefined
  /** Calls that the process works on, first come first; each the tasks that it answers. */
  sent: Task[][]
  failures: number
}

export interface PythonLimits {
  hung_ms?: number
  backoff_ms?: number
  waiting_max?: number
  waiting_bytes_max?: number
  /** Rows of waiting requests that go in one call; 1 when left out: each request by itself. */
  batch_rows?: number
}

export async function loadPython(
  pool: PythonPool,
  workers: number,
  features: Features | undefined,
  log: Log,
  {
    hung_ms = HUNG_MS,
    backoff_ms = BACKOFF_MS,
    waiting_max = WAITING_MAX,
    waiting_bytes_max = WAITING_BYTES_MAX,
    batch_rows = 1,
  }: PythonLimits = {},
): Promise<Runtime> {
  let closed = false
  const columns = features?.map(({ name }) => name)
  const predictOf = (rows: Cell[][]) => ({ op: 'predict', kind: 'dataframe_split', payload: { columns, data: rows } })
  const waiting = createWaiting({
    waiting_max: waiting_max * workers,
    bytes_max: waiting_bytes_max,
    rows_max: batch_rows,
    onDependent: () =>
      log.info('the answer of this model to a row depends on the rows beside it; each request is asked by itself'),
  })
  const stopped = Promise.withResolvers<void>()
  const slots: Slot[] = Array.from({ length: workers }, (_, at) => ({
    at,
    line: undefined,
    process: undefined,
    sent: [],
    failures: 0,
  }))

  const pump = (): void => {
    while (waiting.length > 0) {
      let free: Slot | undefined
      for (const slot of slots)
        if (slot.line && slot.sent.length < DEPTH && (!free || slot.sent.length < free.sent.length)) free = slot
      if (!free) return
      const call = waiting.take()
      if (call) send(free, call)
    }
  }

  const send = (slot: Slot, call: Task[]): void => {
    slot.sent.push(call)
    const done = () => {
      const place = slot.sent.indexOf(call)
      if (place >= 0) slot.sent.splice(place, 1)
      pump()
    }
    slot.line!.ask(call.length === 1 ? call[0]!.request : predictOf(call.flatMap(({ rows }) => rows!))).then(
      (answer) => {
        waiting.answered(call, answer)
        done()
      },
      (error: unknown) => {
        // With the connection gone, `dropped` has decided already; what is left here could not be sent at all.
        if (!slot.sent.includes(call)) return
        if (call.length > 1) waiting.again(call, true)
        else call[0]!.reject(error)
        done()
      },
    )
  }

  /** The first call is what the process died of, or with; those behind it were not begun and go to another. */
  const dropped = (slot: Slot): void => {
    slot.line = undefined
    const [first, ...rest] = slot.sent
    slot.sent = []
    waiting.again(rest.flat(), false)
    // Which of several it died of is found out by asking each by itself.
    if (first && first.length > 1) waiting.again(first, true)
    else first?.[0]?.reject(new ModelError('its Python process ended while it worked on this request'))
    if (closed) rejectAll(unloaded)
    pump()
  }

  const rejectAll = (words: () => DomainError): void => {
    for (const task of waiting.clear()) task.reject(words())
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
        if (slots.every((one) => !one.line)) rejectAll(restarting)
      }
    }
  }

  const close = async (): Promise<void> => {
    closed = true
    stopped.resolve()
    rejectAll(unloaded)
    await Promise.all(
      slots.map(async (slot) => {
        slot.line?.close()
        await slot.process?.stop()
      }),
    )
  }

  const ask = (
    { request, rows }: Pick<Task, 'request' | 'rows'>,
    signal: AbortSignal | undefined,
  ): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(unloaded())
      if (signal?.aborted) return reject(signal.reason)
      // After a crash one waits for the next process; when that does not start, one hears so at once.
      if (slots.every((slot) => !slot.line && slot.failures > 1)) return reject(restarting())
      const settle = (end: () => void) => {
        if (task.over) return
        task.over = true
        signal?.removeEventListener('abort', giveUp)
        end()
      }
      const task: Task = {
        request,
        rows,
        size_bytes: sizeOf(rows ?? request.payload),
        over: false,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      }
      const giveUp = () => {
        task.reject(signal?.reason)
        waiting.remove(task)
        const slot = slots.find(({ sent }) => sent.some((call) => call.includes(task)))
        const call = slot?.sent.find((one) => one.includes(task))
        if (!slot || !call) return
        setTimeout(() => {
          if (closed || !slot.sent.includes(call)) return
          log.warn('the Python process of a model hangs; it is replaced')
          void slot.process?.stop()
        }, hung_ms).unref()
      }
      try {
        waiting.push(task)
      } catch (error) {
        return reject(error)
      }
      signal?.addEventListener('abort', giveUp)
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
      const params = Object.keys(given.params).length > 0 ? { params: given.params } : undefined
      const plain = given.raw ? { op: 'predict', ...given.raw } : predictOf(given.rows)
      const rows = given.raw || params ? undefined : given.rows
      const answer = await ask({ request: { ...plain, ...params }, rows }, signal)
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
