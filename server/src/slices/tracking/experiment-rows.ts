import { invalid, notFound } from '#kernel/errors.ts'
import { DEFAULT_WORKSPACE } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { parseExperimentId } from './checks.ts'
import { allIn, groupBy } from './lists.ts'
import type { Experiment, KeyValue, Lifecycle, RunCounts } from './model.ts'

export interface ExperimentRow {
  experiment: number
  name: string
  artifact_location: string
  lifecycle: Lifecycle
  created_ms: number
  updated_ms: number
}

export const EXPERIMENT_COLUMNS = 'e.experiment, e.name, e.artifact_location, e.lifecycle, e.created_ms, e.updated_ms'

export const DEFAULT_NAME = 'Default'

const experimentNotFound = (id: string | number) =>
  notFound(`No Experiment with id=${id} exists`, { field: 'experiment_id' })

/** In every workspace, id `0` is its own Default; only in the workspace `default` that is also its number. */
export async function findExperiment(sql: Sql, workspace: string, id: string): Promise<ExperimentRow | undefined> {
  const number = parseExperimentId(id === '' ? '0' : id)
  if (number === 0) {
    return await sql.get<ExperimentRow>(
      `SELECT ${EXPERIMENT_COLUMNS} FROM experiment e WHERE e.workspace = ? AND e.is_default = 1`,
      [workspace],
    )
  }
  return await sql.get<ExperimentRow>(
    `SELECT ${EXPERIMENT_COLUMNS} FROM experiment e WHERE e.workspace = ? AND e.experiment = ?`,
    [workspace, number],
  )
}

export async function mustFindExperiment(sql: Sql, workspace: string, id: string): Promise<ExperimentRow> {
  const row = await findExperiment(sql, workspace, id)
  if (!row) throw experimentNotFound(id)
  return row
}

export function mustBeActive(row: ExperimentRow): void {
  if (row.lifecycle !== 'active') {
    throw invalid(
      `The experiment ${row.experiment} must be in the 'active' state. Current state is ${row.lifecycle}.`,
      { field: 'experiment_id', remedy: 'Restore the experiment first.' },
    )
  }
}

/** Inserts the row; the caller has checked the name and that it is free. */
export async function insertExperiment(
  tx: Tx,
  workspace: string,
  given: { name: string; artifact_location?: string; now_ms: number },
): Promise<ExperimentRow> {
  const hasDefault = await tx.get('SELECT 1 AS found FROM experiment WHERE workspace = ? AND is_default = 1', [
    workspace,
  ])
  const is_default = !hasDefault && given.name === DEFAULT_NAME
  const experiment = is_default && workspace === DEFAULT_WORKSPACE ? 0 : await nextExperimentId(tx)
  const row: ExperimentRow = {
    experiment,
    name: given.name,
    artifact_location: given.artifact_location || `mlflow-artifacts:/${experiment}`,
    lifecycle: 'active',
    created_ms: given.now_ms,
    updated_ms: given.now_ms,
  }
  await tx.run(
    `INSERT INTO experiment (workspace, experiment, name, artifact_location, lifecycle, is_default, created_ms, updated_ms)
     VALUES (?, ?, ?, ?, 'active', ?, ?, ?)`,
    [workspace, experiment, row.name, row.artifact_location, is_default ? 1 : 0, row.created_ms, row.updated_ms],
  )
  return row
}

async function nextExperimentId(tx: Tx): Promise<number> {
  const counted = await tx.get<{ id: number }>(
    `INSERT INTO experiment_counter (name, next_id) VALUES ('experiment', 2)
     ON CONFLICT (name) DO UPDATE SET next_id = experiment_counter.next_id + 1 RETURNING next_id - 1 AS id`,
  )
  return counted!.id
}

/** The workspace's Default, made when it is not there yet. */
export async function ensureDefault(tx: Tx, workspace: string, now_ms: number): Promise<ExperimentRow> {
  const found = await findExperiment(tx, workspace, '0')
  if (found) return found
  await tx.lock('experiment', workspace, DEFAULT_NAME)
  const again = await findExperiment(tx, workspace, '0')
  if (again) return again
  return await insertExperiment(tx, workspace, { name: DEFAULT_NAME, now_ms })
}

export async function findExperimentByName(
  sql: Sql,
  workspace: string,
  name: string,
): Promise<ExperimentRow | undefined> {
  return await sql.get<ExperimentRow>(
    `SELECT ${EXPERIMENT_COLUMNS} FROM experiment e WHERE e.workspace = ? AND e.name = ?`,
    [workspace, name],
  )
}

export async function fillExperiments(sql: Sql, rows: readonly ExperimentRow[]): Promise<Experiment[]> {
  const tags = groupBy(
    await allIn<KeyValue & { experiment: number }>(
      sql,
      'SELECT experiment, key, value FROM experiment_tag WHERE experiment IN',
      [],
      rows.map((row) => row.experiment),
      ' ORDER BY experiment, key',
    ),
    (row) => row.experiment,
  )
  return rows.map((row) => ({
    experiment_id: String(row.experiment),
    name: row.name,
    artifact_location: row.artifact_location,
    lifecycle: row.lifecycle,
    created_ms: row.created_ms,
    updated_ms: row.updated_ms,
    tags: (tags.get(row.experiment) ?? []).map(({ key, value }) => ({ key, value })),
  }))
}

/** Runs of each experiment by lifecycle, those running, and when the last one started: as many rows whatever it holds. */
export async function experimentCounts(
  sql: Sql,
  experiments: readonly number[],
): Promise<(experiment: number) => RunCounts> {
  const counted = await allIn<{ experiment: number; active: number; deleted: number; running: number }>(
    sql,
    `SELECT experiment, sum(active) AS active, sum(deleted) AS deleted, sum(running) AS running
     FROM experiment_runs WHERE experiment IN`,
    [],
    experiments,
    ' GROUP BY experiment',
  )
  const started = await allIn<{ experiment: number; last_started_ms: number | null }>(
    sql,
    `SELECT e.experiment, (SELECT r.start_ms FROM run r WHERE r.experiment = e.experiment AND r.lifecycle = 'active'
       ORDER BY r.start_ms DESC LIMIT 1) AS last_started_ms
     FROM experiment e WHERE e.experiment IN`,
    [],
    experiments,
  )
  const counts = new Map(counted.map((row) => [row.experiment, row]))
  const last = new Map(started.map((row) => [row.experiment, row.last_started_ms]))
  return (experiment) => {
    const found = counts.get(experiment)
    return {
      active: Number(found?.active ?? 0),
      deleted: Number(found?.deleted ?? 0),
      running: Number(found?.running ?? 0),
      last_started_ms: last.get(experiment) ?? null,
    }
  }
}
