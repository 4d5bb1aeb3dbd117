import { expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { countLatency, countScore, countsBetween, latencyQuantile, newCounts } from './counters.ts'

test('a quantile is the upper bound of its bucket: never below the truth, at most a quarter above', () => {
  const { next } = seededRandom(2)
  const counts = newCounts()
  const times = Array.from({ length: 5000 }, () => 60 * 10 ** (next() * 4))
  for (const time of times) countLatency(counts, time)
  times.sort((a, b) => a - b)
  for (const quantile of [0.01, 0.5, 0.9, 0.99]) {
    const truth = times[Math.ceil(quantile * times.length) - 1]! / 1000
    const told = latencyQuantile(counts, quantile)!
    expect(told).toBeGreaterThanOrEqual(truth * 0.999)
    expect(told).toBeLessThanOrEqual(truth * 1.251)
  }
  expect(latencyQuantile(newCounts(), 0.5)).toBeNull()
})

test('extremes have buckets, scores outside [0, 1] have none', () => {
  const counts = newCounts()
  for (const time of [0, 50, 51, 1e12]) countLatency(counts, time)
  expect(counts.latency.reduce((sum, count) => sum + count, 0)).toBe(4)
  for (const score of [0, 0.05, 1, -0.1, 1.1, null]) countScore(counts, score)
  expect([counts.scores[0], counts.scores[1], counts.scores[19]]).toEqual([1, 1, 1])
})

test('what happened between two looks, also over a restart', () => {
  const counts = newCounts()
  counts.requests = 5
  const from = structuredClone(counts)
  counts.requests = 9
  counts.errors = 2
  countLatency(counts, 100)
  expect(countsBetween(from, counts)).toMatchObject({ requests: 4, errors: 2 })
  expect(countsBetween(counts, newCounts())).toEqual(newCounts())
  expect(countsBetween(undefined, counts)).toBe(counts)
})
