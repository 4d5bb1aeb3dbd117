import { parentPort, workerData } from 'node:worker_threads'
import { seededRandom } from '#kernel/random.ts'
import { binaryMetric, orderByScore, type PerformanceMetric, regression } from '#slices/monitoring'
import type { BootstrapInput, BootstrapOutput } from './bootstrap.ts'
import type { Estimate } from './gate-rules.ts'

parentPort!.postMessage(measure(workerData as BootstrapInput))

function measure(input: BootstrapInput): BootstrapOutput {
  const { truths, candidate, champion, metrics } = input
  const random = seededRandom(input.seed)
  const one = (
    side: { scores: Float64Array; answers: Float64Array },
    order: Uint32Array | undefined,
    metric: string,
    weights?: Float64Array,
  ): number | null => {
    if (input.kind === 'regression') {
      const found = regression({ truths, answers: side.scores }, weights)
      return found?.[metric as keyof typeof found] ?? null
    }
    return binaryMetric(
      metric as PerformanceMetric,
      { labels: truths, scores: side.scores, answers: side.answers },
      weights,
      order,
    )
  }
  const orders = {
    candidate: input.kind === 'binary' ? orderByScore(candidate.scores) : undefined,
    champion: champion && input.kind === 'binary' ? orderByScore(champion.scores) : undefined,
  }
  const draws = Object.fromEntries(
    metrics.map((metric) => [
      metric,
      { candidate: [] as number[], champion: [] as number[], difference: [] as number[] },
    ]),
  )
  const weights = new Float64Array(truths.length)
  for (let at = 0; at < input.resamples; at++) {
    for (let row = 0; row < weights.length; row++) weights[row] = poisson(random.next())
    for (const metric of metrics) {
      const drawn = draws[metric]!
      const mine = one(candidate, orders.candidate, metric, weights)
      const theirs = champion ? one(champion, orders.champion, metric, weights) : null
      if (mine !== null) drawn.candidate.push(mine)
      if (theirs !== null) drawn.champion.push(theirs)
      if (mine !== null && theirs !== null) drawn.difference.push(mine - theirs)
    }
  }
  return Object.fromEntries(
    metrics.map((metric) => {
      const mine = one(candidate, orders.candidate, metric)
      const theirs = champion ? one(champion, orders.champion, metric) : null
      const drawn = draws[metric]!
      return [
        metric,
        {
          candidate: estimate(mine, drawn.candidate, input.confidence),
          champion: estimate(theirs, drawn.champion, input.confidence),
          difference: estimate(
            mine !== null && theirs !== null ? mine - theirs : null,
            drawn.difference,
            input.confidence,
          ),
        },
      ]
    }),
  )
}

/** The measured value with the percentile interval of its resamples. */
function estimate(value: number | null, draws: number[], confidence: number): Estimate | null {
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
