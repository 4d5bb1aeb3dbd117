import { createHmac } from 'node:crypto'
import type { Analytics } from '#kernel/analytics/index.ts'
import { identifier } from '#kernel/analytics/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Events, EventType } from '#kernel/events/index.ts'
import { ruleWho, type Who } from '#kernel/http/who.ts'
import { type Ids, timeOfId } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Outbound } from '#kernel/outbound/index.ts'
import { createPulse } from '#kernel/pulse.ts'
import type { MigrationSource, Sql, Store, Tx } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Serving } from '#slices/serving'
import { judgeAlert } from './alerts.ts'
import { categoricalReference, numericReference, type Reference } from './drift.ts'
import {
  type AlertMoved,
  alertCleared,
  alertHeld,
  alertRaised,
  monitorApplied,
  monitorRemoved,
  windowComputed,
} from './events.ts'
import { createLabelled, type Labelled, labelText } from './labelled.ts'
import * as rows from './monitoring-store.ts'
import type { MonitorSpec } from './schema.ts'
import { computeWindow, firstWindow, type Grid, gridOf, type WindowFacts } from './window.ts'

export const monitoringMigrations: MigrationSource = {
  owner: 'monitoring',
  dir: new URL('./migrations/', import.meta.url),
}

/** How often the watermarks are looked at. */
const LOOK_MS = 250
/** Late labels wait this long for company before their windows are computed again. */
const LATE_MS = 2000
const REFERENCE_ROWS_MAX = 50_000
const REFERENCES_KEPT = 20

export interface LabelInput {
  prediction: string
  value: unknown
  observed_at?: string
}

export interface MonitoringDeps {
  store: Store
  events: Pick<Events, 'record'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  analytics: Analytics
  outbound: Pick<Outbound, 'send' | 'check'>
  serving: Pick<Serving, 'predictions' | 'watermark' | 'getEndpoint' | 'flushWatermarks'>
  datasets: Pick<Datasets, 'find' | 'lend' | 'version'>
  /** Data versions of ours that the run of a model version names. */
  trainingData(sql: Sql, workspace: string, model: string, version: number): Promise<{ id: string }[]>
  clock: Clock
  ids: Ids
  log: Log
  /** Signs webhooks. */
  secret: Uint8Array
}

export interface Monitoring extends Omit<Labelled, 'open'> {
  applyMonitor(tx: Tx, who: Who, input: { project: string; name: string; spec: MonitorSpec }): Promise<void>
  removeMonitor(tx: Tx, who: Who, name: string): Promise<void>
  /** Input of the command `monitoring.putLabels`. Throws invalid naming the label at fault. */
  readLabels(
    who: Who,
    labels: readonly LabelInput[],
  ): {
    workspace: string
    who: string
    received_ms: number
    labels: { prediction: string; value: string; observed_ms: number }[]
  }
  getMonitor(sql: Sql, workspace: string, name: string): Promise<rows.Monitor>
  listMonitors(sql: Sql, workspace: string): Promise<rows.Monitor[]>
  windows(sql: Sql, workspace: string, monitor: string, limit: number): Promise<rows.MonitorWindow[]>
  alerts(sql: Sql, workspace: string, filter: Parameters<typeof rows.alertsOf>[2]): Promise<rows.Alert[]>
  deliveries: typeof rows.deliveriesOf
  /** Labels of one prediction row, oldest first; the last counts. */
  labelsOf: typeof rows.labelsOf
  /** Windows of a workspace that are due up to the watermark, or being computed. */
  due(sql: Sql, workspace: string): Promise<number>
  start(): void
  stop(): Promise<void>
}

export function createMonitoring(deps: MonitoringDeps): Monitoring {
  const { store, events, jobs, analytics, serving, datasets, clock, ids, log } = deps
  const labelled = createLabelled(deps)
  const references = new Map<string, Promise<Record<string, Reference> | undefined>>()

  const need = async (sql: Sql, workspace: string, name: string): Promise<rows.Monitor> => {
    const monitor = await rows.monitorByName(sql, workspace, name)
    if (!monitor)
      throw notFound(`no monitor '${name}'`, {
        field: 'monitor',
        remedy: 'Declare it under monitors: in slipway.yaml and apply.',
      })
    return monitor
  }

  /** What a version was trained on, feature by feature; kept in memory, because a version never changes. */
  const referenceOf = (
    workspace: string,
    model: string,
    version: number,
  ): Promise<Record<string, Reference> | undefined> => {
    const key = `${workspace}/${model}/${version}`
    let known = references.get(key)
    if (!known) {
      known = makeReference(workspace, model, version).catch((error: unknown) => {
        references.delete(key)
        throw error
      })
      references.set(key, known)
      if (references.size > REFERENCES_KEPT) references.delete(references.keys().next().value!)
    }
    return known
  }

  const makeReference = async (
    workspace: string,
    model: string,
    version: number,
  ): Promise<Record<string, Reference> | undefined> => {
    const [data] = await store.read((sql) => deps.trainingData(sql, workspace, model, version))
    if (!data) return undefined
    const found = await store.read((sql) => datasets.version(sql, workspace, data.id))
    const { source, done } = await datasets.lend(found)
    try {
      const names = (found.schema ?? []).map(({ name }) => name)
      const { columns, rows: sample } = await analytics.query({
        sql: `SELECT ${names.map(identifier).join(', ')} FROM data USING SAMPLE reservoir(${REFERENCE_ROWS_MAX} ROWS) REPEATABLE (1)`,
        files: { data: source },
        rows_max: REFERENCE_ROWS_MAX,
        timeout_ms: 120_000,
      })
      return Object.fromEntries(
        columns.map(({ name, type }, at) => {
          const values = sample.map((row) => row[at]!).filter((value) => value !== null)
          const nulls = sample.length === 0 ? 0 : 1 - values.length / sample.length
          const numeric =
            /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|FLOAT|DOUBLE|DECIMAL)/.test(
              type,
            )
          return [
            name,
            numeric
              ? numericReference(Float64Array.from(values, Number), nulls)
              : categoricalReference(values.map(String), nulls),
          ]
        }),
      )
    } finally {
      await done()
    }
  }

  /** The next window to close, when the watermark has passed it and its labels had their time. */
  const dueWindow = async (
    sql: Sql,
    monitor: rows.Monitor,
  ): Promise<{ start_ms: number; revise: boolean } | undefined> => {
    const watermark = await serving.watermark(sql, monitor.workspace, monitor.endpoint)
    if (watermark === undefined) return undefined
    const grid = gridOf(monitor.spec)
    const start_ms = monitor.next_ms
    if (start_ms !== null && start_ms + grid.window_ms + grid.delay_ms <= watermark) return { start_ms, revise: false }
    const dirty = await rows.dirtyWindow(sql, monitor.workspace, monitor.name)
    return dirty === undefined ? undefined : { start_ms: dirty, revise: true }
  }

  /** Where a new monitor begins: at the window that holds the first prediction. */
  const begin = async (monitor: rows.Monitor, grid: Grid): Promise<void> => {
    const found = await serving.predictions(monitor.workspace, monitor.endpoint)
    try {
      if (!found.from) return
      const {
        rows: [row],
      } = await analytics.query({ sql: `SELECT min(event_ms) FROM ${found.from}`, files: found.sources })
      const first = row?.[0] as number | null
      if (first !== null && first !== undefined)
        await store.write((tx) => rows.setNext(tx, monitor.workspace, monitor.name, firstWindow(grid, first)))
    } finally {
      await found.done()
    }
  }

  const enqueue = (tx: Tx, monitor: rows.Monitor) =>
    jobs.enqueue(tx, {
      kind: 'monitoring.window',
      workspace: monitor.workspace,
      who: ruleWho(monitor.workspace, `monitor:${monitor.name}`, ['monitoring.write', 'serving.read', 'datasets.read']),
      input: { monitor: monitor.name },
      key: `window:${monitor.name}`,
      subject: { kind: 'monitor', id: monitor.name },
    })

  jobs.define<{ monitor: string }, { windows: number }>({
    kind: 'monitoring.window',
    attempts_max: 5,
    timeout_ms: 60 * 60_000,
    concurrency: 2,
    async run(job, context) {
      let done = 0
      for (;;) {
        context.signal.throwIfAborted()
        const [monitor, due] = await store.read(async (sql) => {
          const found = await rows.monitorByName(sql, job.workspace, job.input.monitor)
          return [found, found && (await dueWindow(sql, found))] as const
        })
        if (!monitor || !due) return { windows: done }
        await computeOne(monitor, due, job.who, context.write)
        done++
        context.progress(null, `${done} windows`)
      }
    },
  })

  const computeOne = async (
    monitor: rows.Monitor,
    due: { start_ms: number; revise: boolean },
    who: Who,
    write: Store['write'],
  ): Promise<void> => {
    const { workspace } = monitor
    const grid = gridOf(monitor.spec)
    const end_ms = due.start_ms + grid.window_ms
    const endpoint = await store.read((sql) => serving.getEndpoint(sql, workspace, monitor.endpoint))
    const earlier = await store.read((sql) => rows.windowsOf(sql, workspace, monitor.name, 1000))
    const scored = earlier.find((window) => window.facts.rows > 0 && window.start_ms < due.start_ms)
    const facts = await computeWindow(
      { analytics, labelled },
      {
        workspace,
        endpoint,
        spec: monitor.spec,
        start_ms: due.start_ms,
        end_ms,
        reference: (version) => referenceOf(workspace, endpoint.model, version),
        score_reference: scored?.facts.score.histogram ?? null,
      },
    )
    await write(async (tx) => {
      const fresh = await need(tx, workspace, monitor.name)
      const before = await rows.windowAt(tx, workspace, monitor.name, due.start_ms)
      // Computed by another process meanwhile, or the monitor was changed: nothing of ours is wanted.
      if (!due.revise && fresh.next_ms !== due.start_ms) return
      await rows.putWindow(tx, workspace, {
        monitor: monitor.name,
        start_ms: due.start_ms,
        end_ms,
        state: due.revise ? 'revised' : 'computed',
        facts,
        computed_ms: clock.now(),
        revisions: (before?.revisions ?? -1) + 1,
      })
      if (!due.revise) await rows.setNext(tx, workspace, monitor.name, due.start_ms + grid.every_ms)
      await events.record(tx, windowComputed, {
        who,
        subject: { kind: 'monitor', id: monitor.name },
        after: {
          monitor: monitor.name,
          endpoint: monitor.endpoint,
          start_ms: due.start_ms,
          end_ms,
          revised: due.revise,
        },
      })
      // A revised window corrects what is shown; what was decided from it stays decided.
      if (!due.revise) await judgeWindow(tx, who, fresh, due.start_ms, end_ms, facts)
    })
  }

  const judgeWindow = async (
    tx: Tx,
    who: Who,
    monitor: rows.Monitor,
    start_ms: number,
    end_ms: number,
    facts: WindowFacts,
  ): Promise<void> => {
    const { workspace } = monitor
    const version = Number(Object.entries(facts.versions).sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0)
    const watermark_ms = (await serving.watermark(tx, workspace, monitor.endpoint)) ?? end_ms
    for (const spec of monitor.spec.alerts ?? []) {
      const value = facts.metrics[spec.metric] ?? null
      const relative = spec.below_reference !== undefined || spec.above_reference !== undefined
      // The first window in which a version answered nearly everything is what it can do.
      const whole = facts.rows > 0 && (facts.versions[String(version)] ?? 0) / facts.rows > 0.95
      if (relative && value !== null && whole)
        await rows.putReference(tx, workspace, monitor.name, spec.metric, version, value, start_ms)
      const reference = relative
        ? ((await rows.referenceOf(tx, workspace, monitor.name, spec.metric, version)) ?? null)
        : null
      const before = await rows.streakOf(tx, workspace, monitor.name, spec.name)
      const open = await rows.openAlert(tx, workspace, monitor.name, spec.name)
      const judged = judgeAlert({
        spec,
        value,
        reference: reference?.value ?? null,
        streak: before?.streak ?? 0,
        open: open !== undefined,
      })
      await rows.putStreak(tx, workspace, monitor.name, spec.name, judged.streak, start_ms)
      if (judged.move === 'none' || judged.threshold === null) continue
      const alert: rows.Alert = open ?? {
        workspace,
        id: ids.next('alert'),
        monitor: monitor.name,
        endpoint: monitor.endpoint,
        name: spec.name,
        metric: spec.metric,
        state: 'open',
        threshold: judged.threshold,
        value,
        reference,
        opened_window_ms: start_ms,
        cleared_window_ms: null,
        watermark_ms,
        opened_ms: clock.now(),
        cleared_ms: null,
      }
      const fact: AlertMoved = {
        alert_id: alert.id,
        monitor: monitor.name,
        endpoint: monitor.endpoint,
        alert: spec.name,
        metric: spec.metric,
        window: { start_ms, end_ms },
        value,
        threshold: judged.threshold,
        watermark_ms,
        streak: judged.streak,
      }
      const type: EventType<AlertMoved> =
        judged.move === 'open' ? alertRaised : judged.move === 'clear' ? alertCleared : alertHeld
      await rows.putAlert(
        tx,
        judged.move === 'clear'
          ? { ...alert, state: 'cleared', value, cleared_window_ms: start_ms, cleared_ms: clock.now() }
          : { ...alert, value },
      )
      await events.record(tx, type, {
        who,
        subject: { kind: 'alert', id: alert.id },
        after: fact,
        edges:
          judged.move === 'open'
            ? [
                {
                  from: { kind: 'endpoint', id: monitor.endpoint },
                  to: { kind: 'alert', id: alert.id },
                  relation: 'caused',
                },
              ]
            : [],
      })
      if (spec.webhook && judged.move !== 'hold')
        await jobs.enqueue(tx, {
          kind: 'monitoring.webhook',
          workspace,
          who,
          input: {
            url: spec.webhook,
            alert: alert.id,
            delivery: ids.next('alert').replace('alt_', 'whd_'),
            body: { event: type.name, ...fact },
          },
        })
    }
  }

  jobs.define<{ url: string; alert: string; delivery: string; body: Record<string, unknown> }, { status: number }>({
    kind: 'monitoring.webhook',
    attempts_max: 6,
    timeout_ms: 60_000,
    async run(job, context) {
      const { url, alert, delivery } = job.input
      const body = JSON.stringify(job.input.body)
      const note = (state: string, status: number | null, words: string) =>
        context.write((tx) =>
          rows.noteDelivery(tx, job.workspace, { id: delivery, alert, url, state, status, words, at_ms: clock.now() }),
        )
      const at = String(Math.floor(clock.now() / 1000))
      const signature = createHmac('sha256', deps.secret).update(`${delivery}.${at}.${body}`).digest('base64')
      try {
        const answer = await deps.outbound.send({
          url,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'slipway-delivery-id': delivery,
            'slipway-timestamp': at,
            'slipway-signature': `v1,${signature}`,
          },
          body,
          timeout_ms: 10_000,
          signal: context.signal,
        })
        const done = answer.status < 300
        await note(
          done ? 'delivered' : 'failed',
          answer.status,
          done ? 'delivered' : `the receiver answered ${answer.status}`,
        )
        if (!done) throw new DomainError('unavailable', `the receiver answered ${answer.status}`)
        return { status: answer.status }
      } catch (error) {
        await note('failed', null, (error as Error).message)
        throw error
      }
    },
  })

  /** Marks closed windows whose predictions got labels after they were computed. */
  const noticeLate = async (monitor: rows.Monitor): Promise<void> => {
    const newest = await store.read((sql) => rows.newestLabel(sql, monitor.workspace))
    if (newest <= monitor.labels_seen_ms || clock.now() - newest < LATE_MS) return
    const found = await store.read((sql) => rows.labelledSince(sql, monitor.workspace, monitor.labels_seen_ms))
    const span = found.least && found.greatest ? await eventSpan(monitor, found.least, found.greatest) : undefined
    await store.write(async (tx) => {
      await rows.setLabelsSeen(tx, monitor.workspace, monitor.name, newest)
      const fresh = await need(tx, monitor.workspace, monitor.name)
      if (span && fresh.next_ms !== null)
        await rows.markDirty(tx, monitor.workspace, monitor.name, span.from_ms, span.to_ms + 1)
    })
  }

  const eventSpan = async (
    monitor: rows.Monitor,
    least: string,
    greatest: string,
  ): Promise<{ from_ms: number; to_ms: number } | undefined> => {
    if (timeOfId(least) === undefined || timeOfId(greatest) === undefined) return undefined
    const opened = await serving.predictions(monitor.workspace, monitor.endpoint)
    try {
      if (!opened.from) return undefined
      const {
        rows: [row],
      } = await analytics.query({
        sql: `SELECT min(event_ms), max(event_ms) FROM ${opened.from} WHERE id BETWEEN $1 AND $2`,
        params: [least, greatest],
        files: opened.sources,
      })
      const [from_ms, to_ms] = (row ?? [null, null]) as (number | null)[]
      return from_ms == null || to_ms == null ? undefined : { from_ms, to_ms }
    } finally {
      await opened.done()
    }
  }

  const pulse = createPulse({
    name: 'monitors',
    every_ms: LOOK_MS,
    log,
    async beat() {
      const monitors = await store.read((sql) => rows.allMonitors(sql))
      for (const monitor of monitors) {
        const watermark = await store.read((sql) => serving.watermark(sql, monitor.workspace, monitor.endpoint))
        if (watermark === undefined) continue
        const grid = gridOf(monitor.spec)
        if (monitor.next_ms === null) await begin(monitor, grid)
        else if (
          monitor.next_ms + grid.window_ms + grid.delay_ms <= watermark ||
          (await store.read((sql) => rows.dirtyWindow(sql, monitor.workspace, monitor.name))) !== undefined
        )
          await store.write((tx) => enqueue(tx, monitor))
        else await noticeLate(monitor)
      }
      return false
    },
  })

  return {
    labelledRows: labelled.labelledRows,
    copyLabelled: labelled.copyLabelled,
    rowsOfDataset: labelled.rowsOfDataset,

    async applyMonitor(tx, who, { project, name, spec }) {
      await serving.getEndpoint(tx, who.workspace, spec.endpoint)
      const before = await rows.monitorByName(tx, who.workspace, name)
      if (before && before.project === project && JSON.stringify(before.spec) === JSON.stringify(spec)) return
      const same_grid =
        before &&
        before.endpoint === spec.endpoint &&
        JSON.stringify(gridOf(before.spec)) === JSON.stringify(gridOf(spec))
      await rows.putMonitor(tx, {
        workspace: who.workspace,
        name,
        project,
        endpoint: spec.endpoint,
        spec,
        applied_ms: clock.now(),
        next_ms: same_grid ? before.next_ms : null,
        labels_seen_ms: before?.labels_seen_ms ?? clock.now(),
      })
      await events.record(tx, monitorApplied, {
        who,
        subject: { kind: 'monitor', id: name },
        before: before?.spec,
        after: { monitor: name, endpoint: spec.endpoint, project },
      })
    },

    async removeMonitor(tx, who, name) {
      const before = await need(tx, who.workspace, name)
      await rows.dropMonitor(tx, who.workspace, name)
      await events.record(tx, monitorRemoved, {
        who,
        subject: { kind: 'monitor', id: name },
        before: before.spec,
        after: { monitor: name },
      })
    },

    readLabels(who, labels) {
      const now = clock.now()
      return {
        workspace: who.workspace,
        who: who.name,
        received_ms: now,
        labels: labels.map(({ prediction, value, observed_at }, at) => {
          if (value === null || value === undefined || typeof value === 'object')
            throw invalid('a label is a text, a number or a truth value', { field: `labels[${at}].value` })
          const observed_ms = observed_at === undefined ? now : Date.parse(observed_at)
          if (Number.isNaN(observed_ms))
            throw invalid(`'${observed_at}' is not a time`, {
              field: `labels[${at}].observed_at`,
              remedy: 'Send RFC 3339, for example 2013-04-01T07:00:00Z.',
            })
          const text = labelText(value)
          if (text.length > 1000)
            throw invalid('a label has at most 1,000 characters', { field: `labels[${at}].value` })
          return { prediction: prediction.includes('.') ? prediction : `${prediction}.0`, value: text, observed_ms }
        }),
      }
    },

    getMonitor: need,
    listMonitors: rows.monitorsOf,
    windows: rows.windowsOf,
    alerts: rows.alertsOf,
    deliveries: rows.deliveriesOf,
    labelsOf: rows.labelsOf,
    async due(sql, workspace) {
      let count = 0
      for (const monitor of await rows.monitorsOf(sql, workspace)) {
        const watermark = await serving.watermark(sql, workspace, monitor.endpoint)
        if (watermark === undefined) continue
        const grid = gridOf(monitor.spec)
        if (monitor.next_ms === null || monitor.next_ms + grid.window_ms + grid.delay_ms <= watermark) count++
      }
      return count
    },
    start: () => pulse.start(),
    stop: () => pulse.stop(),
  }
}
