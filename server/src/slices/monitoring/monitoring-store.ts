import { json, parseJson, type Sql, type SqlValue, type Tx } from '#kernel/store/index.ts'
import type { MonitorSpec } from './schema.ts'
import type { WindowFacts } from './window.ts'

export interface Monitor {
  workspace: string
  name: string
  project: string
  endpoint: string
  spec: MonitorSpec
  applied_ms: number
  next_ms: number | null
  labels_seen_ms: number
}

export interface MonitorWindow {
  monitor: string
  start_ms: number
  end_ms: number
  state: 'computed' | 'revised' | 'dirty'
  facts: WindowFacts
  computed_ms: number
  revisions: number
}

export interface Alert {
  workspace: string
  id: string
  monitor: string
  endpoint: string
  name: string
  metric: string
  state: 'open' | 'cleared'
  threshold: number
  value: number | null
  reference: { value: number; version: number; window_ms: number } | null
  opened_window_ms: number
  cleared_window_ms: number | null
  watermark_ms: number
  opened_ms: number
  cleared_ms: number | null
}

type MonitorRow = Omit<Monitor, 'spec'> & { spec: string }
type WindowRow = Omit<MonitorWindow, 'facts'> & { facts: string }
type AlertRow = Omit<Alert, 'reference'> & { reference: string }

const monitorOf = (row: MonitorRow): Monitor => ({ ...row, spec: parseJson(row.spec, {} as MonitorSpec) })
const windowOf = (row: WindowRow): MonitorWindow => ({ ...row, facts: parseJson(row.facts, {} as WindowFacts) })
const alertOf = (row: AlertRow): Alert => ({ ...row, reference: parseJson<Alert['reference']>(row.reference, null) })
const WINDOW = 'monitor, start_ms, end_ms, state, facts, computed_ms, revisions'

export async function monitorByName(sql: Sql, workspace: string, name: string): Promise<Monitor | undefined> {
  const row = await sql.get<MonitorRow>('SELECT * FROM monitor WHERE workspace = ? AND name = ?', [workspace, name])
  return row && monitorOf(row)
}

export const monitorsOf = async (sql: Sql, workspace: string): Promise<Monitor[]> =>
  (await sql.all<MonitorRow>('SELECT * FROM monitor WHERE workspace = ? ORDER BY name LIMIT 1000', [workspace])).map(
    monitorOf,
  )
export const allMonitors = async (sql: Sql): Promise<Monitor[]> =>
  (await sql.all<MonitorRow>('SELECT * FROM monitor ORDER BY workspace, name LIMIT 10000')).map(monitorOf)

export async function putMonitor(tx: Tx, monitor: Monitor): Promise<void> {
  await tx.run(
    `INSERT INTO monitor (workspace, name, project, endpoint, spec, applied_ms, next_ms, labels_seen_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, name) DO UPDATE SET project = excluded.project, endpoint = excluded.endpoint, spec = excluded.spec, applied_ms = excluded.applied_ms, next_ms = excluded.next_ms`,
    [
      monitor.workspace,
      monitor.name,
      monitor.project,
      monitor.endpoint,
      json(monitor.spec),
      monitor.applied_ms,
      monitor.next_ms,
      monitor.labels_seen_ms,
    ],
  )
}

export async function dropMonitor(tx: Tx, workspace: string, name: string): Promise<void> {
  for (const table of ['alert_streak', 'monitor_reference', 'monitor_window'])
    await tx.run(`DELETE FROM ${table} WHERE workspace = ? AND monitor = ?`, [workspace, name])
  await tx.run('DELETE FROM monitor WHERE workspace = ? AND name = ?', [workspace, name])
}

export const setNext = (tx: Tx, workspace: string, name: string, next_ms: number) =>
  tx.run('UPDATE monitor SET next_ms = ? WHERE workspace = ? AND name = ?', [next_ms, workspace, name])
export const setLabelsSeen = (tx: Tx, workspace: string, name: string, seen_ms: number) =>
  tx.run('UPDATE monitor SET labels_seen_ms = ? WHERE workspace = ? AND name = ?', [seen_ms, workspace, name])

export async function putWindow(tx: Tx, workspace: string, window: MonitorWindow): Promise<void> {
  await tx.run(
    `INSERT INTO monitor_window (workspace, ${WINDOW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, monitor, start_ms) DO UPDATE SET state = excluded.state, facts = excluded.facts, computed_ms = excluded.computed_ms, revisions = excluded.revisions`,
    [
      workspace,
      window.monitor,
      window.start_ms,
      window.end_ms,
      window.state,
      json(window.facts),
      window.computed_ms,
      window.revisions,
    ],
  )
}

export async function windowAt(
  sql: Sql,
  workspace: string,
  monitor: string,
  start_ms: number,
): Promise<MonitorWindow | undefined> {
  const row = await sql.get<WindowRow>(
    `SELECT ${WINDOW} FROM monitor_window WHERE workspace = ? AND monitor = ? AND start_ms = ?`,
    [workspace, monitor, start_ms],
  )
  return row && windowOf(row)
}

/** Oldest first: the newest `limit` windows. */
export async function windowsOf(sql: Sql, workspace: string, monitor: string, limit: number): Promise<MonitorWindow[]> {
  return (
    await sql.all<WindowRow>(
      `SELECT ${WINDOW} FROM monitor_window WHERE workspace = ? AND monitor = ? ORDER BY start_ms DESC LIMIT ?`,
      [workspace, monitor, limit],
    )
  )
    .map(windowOf)
    .reverse()
}

export async function dirtyWindow(sql: Sql, workspace: string, monitor: string): Promise<number | undefined> {
  return (
    await sql.get<{ start_ms: number }>(
      "SELECT start_ms FROM monitor_window WHERE workspace = ? AND monitor = ? AND state = 'dirty' ORDER BY start_ms LIMIT 1",
      [workspace, monitor],
    )
  )?.start_ms
}

export const markDirty = (tx: Tx, workspace: string, monitor: string, from_ms: number, to_ms: number) =>
  tx.run(
    "UPDATE monitor_window SET state = 'dirty' WHERE workspace = ? AND monitor = ? AND start_ms < ? AND end_ms > ?",
    [workspace, monitor, to_ms, from_ms],
  )

export async function openAlert(
  sql: Sql,
  workspace: string,
  monitor: string,
  name: string,
): Promise<Alert | undefined> {
  const row = await sql.get<AlertRow>(
    "SELECT * FROM alert WHERE workspace = ? AND monitor = ? AND name = ? AND state = 'open'",
    [workspace, monitor, name],
  )
  return row && alertOf(row)
}

export async function alertsOf(
  sql: Sql,
  workspace: string,
  filter: { monitor?: string; endpoint?: string; state?: string; limit: number },
): Promise<Alert[]> {
  const where = ['workspace = ?']
  const params: SqlValue[] = [workspace]
  for (const key of ['monitor', 'endpoint', 'state'] as const) {
    const value = filter[key]
    if (value === undefined) continue
    where.push(`${key} = ?`)
    params.push(value)
  }
  return (
    await sql.all<AlertRow>(`SELECT * FROM alert WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`, [
      ...params,
      filter.limit,
    ])
  ).map(alertOf)
}

export async function putAlert(tx: Tx, alert: Alert): Promise<void> {
  await tx.run(
    `INSERT INTO alert (workspace, id, monitor, endpoint, name, metric, state, threshold, value, reference, opened_window_ms, cleared_window_ms, watermark_ms, opened_ms, cleared_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, id) DO UPDATE SET state = excluded.state, value = excluded.value, cleared_window_ms = excluded.cleared_window_ms, cleared_ms = excluded.cleared_ms`,
    [
      alert.workspace,
      alert.id,
      alert.monitor,
      alert.endpoint,
      alert.name,
      alert.metric,
      alert.state,
      alert.threshold,
      alert.value,
      json(alert.reference),
      alert.opened_window_ms,
      alert.cleared_window_ms,
      alert.watermark_ms,
      alert.opened_ms,
      alert.cleared_ms,
    ],
  )
}

export async function streakOf(
  sql: Sql,
  workspace: string,
  monitor: string,
  name: string,
): Promise<{ streak: number; last_window_ms: number } | undefined> {
  return sql.get('SELECT streak, last_window_ms FROM alert_streak WHERE workspace = ? AND monitor = ? AND name = ?', [
    workspace,
    monitor,
    name,
  ])
}

export async function putStreak(
  tx: Tx,
  workspace: string,
  monitor: string,
  name: string,
  streak: number,
  last_window_ms: number,
): Promise<void> {
  await tx.run(
    'INSERT INTO alert_streak (workspace, monitor, name, streak, last_window_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace, monitor, name) DO UPDATE SET streak = excluded.streak, last_window_ms = excluded.last_window_ms',
    [workspace, monitor, name, streak, last_window_ms],
  )
}

export async function referenceOf(
  sql: Sql,
  workspace: string,
  monitor: string,
  metric: string,
  version: number,
): Promise<{ value: number; version: number; window_ms: number } | undefined> {
  return sql.get(
    'SELECT value, version, window_ms FROM monitor_reference WHERE workspace = ? AND monitor = ? AND metric = ? AND version = ?',
    [workspace, monitor, metric, version],
  )
}

export const putReference = (
  tx: Tx,
  workspace: string,
  monitor: string,
  metric: string,
  version: number,
  value: number,
  window_ms: number,
) =>
  tx.run(
    'INSERT INTO monitor_reference (workspace, monitor, metric, version, value, window_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, monitor, metric, version) DO NOTHING',
    [workspace, monitor, metric, version, value, window_ms],
  )

export async function newestLabel(sql: Sql, workspace: string): Promise<number> {
  return (
    (await sql.get<{ at: number | null }>('SELECT max(received_ms) AS at FROM label WHERE workspace = ?', [workspace]))
      ?.at ?? 0
  )
}

/** Predictions that got a label since then; the least and the greatest id, and how many at most 10,000. */
export async function labelledSince(
  sql: Sql,
  workspace: string,
  since_ms: number,
): Promise<{ count: number; least: string | null; greatest: string | null }> {
  return (await sql.get(
    'SELECT count(*) AS count, min(prediction) AS least, max(prediction) AS greatest FROM label WHERE workspace = ? AND received_ms > ?',
    [workspace, since_ms],
  ))!
}

export async function labelsOf(
  sql: Sql,
  workspace: string,
  prediction: string,
): Promise<{ value: string; observed_ms: number; received_ms: number; who: string }[]> {
  return sql.all(
    'SELECT value, observed_ms, received_ms, who FROM label WHERE workspace = ? AND prediction = ? ORDER BY observed_ms LIMIT 100',
    [workspace, prediction],
  )
}

export const noteDelivery = (
  tx: Tx,
  workspace: string,
  row: { id: string; alert: string; url: string; state: string; status: number | null; words: string; at_ms: number },
) =>
  tx.run(
    'INSERT INTO webhook_delivery (workspace, id, alert, url, state, status, words, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO UPDATE SET state = excluded.state, status = excluded.status, words = excluded.words, at_ms = excluded.at_ms',
    [workspace, row.id, row.alert, row.url, row.state, row.status, row.words, row.at_ms],
  )

export const deliveriesOf = (sql: Sql, workspace: string, alert: string) =>
  sql.all<{ id: string; url: string; state: string; status: number | null; words: string; at_ms: number }>(
    'SELECT id, url, state, status, words, at_ms FROM webhook_delivery WHERE workspace = ? AND alert = ? ORDER BY at_ms DESC LIMIT 100',
    [workspace, alert],
  )
