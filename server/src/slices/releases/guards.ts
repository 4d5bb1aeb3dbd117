/** What stops a rollout. Pure: counts since the step began go in, a breach or nothing comes out. */
import { readDuration } from '#kernel/units.ts'
import { type Counts, latencyQuantileFrom } from '#slices/serving'
import type { Guard } from './schema.ts'

/** Requests below which latencies are not judged. */
export const JUDGED_MIN = 100
/** Below some hundreds a twentieth of the range holds too few scores to speak of. */
export const SCORES_MIN = 300

export interface Breach {
  guard: Guard
  words: string
  facts: Record<string, number | string | null>
}

export function breachOf(guards: readonly Guard[], canary: Counts, stable: Counts | undefined): Breach | undefined {
  for (const guard of guards) {
    const breach =
      'errors' in guard
        ? errors(guard, canary)
        : 'latency_p99' in guard
          ? latency(guard, canary)
          : scores(guard, canary, stable)
    if (breach) return breach
  }
  return undefined
}

function errors(guard: Extract<Guard, { errors: unknown }>, canary: Counts): Breach | undefined {
  const failures = canary.errors + canary.over_time
  const share = canary.requests === 0 ? 0 : failures / canary.requests
  if (failures < (guard.at_least ?? 1) || share <= guard.errors) return undefined
  const last = canary.last_error ? `; the last: ${canary.last_error}` : ''
  return {
    guard,
    words: `the canary failed ${failures} of ${canary.requests} requests (${(share * 100).toFixed(2)} %), more than ${(guard.errors * 100).toFixed(2)} %${last}`,
    facts: { failures, requests: canary.requests, share, limit: guard.errors, last_error: canary.last_error },
  }
}

function latency(guard: Extract<Guard, { latency_p99: unknown }>, canary: Counts): Breach | undefined {
  const limit = readDuration(guard.latency_p99)
  // Latencies are counted in buckets a quarter wide: only one that lies over the limit wholly is a breach.
  const p99 = latencyQuantileFrom(canary, 0.99)
  if (canary.requests < JUDGED_MIN || p99 === null || p99 < limit) return undefined
  return {
    guard,
    words: `the canary's p99 is over ${p99.toFixed(1)} ms, the limit is ${limit} ms`,
    facts: { p99, limit, requests: canary.requests },
  }
}

function scores(
  guard: Extract<Guard, { score_psi: unknown }>,
  canary: Counts,
  stable: Counts | undefined,
): Breach | undefined {
  if (!stable) return undefined
  const [mine, theirs] = [canary.scores, stable.scores].map((bins) => bins.reduce((sum, count) => sum + count, 0)) as [
    number,
    number,
  ]
  if (mine < SCORES_MIN || theirs < SCORES_MIN) return undefined
  let psi = 0
  for (let bin = 0; bin < canary.scores.length; bin++) {
    const a = Math.max(canary.scores[bin]! / mine, 1e-4)
    const b = Math.max(stable.scores[bin]! / theirs, 1e-4)
    psi += (a - b) * Math.log(a / b)
  }
  if (psi <= guard.score_psi) return undefined
  return {
    guard,
    words: `the canary's scores are shifted by a PSI of ${psi.toFixed(3)}, more than ${guard.score_psi}`,
    facts: { psi, limit: guard.score_psi, requests: canary.requests },
  }
}
