import { notFound } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { allIn, groupBy } from './lists.ts'
import type { KeyValue, Lifecycle, LoggedModel, ModelStatus } from './model.ts'
import { type MetricRow, toMetric } from './run-rows.ts'

export interface ModelRow {
  model_key: number
  model_id: string
  experiment: number
  name: string
  model_type: string
  source_run_id: string
  status: ModelStatus
  created_ms: number
  updated_ms: number
  lifecycle: Lifecycle
  artifact_location: string
}

export const MODEL_COLUMNS = `m.model_key, m.model_id, m.experiment, m.name, m.model_type, m.source_run_id, m.status,
  m.created_ms, m.updated_ms, m.lifecycle, e.artifact_location`

export async function findModel(sql: Sql, workspace: string, model_id: string): Promise<ModelRow | undefined> {
  return await sql.get<ModelRow>(
    `SELECT ${MODEL_COLUMNS} FROM logged_model m JOIN experiment e ON e.experiment = m.experiment
     WHERE m.workspace = ? AND m.model_id = ?`,
    [workspace, model_id],
  )
}

/** Throws not-found for unknown and deleted ones alike. */
export async function mustFindModel(
  sql: Sql,
  workspace: string,
  model_id: string,
  allow_deleted = false,
): Promise<ModelRow> {
  const row = await findModel(sql, workspace, model_id)
  if (!row || (row.lifecycle === 'deleted' && !allow_deleted)) {
    throw notFound(`Logged model with ID '${model_id.slice(0, 300)}' not found.`, { field: 'model_id' })
  }
  return row
}

export const modelUriOf = (location: string, model_id: string): string =>
  `${location.replace(/\/+$/, '')}/models/${model_id}/artifacts`

type Keyed = KeyValue & { model_key: number }
type MetricOfModel = MetricRow & { model_key: number; run_id: string; dataset_name: string; dataset_digest: string }

/** Whole logged models for their rows, in the order of the rows. */
export async function fillModels(sql: Sql, rows: readonly ModelRow[]): Promise<LoggedModel[]> {
  if (rows.length === 0) return []
  const keys = rows.map((row) => row.model_key)
  const of = ({ model_key }: { model_key: number }) => model_key
  const order = ' ORDER BY model_key, key'
  const params = groupBy(
    await allIn<Keyed>(sql, 'SELECT model_key, key, value FROM logged_model_param WHERE model_key IN', [], keys, order),
    of,
  )
  const tags = groupBy(
    await allIn<Keyed>(sql, 'SELECT model_key, key, value FROM logged_model_tag WHERE model_key IN', [], keys, order),
    of,
  )
  const metrics = groupBy(
    await allIn<MetricOfModel>(
      sql,
      `SELECT model_key, key, step, at_ms, value, is_nan, run_id, dataset_name, dataset_digest
       FROM logged_model_metric WHERE model_key IN`,
      [],
      keys,
      `${order}, at_ms, step, run_id, dataset_name, dataset_digest`,
    ),
    of,
  )
  const pair = ({ key, value }: KeyValue): KeyValue => ({ key, value })
  return rows.map((row) => ({
    model_id: row.model_id,
    experiment_id: String(row.experiment),
    name: row.name,
    model_type: row.model_type,
    source_run_id: row.source_run_id,
    status: row.status,
    lifecycle: row.lifecycle,
    artifact_uri: modelUriOf(row.artifact_location, row.model_id),
    created_ms: row.created_ms,
    updated_ms: row.updated_ms,
    params: (params.get(row.model_key) ?? []).map(pair),
    tags: (tags.get(row.model_key) ?? []).map(pair),
    metrics: (metrics.get(row.model_key) ?? []).map((metric) => ({
      ...toMetric(metric),
      model_id: row.model_id,
      run_id: metric.run_id,
      dataset_name: metric.dataset_name,
      dataset_digest: metric.dataset_digest,
    })),
  }))
}
