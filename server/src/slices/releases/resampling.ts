/** The arithmetic of the paired bootstrap. Pure; run by the thread. */
import { seededRandom } from '#kernel/random.ts'
import { binaryMetric, classMetric, orderByScore, type PerformanceMetric, regression } from '#slices/monitoring'
import type { BootstrapInput, BootstrapOutput, Side } from './bootstrap.ts'
import type { Estimate } from './gate-rules.ts'

/** Measures one side under a weighting of the rows; null where the metric is not defined. */
type Measure = (side: Side, metric: string, weights?: Float64Array) => number | null

export function resample(input: BootstrapInput): BootstrapOutput {
  const { truths, candidate, champion, asked, blocks } = input
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
  const drawn_blocks = new Float64Array(blocks ? blocks.reduce((most, block) => Math.max(most, block), -1) + 1 : 0)
  for (let at = 0; at < input.resamples; at++) {
    if (blocks) {
      for (let block = 0; block < drawn_blocks.length; block++) drawn_blocks[block] = poisson(random.next())
      for (let row = 0; row < weights.length; row++) weights[row] = drawn_blocks[blocks[row]!]!
    } else for (let row = 0; row < weights.length; row++) weights[row] = poisson(random.next())
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
