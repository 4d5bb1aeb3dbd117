import { json, parseJson, type Sql, type SqlValue, type Tx } from '#kernel/store/index.ts'

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

type AlertRow = Omit<Alert, 'reference'> & { reference: string }

const alertOf = (row: AlertRow): Alert => ({ ...row, reference: parseJson<Alert['reference']>(row.reference, null) })

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
