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

  const single_ms = await warmUp(features, run)
  let thread: OnnxThread | undefined
  const inThread = async (rows: readonly Cell[][]): Promise<unknown[]> => {
    thread ??= startThread(path, report, features)
    return thread.run(rows)
  }

  return {
    form: 'onnx',
    features,
    async predict(ask: Ask): Promise<Prediction> {
      const inline =
        single_ms < INLINE_MS_MAX &&
        (ask.rows.length === 1 ||
          (ask.rows.length <= INLINE_ROWS_MAX && single_ms * ask.rows.length < INLINE_MS_MAX * 4))
      return { outputs: await (inline ? run(ask.rows) : inThread(ask.rows)) }
    },
    memory_bytes: () => undefined,
    async close() {
      await thread?.close()
      await session.release()
    },
  }
}

/** Runs a row of plain values and answers the median time of one. A model that refuses them is not quick for sure: it goes to the thread. */
async function warmUp(features: Features, run: (rows: Cell[][]) => Promise<unknown[]>): Promise<number> {
  const row = features.map(
    (feature): Cell =>
      ['string', 'datetime', 'binary'].includes(feature.type) ? '' : feature.type === 'boolean' ? false : 0,
  )
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
  run(rows: readonly Cell[][]): Promise<unknown[]>
  close(): Promise<void>
}

function startThread(path: string, report: Report, features: Features): OnnxThread {
  const worker = new Worker(new URL('./onnx-thread.ts', import.meta.url), { workerData: { path, report, features } })
  worker.unref()
  const waiting = new Map<number, { resolve(outputs: unknown[]): void; reject(error: unknown): void }>()
  let last = 0
  let gone: Error | undefined
  worker.on('message', ({ id, outputs, error }: { id: number; outputs?: unknown[]; error?: string }) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(outputs!)
    else one?.reject(new Error(error))
  })
  const end = (error: Error) => {
    gone = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', end)
  worker.on('exit', () => end(new DomainError('unavailable', 'the thread that runs this model has ended')))
  return {
    run: (rows) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone)
        const id = ++last
        waiting.set(id, { resolve, reject })
        worker.postMessage({ id, rows })
      }),
    close: async () => void (await worker.terminate()),
  }
}
