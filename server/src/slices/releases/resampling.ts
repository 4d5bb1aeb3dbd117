/** The arithmetic of the paired bootstrap. Pure; run by the thread. */
import { seededRandom } from '#kernel/random.ts'
import { binaryMetric, orderByScore, type PerformanceMetric, regression } from '#slices/monitoring'
import type { BootstrapInput, BootstrapOutput, Side } from './bootstrap.ts'
import type { Estimate } from './gate-rules.ts'

/** Measures one side under a weighting of the rows; null where the metric is not defined. */
type Measure = (side: Side, metric: string, weights?: Float64Array) => number | null

export function resample(input: BootstrapInput): BootstrapOutput {
  const { truths, candidate, champion, asked } = input
  const random = seededRandom(input.seed)
  const measure = measureOf(input)
  const metrics = [...new Set(asked.map(({ metric }) => metric))]
  const draws = new Map(
    metrics.map((metric) => [
      metric,
      { candidate: [] as number[], champion: [] as number[], difference: [] as number[] },
    ]),
  )
  const weights = new Float64Array(truths.length)
  for (let at = 0; at < input.resamples; at++) {
    for (let row = 0; row < weights.length; row++) weights[row] = poisson(random.next())
    for (const [metric, drawn] of draws) {
      const mine = measure(candidate, metric, weights)
      const theirs = champion ? measure(champion, metric, weights) : null
      if (mine !== null) drawn.candidate.push(mine)
      if (theirs !== null) drawn.champion.push(theirs)
      if (mine !== null && theirs !== null) drawn.difference.push(mine - theirs)
    }
  }
  return Object.fromEntries(
    asked.map(({ metric, confidence, name }) => {
      const drawn = draws.get(metric)!
      const mine = measure(candidate, metric)
      const theirs = champion ? measure(champion, metric) : null
      const difference = mine !== null && theirs !== null ? mine - theirs : null
      return [
        name,
        {
          candidate: estimate(mine, drawn.candidate, confidence),
          champion: estimate(theirs, drawn.champion, confidence),
          difference: estimate(difference, drawn.difference, confidence),
        },
      ]
    }),
  )
}

function measureOf({ kind, truths, candidate, champion }: BootstrapInput): Measure {
  if (kind === 'regression')
    return (side, metric, weights) => {
      const found = regression({ truths, answers: side.scores }, weights)
      const value = found?.[metric as keyof typeof found] ?? null
      return value !== null && Number.isFinite(value) ? value : null
    }
  if (kind === 'multiclass') return (side, metric, weights) => classMetric(metric, truths, side.answers, weights)
  // Sorting once serves every weighting.
  const orders = new Map([candidate, ...(champion ? [champion] : [])].map((side) => [side, orderByScore(side.scores)]))
  return (side, metric, weights) =>
    binaryMetric(metric as PerformanceMetric, { labels: truths, ...side }, weights, orders.get(side))
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

/** The measured value with the percentile interval of its resamples. */
function estimate(value: number | null, draws: readonly number[], confidence: number): Estimate | null {
  if (value === null || draws.length === 0) return null
  const sorted = Float64Array.from(draws).sort()
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))]!
  const tail = (1 - confidence) / 2
  return { value, low: at(tail), high: at(1 - tail), confidence }
}

/** Poisson(1) by inversion: how often a row is drawn into a large resample. */
function poisson(u: number): number {
  let k = 0
  let p = Math.exp(-1)
  let sum = p
  while (u > sum && k < 20) {
    k++
    p /= k
    sum += p
  }
  return k
}
