/** Quality of the rows of a window. Many rows are measured in a thread: sorting them would hold up every request. */
import { Worker } from 'node:worker_threads'
import type { Cell } from '#kernel/analytics/index.ts'
import { binaryMetric, classMetric, type PerformanceMetric, regression } from './performance.ts'

type Task = 'binary' | 'multiclass' | 'regression'

export const MEASURES: Record<Task, readonly string[]> = {
  binary: ['roc_auc', 'log_loss', 'accuracy', 'precision', 'recall', 'f1'],
  multiclass: ['accuracy', 'precision', 'recall', 'f1'],
  regression: ['mae', 'rmse', 'r2'],
}

/** Rows that are measured where they are: some milliseconds. */
const HERE_MAX = 20_000

export interface QualityInput {
  task: Task
  /** 1 and 0, the number of a class, or a value. */
  truths: Float64Array
  /** Scores, the number of the class that was answered, or a value. */
  answers: Float64Array
  /** Score from which the positive label counts as answered. */
  threshold: number
  wanted: readonly string[]
}

export interface QualityFound {
  metrics: Record<string, number | null>
  /** Labels of the positive class; null for tasks without one. */
  positives: number | null
}

/** Rows of truth and answer as columns of numbers; classes are numbered as they come. */
export function columnsOf(task: Task, rows: readonly Cell[][]): Pick<QualityInput, 'truths' | 'answers'> {
  if (task !== 'multiclass') {
    const numbers = (at: number) => Float64Array.from(rows, (row) => row[at] as number)
    return { truths: numbers(0), answers: numbers(1) }
  }
  const classes = new Map<string, number>()
  const numbers = (at: number) =>
    Float64Array.from(rows, (row) => {
      const name = String(row[at])
      const known = classes.get(name) ?? classes.size
      classes.set(name, known)
      return known
    })
  return { truths: numbers(0), answers: numbers(1) }
}

/** Pure; run by the thread. */
export function qualityOf({ task, truths, answers, threshold, wanted }: QualityInput): QualityFound {
  const found = (of: (metric: string) => number | null | undefined) =>
    Object.fromEntries(wanted.map((metric) => [metric, of(metric) ?? null]))
  if (task === 'regression') {
    const all: Record<string, number | null> = { ...regression({ truths, answers }) }
    return { metrics: found((metric) => all[metric]), positives: null }
  }
  if (task === 'multiclass')
    return { metrics: found((metric) => classMetric(metric, truths, answers)), positives: null }
  const said = answers.map((score) => (score >= threshold ? 1 : 0))
  const rows = { labels: truths, scores: answers, answers: said }
  return {
    metrics: found((metric) => binaryMetric(metric as PerformanceMetric, rows)),
    positives: truths.reduce((sum, label) => sum + label, 0),
  }
}

export async function measureQuality(input: QualityInput, here_max = HERE_MAX): Promise<QualityFound> {
  if (input.truths.length <= here_max) return qualityOf(input)
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./quality-thread.ts', import.meta.url), {
      workerData: input,
      transferList: [input.truths.buffer, input.answers.buffer] as ArrayBuffer[],
    })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the thread that measures quality ended with ${code}`)))
  })
}
