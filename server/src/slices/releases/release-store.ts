import type { Actor } from '#kernel/http/who.ts'
import { json, parseJson, type Sql, type SqlValue, type Tx } from '#kernel/store/index.ts'
import type { Counts } from '#slices/serving'
import type { Verdict } from './gate-rules.ts'
import type { ReleaseSpec } from './schema.ts'

export type ReleaseState =
  | 'proposed'
  | 'checking'
  | 'refused'
  | 'approved'
  | 'loading'
  | 'canary'
  | 'live'
  | 'superseded'
  | 'rolled_back'

/** States in which a release is under way; an endpoint has one such at a time, others wait as proposed. */
export const OPEN: readonly ReleaseState[] = ['checking', 'approved', 'loading', 'canary']

/** Everything that a release stands on: rolling back restores all of it. */
export interface Bundle {
  model: string
  version: number
  model_digest: string | null
  form: 'onnx' | 'python' | null
  run: string | null
  code: string | null
  commit: string | null
  environment: string | null
  data: { id: string; name: string; number: number; digest: string }[]
  endpoint: unknown
  previous: string | null
}

/**
 * What the nodes had counted when a step began. `*_since_ms` name the load that was counted on: after a restart another load
 * counts from nothing, and the step begins again.
 */
export interface StepCounts {
  canary?: Counts
  stable?: Counts
  canary_since_ms?: number
  stable_since_ms?: number
}

export interface Release {
  workspace: string
  id: string
  endpoint: string
  model: string
  version: number
  state: ReleaseState
  reason: string | null
  revision: string | null
  previous: string | null
  step: number | null
  step_counts: StepCounts
  policy: ReleaseSpec
  verdict: Verdict | null
  bundle: Bundle | null
  proposed_by: Actor
  proposed_ms: number
  step_ms: number | null
  live_ms: number | null
  ended_ms: number | null
}

export interface Decision {
  position: number
  state: ReleaseState
  words: string
  facts: Record<string, unknown>
  who: Actor
  at_ms: number
  watermark_ms: number | null
}

export interface Policy {
  workspace: string
  endpoint: string
  project: string
  spec: ReleaseSpec
  applied_by: Actor
  digest: string
  applied_ms: number
}

export interface Retraining {
  workspace: string
  id: string
  endpoint: string
  alert: string
  state: 'collecting' | 'training' | 'skipped' | 'failed' | 'done'
  reason: string | null
  evidence: Record<string, unknown>
  dataset: string | null
  dataset_version: string | null
  pipeline_run: string | null
  release_id: string | null
  from_ms: number | null
  to_ms: number | null
  watermark_ms: number
  created_ms: number
  ended_ms: number | null
}

type Plain<T, K extends keyof T> = Omit<T, K> & Record<K, string>
type ReleaseRow = Plain<Release, 'step_counts' | 'policy' | 'verdict' | 'bundle' | 'proposed_by'>

const releaseOf = (row: ReleaseRow): Release => ({
  ...row,
  step_counts: parseJson(row.step_counts, {}),
  policy: parseJson(row.policy, {}),
  verdict: parseJson<Verdict | null>(row.verdict, null),
  bundle: parseJson<Bundle | null>(row.bundle, null),
  proposed_by: parseJson(row.proposed_by, {} as Actor),
})

export async function policyOf(sql: Sql, workspace: string, endpoint: string): Promise<Policy | undefined> {
  const row = await sql.get<Plain<Policy, 'spec' | 'applied_by'>>(
    'SELECT * FROM release_policy WHERE workspace = ? AND endpoint = ?',
    [workspace, endpoint],
  )
  return row && { ...row, spec: parseJson(row.spec, {}), applied_by: parseJson(row.applied_by, {} as Actor) }
}

export async function putPolicy(tx: Tx, policy: Policy): Promise<void> {
  await tx.run(
    `INSERT INTO release_policy (workspace, endpoint, project, spec, applied_by, digest, applied_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, endpoint) DO UPDATE SET project = excluded.project, spec = excluded.spec, applied_by = excluded.applied_by, digest = excluded.digest, applied_ms = excluded.applied_ms`,
    [
      policy.workspace,
      policy.endpoint,
      policy.project,
      json(policy.spec),
      json(policy.applied_by),
      policy.digest,
      policy.applied_ms,
    ],
  )
}

export const dropPolicy = (tx: Tx, workspace: string, endpoint: string) =>
  tx.run('DELETE FROM release_policy WHERE workspace = ? AND endpoint = ?', [workspace, endpoint])

export async function insertRelease(tx: Tx, release: Release): Promise<void> {
  await tx.run(
    `INSERT INTO release (workspace, id, endpoint, model, version, state, reason, revision, previous, step, step_counts, policy, verdict, bundle, proposed_by, proposed_ms, step_ms, live_ms, ended_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      release.workspace,
      release.id,
      release.endpoint,
      release.model,
      release.version,
      release.state,
      release.reason,
      release.revision,
      release.previous,
      release.step,
      json(release.step_counts),
      json(release.policy),
      json(release.verdict),
      json(release.bundle),
      json(release.proposed_by),
      release.proposed_ms,
      release.step_ms,
      release.live_ms,
      release.ended_ms,
    ],
  )
}

export async function updateRelease(tx: Tx, workspace: string, id: string, changes: Partial<Release>): Promise<void> {
  const { step_counts, verdict, bundle, policy, proposed_by: _, workspace: __, id: ___, ...plain } = changes
  await update(tx, 'release', workspace, id, {
    ...plain,
    ...(step_counts && { step_counts: json(step_counts) }),
    ...(verdict && { verdict: json(verdict) }),
    ...(bundle && { bundle: json(bundle) }),
    ...(policy && { policy: json(policy) }),
  })
}

export async function releaseById(sql: Sql, workspace: string, id: string): Promise<Release | undefined> {
  const row = await sql.get<ReleaseRow>('SELECT * FROM release WHERE workspace = ? AND id = ?', [workspace, id])
  return row && releaseOf(row)
}

export async function releasesOf(
  sql: Sql,
  workspace: string,
  filter: { endpoint?: string; state?: string; model?: string; version?: number; before_id?: string; limit: number },
): Promise<Release[]> {
  const where = ['workspace = ?']
  const params: SqlValue[] = [workspace]
  const add = (clause: string, value: SqlValue | undefined) => {
    if (value === undefined) return
    where.push(clause)
    params.push(value)
  }
  add('endpoint = ?', filter.endpoint)
  add('state = ?', filter.state)
  add('model = ?', filter.model)
  add('version = ?', filter.version)
  add('id < ?', filter.before_id)
  return (
    await sql.all<ReleaseRow>(`SELECT * FROM release WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`, [
      ...params,
      filter.limit,
    ])
  ).map(releaseOf)
}

/** The release whose bundle serves the endpoint now. */
export async function liveRelease(sql: Sql, workspace: string, endpoint: string): Promise<Release | undefined> {
  return (await releasesOf(sql, workspace, { endpoint, state: 'live', limit: 1 }))[0]
}

export async function openRelease(sql: Sql, workspace: string, endpoint: string): Promise<Release | undefined> {
  const row = await sql.get<ReleaseRow>(
    `SELECT * FROM release WHERE workspace = ? AND endpoint = ? AND state IN (${OPEN.map(() => '?').join(', ')}) ORDER BY id LIMIT 1`,
    [workspace, endpoint, ...OPEN],
  )
  return row && releaseOf(row)
}

/** Releases of an endpoint that have not ended: the live one, what is under way, what waits. */
export async function unendedReleases(sql: Sql, workspace: string, endpoint: string): Promise<Release[]> {
  const states = ['proposed', 'live', ...OPEN]
  const found = await sql.all<ReleaseRow>(
    `SELECT * FROM release WHERE workspace = ? AND endpoint = ? AND state IN (${states.map(() => '?').join(', ')}) ORDER BY id LIMIT 1000`,
    [workspace, endpoint, ...states],
  )
  return found.map(releaseOf)
}

export async function countReleases(sql: Sql, workspace: string, states: readonly ReleaseState[]): Promise<number> {
  const row = await sql.get<{ count: number }>(
    `SELECT count(*) AS count FROM release WHERE workspace = ? AND state IN (${states.map(() => '?').join(', ')})`,
    [workspace, ...states],
  )
  return row?.count ?? 0
}

export async function nextProposed(sql: Sql, workspace: string, endpoint: string): Promise<Release | undefined> {
  const row = await sql.get<ReleaseRow>(
    "SELECT * FROM release WHERE workspace = ? AND endpoint = ? AND state = 'proposed' ORDER BY id LIMIT 1",
    [workspace, endpoint],
  )
  return row && releaseOf(row)
}

export async function addDecision(
  tx: Tx,
  workspace: string,
  release: string,
  decision: Omit<Decision, 'position'>,
): Promise<void> {
  const last = await tx.get<{ position: number | null }>(
    'SELECT max(position) AS position FROM release_decision WHERE workspace = ? AND release_id = ?',
    [workspace, release],
  )
  await tx.run(
    'INSERT INTO release_decision (workspace, release_id, position, state, words, facts, who, at_ms, watermark_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    [
      workspace,
      release,
      (last?.position ?? 0) + 1,
      decision.state,
      decision.words,
      json(decision.facts),
      json(decision.who),
      decision.at_ms,
      decision.watermark_ms,
    ],
  )
}

export async function decisionsOf(sql: Sql, workspace: string, release: string): Promise<Decision[]> {
  const rows = await sql.all<Plain<Decision, 'facts' | 'who'>>(
    'SELECT position, state, words, facts, who, at_ms, watermark_ms FROM release_decision WHERE workspace = ? AND release_id = ? ORDER BY position LIMIT 1000',
    [workspace, release],
  )
  return rows.map((row) => ({ ...row, facts: parseJson(row.facts, {}), who: parseJson(row.who, {} as Actor) }))
}

type RetrainingRow = Plain<Retraining, 'evidence'>
const retrainingOf = (row: RetrainingRow): Retraining => ({ ...row, evidence: parseJson(row.evidence, {}) })

export async function insertRetraining(tx: Tx, one: Retraining): Promise<void> {
  await tx.run(
    `INSERT INTO retraining (workspace, id, endpoint, alert, state, reason, evidence, dataset, dataset_version, pipeline_run, release_id, from_ms, to_ms, watermark_ms, created_ms, ended_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      one.workspace,
      one.id,
      one.endpoint,
      one.alert,
      one.state,
      one.reason,
      json(one.evidence),
      one.dataset,
      one.dataset_version,
      one.pipeline_run,
      one.release_id,
      one.from_ms,
      one.to_ms,
      one.watermark_ms,
      one.created_ms,
      one.ended_ms,
    ],
  )
}

export async function updateRetraining(
  tx: Tx,
  workspace: string,
  id: string,
  changes: Partial<Omit<Retraining, 'evidence'>>,
): Promise<void> {
  const { workspace: _, id: __, ...plain } = changes
  await update(tx, 'retraining', workspace, id, plain)
}

export async function retrainingsOf(
  sql: Sql,
  workspace: string,
  filter: { endpoint?: string; limit: number },
): Promise<Retraining[]> {
  const rows = await sql.all<RetrainingRow>(
    `SELECT * FROM retraining WHERE workspace = ?${filter.endpoint === undefined ? '' : ' AND endpoint = ?'} ORDER BY id DESC LIMIT ?`,
    [workspace, ...(filter.endpoint === undefined ? [] : [filter.endpoint]), filter.limit],
  )
  return rows.map(retrainingOf)
}

export async function retrainingById(sql: Sql, workspace: string, id: string): Promise<Retraining | undefined> {
  const row = await sql.get<RetrainingRow>('SELECT * FROM retraining WHERE workspace = ? AND id = ?', [workspace, id])
  return row && retrainingOf(row)
}

/** The one that collects or trains now, and the last that began: what the brakes look at. */
export async function brakesOf(
  sql: Sql,
  workspace: string,
  endpoint: string,
): Promise<{ open: Retraining | undefined; last: Retraining | undefined }> {
  const one = async (state: string) => {
    const row = await sql.get<RetrainingRow>(
      `SELECT * FROM retraining WHERE workspace = ? AND endpoint = ? AND ${state} ORDER BY id DESC LIMIT 1`,
      [workspace, endpoint],
    )
    return row && retrainingOf(row)
  }
  return { open: await one("state IN ('collecting', 'training')"), last: await one("state <> 'skipped'") }
}

export async function countRetrainings(sql: Sql, workspace: string): Promise<number> {
  const row = await sql.get<{ count: number }>(
    "SELECT count(*) AS count FROM retraining WHERE workspace = ? AND state IN ('collecting', 'training')",
    [workspace],
  )
  return row?.count ?? 0
}

export async function retrainingOfRun(
  sql: Sql,
  workspace: string,
  pipeline_run: string,
): Promise<Retraining | undefined> {
  const row = await sql.get<RetrainingRow>('SELECT * FROM retraining WHERE workspace = ? AND pipeline_run = ?', [
    workspace,
    pipeline_run,
  ])
  return row && retrainingOf(row)
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
