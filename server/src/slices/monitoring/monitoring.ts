import type { Analytics } from '#kernel/analytics/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { invalid, notFound } from '#kernel/errors.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Outbound } from '#kernel/outbound/index.ts'
import { createPulse } from '#kernel/pulse.ts'
import type { MigrationSource, Sql, Store, Tx } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Serving } from '#slices/serving'
import * as alertRows from './alert-store.ts'
import type { LabelsInput } from './commands.ts'
import { monitorApplied, monitorRemoved } from './events.ts'
import { gridOf } from './grid.ts'
import { createJudge } from './judge.ts'
import { labelText } from './label-values.ts'
import { createLabelled, type Labelled } from './labelled.ts'
import * as rows from './monitoring-store.ts'
import { createReferences } from './references.ts'
import { checkSpec, type MonitorSpec } from './schema.ts'
import { createWebhooks } from './webhooks.ts'
import { createWindows } from './windows.ts'

export const monitoringMigrations: MigrationSource = {
  owner: 'monitoring',
  dir: new URL('./migrations/', import.meta.url),
}

/** How often the watermarks are looked at. */
const LOOK_MS = 250
const LABEL_CHARS_MAX = 1000
/** Clocks of clients differ. */
const AHEAD_MS_MAX = 5 * 60_000

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
  outbound: Pick<Outbound, 'send'>
  serving: Pick<Serving, 'predictions' | 'watermark' | 'getEndpoint'>
  datasets: Pick<Datasets, 'versions' | 'version' | 'lend'>
  /** Data versions of ours that the run of a model version names. */
  trainingData(sql: Sql, workspace: string, model: string, version: number): Promise<{ id: string }[]>
  clock: Clock
  ids: Ids
  log: Log
  /** Root of the secrets that sign webhooks. */
  secret: Uint8Array
  /** The data folder: labels of large joins pass through `cache/monitoring` there. */
  settings: { dir: string }
}

export interface Monitoring extends Omit<Labelled, 'open'> {
  applyMonitor(tx: Tx, who: Who, input: { project: string; name: string; spec: MonitorSpec }): Promise<void>
  removeMonitor(tx: Tx, who: Who, name: string): Promise<void>
  /** Input of the command `monitoring.putLabels`. Throws invalid naming the label at fault. */
  readLabels(who: Who, labels: readonly LabelInput[]): LabelsInput
  getMonitor(sql: Sql, workspace: string, name: string): Promise<rows.Monitor>
  listMonitors(sql: Sql, workspace: string): Promise<rows.Monitor[]>
  /** The newest `limit` windows, oldest first. */
  windows(sql: Sql, workspace: string, monitor: string, limit: number): Promise<rows.MonitorWindow[]>
  alerts(sql: Sql, workspace: string, filter: Parameters<typeof alertRows.alertsOf>[2]): Promise<alertRows.Alert[]>
  deliveries: typeof alertRows.deliveriesOf
  /** Labels of one prediction row, oldest first; the last counts. */
  labelsOf: typeof rows.labelsOf
  /** `whsec_…`: what a receiver of the workspace's webhooks verifies them with. */
  webhookSecret(workspace: string): string
  /** Monitors of a workspace with a window that is due up to the watermark, or being computed. */
  due(sql: Sql, workspace: string): Promise<number>
  /** Looks at every monitor once: begins new ones, asks for windows that are due, notices late labels. */
  look(): Promise<void>
  /** Looks every 250 ms. */
  start(): void
  stop(): Promise<void>
}

export function createMonitoring(deps: MonitoringDeps): Monitoring {
  const { events, serving, clock, log } = deps
  const labelled = createLabelled(deps)
  const webhooks = createWebhooks(deps)
  const judge = createJudge({ ...deps, webhooks })
  const windows = createWindows({ ...deps, labelled, judge, referenceOf: createReferences(deps) })
  const pulse = createPulse({
    name: 'monitors',
    every_ms: LOOK_MS,
    log,
    async beat() {
      await windows.look()
      return false
    },
  })

  const need = async (sql: Sql, workspace: string, name: string): Promise<rows.Monitor> => {
    const monitor = await rows.monitorByName(sql, workspace, name)
    if (!monitor)
      throw notFound(`no monitor '${name}'`, {
        field: 'monitor',
        remedy: 'Declare it under monitors: in slipway.yaml and apply.',
      })
    return monitor
  }

  return {
    labelledRows: labelled.labelledRows,
    copyLabelled: labelled.copyLabelled,
    rowsOfDataset: labelled.rowsOfDataset,

    async applyMonitor(tx, who, { project, name, spec }) {
      checkSpec(name, spec)
      const { workspace } = who
      await serving.getEndpoint(tx, workspace, spec.endpoint)
      await tx.lock('monitoring.monitor', workspace, name)
      const before = await rows.monitorByName(tx, workspace, name)
      if (before && before.project === project && JSON.stringify(before.spec) === JSON.stringify(spec)) return
      const same_grid =
        before &&
        before.endpoint === spec.endpoint &&
        JSON.stringify(gridOf(before.spec)) === JSON.stringify(gridOf(spec))
      if (before && !same_grid) await rows.dropWindows(tx, workspace, name)
      await judge.clearOrphans(tx, who, name, new Set(same_grid ? spec.alerts?.map((alert) => alert.name) : []))
      await rows.putMonitor(tx, {
        workspace,
        name,
        project,
        endpoint: spec.endpoint,
        spec,
        // Never the same twice: what was begun for the earlier rules is not kept under these.
        applied_ms: Math.max(clock.now(), (before?.applied_ms ?? 0) + 1),
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
      await judge.clearOrphans(tx, who, name, new Set())
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
          if (!['string', 'number', 'boolean'].includes(typeof value))
            throw invalid('a label is a text, a number or a truth value', { field: `labels[${at}].value` })
          const observed_ms = observed_at === undefined ? now : Date.parse(observed_at)
          if (Number.isNaN(observed_ms))
            throw invalid(`'${observed_at}' is not a time`, {
              field: `labels[${at}].observed_at`,
              remedy: 'Send RFC 3339, for example 2013-04-01T07:00:00Z.',
            })
          // The label observed last counts: one from the future would count for ever.
          if (observed_ms > now + AHEAD_MS_MAX)
            throw invalid('a label cannot be observed more than 5 minutes ahead of the clock', {
              field: `labels[${at}].observed_at`,
              remedy: 'Leave it out where time is made up: the moment of arrival is taken.',
            })
          const text = labelText(value)
          if (text.length > LABEL_CHARS_MAX || text.includes('\0'))
            throw invalid(`a label has at most ${LABEL_CHARS_MAX} characters, none of them NUL`, {
              field: `labels[${at}].value`,
            })
          return { prediction: prediction.includes('.') ? prediction : `${prediction}.0`, value: text, observed_ms }
        }),
      }
    },

    getMonitor: need,
    listMonitors: rows.monitorsOf,
    windows: rows.windowsOf,
    alerts: alertRows.alertsOf,
    deliveries: alertRows.deliveriesOf,
    labelsOf: rows.labelsOf,
    webhookSecret: webhooks.secretOf,
    due: windows.due,
    look: windows.look,
    start: () => pulse.start(),
    stop: () => pulse.stop(),
  }
}
