import type { Actor, Who } from '#kernel/http/who.ts'
import { json, parseJson, type Sql, type SqlValue, type Tx } from '#kernel/store/index.ts'
import type { PipelineSpec, Scalar } from './schema.ts'

export interface LockedEnvironment {
  python?: string
  /** `sha256:…` of the lock's text. */
  lock: string
}

export interface Pipeline {
  workspace: string
  project: string
  name: string
  spec: PipelineSpec
  environments: Record<string, LockedEnvironment>
  /** Digest of the code snapshot. */
  code: string
  applied_by: Actor
  created_ms: number
  updated_ms: number
}

export type RunState = 'running' | 'done' | 'failed' | 'cancelled'
export type StepState = 'waiting' | 'running' | 'done' | 'cached' | 'failed' | 'cancelled' | 'skipped'

/** Why a run started. */
export type Cause =
  | { kind: 'manual'; reason?: string }
  | { kind: 'cron'; cron: string; due_ms: number }
  | { kind: 'dataset'; dataset: string; version: string }
  | { kind: 'event'; event: string; id: string }
  | { kind: 'retry'; run: string }
  | { kind: 'release'; reason: string; alert?: string }

/** Where code came from, as it was said when a run began: the same files may be committed later, or lie at another commit. */
export interface CodeSource {
  commit: string | null
  branch: string | null
  /** The tree was not clean. */
  dirty: boolean
  /** Digest of the diff against the commit. */
  diff: string | null
}

export interface PipelineRun {
  workspace: string
  id: string
  project: string
  pipeline: string
  number: number
  spec: PipelineSpec
  environments: Record<string, LockedEnvironment>
  code: string
  source: CodeSource
  params: Record<string, Scalar>
  inputs: Record<string, string>
  use_cache: number
  cause: Cause
  who: Who
  state: RunState
  reason: string | null
  tracking_run: string | null
  created_ms: number
  ended_ms: number | null
}

export interface StepInput {
  name: string
  digest: string
  /** Set for a dataset version. */
  dataset?: string
  version?: string
  number?: number
  from_step?: string
}

export interface StepOutput {
  name: string
  digest: string
  size_bytes: number
  files: { path: string; digest: string; size_bytes: number }[]
  /** Version that it became. */
  version?: string
  dataset?: string
}

export interface StepRun {
  workspace: string
  id: string
  run: string
  name: string
  attempt: number
  state: StepState
  job: string | null
  tracking_run: string | null
  cache_key: string | null
  cache_parts: Record<string, string>
  cache_words: string | null
  cached_from: string | null
  inputs: StepInput[]
  outputs: StepOutput[]
  environment: string | null
  reason: string | null
  exit_code: number | null
  peak_bytes: number | null
  log_digest: string | null
  started_ms: number | null
  ended_ms: number | null
}

export interface CodeSnapshot {
  workspace: string
  digest: string
  commit_id: string | null
  branch: string | null
  dirty: number
  diff_digest: string | null
  file_count: number
  size_bytes: number
  manifest_digest: string
  created_by: string
  created_ms: number
}

type Plain<T, K extends keyof T> = Omit<T, K> & Record<K, string>
type PipelineRow = Plain<Pipeline, 'spec' | 'environments' | 'applied_by'>
type RunRow = Plain<Omit<PipelineRun, 'source'>, 'spec' | 'environments' | 'params' | 'inputs' | 'cause' | 'who'> & {
  source_commit: string | null
  source_branch: string | null
  source_dirty: number
  source_diff: string | null
}
type StepRow = Plain<StepRun, 'cache_parts' | 'inputs' | 'outputs'>

const pipelineOf = (row: PipelineRow): Pipeline => ({
  ...row,
  spec: parseJson(row.spec, { steps: {} }),
  environments: parseJson(row.environments, {}),
  applied_by: parseJson(row.applied_by, {} as Actor),
})
const runOf = ({ source_commit, source_branch, source_dirty, source_diff, ...row }: RunRow): PipelineRun => ({
  ...row,
  spec: parseJson(row.spec, { steps: {} }),
  environments: parseJson(row.environments, {}),
  source: { commit: source_commit, branch: source_branch, dirty: source_dirty === 1, diff: source_diff },
  params: parseJson(row.params, {}),
  inputs: parseJson(row.inputs, {}),
  cause: parseJson<Cause>(row.cause, { kind: 'manual' }),
  who: parseJson(row.who, {} as Who),
})
const stepOf = (row: StepRow): StepRun => ({
  ...row,
  cache_parts: parseJson(row.cache_parts, {}),
  inputs: parseJson(row.inputs, []),
  outputs: parseJson(row.outputs, []),
})

export async function putCode(tx: Tx, code: CodeSnapshot): Promise<void> {
  await tx.run(
    `INSERT INTO code_snapshot (workspace, digest, commit_id, branch, dirty, diff_digest, file_count, size_bytes, manifest_digest, created_by, created_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, digest) DO UPDATE SET commit_id = excluded.commit_id, branch = excluded.branch, dirty = excluded.dirty,
       diff_digest = excluded.diff_digest, manifest_digest = excluded.manifest_digest`,
    [
      code.workspace,
      code.digest,
      code.commit_id,
      code.branch,
      code.dirty,
      code.diff_digest,
      code.file_count,
      code.size_bytes,
      code.manifest_digest,
      code.created_by,
      code.created_ms,
    ],
  )
}

export const codeByDigest = (sql: Sql, workspace: string, digest: string): Promise<CodeSnapshot | undefined> =>
  sql.get<CodeSnapshot>('SELECT * FROM code_snapshot WHERE workspace = ? AND digest = ?', [workspace, digest])

export async function pipelineByName(
  sql: Sql,
  workspace: string,
  project: string,
  name: string,
): Promise<Pipeline | undefined> {
  const row = await sql.get<PipelineRow>('SELECT * FROM pipeline WHERE workspace = ? AND project = ? AND name = ?', [
    workspace,
    project,
    name,
  ])
  return row && pipelineOf(row)
}

export async function pipelinesOf(sql: Sql, workspace: string, project?: string): Promise<Pipeline[]> {
  const filter: SqlValue[] = project === undefined ? [workspace] : [workspace, project]
  const rows = await sql.all<PipelineRow>(
    `SELECT * FROM pipeline WHERE workspace = ?${project === undefined ? '' : ' AND project = ?'} ORDER BY project, name LIMIT 1000`,
    filter,
  )
  return rows.map(pipelineOf)
}

/** Pipelines of which a trigger may name this; the caller looks closer. */
export async function pipelinesTriggeredBy(
  sql: Sql,
  workspace: string,
  trigger: { dataset: string } | { event: string },
): Promise<Pipeline[]> {
  // Our own JSON has no spaces; a `_` in a name matches any letter, which only finds too many.
  const rows = await sql.all<PipelineRow>(
    'SELECT * FROM pipeline WHERE workspace = ? AND spec LIKE ? ORDER BY project, name LIMIT 1000',
    [workspace, `%${JSON.stringify(trigger)}%`],
  )
  return rows.map(pipelineOf)
}

/** Whether a pipeline was started for exactly this already. */
export const wasCausedBy = async (
  sql: Sql,
  { workspace, project, name }: Pick<Pipeline, 'workspace' | 'project' | 'name'>,
  cause: Cause,
): Promise<boolean> =>
  (await sql.get(
    'SELECT 1 AS one FROM pipeline_run WHERE workspace = ? AND project = ? AND pipeline = ? AND cause = ? LIMIT 1',
    [workspace, project, name, json(cause)],
  )) !== undefined

export const allPipelines = async (sql: Sql): Promise<Pipeline[]> =>
  (await sql.all<PipelineRow>('SELECT * FROM pipeline ORDER BY workspace, project, name LIMIT 10000')).map(pipelineOf)

export async function putPipeline(tx: Tx, pipeline: Pipeline): Promise<void> {
  await tx.run(
    `INSERT INTO pipeline (workspace, project, name, spec, environments, code, applied_by, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, project, name) DO UPDATE SET spec = excluded.spec, environments = excluded.environments, code = excluded.code, applied_by = excluded.applied_by, updated_ms = excluded.updated_ms`,
    [
      pipeline.workspace,
      pipeline.project,
      pipeline.name,
      json(pipeline.spec),
      json(pipeline.environments),
      pipeline.code,
      json(pipeline.applied_by),
      pipeline.created_ms,
      pipeline.updated_ms,
    ],
  )
}

export const dropPipeline = (tx: Tx, workspace: string, project: string, name: string) =>
  tx.run('DELETE FROM pipeline WHERE workspace = ? AND project = ? AND name = ?', [workspace, project, name])

export async function insertRun(tx: Tx, run: Omit<PipelineRun, 'number'>): Promise<number> {
  await tx.lock('pipelines.run', run.workspace, run.project, run.pipeline)
  const last = await tx.get<{ number: number | null }>(
    'SELECT max(number) AS number FROM pipeline_run WHERE workspace = ? AND project = ? AND pipeline = ?',
    [run.workspace, run.project, run.pipeline],
  )
  const number = (last?.number ?? 0) + 1
  await tx.run(
    `INSERT INTO pipeline_run (workspace, id, project, pipeline, number, spec, environments, code, source_commit, source_branch, source_dirty, source_diff, params, inputs, use_cache, cause, who, state, reason, tracking_run, created_ms, ended_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      run.workspace,
      run.id,
      run.project,
      run.pipeline,
      number,
      json(run.spec),
      json(run.environments),
      run.code,
      run.source.commit,
      run.source.branch,
      run.source.dirty ? 1 : 0,
      run.source.diff,
      json(run.params),
      json(run.inputs),
      run.use_cache,
      json(run.cause),
      json(run.who),
      run.state,
      run.reason,
      run.tracking_run,
      run.created_ms,
      run.ended_ms,
    ],
  )
  return number
}

export async function updateRun(
  tx: Tx,
  workspace: string,
  id: string,
  changes: Partial<Pick<PipelineRun, 'state' | 'reason' | 'tracking_run' | 'ended_ms'>> & {
    inputs?: Record<string, string>
  },
): Promise<void> {
  const { inputs, ...plain } = changes
  await update(tx, 'pipeline_run', workspace, id, { ...plain, ...(inputs && { inputs: json(inputs) }) })
}

export async function runById(sql: Sql, workspace: string, id: string): Promise<PipelineRun | undefined> {
  const row = await sql.get<RunRow>('SELECT * FROM pipeline_run WHERE workspace = ? AND id = ?', [workspace, id])
  return row && runOf(row)
}

export async function runsOf(
  sql: Sql,
  workspace: string,
  filter: { project?: string; pipeline?: string; state?: string; before_id?: string; limit: number },
): Promise<PipelineRun[]> {
  const where = ['workspace = ?']
  const params: SqlValue[] = [workspace]
  const add = (clause: string, value: string | undefined) => {
    if (value === undefined) return
    where.push(clause)
    params.push(value)
  }
  add('project = ?', filter.project)
  add('pipeline = ?', filter.pipeline)
  add('state = ?', filter.state)
  add('id < ?', filter.before_id)
  const rows = await sql.all<RunRow>(
    `SELECT * FROM pipeline_run WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`,
    [...params, filter.limit],
  )
  return rows.map(runOf)
}

export async function insertStep(tx: Tx, step: StepRun): Promise<void> {
  await tx.run(
    `INSERT INTO step_run (workspace, id, run, name, attempt, state, cache_parts, inputs, outputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      step.workspace,
      step.id,
      step.run,
      step.name,
      step.attempt,
      step.state,
      json(step.cache_parts),
      json(step.inputs),
      json(step.outputs),
    ],
  )
  await updateStep(tx, step.workspace, step.id, step)
}

export async function updateStep(tx: Tx, workspace: string, id: string, changes: Partial<StepRun>): Promise<void> {
  const { cache_parts, inputs, outputs, workspace: _, id: __, run: ___, name: ____, ...plain } = changes
  await update(tx, 'step_run', workspace, id, {
    ...plain,
    ...(cache_parts && { cache_parts: json(cache_parts) }),
    ...(inputs && { inputs: json(inputs) }),
    ...(outputs && { outputs: json(outputs) }),
  })
}

export async function stepsOf(sql: Sql, workspace: string, run: string): Promise<StepRun[]> {
  return (
    await sql.all<StepRow>('SELECT * FROM step_run WHERE workspace = ? AND run = ? ORDER BY id', [workspace, run])
  ).map(stepOf)
}

export async function stepById(sql: Sql, workspace: string, id: string): Promise<StepRun | undefined> {
  const row = await sql.get<StepRow>('SELECT * FROM step_run WHERE workspace = ? AND id = ?', [workspace, id])
  return row && stepOf(row)
}

/** The pipeline run that a step is of. */
export async function runOfStep(sql: Sql, workspace: string, step: string): Promise<PipelineRun | undefined> {
  const found = await stepById(sql, workspace, step)
  return found && runById(sql, workspace, found.run)
}

/** The newest finished step that did the same. */
export async function stepByKey(sql: Sql, workspace: string, key: string): Promise<StepRun | undefined> {
  const row = await sql.get<StepRow>(
    "SELECT * FROM step_run WHERE workspace = ? AND cache_key = ? AND state = 'done' ORDER BY id DESC LIMIT 1",
    [workspace, key],
  )
  return row && stepOf(row)
}

/** The newest earlier run of a step that got far enough to know what it stood on. */
export async function earlierStep(
  sql: Sql,
  workspace: string,
  project: string,
  pipeline: string,
  name: string,
  before_id: string,
): Promise<StepRun | undefined> {
  const row = await sql.get<StepRow>(
    `SELECT s.* FROM step_run s JOIN pipeline_run r ON r.workspace = s.workspace AND r.id = s.run
     WHERE s.workspace = ? AND r.project = ? AND r.pipeline = ? AND s.name = ? AND s.id < ? AND s.state = 'done' ORDER BY s.id DESC LIMIT 1`,
    [workspace, project, pipeline, name, before_id],
  )
  return row && stepOf(row)
}

async function update(
  tx: Tx,
  table: string,
  workspace: string,
  id: string,
  changes: Record<string, unknown>,
): Promise<void> {
  const columns = Object.keys(changes).filter((column) => changes[column] !== undefined)
  if (columns.length === 0) return
  await tx.run(
    `UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE workspace = ? AND id = ?`,
    [...columns.map((column) => changes[column] as SqlValue), workspace, id],
  )
}
