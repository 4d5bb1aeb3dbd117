/** What a node counts of each revision since it loaded it: cheap enough for every request, enough for a guard to judge by. */

/** Upper bounds of latency buckets in microseconds: a factor of 1.25 from 50 µs to about 70 s. */
export const LATENCY_BOUNDS_US: readonly number[] = Array.from({ length: 64 }, (_, at) => 50 * 1.25 ** at)
const SCORE_BINS = 20

export interface Counts {
  /** Requests that the router sent here. */
  requests: number
  /** Of these, those that this revision did not answer: an error of the model. */
  errors: number
  /** Of these, those over the canary's time. */
  over_time: number
  /** Requests of others that this revision answered in their place. */
  stood_in: number
  latency: number[]
  /** Scores in [0, 1] by twentieths; others are not counted. */
  scores: number[]
  last_error: string | null
}

export interface RevisionStats extends Counts {
  latency_p50_ms: number | null
  latency_p99_ms: number | null
  /** Wall time since which it counts; a restart begins anew. */
  since_ms: number
}

export const newCounts = (): Counts => ({
  requests: 0,
  errors: 0,
  over_time: 0,
  stood_in: 0,
  latency: new Array(LATENCY_BOUNDS_US.length + 1).fill(0),
  scores: new Array(SCORE_BINS).fill(0),
  last_error: null,
})

export function countLatency(counts: Counts, latency_us: number): void {
  const bucket =
    latency_us <= 50 ? 0 : Math.min(LATENCY_BOUNDS_US.length, Math.ceil(Math.log(latency_us / 50) / Math.log(1.25)))
  counts.latency[bucket]!++
}

export function countScore(counts: Counts, score: number | null): void {
  if (score !== null && score >= 0 && score <= 1)
    counts.scores[Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS))]!++
}

/** What happened between two looks. */
export function countsBetween(from: Counts | undefined, to: Counts): Counts {
  if (!from || from.requests > to.requests) return to
  const less = (a: number[], b: number[]) => a.map((value, at) => value - b[at]!)
  return {
    requests: to.requests - from.requests,
    errors: to.errors - from.errors,
    over_time: to.over_time - from.over_time,
    stood_in: to.stood_in - from.stood_in,
    latency: less(to.latency, from.latency),
    scores: less(to.scores, from.scores),
    last_error: to.last_error,
  }
}

/** Upper bound of the bucket that holds the quantile, in ms; null without requests. */
export function latencyQuantile(counts: Counts, quantile: number): number | null {
  const at = bucketOf(counts, quantile)
  return at === null ? null : LATENCY_BOUNDS_US[Math.min(at, LATENCY_BOUNDS_US.length - 1)]! / 1000
}

/** Its lower bound: the quantile is certainly not less. */
export function latencyQuantileFrom(counts: Counts, quantile: number): number | null {
  const at = bucketOf(counts, quantile)
  return at === null ? null : (LATENCY_BOUNDS_US[at - 1] ?? 0) / 1000
}

function bucketOf(counts: Counts, quantile: number): number | null {
  const total = counts.latency.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let left = quantile * total
  for (let at = 0; at < counts.latency.length; at++) {
    left -= counts.latency[at]!
    if (left <= 0) return at
  }
  return counts.latency.length - 1
}
