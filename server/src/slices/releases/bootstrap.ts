/**
 * Paired bootstrap (Efron 1979; Poisson weights as in Hanley and MacGibbon 2006): the same resample measures candidate and champion,
 * so that the interval of their difference is not blurred by which rows were easy. Blocks of time are drawn, not rows, where rows depend on each other (cluster bootstrap). Runs in a thread: a thousand resamples of 20,000
 * rows are a second of work.
 */
import { Worker } from 'node:worker_threads'
import type { Estimate } from './gate-rules.ts'

/** What a model said of each row: `scores` for ranking measures and regression, `answers` for measures of classes. */
export interface Side {
  scores: Float64Array
  answers: Float64Array
}

export interface BootstrapInput {
  kind: 'binary' | 'multiclass' | 'regression'
  /** A metric, the confidence of its interval, and the name under which it is answered. */
  asked: { metric: string; confidence: number; name: string }[]
  /** Labels (1 for the positive class; the number of a class) or true values. */
  truths: Float64Array
  candidate: Side
  champion: Side | null
  /** The block of each row, from 0: rows of one block are drawn together. Null: each row by itself. */
  blocks: Uint32Array | null
  resamples: number
  /** Seeds the resampling: the same release gives the same interval. */
  seed: number
}

export type BootstrapOutput = Record<
  string,
  { candidate: Estimate | null; champion: Estimate | null; difference: Estimate | null }
>

export function bootstrap(input: BootstrapInput, signal?: AbortSignal): Promise<BootstrapOutput> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const worker = new Worker(new URL('./bootstrap-thread.ts', import.meta.url), { workerData: input })
    const stop = () => void worker.terminate()
    signal?.addEventListener('abort', stop, { once: true })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', stop)
      reject(signal?.aborted ? signal.reason : new Error(`the bootstrap thread ended with ${code}`))
    })
  })
}
