/** A count as it stood at a moment, and how fast it rose until then. */
export interface Look {
  requests: number
  at_ms: number
  rate: number
}

/** Two looks closer than this say little of a rate. */
const APART_MS_MIN = 1_000

/** The next look: per second since the last one, nothing when nothing came or the count began anew. The same look while too close. */
export function lookAgain(seen: Look, requests: number, at_ms: number): Look {
  const apart_ms = at_ms - seen.at_ms
  if (apart_ms < APART_MS_MIN) return seen
  return { requests, at_ms, rate: Math.max(0, ((requests - seen.requests) * 1000) / apart_ms) }
}
