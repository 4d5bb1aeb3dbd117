/** Wall time, epoch milliseconds UTC. Event time never comes from here: it comes with the data. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** A clock that stands still until it is moved; for tests and seeded replays. */
export function manualClock(
  start_ms = Date.UTC(2026, 0, 1),
): Clock & { advance(ms: number): void; set(ms: number): void } {
  let at = start_ms
  return {
    now: () => at,
    advance(ms) {
      at += ms
    },
    set(ms) {
      at = ms
    },
  }
}
