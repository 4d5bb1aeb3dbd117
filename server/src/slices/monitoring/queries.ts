import type { Sql } from '#kernel/store/index.ts'

export interface LabelRange {
  workspace: string
  /** Ids of prediction rows, both included. */
  from_id: string
  to_id: string
  /** Label rows that one page reads. */
  limit: number
}

export interface LabelPage {
  predictions: string[]
  values: string[]
  /** Where the next page begins; null: that was all. */
  next: string | null
}

/** The label that counts for each prediction of a range: the one observed last. Columns, because rows by the hundred thousand are large. */
export async function labelsBetween(sql: Sql, { workspace, from_id, to_id, limit }: LabelRange): Promise<LabelPage> {
  const rows = await sql.all<{ prediction: string; value: string; observed_ms: number }>(
    'SELECT prediction, value, observed_ms FROM label WHERE workspace = ? AND prediction >= ? AND prediction <= ? ORDER BY prediction, observed_ms, received_ms LIMIT ?',
    [workspace, from_id, to_id, limit],
  )
  const predictions: string[] = []
  const values: string[] = []
  for (const { prediction, value } of rows) {
    if (predictions.at(-1) === prediction) values[values.length - 1] = value
    else {
      predictions.push(prediction)
      values.push(value)
    }
  }
  if (rows.length < limit) return { predictions, values, next: null }
  // The last prediction may have further labels on the next page. `~` sorts behind digits and the dot.
  if (predictions.length === 1) {
    const last = await sql.get<{ value: string }>(
      'SELECT value FROM label WHERE workspace = ? AND prediction = ? ORDER BY observed_ms DESC, received_ms DESC LIMIT 1',
      [workspace, predictions[0]!],
    )
    return { predictions, values: [last!.value], next: `${predictions[0]}~` }
  }
  values.pop()
  return { next: predictions.pop()!, predictions, values }
}

/**
 * Computed windows that may lack labels received after `since_ms`: by the ids of their predictions, so a label of another
 * endpoint may be among them. `newest_ms`: when the newest label of all came.
 */
export async function lateWindows(
  sql: Sql,
  { workspace, monitor, since_ms }: { workspace: string; monitor: string; since_ms: number },
): Promise<{ newest_ms: number; windows: number[] }> {
  const fresh = await sql.get<{ newest: number | null; least: string | null; greatest: string | null }>(
    'SELECT max(received_ms) AS newest, min(prediction) AS least, max(prediction) AS greatest FROM label WHERE workspace = ? AND received_ms > ?',
    [workspace, since_ms],
  )
  if (!fresh?.least || !fresh.greatest) return { newest_ms: since_ms, windows: [] }
  const touched = await sql.all<{ start_ms: number; first_id: string; last_id: string; labels_ms: number }>(
    "SELECT start_ms, first_id, last_id, labels_ms FROM monitor_window WHERE workspace = ? AND monitor = ? AND state <> 'dirty' AND first_id <= ? AND last_id >= ? ORDER BY start_ms LIMIT 1000",
    [workspace, monitor, fresh.greatest, fresh.least],
  )
  const windows: number[] = []
  for (const { start_ms, first_id, last_id, labels_ms } of touched) {
    const late = await sql.get(
      'SELECT 1 AS one FROM label WHERE workspace = ? AND received_ms > ? AND prediction >= ? AND prediction <= ? LIMIT 1',
      [workspace, Math.max(since_ms, labels_ms), first_id, last_id],
    )
    if (late) windows.push(start_ms)
  }
  return { newest_ms: fresh.newest ?? since_ms, windows }
}

export const monitoringQueries = {
  'monitoring.labelsBetween': labelsBetween,
  'monitoring.lateWindows': lateWindows,
}
