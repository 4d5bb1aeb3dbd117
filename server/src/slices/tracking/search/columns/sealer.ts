import type { Log } from '#kernel/log.ts'
import type { Store } from '#kernel/store/index.ts'
import type { LooseRuns, PackedSegment } from './seal.ts'

const LOOK_MS = 1_000
/** How often runs with many keys and worn segments are looked for. */
const LOOK_CLOSER_MS = 20_000

/** Loose runs of an experiment that are sealed together, and how many of them at once. */
const SEAL_RUNS_MIN = 256
const SEAL_RUNS_MAX = 2_048
/** Metrics, params and tags in one segment; on PostgreSQL they are read in the thread that listens. */
const CELLS_MAX = 256_000
const CELLS_MAX_HERE = 64_000
/** So many make a few runs worth sealing. */
const CELLS_MIN = 50_000
const EXPERIMENTS_MAX = 200
/** How long an experiment whose loose runs are as many as before is not counted through again. */
const COUNTED_MS = 5 * 60_000

/** How long an experiment rests whose runs change faster than they are sealed. */
const RESTLESS_MS = 60_000

const DEAD_SHARE_MAX = 1 / 8
/** Longest that a segment stays open: then its runs are loose again. */
const OPEN_MS_MAX = 10 * 60_000
/** How often those who began to write before a segment was opened are asked for, and how many times. */
const WRITERS_MS = 20
const WRITERS_TIMES = 1_500

export interface RunSealer {
  start(): void
  stop(): Promise<void>
  /** Seals all that is worth it, down to experiments with so few loose runs. */
  sealAll(runs_min?: number): Promise<void>
}

/** Seals loose runs when there are many: filters and orders then look at columns in memory. */
export function createRunSealer({ store, now, log }: { store: Store; now: () => number; log: Log }): RunSealer {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let newest = -1
  let closer_ms = 0
  /** Loose runs of an experiment when its cells were last found to be few, and when that was. */
  const restless = new Map<number, number>()
  const counted = new Map<number, { runs: number; at_ms: number }>()

  /**
   * PostgreSQL: whoever began before the segment was opened may have asked whether the run is loose, and not yet
   * committed what it wrote. Resolves false when such a one does not end.
   */
  const writersAreDone = async (): Promise<boolean> => {
    if (!store.can.manyWriters) return true
    const asked = await store.read((sql) =>
      sql.get<{ at: number }>('SELECT CAST(extract(epoch FROM clock_timestamp()) AS REAL) AS at'),
    )
    for (let times = 0; times < WRITERS_TIMES && !stopped; times++) {
      const older = await store.read((sql) =>
        sql.get<{ n: number }>(
          `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND backend_type = 'client backend' AND extract(epoch FROM xact_start) <= CAST(? AS REAL)`,
          [asked!.at],
        ),
      )
      if (Number(older!.n) === 0) return true
      await new Promise((resolve) => setTimeout(resolve, WRITERS_MS))
    }
    return false
  }

  const sealOne = async (experiment: number): Promise<boolean> => {
    const opened = await store.command<{ segment: number } | undefined>('tracking.openSegment', {
      experiment,
      runs_max: SEAL_RUNS_MAX,
      now_ms: now(),
      skip_locked: store.can.skipLocked,
    })
    if (!opened) return false
    const packed = (await writersAreDone())
      ? await store.query<PackedSegment | undefined>('tracking.packSegment', {
          segment: opened.segment,
          cells_max: store.can.manyWriters ? CELLS_MAX_HERE : CELLS_MAX,
        })
      : undefined
    if (!packed) {
      await store.command('tracking.dropSegment', { segment: opened.segment })
      return false
    }
    await store.command('tracking.sealSegment', packed)
    // Runs that are written to all the time are loose again at once: sealing them over and over gains nothing.
    const dead = await store.read((sql) =>
      sql.get<{ n: number }>('SELECT count(*) AS n FROM run_segment_dead WHERE segment = ?', [opened.segment]),
    )
    if (Number(dead!.n) > packed.runs / 2) restless.set(experiment, now() + RESTLESS_MS)
    else restless.delete(experiment)
    return true
  }

  const rests = (experiment: number) => (restless.get(experiment) ?? 0) > now()

  const sealMany = async (least: number) => {
    while (!stopped) {
      const many = await store.query<LooseRuns[]>('tracking.looseRuns', { least, most: EXPERIMENTS_MAX })
      const next = many.find(({ experiment }) => !rests(experiment))
      if (!next || !(await sealOne(next.experiment))) return
    }
  }

  const sealWide = async () => {
    for (const { experiment, runs } of await store.query<LooseRuns[]>('tracking.looseRuns', {
      least: 2,
      most: EXPERIMENTS_MAX,
    })) {
      if (stopped || runs >= SEAL_RUNS_MIN) continue
      const before = counted.get(experiment)
      if (before?.runs === runs && now() - before.at_ms < COUNTED_MS) continue
      const wide = () => store.query<boolean>('tracking.looseCells', { experiment, least: CELLS_MIN })
      while (!stopped && !rests(experiment) && (await wide()) && (await sealOne(experiment)));
      counted.set(experiment, { runs, at_ms: now() })
      if (counted.size > EXPERIMENTS_MAX * 2) counted.delete(counted.keys().next().value!)
    }
  }

  const dropWorn = async () => {
    const worn = await store.query<number[]>('tracking.wornSegments', {
      dead_share: DEAD_SHARE_MAX,
      opened_before_ms: now() - OPEN_MS_MAX,
    })
    for (const segment of worn) await store.command('tracking.dropSegment', { segment })
  }

  const look = async () => {
    const last = await store.read((sql) => sql.get<{ key: number | null }>('SELECT max(run_key) AS key FROM run'))
    const closer = now() - closer_ms >= LOOK_CLOSER_MS
    if (!closer && (last?.key ?? -1) === newest) return
    newest = last?.key ?? -1
    await sealMany(SEAL_RUNS_MIN)
    if (!closer) return
    closer_ms = now()
    await dropWorn()
    await sealWide()
  }

  const again = () => {
    timer = setTimeout(() => {
      running = look()
        .catch((error: unknown) => log.debug({ err: error }, 'runs could not be sealed; they are tried again'))
        .then(() => {
          if (!stopped) again()
        })
    }, LOOK_MS).unref()
  }

  return {
    start: again,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
    sealAll: (runs_min = 1) => sealMany(runs_min),
  }
}
