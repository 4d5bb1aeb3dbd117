import { DomainError } from '#kernel/errors.ts'
import type { Log } from '#kernel/log.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import { CHART_KEYS_MAX } from './charts.ts'
import { type Batches, batchReader } from './metrics/batches.ts'
import { type Place, placeAt } from './metrics/points.ts'
import { scanPoints } from './metrics/scan.ts'
import type { Integer } from './model.ts'
import { type MetricRow, mustFindRun } from './run-rows.ts'

/** How often a watched run is looked at. */
const POLL_MS = 300
/** Points of one series in one message; a reader that sees so many refetches the chart. */
const POINTS_MAX = 500

/** Runs watched at once, and readers of one of them. */
const WATCHED_MAX = 200
const LISTENERS_MAX = 200

interface LivePoint {
  key: string
  step: number
  timestamp_ms: number
  /** Null for NaN. */
  value: number | null
}

type Series = MetricRow & { series: Integer }
type Send = (event: string, data: unknown) => void

interface Watched {
  workspace: string
  run_id: string
  listeners: Set<Send>
  /** The latest point of each series as last seen. */
  seen: Series[]
  /** Undefined before the first look. */
  state: { status: string; name: string } | undefined
  timer: NodeJS.Timeout | undefined
}

/**
 * What is logged to runs that somebody looks at: `ready` once everything later will be told (fetch the chart then),
 * `metrics` with new points, `run` when its status or name changes. However many look, a run is read once in each interval; nobody looking costs nothing. Points that are logged out of
 * order may be missed: charts refetch when a run ends.
 */
export function createRunWatch({ store, log }: { store: Pick<Store, 'query'>; log: Log }): {
  /** Throws too-many past the bound on watched runs: asked before the stream begins. */
  refuseIfFull(workspace: string, run_id: string): void
  watch(workspace: string, run_id: string, send: Send): () => void
  stop(): void
} {
  const watched = new Map<string, Watched>()

  const look = async (run: Watched): Promise<void> => {
    try {
      const { workspace, run_id, state, seen } = run
      const change = await store.query<LiveChange>('tracking.liveChange', {
        workspace,
        run_id,
        ...(state && { seen }),
      } satisfies LiveAsk)
      if (change.points.length > 0) tell(run, 'metrics', { run_id: run.run_id, points: change.points })
      if (!run.state) tell(run, 'ready', { run_id: run.run_id })
      else if (change.state.status !== run.state.status || change.state.name !== run.state.name) {
        tell(run, 'run', { run_id: run.run_id, ...change.state })
      }
      run.state = change.state
      run.seen = change.seen
    } catch (error) {
      log.debug({ err: error, run_id: run.run_id }, 'a watched run could not be read')
    }
    if (run.listeners.size > 0) run.timer = setTimeout(() => void look(run), POLL_MS)
  }

  return {
    refuseIfFull(workspace, run_id) {
      const run = watched.get(`${workspace}/${run_id}`)
      if (run ? run.listeners.size >= LISTENERS_MAX : watched.size >= WATCHED_MAX) {
        throw new DomainError('too-many', 'too many live views are open', {
          remedy: 'Close some, or ask for the chart again instead of watching.',
        })
      }
    },
    watch(workspace, run_id, send) {
      const key = `${workspace}/${run_id}`
      const before = watched.get(key)
      const run: Watched = before ?? {
        workspace,
        run_id,
        listeners: new Set(),
        seen: [],
        state: undefined,
        timer: undefined,
      }
      run.listeners.add(send)
      if (run.state) send('ready', { run_id })
      if (!before) {
        watched.set(key, run)
        run.timer = setTimeout(() => void look(run), 0)
      }
      return () => {
        run.listeners.delete(send)
        if (run.listeners.size > 0) return
        clearTimeout(run.timer)
        watched.delete(key)
      }
    },
    stop() {
      for (const run of watched.values()) {
        run.listeners.clear()
        clearTimeout(run.timer)
      }
      watched.clear()
    },
  }
}

function tell(run: Watched, event: string, data: unknown): void {
  for (const send of run.listeners) send(event, data)
}

export interface LiveAsk {
  workspace: string
  run_id: string
  /** As the last answer told; without it no points are told, only where they begin. */
  seen?: readonly Series[]
}

export interface LiveChange {
  points: LivePoint[]
  state: { status: string; name: string }
  seen: Series[]
}

/** What was logged to a run since it was last looked at. */
export async function liveChange(sql: Sql, ask: LiveAsk): Promise<LiveChange> {
  const { run_key, status, name } = await mustFindRun(sql, ask.workspace, ask.run_id)
  const seen = await sql.all<Series>(
    'SELECT series, key, step, at_ms, value, is_nan FROM run_metric WHERE run_key = ? ORDER BY key LIMIT ?',
    [run_key, CHART_KEYS_MAX],
  )
  const points: LivePoint[] = []
  const before = new Map(ask.seen?.map((row) => [row.key, row]))
  const batches = batchReader(sql)
  for (const row of ask.seen ? seen : []) {
    if (isSame(before.get(row.key), row)) continue
    for (const { step, at_ms, value } of await pointsAfter(sql, row.series, before.get(row.key), batches)) {
      points.push({
        key: row.key,
        step: Number(step),
        timestamp_ms: Number(at_ms),
        value: Number.isNaN(value) ? null : value,
      })
    }
  }
  return { points, state: { status, name }, seen }
}

async function pointsAfter(
  sql: Sql,
  series: Integer,
  before: MetricRow | undefined,
  batches: Batches,
): Promise<Place[]> {
  const after = before && { ...before, value: before.is_nan ? Number.NaN : before.value }
  const places: Place[] = []
  for await (const some of scanPoints(sql, series, { order: 'step', ...(after && { after }) }, batches)) {
    for (let at = 0; at < some.value.length && places.length < POINTS_MAX; at++) places.push(placeAt(some, at))
    if (places.length === POINTS_MAX) break
  }
  return places
}

const isSame = (a: MetricRow | undefined, b: MetricRow): boolean =>
  a !== undefined && a.step === b.step && a.at_ms === b.at_ms && a.value === b.value && a.is_nan === b.is_nan
