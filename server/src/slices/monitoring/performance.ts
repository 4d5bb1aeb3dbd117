/**
 * Measures of quality, equal to scikit-learn's. Every function takes an optional weight per row, so that a bootstrap resample is a
 * vector of counts over rows that are sorted once. Null: not defined on these rows (one class only, no row).
 */

export interface BinaryRows {
  /** 1 for the positive class, 0 otherwise. */
  labels: Float64Array
  /** Score of the positive class; for log loss a probability. */
  scores: Float64Array
  /** 1 where the positive label was answered. */
  answers: Float64Array
}

export interface RegressionRows {
  truths: Float64Array
  answers: Float64Array
}

/** Places of rows by falling score: sorting once serves any number of weightings. */
export function orderByScore(scores: Float64Array): Uint32Array {
  const order = new Uint32Array(scores.length)
  for (let at = 0; at < order.length; at++) order[at] = at
  return order.sort((a, b) => scores[b]! - scores[a]!)
}

/** Area under the ROC curve; ties count one half (sklearn.metrics.roc_auc_score). */
export function rocAuc(
  { labels, scores }: Pick<BinaryRows, 'labels' | 'scores'>,
  weights?: Float64Array,
  order: Uint32Array = orderByScore(scores),
): number | null {
  let positives = 0
  let negatives = 0
  let area = 0
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at]!]!
    let p = 0
    let n = 0
    for (; at < order.length && scores[order[at]!]! === score; at++) {
      const row = order[at]!
      const weight = weights ? weights[row]! : 1
      if (labels[row] === 1) p += weight
      else n += weight
    }
    // Positives seen before win against these negatives; those of the same score half.
    area += n * (positives + p / 2)
    positives += p
    negatives += n
  }
  return positives === 0 || negatives === 0 ? null : area / (positives * negatives)
}

/** sklearn.metrics.log_loss: probabilities are clipped at the eps of float64. Undefined on one class only and for scores outside 0..1, as there. */
export function logLoss(
  { labels, scores }: Pick<BinaryRows, 'labels' | 'scores'>,
  weights?: Float64Array,
): number | null {
  let total = 0
  let sum = 0
  let positives = 0
  for (let row = 0; row < labels.length; row++) {
    const weight = weights ? weights[row]! : 1
    if (weight === 0) continue
    if (!(scores[row]! >= 0 && scores[row]! <= 1)) return null
    const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, scores[row]!))
    sum -= weight * (labels[row] === 1 ? Math.log(p) : Math.log(1 - p))
    total += weight
    positives += weight * labels[row]!
  }
  return total === 0 || positives === 0 || positives === total ? null : sum / total
}

export interface Confusion {
  tp: number
  fp: number
  fn: number
  tn: number
}

export function confusion(
  { labels, answers }: Pick<BinaryRows, 'labels' | 'answers'>,
  weights?: Float64Array,
): Confusion {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 }
  for (let row = 0; row < labels.length; row++) {
    const weight = weights ? weights[row]! : 1
    if (labels[row] === 1) {
      if (answers[row] === 1) counts.tp += weight
      else counts.fn += weight
    } else if (answers[row] === 1) counts.fp += weight
    else counts.tn += weight
  }
  return counts
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

export const accuracyOf = ({ tp, fp, fn, tn }: Confusion): number | null =>
  tp + fp + fn + tn === 0 ? null : (tp + tn) / (tp + fp + fn + tn)
/** 0 where nothing was answered positive, as scikit-learn says. */
export const precisionOf = ({ tp, fp }: Confusion): number => ratio(tp, tp + fp)
/** 0 where nothing is positive, as scikit-learn says. */
export const recallOf = ({ tp, fn }: Confusion): number => ratio(tp, tp + fn)
export const f1Of = ({ tp, fp, fn }: Confusion): number => ratio(2 * tp, 2 * tp + fp + fn)

/** R2 against the mean of the sample; on equal truths 1 when all answers are right, else 0; null below two rows: as in scikit-learn. */
export function regression(
  { truths, answers }: RegressionRows,
  weights?: Float64Array,
): { mae: number; rmse: number; r2: number | null } | null {
  let total = 0
  let mean = 0
  for (let row = 0; row < truths.length; row++) {
    const weight = weights ? weights[row]! : 1
    total += weight
    mean += weight * truths[row]!
  }
  if (total === 0) return null
  mean /= total
  let absolute = 0
  let squares = 0
  let spread = 0
  for (let row = 0; row < truths.length; row++) {
    const weight = weights ? weights[row]! : 1
    const error = truths[row]! - answers[row]!
    absolute += weight * Math.abs(error)
    squares += weight * error * error
    spread += weight * (truths[row]! - mean) ** 2
  }
  const r2 = truths.length < 2 ? null : spread === 0 ? (squares === 0 ? 1 : 0) : 1 - squares / spread
  return { mae: absolute / total, rmse: Math.sqrt(squares / total), r2 }
}

/** Accuracy, or the mean over all classes that are true or answered anywhere (average='macro'); classes are numbers from 0. */
export function classMetric(
  metric: string,
  truths: Float64Array,
  answers: Float64Array,
  weights?: Float64Array,
): number | null {
  const classes: { right: number; truth: number; answered: number }[] = []
  const of = (name: number) => (classes[name] ??= { right: 0, truth: 0, answered: 0 })
  let total = 0
  let right = 0
  for (let row = 0; row < truths.length; row++) {
    const weight = weights ? weights[row]! : 1
    if (weight === 0) continue
    total += weight
    of(truths[row]!).truth += weight
    of(answers[row]!).answered += weight
    if (truths[row] !== answers[row]) continue
    right += weight
    of(truths[row]!).right += weight
  }
  if (total === 0) return null
  if (metric === 'accuracy') return right / total
  const seen = classes.filter((one) => one !== undefined)
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  const one = (counts: { right: number; truth: number; answered: number }) =>
    metric === 'precision'
      ? share(counts.right, counts.answered)
      : metric === 'recall'
        ? share(counts.right, counts.truth)
        : share(2 * counts.right, counts.truth + counts.answered)
  return seen.reduce((sum, counts) => sum + one(counts), 0) / seen.length
}

export type PerformanceMetric = 'roc_auc' | 'log_loss' | 'accuracy' | 'precision' | 'recall' | 'f1'

/** One measure over binary rows. */
export function binaryMetric(
  metric: PerformanceMetric,
  rows: BinaryRows,
  weights?: Float64Array,
  order?: Uint32Array,
): number | null {
  switch (metric) {
    case 'roc_auc':
      return rocAuc(rows, weights, order)
    case 'log_loss':
      return logLoss(rows, weights)
    case 'accuracy':
      return accuracyOf(confusion(rows, weights))
    case 'precision':
      return precisionOf(confusion(rows, weights))
    case 'recall':
      return recallOf(confusion(rows, weights))
    case 'f1':
      return f1Of(confusion(rows, weights))
  }
}

/** Where less is better. */
export const LESS_IS_BETTER: ReadonlySet<string> = new Set(['log_loss', 'mae', 'rmse', 'error_rate', 'latency_p99'])
