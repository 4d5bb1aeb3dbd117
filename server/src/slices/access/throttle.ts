import type { Clock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'

/** Wrong passwords that one name, and one address, may send in a window before it has to wait. */
const FAILURES_MAX = { name: 5, address: 20 } as const
const WINDOW_MS = 15 * 60_000
const KEYS_MAX = 10_000

export interface Throttle {
  /**
   * Counts a try before its password is looked at, so that many at once are counted too. Throws too-many while the name or
   * the address has to wait.
   */
  attempt(name: string, address: string): void
  /** The password was right: the try is forgotten, and the name's wrong ones with it. */
  succeeded(name: string, address: string): void
}

/**
 * Slows down guessing of passwords. In memory: a restart forgives, and that is bounded by what a start costs; with
 * several `api` processes each counts for itself.
 */
export function createThrottle(clock: Clock): Throttle {
  const tries = new Map<string, { count: number; since_ms: number }>()
  const current = (key: string) => {
    const entry = tries.get(key)
    return entry && clock.now() - entry.since_ms < WINDOW_MS ? entry : { count: 0, since_ms: clock.now() }
  }
  const put = (key: string, entry: { count: number; since_ms: number }) => {
    tries.delete(key)
    if (entry.count > 0) tries.set(key, entry)
    if (tries.size > KEYS_MAX) tries.delete(tries.keys().next().value!)
  }
  return {
    attempt(name, address) {
      for (const [kind, key] of keysOf(name, address)) {
        const entry = current(key)
        if (entry.count >= FAILURES_MAX[kind]) {
          const wait_s = Math.ceil((entry.since_ms + WINDOW_MS - clock.now()) / 1000)
          throw new DomainError('too-many', `too many wrong passwords for this ${kind}`, {
            remedy: `Wait ${wait_s} seconds, or ask an admin for a new link.`,
            facts: { wait_s },
          })
        }
      }
      for (const [, key] of keysOf(name, address)) put(key, { ...current(key), count: current(key).count + 1 })
    },
    succeeded(name, address) {
      tries.delete(`n:${name}`)
      const entry = current(`a:${address}`)
      put(`a:${address}`, { ...entry, count: entry.count - 1 })
    },
  }
}

/** Loopback is this machine or a proxy on it: everybody behind one address, which says nothing about who guesses. */
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/

const keysOf = (name: string, address: string): ['name' | 'address', string][] => [
  ['name', `n:${name}`],
  ...(LOOPBACK.test(address) ? [] : [['address', `a:${address}`] as ['address', string]]),
]
