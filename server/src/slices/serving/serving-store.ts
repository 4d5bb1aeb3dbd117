import { json, parseJson, type Sql, type SqlValue, type Tx } from '#kernel/store/index.ts'
import type { Watermark } from './event-time.ts'
import type { TrafficRoute } from './routing.ts'
import type { Report } from './runtimes/runtime.ts'
import type { EndpointSpec } from './schema.ts'

export interface Endpoint {
  workspace: string
  name: string
  project: string
  model: string
  alias: string
  spec: EndpointSpec
  /** Since when it serves this model under this name: what was logged before is another endpoint's. */
  created_ms: number
  updated_ms: number
}

export interface Revision {
  workspace: string
  id: string
  endpoint: string
  number: number
  model: string
  version: number
  state: 'wanted' | 'retired'
  created_ms: number
  retired_ms: number | null
}

export interface RevisionReport {
  revision: string
  node: string
  state: 'loading' | 'ready' | 'failed'
  form: 'onnx' | 'python' | null
  reason: string | null
  load_ms: number | null
  reported_ms: number
}

export interface Traffic {
  endpoint: string
  routes: TrafficRoute[]
  release: string | null
  changed_ms: number
}

export interface Preparation {
  workspace: string
  model: string
  version: number
  state: 'waiting' | 'done' | 'failed'
  form: 'onnx' | 'python' | null
  reason: string
  report: Report | null
  compiled_digest: string | null
  job: string | null
  created_ms: number
  ended_ms: number | null
}

type EndpointRow = Omit<Endpoint, 'spec'> & { spec: string }
type TrafficRow = { endpoint: string; routes: string; release_id: string | null; changed_ms: number }
type PreparationRow = Omit<Preparation, 'report'> & { report: string }

const endpointOf = (row: EndpointRow): Endpoint => ({
  ...row,
  spec: parseJson<EndpointSpec>(row.spec, { model: row.model }),
})
const trafficOf = (row: TrafficRow): Traffic => ({
  endpoint: row.endpoint,
  routes: parseJson<TrafficRoute[]>(row.routes, []),
  release: row.release_id,
  changed_ms: row.changed_ms,
})
const preparationOf = (row: PreparationRow): Preparation => ({
  ...row,
  report: parseJson<Report | null>(row.report, null),
})

const REVISION = 'workspace, id, endpoint, number, model, version, state, created_ms, retired_ms'
const PREPARATION = 'workspace, model, version, state, form, reason, report, compiled_digest, job, created_ms, ended_ms'

export async function endpointByName(sql: Sql, workspace: string, name: string): Promise<Endpoint | undefined> {
  const row = await sql.get<EndpointRow>('SELECT * FROM endpoint WHERE workspace = ? AND name = ?', [workspace, name])
  return row && endpointOf(row)
}

export async function endpointsOf(sql: Sql, workspace: string, limit = 1000): Promise<Endpoint[]> {
  return (
    await sql.all<EndpointRow>('SELECT * FROM endpoint WHERE workspace = ? ORDER BY name LIMIT ?', [workspace, limit])
  ).map(endpointOf)
}

export async function allEndpoints(sql: Sql): Promise<Endpoint[]> {
  return (await sql.all<EndpointRow>('SELECT * FROM endpoint ORDER BY workspace, name LIMIT 10000')).map(endpointOf)
}

export async function endpointsOfModel(sql: Sql, workspace: string, model: string): Promise<Endpoint[]> {
  return (
    await sql.all<EndpointRow>('SELECT * FROM endpoint WHERE workspace = ? AND model = ? ORDER BY name LIMIT 1000', [
      workspace,
      model,
    ])
  ).map(endpointOf)
}

export async function putEndpoint(tx: Tx, endpoint: Endpoint): Promise<void> {
  await tx.run(
    `INSERT INTO endpoint (workspace, name, project, model, alias, spec, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, name) DO UPDATE SET project = excluded.project, model = excluded.model, alias = excluded.alias, spec = excluded.spec,
       created_ms = excluded.created_ms, updated_ms = excluded.updated_ms`,
    [
      endpoint.workspace,
      endpoint.name,
      endpoint.project,
      endpoint.model,
      endpoint.alias,
      json(endpoint.spec),
      endpoint.created_ms,
      endpoint.updated_ms,
    ],
  )
}

export async function dropEndpoint(tx: Tx, workspace: string, name: string, now: number): Promise<void> {
  await tx.run(
    'DELETE FROM revision_report WHERE workspace = ? AND revision IN (SELECT id FROM revision WHERE workspace = ? AND endpoint = ?)',
    [workspace, workspace, name],
  )
  await tx.run(
    "UPDATE revision SET state = 'retired', retired_ms = ? WHERE workspace = ? AND endpoint = ? AND state = 'wanted'",
    [now, workspace, name],
  )
  await dropWatermark(tx, workspace, name)
  await tx.run('DELETE FROM traffic WHERE workspace = ? AND endpoint = ?', [workspace, name])
  await tx.run('DELETE FROM endpoint WHERE workspace = ? AND name = ?', [workspace, name])
}

export const dropWatermark = (tx: Tx, workspace: string, endpoint: string) =>
  tx.run('DELETE FROM endpoint_watermark WHERE workspace = ? AND endpoint = ?', [workspace, endpoint])

export const revisionById = (sql: Sql, workspace: string, id: string): Promise<Revision | undefined> =>
  sql.get<Revision>(`SELECT ${REVISION} FROM revision WHERE workspace = ? AND id = ?`, [workspace, id])

export const revisionsOf = (sql: Sql, workspace: string, endpoint: string, limit = 50): Promise<Revision[]> =>
  sql.all<Revision>(
    `SELECT ${REVISION} FROM revision WHERE workspace = ? AND endpoint = ? ORDER BY number DESC LIMIT ?`,
    [workspace, endpoint, limit],
  )

export const wantedRevisions = (sql: Sql): Promise<Revision[]> =>
  sql.all<Revision>(`SELECT ${REVISION} FROM revision WHERE state = 'wanted' ORDER BY created_ms LIMIT 10000`)

export async function insertRevision(
  tx: Tx,
  revision: Omit<Revision, 'number' | 'retired_ms' | 'state'>,
): Promise<number> {
  await tx.lock('serving.revision', revision.workspace, revision.endpoint)
  const last = await tx.get<{ number: number | null }>(
    'SELECT max(number) AS number FROM revision WHERE workspace = ? AND endpoint = ?',
    [revision.workspace, revision.endpoint],
  )
  const number = (last?.number ?? 0) + 1
  await tx.run(
    "INSERT INTO revision (workspace, id, endpoint, number, model, version, state, created_ms) VALUES (?, ?, ?, ?, ?, ?, 'wanted', ?)",
    [revision.workspace, revision.id, revision.endpoint, number, revision.model, revision.version, revision.created_ms],
  )
  return number
}

export async function retireRevision(tx: Tx, workspace: string, id: string, now: number): Promise<void> {
  await tx.run(
    "UPDATE revision SET state = 'retired', retired_ms = ? WHERE workspace = ? AND id = ? AND state = 'wanted'",
    [now, workspace, id],
  )
}

/** A retired revision is loaded nowhere: nobody may take an old report for the state of the next load. */
export async function dropReports(tx: Tx, workspace: string, revision: string): Promise<void> {
  await tx.run('DELETE FROM revision_report WHERE workspace = ? AND revision = ?', [workspace, revision])
}

export async function wantRevision(tx: Tx, workspace: string, id: string): Promise<void> {
  await tx.run("UPDATE revision SET state = 'wanted', retired_ms = NULL WHERE workspace = ? AND id = ?", [
    workspace,
    id,
  ])
}

export const reportsOf = (sql: Sql, workspace: string, revisions: readonly string[]): Promise<RevisionReport[]> =>
  revisions.length === 0
    ? Promise.resolve([])
    : sql.all<RevisionReport>(
        `SELECT revision, node, state, form, reason, load_ms, reported_ms FROM revision_report WHERE workspace = ? AND revision IN (${revisions.map(() => '?').join(', ')})`,
        [workspace, ...revisions],
      )

export async function putReport(tx: Tx, workspace: string, report: RevisionReport): Promise<void> {
  await tx.run(
    `INSERT INTO revision_report (workspace, revision, node, state, form, reason, load_ms, reported_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, revision, node) DO UPDATE SET state = excluded.state, form = excluded.form, reason = excluded.reason, load_ms = excluded.load_ms, reported_ms = excluded.reported_ms`,
    [
      workspace,
      report.revision,
      report.node,
      report.state,
      report.form,
      report.reason,
      report.load_ms,
      report.reported_ms,
    ],
  )
}

export const reportsOfNode = (sql: Sql, node: string): Promise<Pick<RevisionReport, 'revision' | 'state'>[]> =>
  sql.all('SELECT revision, state FROM revision_report WHERE node = ? LIMIT 10000', [node])

/** What a node that is gone said of its revisions does not count any more. */
export async function forgetReports(tx: Tx, node: string): Promise<void> {
  await tx.run('DELETE FROM revision_report WHERE node = ?', [node])
}

export async function trafficOfEndpoint(sql: Sql, workspace: string, endpoint: string): Promise<Traffic | undefined> {
  const row = await sql.get<TrafficRow>(
    'SELECT endpoint, routes, release_id, changed_ms FROM traffic WHERE workspace = ? AND endpoint = ?',
    [workspace, endpoint],
  )
  return row && trafficOf(row)
}

export async function allTraffic(sql: Sql): Promise<(Traffic & { workspace: string })[]> {
  const rows = await sql.all<TrafficRow & { workspace: string }>(
    'SELECT workspace, endpoint, routes, release_id, changed_ms FROM traffic',
  )
  return rows.map((row) => ({ workspace: row.workspace, ...trafficOf(row) }))
}

export async function putTraffic(tx: Tx, workspace: string, traffic: Traffic): Promise<void> {
  await tx.run(
    `INSERT INTO traffic (workspace, endpoint, routes, release_id, changed_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (workspace, endpoint) DO UPDATE SET routes = excluded.routes, release_id = excluded.release_id, changed_ms = excluded.changed_ms`,
    [workspace, traffic.endpoint, json(traffic.routes), traffic.release, traffic.changed_ms],
  )
}

export async function preparationOfVersion(
  sql: Sql,
  workspace: string,
  model: string,
  version: number,
): Promise<Preparation | undefined> {
  const row = await sql.get<PreparationRow>(
    `SELECT ${PREPARATION} FROM preparation WHERE workspace = ? AND model = ? AND version = ?`,
    [workspace, model, version],
  )
  return row && preparationOf(row)
}

export async function preparationsOf(
  sql: Sql,
  workspace: string,
  model: string | undefined,
  limit: number,
): Promise<Preparation[]> {
  const where: SqlValue[] = model === undefined ? [workspace] : [workspace, model]
  const rows = await sql.all<PreparationRow>(
    `SELECT ${PREPARATION} FROM preparation WHERE workspace = ?${model === undefined ? '' : ' AND model = ?'} ORDER BY created_ms DESC LIMIT ?`,
    [...where, limit],
  )
  return rows.map(preparationOf)
}

export async function putPreparation(tx: Tx, preparation: Preparation): Promise<void> {
  await tx.run(
    `INSERT INTO preparation (${PREPARATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, model, version) DO UPDATE SET state = excluded.state, form = excluded.form, reason = excluded.reason, report = excluded.report,
       compiled_digest = excluded.compiled_digest, job = excluded.job, ended_ms = excluded.ended_ms`,
    [
      preparation.workspace,
      preparation.model,
      preparation.version,
      preparation.state,
      preparation.form,
      preparation.reason,
      json(preparation.report),
      preparation.compiled_digest,
      preparation.job,
      preparation.created_ms,
      preparation.ended_ms,
    ],
  )
}

export async function watermarkOf(
  sql: Sql,
  workspace: string,
  endpoint: string,
): Promise<{ greatest_event_ms: number; watermark_ms: number } | undefined> {
  return sql.get(
    'SELECT greatest_event_ms, watermark_ms FROM endpoint_watermark WHERE workspace = ? AND endpoint = ?',
    [workspace, endpoint],
  )
}

/** Writes nothing for an endpoint that is gone, or was made anew since. */
export async function putWatermark(tx: Tx, mark: Watermark): Promise<void> {
  await tx.run(
    `INSERT INTO endpoint_watermark (workspace, endpoint, greatest_event_ms, watermark_ms)
     SELECT workspace, name, ?, ? FROM endpoint WHERE workspace = ? AND name = ? AND created_ms = ?
     ON CONFLICT (workspace, endpoint) DO UPDATE SET greatest_event_ms = excluded.greatest_event_ms, watermark_ms = excluded.watermark_ms
     WHERE excluded.greatest_event_ms > endpoint_watermark.greatest_event_ms`,
    [mark.greatest_event_ms, mark.watermark_ms, mark.workspace, mark.endpoint, mark.created_ms],
  )
}

export async function attachedRows(
  sql: Sql,
  workspace: string,
  model: string,
  version: number,
): Promise<string | undefined> {
  return (
    await sql.get<{ digest: string }>(
      'SELECT digest FROM attached_rows WHERE workspace = ? AND model = ? AND version = ?',
      [workspace, model, version],
    )
  )?.digest
}

export async function putAttachedRows(
  tx: Tx,
  workspace: string,
  model: string,
  version: number,
  digest: string,
  now: number,
): Promise<void> {
  await tx.run(
    'INSERT INTO attached_rows (workspace, model, version, digest, attached_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace, model, version) DO UPDATE SET digest = excluded.digest, attached_ms = excluded.attached_ms',
    [workspace, model, version, digest, now],
  )
}
