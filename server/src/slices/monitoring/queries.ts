import type { Sql } from '#kernel/store/index.ts'

export interface LabelRange {
  workspace: string
  /** Ids of predictions answered in this span of wall time lie between these texts. */
  from_id: string
  to_id: string
  limit: number
}

/** The label that counts for each prediction of a range: the one observed last. Columns, because rows by the hundred thousand are large. */
export async function labelsBetween(
  sql: Sql,
  { workspace, from_id, to_id, limit }: LabelRange,
): Promise<{ predictions: string[]; values: string[]; truncated: boolean }> {
  const rows = await sql.all<{ prediction: string; value: string; observed_ms: number }>(
    'SELECT prediction, value, observed_ms FROM label WHERE workspace = ? AND prediction >= ? AND prediction < ? ORDER BY prediction, observed_ms LIMIT ?',
    [workspace, from_id, to_id, limit + 1],
  )
  const predictions: string[] = []
  const values: string[] = []
  for (const { prediction, value } of rows.slice(0, limit)) {
    if (predictions.at(-1) === prediction) values[values.length - 1] = value
    else {
      predictions.push(prediction)
      values.push(value)
    }
  }
  return { predictions, values, truncated: rows.length > limit }
}

export const monitoringQueries = { 'monitoring.labelsBetween': labelsBetween }
