import type { Log } from '#kernel/log.ts'
import { createPulse, type Pulse } from '#kernel/pulse.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import type { SealMetrics } from './seal.ts'
import { type Due, takeDue, takeEnded } from './unsealed.ts'

/** How often what is due is looked at. */
const EVERY_MS = 500
/** One transaction seals for so long; what else wants to write waits no longer than about that. */
const BUDGET_MS = 4
/** Between two of them, for each millisecond that the first took: sealing takes a fifth of the writer at most. */
const REST_FACTOR = 4
const REST_MS_MIN = 10
const AT_ONCE = 64
/** Runs or series looked at by one question of the sweep, and the pause after it. */
const SWEPT_AT_ONCE = 200
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
  /** Where the sweep is; undefined once it is through. Runs with batches come first, then series. */
  let runs_swept: number | undefined = -1
  let series_swept: Integer | undefined = -1
  let stopping = false

  const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())

  const seal = async (due: Due): Promise<boolean> => {
    const { more } = await store.command<Sealed>('tracking.sealMetrics', {
      due,
      ended: takeEnded(),
      budget_ms: BUDGET_MS,
    } satisfies SealMetrics)
    return more
  }

  const sweepRuns = async (after: number): Promise<{ runs: number[]; next?: number }> =>
    await store.query('tracking.batchedRuns', { after, limit: SWEPT_AT_ONCE })
  const sweepSeries = async (after: Integer): Promise<{ due: Integer[]; next?: Integer }> =>
    await store.query('tracking.unsealedSeries', { after, limit: SWEPT_AT_ONCE })

  const sweep = async (): Promise<Due> => {
    if (runs_swept !== undefined) {
      const { runs, next } = await sweepRuns(runs_swept)
      runs_swept = next
      return { runs, series: [] }
    }
    if (series_swept === undefined) return { runs: [], series: [] }
    const { due, next } = await sweepSeries(series_swept)
    series_swept = next
    return { runs: [], series: due }
  }

  const beat = async (): Promise<boolean> => {
    const began = performance.now()
    const found = await sweep()
    // On SQLite the writer's thread knows what commands logged; what callbacks logged is known here.
    const known = takeDue(AT_ONCE)
    const more = await seal({ runs: [...found.runs, ...known.runs], series: [...found.series, ...known.series] })
    if (stopping || (!more && series_swept === undefined)) return false
    await rest(more ? Math.max(REST_MS_MIN, REST_FACTOR * (performance.now() - began)) : SWEEP_REST_MS)
    return !stopping
  }

  const pulse: Pulse = createPulse({ name: 'metric sealer', every_ms: EVERY_MS, beat, log })

  const sealWhile = async (due: Due) => {
    for (let more = await seal(due); more; more = await seal({ runs: [], series: [] }));
  }

  return {
    start: () => pulse.start(),
    async stop() {
      stopping = true
      await pulse.stop()
    },
    async sealAll() {
      await pulse.rest()
      for (let after: number | undefined = -1; after !== undefined; ) {
        const { runs, next }: { runs: number[]; next?: number } = await sweepRuns(after)
        await sealWhile({ runs, series: [] })
        after = next
      }
      for (let after: Integer | undefined = -1; after !== undefined; ) {
        const { due, next }: { due: Integer[]; next?: Integer } = await sweepSeries(after)
        await sealWhile({ runs: [], series: due })
        after = next
      }
    },
  }
}
