import { json, parseJson, type Sql, type Tx } from '#kernel/store/index.ts'
import type { MonitorSpec } from './schema.ts'
import type { WindowBasis, WindowFacts } from './window.ts'

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
  /** dirty: labels came late, it is computed again soon; failed: it could not be computed, its facts say why. */
  state: 'computed' | 'revised' | 'dirty' | 'failed'
  facts: WindowFacts
  computed_ms: number
  revisions: number
}

type MonitorRow = Omit<Monitor, 'spec'> & { spec: string }
type WindowRow = Omit<MonitorWindow, 'facts'> & { facts: string }

const monitorOf = (row: MonitorRow): Monitor => ({ ...row, spec: parseJson(row.spec, {} as MonitorSpec) })
const windowOf = (row: WindowRow): MonitorWindow => ({ ...row, facts: parseJson(row.facts, {} as WindowFacts) })
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
  await dropWindows(tx, workspace, name)
  await tx.run('DELETE FROM monitor WHERE workspace = ? AND name = ?', [workspace, name])
}

export const setNext = (tx: Tx, workspace: string, name: string, next_ms: number) =>
  tx.run('UPDATE monitor SET next_ms = ? WHERE workspace = ? AND name = ?', [next_ms, workspace, name])
/** Moves on, unless another process did meanwhile. */
export const setLabelsSeen = (tx: Tx, workspace: string, name: string, from_ms: number, to_ms: number) =>
  tx.run('UPDATE monitor SET labels_seen_ms = ? WHERE workspace = ? AND name = ? AND labels_seen_ms = ?', [
    to_ms,
    workspace,
    name,
    from_ms,
  ])
/** A window was computed from the labels of that time: those that came since are looked at again. */
export const lookAgainFrom = (tx: Tx, workspace: string, name: string, at_ms: number) =>
  tx.run('UPDATE monitor SET labels_seen_ms = ? WHERE workspace = ? AND name = ? AND labels_seen_ms > ?', [
    at_ms,
    workspace,
    name,
    at_ms,
  ])

export async function putWindow(
  tx: Tx,
  workspace: string,
  window: MonitorWindow,
  basis: WindowBasis & { labels_ms: number },
): Promise<void> {
  await tx.run(
    `INSERT INTO monitor_window (workspace, ${WINDOW}, first_id, last_id, labels_digest, labels_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, monitor, start_ms) DO UPDATE SET end_ms = excluded.end_ms, state = excluded.state, facts = excluded.facts, computed_ms = excluded.computed_ms, revisions = excluded.revisions,
       first_id = excluded.first_id, last_id = excluded.last_id, labels_digest = excluded.labels_digest, labels_ms = excluded.labels_ms`,
    [
      workspace,
      window.monitor,
      window.start_ms,
      window.end_ms,
      window.state,
      json(window.facts),
      window.computed_ms,
      window.revisions,
      basis.first_id,
      basis.last_id,
      basis.labels_digest,
      basis.labels_ms,
    ],
  )
}

/** The windows of another grid mean nothing to this one. */
export async function dropWindows(tx: Tx, workspace: string, monitor: string): Promise<void> {
  for (const table of ['alert_streak', 'monitor_reference', 'score_reference', 'monitor_window'])
    await tx.run(`DELETE FROM ${table} WHERE workspace = ? AND monitor = ?`, [workspace, monitor])
}

export async function windowAt(
  sql: Sql,
  workspace: string,
  monitor: string,
  start_ms: number,
): Promise<(MonitorWindow & { labels_digest: string | null }) | undefined> {
  const row = await sql.get<WindowRow & { labels_digest: string | null }>(
    `SELECT ${WINDOW}, labels_digest FROM monitor_window WHERE workspace = ? AND monitor = ? AND start_ms = ?`,
    [workspace, monitor, start_ms],
  )
  return row && { ...windowOf(row), labels_digest: row.labels_digest }
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

export async function markDirty(tx: Tx, workspace: string, monitor: string, windows: readonly number[]): Promise<void> {
  for (const start_ms of windows)
    await tx.run("UPDATE monitor_window SET state = 'dirty' WHERE workspace = ? AND monitor = ? AND start_ms = ?", [
      workspace,
      monitor,
      start_ms,
    ])
}

export const scoreReferenceOf = async (
  sql: Sql,
  workspace: string,
  monitor: string,
  version: number,
): Promise<number[] | undefined> => {
  const row = await sql.get<{ histogram: string }>(
    'SELECT histogram FROM score_reference WHERE workspace = ? AND monitor = ? AND version = ?',
    [workspace, monitor, version],
  )
  return row && parseJson<number[]>(row.histogram, [])
}

/** The first one stays. */
export const putScoreReference = (
  tx: Tx,
  workspace: string,
  monitor: string,
  version: number,
  window_ms: number,
  histogram: readonly number[],
) =>
  tx.run(
    'INSERT INTO score_reference (workspace, monitor, version, window_ms, histogram) VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace, monitor, version) DO NOTHING',
    [workspace, monitor, version, window_ms, json(histogram)],
  )

export async function labelsOf(
  sql: Sql,
  workspace: string,
  prediction: string,
): Promise<{ value: string; observed_ms: number; received_ms: number; who: string }[]> {
  return sql.all(
    'SELECT value, observed_ms, received_ms, who FROM label WHERE workspace = ? AND prediction = ? ORDER BY observed_ms, received_ms LIMIT 100',
    [workspace, prediction],
  )
}
