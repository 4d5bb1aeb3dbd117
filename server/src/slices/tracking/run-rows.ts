import { notFound } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { allIn, groupBy } from './lists.ts'
import type { DatasetInput, Integer, KeyValue, Lifecycle, Metric, Run, RunInfo, RunStatus } from './model.ts'

export interface RunRow {
  run_key: number
  run_id: string
  experiment: number
  name: string
  user_id: string
  status: RunStatus
  start_ms: number
  end_ms: number | null
  lifecycle: Lifecycle
  artifact_location: string
  /** Set when the run's artifacts are not below its experiment: it was moved. */
  artifact_uri: string | null
  /** The segment that has its columns; null while they are read from the rows. */
  segment: number | null
}

export const RUN_COLUMNS = `r.run_key, r.run_id, r.experiment, r.name, r.user_id, r.status, r.start_ms, r.end_ms,
  r.lifecycle, e.artifact_location, r.artifact_uri, r.segment`

export const runNotFound = (run_id: string) =>
  notFound(`Run with id=${run_id.slice(0, 300)} not found`, { field: 'run_id' })

export async function findRun(sql: Sql, workspace: string, run_id: string): Promise<RunRow | undefined> {
  return await sql.get<RunRow>(
    `SELECT ${RUN_COLUMNS} FROM run r JOIN experiment e ON e.experiment = r.experiment
     WHERE r.workspace = ? AND r.run_id = ?`,
    [workspace, run_id],
  )
}

export async function mustFindRun(sql: Sql, workspace: string, run_id: string): Promise<RunRow> {
  const row = await findRun(sql, workspace, run_id)
  if (!row) throw runNotFound(run_id)
  return row
}

/** What writing into a run needs to know of it. */
export type RunState = Pick<RunRow, 'run_key' | 'run_id' | 'experiment' | 'status' | 'lifecycle'>

/** As mustFindRun, for the hot writes: from the one table, no more than they look at. */
export async function mustFindRunState(sql: Sql, workspace: string, run_id: string): Promise<RunState> {
  const row = await sql.get<RunState>(
    'SELECT run_key, run_id, experiment, status, lifecycle FROM run WHERE workspace = ? AND run_id = ?',
    [workspace, run_id],
  )
  if (!row) throw runNotFound(run_id)
  return row
}

export const artifactUriOf = (location: string, run_id: string): string =>
  `${location.replace(/\/+$/, '')}/${run_id}/artifacts`

export const infoOf = (row: RunRow): RunInfo => ({
  run_id: row.run_id,
  name: row.name,
  experiment_id: String(row.experiment),
  user_id: row.user_id,
  status: row.status,
  start_ms: row.start_ms,
  end_ms: row.end_ms,
  artifact_uri: row.artifact_uri ?? artifactUriOf(row.artifact_location, row.run_id),
  lifecycle: row.lifecycle,
})

export interface MetricRow {
  key: string
  step: Integer
  at_ms: Integer
  value: number
  is_nan: number
}

export const toMetric = (row: MetricRow): Metric => ({
  key: row.key,
  value: row.is_nan ? Number.NaN : row.value,
  timestamp_ms: row.at_ms,
  step: row.step,
})

interface Keyed extends KeyValue {
  run_key: number
}

interface InputRow {
  run_key: number
  dataset_key: number
  name: string
  digest: string
  source_type: string
  source: string
  schema_text: string | null
  profile_text: string | null
}

const pair = ({ key, value }: KeyValue): KeyValue => ({ key, value })

/** Whole runs for their rows, in the order of the rows, with a fixed number of statements. */
export async function fillRuns(sql: Sql, rows: readonly RunRow[]): Promise<Run[]> {
  if (rows.length === 0) return []
  const keys = rows.map((row) => row.run_key)
  const of = ({ run_key }: { run_key: number }) => run_key
  const metrics = groupBy(
    await allIn<MetricRow & { run_key: number }>(
      sql,
      'SELECT run_key, key, step, at_ms, value, is_nan FROM run_metric WHERE run_key IN',
      [],
      keys,
      ' ORDER BY run_key, key',
    ),
    of,
  )
  const params = groupBy(
    await allIn<Keyed>(
      sql,
      'SELECT run_key, key, value FROM run_param WHERE run_key IN',
      [],
      keys,
      ' ORDER BY run_key, key',
    ),
    of,
  )
  const tags = groupBy(
    await allIn<Keyed>(
      sql,
      'SELECT run_key, key, value FROM run_tag WHERE run_key IN',
      [],
      keys,
      ' ORDER BY run_key, key',
    ),
    of,
  )
  const inputs = await inputsOf(sql, keys)
  const models = groupBy(
    await allIn<{ run_key: number; direction: string; model_id: string; step: Integer }>(
      sql,
      'SELECT run_key, direction, model_id, step FROM run_model WHERE run_key IN',
      [],
      keys,
      ' ORDER BY run_key, direction, position, model_id',
    ),
    of,
  )
  return rows.map((row) => ({
    ...infoOf(row),
    metrics: (metrics.get(row.run_key) ?? []).map(toMetric),
    params: (params.get(row.run_key) ?? []).map(pair),
    tags: (tags.get(row.run_key) ?? []).map(pair),
    dataset_inputs: inputs.get(row.run_key) ?? [],
    model_inputs: (models.get(row.run_key) ?? []).filter((m) => m.direction === 'input').map((m) => m.model_id),
    model_outputs: (models.get(row.run_key) ?? [])
      .filter((m) => m.direction === 'output')
      .map(({ model_id, step }) => ({ model_id, step })),
  }))
}

async function inputsOf(sql: Sql, run_keys: readonly number[]): Promise<Map<number, DatasetInput[]>> {
  const rows = await allIn<InputRow>(
    sql,
    `SELECT i.run_key, i.dataset_key, d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile_text
     FROM run_input i JOIN input_dataset d ON d.dataset_key = i.dataset_key WHERE i.run_key IN`,
    [],
    run_keys,
    ' ORDER BY i.run_key, i.position, i.dataset_key',
  )
  if (rows.length === 0) return new Map()
  const tags = groupBy(
    await allIn<Keyed & { dataset_key: number }>(
      sql,
      'SELECT run_key, dataset_key, key, value FROM run_input_tag WHERE run_key IN',
      [],
      [...new Set(rows.map((row) => row.run_key))],
      ' ORDER BY run_key, dataset_key, key',
    ),
    (row) => `${row.run_key}/${row.dataset_key}`,
  )
  const inputs = new Map<number, DatasetInput[]>()
  for (const row of rows) {
    const { name, digest, source_type, source, schema_text, profile_text } = row
    const input: DatasetInput = {
      dataset: {
        name,
        digest,
        source_type,
        source,
        ...(schema_text !== null && { schema: schema_text }),
        ...(profile_text !== null && { profile: profile_text }),
      },
      tags: (tags.get(`${row.run_key}/${row.dataset_key}`) ?? []).map(pair),
    }
    const list = inputs.get(row.run_key)
    if (list) list.push(input)
    else inputs.set(row.run_key, [input])
  }
  return inputs
}
