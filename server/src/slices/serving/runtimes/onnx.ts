import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { InferenceSession } from 'onnxruntime-node'
import { DomainError } from '#kernel/errors.ts'
import type { Ask } from '../forms.ts'
import type { Cell, Features } from '../signature.ts'
import type { Prediction, Report, Runtime } from './runtime.ts'
import { feedsOf, outputsOf, tensorOf } from './tensors.ts'

/** A model whose single row takes longer than this at warm-up runs in a thread: `run()` holds the thread that calls it. */
const INLINE_MS_MAX = 2
/** Rows that may run inline even on a quick model; more go to the thread. */
const INLINE_ROWS_MAX = 64
const WARM_UP_RUNS = 20
/** Requests that may wait for the thread. */
const WAITING_MAX = 256

/** Loads a compiled model. ONNX Runtime itself is loaded with the first. */
export async function loadOnnx(path: string, report: Report, features: Features): Promise<Runtime> {
  const ort = (await import('onnxruntime-node')).default ?? (await import('onnxruntime-node'))
  const bytes = await readFile(path)
  const feeds = feedsOf(
    report.inputs ?? [],
    features.map((feature) => feature.name),
  )
  const answer = report.answer
  if (!answer) throw new Error('the report does not say which output is the answer')
  const session: InferenceSession = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  })
  const wanted = [answer.output]
  const flat = answer.kind !== 'probabilities'

  const run = async (rows: readonly Cell[][]): Promise<unknown[]> => {
    const inputs: Record<string, InstanceType<typeof ort.Tensor>> = {}
    for (const feed of feeds) inputs[feed.onnx_name] = tensorOf(ort.Tensor as never, feed, rows)
    const result = await session.run(inputs, wanted)
    return outputsOf(result[answer.output]!, rows.length, flat)
  }

  const single_ms = await warmUp(warmRow(features, report), run)
  let thread: OnnxThread | undefined
  const inThread = async (rows: readonly Cell[][], signal: AbortSignal | undefined): Promise<unknown[]> => {
    if (!thread?.alive) thread = startThread(path, report, features)
    return thread.run(rows, signal)
  }
  const inline: Runtime['inline'] = ({ rows }) =>
    single_ms < INLINE_MS_MAX &&
    (rows.length === 1 || (rows.length <= INLINE_ROWS_MAX && single_ms * rows.length < INLINE_MS_MAX * 4))

  return {
    form: 'onnx',
    features,
    inline,
    async predict(ask: Ask, signal?: AbortSignal): Promise<Prediction> {
      return { outputs: await (inline(ask) ? run(ask.rows) : inThread(ask.rows, signal)) }
    },
    async close() {
      await thread?.close()
      await session.release()
    },
  }
}

/** A row that the guards let through. */
function warmRow(features: Features, report: Report): Cell[] {
  return features.map((feature): Cell => {
    const guard = report.inputs?.find(({ name }) => name === feature.name)
    const [known] = guard?.values ?? []
    if (known !== undefined) return known
    if (feature.type === 'boolean') return false
    if (['string', 'datetime', 'binary'].includes(feature.type)) return ''
    return Math.min(Math.max(0, guard?.minimum ?? 0), guard?.maximum ?? 0)
  })
}

/** The median time of one row. A model that refuses it is not quick for sure: it goes to the thread. */
async function warmUp(row: Cell[], run: (rows: Cell[][]) => Promise<unknown[]>): Promise<number> {
  const times: number[] = []
  try {
    for (let at = 0; at < WARM_UP_RUNS; at++) {
      const started = performance.now()
      await run([row])
      times.push(performance.now() - started)
    }
  } catch {
    return Number.POSITIVE_INFINITY
  }
  return times.sort((a, b) => a - b)[WARM_UP_RUNS >> 1]!
}

interface OnnxThread {
  readonly alive: boolean
  run(rows: readonly Cell[][], signal: AbortSignal | undefined): Promise<unknown[]>
  close(): Promise<void>
}

interface ThreadAnswer {
  id: number
  outputs?: unknown[]
  error?: string
  problem?: ReturnType<DomainError['toJSON']>
}

function startThread(path: string, report: Report, features: Features): OnnxThread {
  const worker = new Worker(new URL('./onnx-thread.ts', import.meta.url), { workerData: { path, report, features } })
  worker.unref()
  const waiting = new Map<number, { resolve(outputs: unknown[]): void; reject(error: unknown): void }>()
  let last = 0
  let gone: Error | undefined
  worker.on('message', ({ id, outputs, error, problem }: ThreadAnswer) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (outputs) one?.resolve(outputs)
    else one?.reject(problem ? DomainError.fromJSON(problem) : new Error(error))
  })
  const end = (error: Error) => {
    gone ??= error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', end)
  worker.on('exit', () => end(new DomainError('unavailable', 'the thread that runs this model has ended')))
  return {
    get alive() {
      return gone === undefined
    },
    run: (rows, signal) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone)
        if (signal?.aborted) return reject(signal.reason)
        // What was given up stays here until the thread is done with it: that is what bounds its queue.
        if (waiting.size >= WAITING_MAX)
          return reject(
            new DomainError('too-many', 'too many requests wait for this model', { remedy: 'Send fewer at once.' }),
          )
        const id = ++last
        const stop = () => reject(signal?.reason)
        signal?.addEventListener('abort', stop, { once: true })
        const settled = () => signal?.removeEventListener('abort', stop)
        waiting.set(id, {
          resolve: (outputs) => {
            settled()
            resolve(outputs)
          },
          reject: (error) => {
            settled()
            reject(error)
          },
        })
        worker.postMessage({ id, rows })
      }),
    close: async () => void (await worker.terminate()),
  }
}
