/** Windows as the watermark passes them: computed in order by a job, judged once, computed again when labels come late. */
import type { Analytics } from '#kernel/analytics/index.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Events } from '#kernel/events/index.ts'
import { ruleWho, type Who } from '#kernel/http/who.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import type { Serving } from '#slices/serving'
import { windowComputed } from './events.ts'
import { firstOpenWindow, firstWindow, type Grid, gridOf, isDue } from './grid.ts'
import type { Judge } from './judge.ts'
import type { Labelled } from './labelled.ts'
import * as rows from './monitoring-store.ts'
import type { lateWindows } from './queries.ts'
import type { ReferenceOf } from './references.ts'
import { computeWindow, noFacts, type WindowBasis, type WindowFacts } from './window.ts'

/** A label's time of arrival is drawn before it is stored: this long it may still be on its way. */
const UNDER_WAY_MS = 5000
/** Between looks for late labels of one monitor. */
const LATE_LOOK_MS = 2000
/** A job that was asked for is not asked for again before. */
const ASKED_MS = 1000
const DUE_MAX = 1000

export interface Windows {
  /** One look at every monitor: begins new ones, asks for what is due, notices late labels. */
  look(): Promise<void>
  /** Monitors of a workspace with a window that is due up to the watermark, or being computed. */
  due(sql: Sql, workspace: string): Promise<number>
}

export interface WindowsDeps {
  store: Store
  events: Pick<Events, 'record'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  analytics: Analytics
  serving: Pick<Serving, 'predictions' | 'watermark' | 'getEndpoint'>
  clock: Clock
  log: Log
  labelled: Pick<Labelled, 'open'>
  judge: Pick<Judge, 'judgeWindow'>
  referenceOf: ReferenceOf
}

interface Due {
  start_ms: number
  revise: boolean
}

export function createWindows(deps: WindowsDeps): Windows {
  const { store, events, jobs, analytics, serving, clock, log, labelled, judge } = deps
  const asked = new Map<string, { next_ms: number | null; at_ms: number }>()
  const looked = new Map<string, number>()

  /** A window that late labels changed; else the next to close, when the watermark has passed it and its labels had their time. */
  const dueWindow = async (sql: Sql, monitor: rows.Monitor): Promise<Due | undefined> => {
    const watermark = await serving.watermark(sql, monitor.workspace, monitor.endpoint)
    if (watermark === undefined) return undefined
    // An earlier window first, so that alerts judge in order.
    const dirty = await rows.dirtyWindow(sql, monitor.workspace, monitor.name)
    if (dirty !== undefined) return { start_ms: dirty, revise: true }
    const start_ms = monitor.next_ms
    return start_ms !== null && isDue(gridOf(monitor.spec), start_ms, watermark)
      ? { start_ms, revise: false }
      : undefined
  }

  /** Least event time of a prediction at or after a moment. */
  const firstEvent = async (monitor: rows.Monitor, from_ms?: number): Promise<number | undefined> => {
    const range = from_ms === undefined ? {} : { from_ms }
    const found = await serving.predictions(monitor.workspace, monitor.endpoint, range)
    try {
      if (!found.from) return undefined
      const sql = `SELECT min(event_ms) FROM ${found.from}`
      const { rows: told } = await analytics.query({ sql, files: found.sources, timeout_ms: 120_000 })
      return (told[0]?.[0] as number | null) ?? undefined
    } finally {
      await found.done()
    }
  }

  /** Where a new monitor begins: at the window that holds the first prediction, or where the watermark stands when none is kept. */
  const begin = async (monitor: rows.Monitor, grid: Grid, watermark: number): Promise<void> => {
    const first = (await firstEvent(monitor)) ?? watermark
    await store.write(async (tx) => {
      const fresh = await rows.monitorByName(tx, monitor.workspace, monitor.name)
      if (fresh?.next_ms === null && fresh.applied_ms === monitor.applied_ms)
        await rows.setNext(tx, monitor.workspace, monitor.name, firstWindow(grid, first))
    })
  }

  /** After a window without a prediction: the next that has one, or the first that is not due. A gap of a year is one empty window. */
  const afterEmpty = async (monitor: rows.Monitor, grid: Grid, start_ms: number): Promise<number> => {
    const next_ms = start_ms + grid.every_ms
    const event = await firstEvent(monitor, start_ms + grid.window_ms)
    const watermark = await store.read((sql) => serving.watermark(sql, monitor.workspace, monitor.endpoint))
    const open = firstOpenWindow(grid, watermark ?? next_ms)
    return Math.max(next_ms, event === undefined ? open : Math.min(open, firstWindow(grid, event)))
  }

  const put = async (
    tx: Tx,
    who: Who,
    monitor: rows.Monitor,
    due: Due,
    outcome: {
      facts: WindowFacts
      basis: WindowBasis
      state: rows.MonitorWindow['state']
      labels_ms: number
      next_ms: number
    },
  ): Promise<void> => {
    const { workspace, name } = monitor
    const { start_ms } = due
    const end_ms = start_ms + gridOf(monitor.spec).window_ms
    const fresh = await rows.monitorByName(tx, workspace, name)
    const before = await rows.windowAt(tx, workspace, name, start_ms)
    // Computed by another process meanwhile, or the monitor was changed: nothing of ours is wanted.
    if (!fresh || fresh.applied_ms !== monitor.applied_ms) return
    if (due.revise ? before?.state !== 'dirty' : fresh.next_ms !== start_ms) return
    const same = due.revise && before?.labels_digest === outcome.basis.labels_digest && outcome.state !== 'failed'
    await rows.putWindow(
      tx,
      workspace,
      {
        monitor: name,
        start_ms,
        end_ms,
        state: same && before!.revisions === 0 ? 'computed' : outcome.state,
        facts: outcome.facts,
        computed_ms: same ? before!.computed_ms : clock.now(),
        revisions: due.revise ? before!.revisions + (same ? 0 : 1) : 0,
      },
      { ...outcome.basis, labels_ms: outcome.labels_ms },
    )
    await rows.lookAgainFrom(tx, workspace, name, outcome.labels_ms)
    if (!due.revise) await rows.setNext(tx, workspace, name, outcome.next_ms)
    if (same) return
    await events.record(tx, windowComputed, {
      who,
      subject: { kind: 'monitor', id: name },
      after: { monitor: name, endpoint: monitor.endpoint, start_ms, end_ms, revised: due.revise },
    })
    if (outcome.state === 'failed') return
    // A revised window corrects what is shown; what was decided from it stays decided.
    const earlier = due.revise && before ? { before: before.facts } : {}
    const watermark_ms = (await serving.watermark(tx, workspace, monitor.endpoint)) ?? end_ms
    await judge.judgeWindow(tx, who, {
      monitor: fresh,
      start_ms,
      end_ms,
      facts: outcome.facts,
      ...earlier,
      watermark_ms,
    })
  }

  const computeOne = async (monitor: rows.Monitor, due: Due, who: Who, write: Store['write']): Promise<void> => {
    const { workspace } = monitor
    const grid = gridOf(monitor.spec)
    const endpoint = await store.read((sql) => serving.getEndpoint(sql, workspace, monitor.endpoint))
    const labels_ms = clock.now() - UNDER_WAY_MS
    const { facts, basis } = await computeWindow(
      { analytics, labelled },
      {
        workspace,
        endpoint,
        spec: monitor.spec,
        start_ms: due.start_ms,
        end_ms: due.start_ms + grid.window_ms,
        reference: (version) => deps.referenceOf(workspace, endpoint.model, version),
        scoreReference: (version) => store.read((sql) => rows.scoreReferenceOf(sql, workspace, monitor.name, version)),
      },
    )
    const next_ms =
      facts.rows === 0 && !due.revise ? await afterEmpty(monitor, grid, due.start_ms) : due.start_ms + grid.every_ms
    const state = due.revise ? 'revised' : 'computed'
    await write((tx) => put(tx, who, monitor, due, { facts, basis, state, labels_ms, next_ms }))
  }

  const nextOf = (workspace: string, name: string) =>
    store.read(async (sql) => {
      const monitor = await rows.monitorByName(sql, workspace, name)
      const due = monitor && (await dueWindow(sql, monitor))
      return monitor && due && { monitor, due }
    })

  jobs.define<{ monitor: string }, { windows: number }>({
    kind: 'monitoring.window',
    attempts_max: 5,
    timeout_ms: 60 * 60_000,
    concurrency: 2,
    async run(job, context) {
      for (let done = 0; ; done++) {
        context.signal.throwIfAborted()
        const next = await nextOf(job.workspace, job.input.monitor)
        if (!next) return { windows: done }
        await computeOne(next.monitor, next.due, job.who, context.write)
        context.progress(null, `${done + 1} windows`)
      }
    },
    /** One window that cannot be computed does not hold up all after it: it says why and is left. */
    async onGivenUp(tx, job) {
      const monitor = await rows.monitorByName(tx, job.workspace, job.input.monitor)
      const due = monitor && (await dueWindow(tx, monitor))
      if (!due || job.state === 'cancelled') return
      await put(tx, job.who, monitor, due, {
        facts: noFacts(`it could not be computed: ${job.error?.message ?? 'given up'}`),
        basis: { first_id: null, last_id: null, labels_digest: null },
        state: 'failed',
        labels_ms: clock.now(),
        next_ms: due.start_ms + gridOf(monitor.spec).every_ms,
      })
    },
  })

  const ask = async (monitor: rows.Monitor): Promise<void> => {
    const { workspace, name, next_ms } = monitor
    const key = `${workspace}/${name}`
    const last = asked.get(key)
    if (last && last.next_ms === next_ms && clock.now() - last.at_ms < ASKED_MS) return
    await store.write((tx) =>
      jobs.enqueue(tx, {
        kind: 'monitoring.window',
        workspace,
        who: ruleWho(workspace, `monitor:${name}`, ['monitoring.write', 'serving.read', 'datasets.read']),
        input: { monitor: name },
        key: `window:${name}`,
        subject: { kind: 'monitor', id: name },
      }),
    )
    asked.set(key, { next_ms, at_ms: clock.now() })
  }

  /** Marks windows that labels reached after they were computed. Whether anything changed shows when they are computed again. */
  const noticeLate = async ({ workspace, name, labels_seen_ms }: rows.Monitor): Promise<void> => {
    const key = `${workspace}/${name}`
    const now = clock.now()
    if (now - (looked.get(key) ?? Number.NEGATIVE_INFINITY) < LATE_LOOK_MS) return
    looked.set(key, now)
    const found = await store.query<Awaited<ReturnType<typeof lateWindows>>>('monitoring.lateWindows', {
      workspace,
      monitor: name,
      since_ms: labels_seen_ms,
    })
    const seen_ms = Math.min(found.newest_ms, now - UNDER_WAY_MS)
    if (found.windows.length === 0 && seen_ms <= labels_seen_ms) return
    await store.write(async (tx) => {
      await rows.markDirty(tx, workspace, name, found.windows)
      if (seen_ms > labels_seen_ms) await rows.setLabelsSeen(tx, workspace, name, labels_seen_ms, seen_ms)
    })
  }

  const lookAt = async (monitor: rows.Monitor): Promise<void> => {
    const grid = gridOf(monitor.spec)
    const watermark = await store.read((sql) => serving.watermark(sql, monitor.workspace, monitor.endpoint))
    if (watermark === undefined) return
    if (monitor.next_ms === null) return begin(monitor, grid, watermark)
    await noticeLate(monitor)
    const dirty = await store.read((sql) => rows.dirtyWindow(sql, monitor.workspace, monitor.name))
    if (isDue(grid, monitor.next_ms, watermark) || dirty !== undefined) await ask(monitor)
  }

  return {
    async look() {
      for (const monitor of await store.read((sql) => rows.allMonitors(sql)))
        await lookAt(monitor).catch((error: unknown) =>
          log.warn({ err: error, monitor: monitor.name }, 'a monitor could not be looked at; it is tried again'),
        )
    },
    async due(sql, workspace) {
      let count = 0
      for (const monitor of (await rows.monitorsOf(sql, workspace)).slice(0, DUE_MAX)) {
        const watermark = await serving.watermark(sql, workspace, monitor.endpoint)
        if (watermark === undefined) continue
        // Without a first window it is due until the next look has found one.
        if (monitor.next_ms === null || isDue(gridOf(monitor.spec), monitor.next_ms, watermark)) count++
      }
      return count
    },
  }
}
