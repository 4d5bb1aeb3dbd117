import type { Log } from '#kernel/log.ts'
import { createPulse, type Pulse } from '#kernel/pulse.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import type { SealMetrics } from './seal.ts'
import { takeDue, takeEnded } from './unsealed.ts'

/** How often what is due is looked at. */
const EVERY_MS = 500
/** One transaction seals for so long; what else wants to write waits no longer than about that. */
const BUDGET_MS = 4
/** Between two of them, for each millisecond that the first took: sealing takes a fifth of the writer at most. */
const REST_FACTOR = 4
const REST_MS_MIN = 10
const SERIES_AT_ONCE = 64
/** Series looked at by one question of the sweep, and the pause after it. */
const SWEEP_SERIES = 200
const SWEEP_REST_MS = 50

export interface Sealer {
  start(): void
  /** Resolves when nothing runs any more. What is not sealed is found at the next start. */
  stop(): Promise<void>
  /** Seals all that is due now, and what a whole sweep finds: for tests, and before a copy is made. */
  sealAll(): Promise<void>
}

interface Sealed {
  more: boolean
  sealed: number
}

/**
 * Turns the points that were logged into sealed blocks while the writer has time. What is due is known in memory; at the start a
 * sweep over the series finds what an earlier process left.
 */
export function createSealer({ store, log }: { store: Pick<Store, 'command' | 'query'>; log: Log }): Sealer {
  let swept: Integer | undefined = Number.MIN_SAFE_INTEGER
  let stopping = false

  const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())

  /** Series known here: on SQLite those that callbacks wrote, while the writer's thread knows those of commands. */
  const seal = async (due: readonly Integer[]): Promise<boolean> => {
    const { more } = await store.command<Sealed>('tracking.sealMetrics', {
      due,
      ended: takeEnded(),
      budget_ms: BUDGET_MS,
    } satisfies SealMetrics)
    return more
  }

  const sweep = async (): Promise<readonly Integer[]> => {
    if (swept === undefined) return []
    const { due, next } = await store.query<{ due: Integer[]; next?: Integer }>('tracking.unsealedSeries', {
      after: swept,
      limit: SWEEP_SERIES,
    })
    swept = next
    return due
  }

  const beat = async (): Promise<boolean> => {
    const began = performance.now()
    const found = await sweep()
    const more = await seal([...found, ...takeDue(SERIES_AT_ONCE)])
    if (stopping || (!more && swept === undefined)) return false
    await rest(more ? Math.max(REST_MS_MIN, REST_FACTOR * (performance.now() - began)) : SWEEP_REST_MS)
    return !stopping
  }

  const pulse: Pulse = createPulse({ name: 'metric sealer', every_ms: EVERY_MS, beat, log })

  return {
    start: () => pulse.start(),
    async stop() {
      stopping = true
      await pulse.stop()
    },
    async sealAll() {
      await pulse.rest()
      let after: Integer | undefined = Number.MIN_SAFE_INTEGER
      while (after !== undefined) {
        const { due, next }: { due: Integer[]; next?: Integer } = await store.query('tracking.unsealedSeries', {
          after,
          limit: SWEEP_SERIES,
        })
        for (let more = await seal(due); more; more = await seal([]));
        after = next
      }
    },
  }
}
