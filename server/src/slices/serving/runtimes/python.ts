/** A model that its own Python answers: a small pool of processes, each restarted when it dies. */
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Log } from '#kernel/log.ts'
import type { Ask } from '../forms.ts'
import type { Features } from '../signature.ts'
import { type FrameLine, openFrames, type WorkerError } from './frames.ts'
import type { Prediction, Runtime } from './runtime.ts'

const BACKOFF_MS = 250
const BACKOFF_MS_MAX = 30_000
/** Requests that may wait for one process; more are refused, so that a slow model cannot fill the memory. */
const WAITING_MAX = 256

/** One started process; see kernel/environments. */
export interface WorkerProcess {
  readonly exited: Promise<{ reason: string }>
  stop(): Promise<void>
  memory_bytes(): number | undefined
}

export interface PythonPool {
  /** Starts a process that will listen on `socket`; resolves when it does. */
  start(socket: string): Promise<WorkerProcess>
  socketPath(worker: number): string
}

interface Slot {
  line: FrameLine | undefined
  process: WorkerProcess | undefined
  failures: number
}

export async function loadPython(
  pool: PythonPool,
  workers: number,
  features: Features | undefined,
  log: Log,
): Promise<Runtime> {
  let closed = false
  const slots: Slot[] = Array.from({ length: workers }, () => ({ line: undefined, process: undefined, failures: 0 }))

  const start = async (slot: Slot, at: number): Promise<void> => {
    const socket = pool.socketPath(at)
    const process = await pool.start(socket)
    try {
      slot.line = await openFrames(socket, () => {
        slot.line = undefined
      })
    } catch (error) {
      await process.stop()
      throw error
    }
    slot.process = process
    slot.failures = 0
    void process.exited.then(({ reason }) => {
      slot.line?.close()
      slot.process = undefined
      if (closed) return
      log.warn({ reason }, 'the Python process of a model has ended; it is started again')
      void restart(slot, at)
    })
  }
  const restart = async (slot: Slot, at: number): Promise<void> => {
    while (!closed) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** slot.failures)))
      if (closed) return
      try {
        return await start(slot, at)
      } catch (error) {
        slot.failures++
        log.error({ err: error }, 'the Python process of a model does not start')
      }
    }
  }
  try {
    await Promise.all(slots.map(start))
  } catch (error) {
    closed = true
    await Promise.all(slots.map(async (slot) => slot.process?.stop()))
    throw error
  }

  return {
    form: 'python',
    features,
    async predict(ask: Ask, signal?: AbortSignal): Promise<Prediction> {
      // The least busy of those that live.
      let line: FrameLine | undefined
      for (const slot of slots) if (slot.line && (!line || slot.line.waiting < line.waiting)) line = slot.line
      if (!line) throw new DomainError('unavailable', 'the Python process of this model is being started again')
      if (line.waiting >= WAITING_MAX)
        throw new DomainError('too-many', 'too many requests wait for this model', {
          remedy: 'Send fewer at once, or raise serving.workers.',
        })
      const kind = ask.raw?.kind ?? 'dataframe_split'
      const payload = ask.raw?.payload ?? { columns: features!.map((feature) => feature.name), data: ask.rows }
      const answer = await line.ask({ op: 'predict', kind, payload, params: ask.params }, signal)
      const error = answer.error as WorkerError | undefined
      if (error?.kind === 'bad-input')
        throw invalid(error.message, error.field === undefined ? {} : { field: error.field })
      if (error) throw new ModelError(error.message, error.traceback)
      const { predictions } = answer
      if (Array.isArray(predictions) && (ask.raw || predictions.length === ask.rows.length))
        return { outputs: predictions }
      return { outputs: [predictions], raw: predictions }
    },
    memory_bytes: () => slots.reduce((sum, slot) => sum + (slot.process?.memory_bytes() ?? 0), 0),
    async close() {
      closed = true
      await Promise.all(
        slots.map(async (slot) => {
          slot.line?.close()
          await slot.process?.stop()
        }),
      )
    },
  }
}

/** The model itself failed on an input that looked right. */
export class ModelError extends Error {
  readonly traceback: string | undefined

  constructor(message: string, traceback?: string) {
    super(message)
    this.name = 'ModelError'
    this.traceback = traceback
  }
}
