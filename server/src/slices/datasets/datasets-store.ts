import { notFound } from '#kernel/errors.ts'
import { json, parseJson, placeholders, type Row, type Sql, type Tx } from '#kernel/store/index.ts'
import type {
  Column,
  CsvDialect,
  Dataset,
  DatasetFile,
  DatasetVersion,
  Format,
  Profile,
  VerdictState,
  VersionState,
  VersionSummary,
} from './model.ts'
import { FILES_MAX } from './registration.ts'

/** Rows of one INSERT of files. */
const FILES_AT_ONCE = 200

const SUMMARY = `workspace, id, dataset, number, digest, format, csv, state, failure, verdict, column_count, row_count, size_bytes, file_count,
  time_column, time_from_ms, time_to_ms, tags, source, reason, who, created_ms, profiled_ms`
const COLUMNS = `${SUMMARY}, schema`

const numberOrNull = (value: Row[string] | undefined): number | null =>
  value === null || value === undefined ? null : Number(value)

const toSummary = (row: Row): VersionSummary => ({
  id: row.id as string,
  workspace: row.workspace as string,
  name: row.dataset as string,
  number: Number(row.number),
  digest: row.digest as string,
  format: row.format as Format,
  csv: parseJson<CsvDialect | null>(row.csv, null),
  state: row.state as VersionState,
  failure: row.failure as string | null,
  verdict: row.verdict as VerdictState,
  column_count: numberOrNull(row.column_count),
  row_count: numberOrNull(row.row_count),
  size_bytes: Number(row.size_bytes),
  file_count: Number(row.file_count),
  time_column: row.time_column as string | null,
  time_from_ms: numberOrNull(row.time_from_ms),
  time_to_ms: numberOrNull(row.time_to_ms),
  tags: parseJson<Record<string, string>>(row.tags, {}),
  source: row.source as string,
  reason: row.reason as string | null,
  who: parseJson(row.who, { kind: '', id: '', name: '' }),
  created_ms: Number(row.created_ms),
  profiled_ms: numberOrNull(row.profiled_ms),
})

const toVersion = (row: Row): DatasetVersion => ({
  ...toSummary(row),
  schema: parseJson<Column[] | null>(row.schema, null),
})

const one = (row: Row | undefined): DatasetVersion | undefined => (row === undefined ? undefined : toVersion(row))

/** The number of the next version; makes the dataset when it is the first. */
export async function takeNumber(tx: Tx, workspace: string, name: string, now_ms: number): Promise<number> {
  await tx.run(
    `INSERT INTO dataset (workspace, name, created_ms, last_number) VALUES (?, ?, ?, 1)
     ON CONFLICT (workspace, name) DO UPDATE SET last_number = dataset.last_number + 1`,
    [workspace, name, now_ms],
  )
  const row = await tx.get('SELECT last_number FROM dataset WHERE workspace = ? AND name = ?', [workspace, name])
  return Number(row!.last_number)
}

/** What versions that name none take; makes the dataset when there is none. */
export const putTimeColumn = (tx: Tx, workspace: string, name: string, time_column: string | null, now_ms: number) =>
  tx.run(
    `INSERT INTO dataset (workspace, name, created_ms, last_number, time_column) VALUES (?, ?, ?, 0, ?)
     ON CONFLICT (workspace, name) DO UPDATE SET time_column = excluded.time_column`,
    [workspace, name, now_ms, time_column],
  )

export async function timeColumnOf(sql: Sql, workspace: string, name: string): Promise<string | null> {
  const row = await sql.get('SELECT time_column FROM dataset WHERE workspace = ? AND name = ?', [workspace, name])
  return (row?.time_column as string | null | undefined) ?? null
}

export async function insertVersion(tx: Tx, version: DatasetVersion, files: readonly DatasetFile[]): Promise<void> {
  await tx.run(
    `INSERT INTO dataset_version (${COLUMNS}) VALUES (${COLUMNS.split(',')
      .map(() => '?')
      .join(', ')})`,
    [
      version.workspace,
      version.id,
      version.name,
      version.number,
      version.digest,
      version.format,
      null,
      version.state,
      version.failure,
      version.verdict,
      version.column_count,
      version.row_count,
      version.size_bytes,
      version.file_count,
      version.time_column,
      version.time_from_ms,
      version.time_to_ms,
      json(version.tags),
      version.source,
      version.reason,
      json(version.who),
      version.created_ms,
      version.profiled_ms,
      null,
    ],
  )
  for (let from = 0; from < files.length; from += FILES_AT_ONCE) {
    const some = files.slice(from, from + FILES_AT_ONCE)
    await tx.run(
      `INSERT INTO dataset_file (workspace, version, path, digest, size_bytes) VALUES ${some.map(() => '(?, ?, ?, ?, ?)').join(', ')}`,
      some.flatMap((file) => [version.workspace, version.id, file.path, file.digest, file.size_bytes]),
    )
  }
}

/** Everything of a version that changes in its life. */
export async function updateVersion(tx: Tx, version: DatasetVersion): Promise<void> {
  await tx.run(
    `UPDATE dataset_version SET csv = ?, state = ?, failure = ?, verdict = ?, schema = ?, column_count = ?, row_count = ?, time_column = ?,
       time_from_ms = ?, time_to_ms = ?, tags = ?, profiled_ms = ? WHERE workspace = ? AND id = ?`,
    [
      version.csv === null ? null : json(version.csv),
      version.state,
      version.failure,
      version.verdict,
      version.schema === null ? null : json(version.schema),
      version.column_count,
      version.row_count,
      version.time_column,
      version.time_from_ms,
      version.time_to_ms,
      json(version.tags),
      version.profiled_ms,
      version.workspace,
      version.id,
    ],
  )
}

export async function deleteVersion(tx: Tx, workspace: string, id: string): Promise<void> {
  await tx.run('DELETE FROM dataset_file WHERE workspace = ? AND version = ?', [workspace, id])
  await tx.run('DELETE FROM dataset_profile WHERE workspace = ? AND version = ?', [workspace, id])
  await tx.run('DELETE FROM dataset_version WHERE workspace = ? AND id = ?', [workspace, id])
}

export const versionById = async (sql: Sql, workspace: string, id: string) =>
  one(await sql.get(`SELECT ${COLUMNS} FROM dataset_version WHERE workspace = ? AND id = ?`, [workspace, id]))

/** Throws not-found. */
export async function mustFind(sql: Sql, workspace: string, id: string): Promise<DatasetVersion> {
  const version = await versionById(sql, workspace, id)
  if (version === undefined) throw notFound(`there is no dataset version ${id.slice(0, 100)}`)
  return version
}

/** Locked, then read again: for a change that depends on what is there. Throws not-found. */
export async function lockVersion(tx: Tx, workspace: string, id: string): Promise<DatasetVersion> {
  const { name } = await mustFind(tx, workspace, id)
  await tx.lock('dataset', workspace, name)
  return mustFind(tx, workspace, id)
}

export async function versionsByIds(sql: Sql, workspace: string, ids: readonly string[]): Promise<DatasetVersion[]> {
  const rows = await sql.all(
    `SELECT ${COLUMNS} FROM dataset_version WHERE workspace = ? AND id IN ${placeholders(ids)}`,
    [workspace, ...ids],
  )
  return rows.map(toVersion)
}

export const versionByNumber = async (sql: Sql, workspace: string, name: string, number: number) =>
  one(
    await sql.get(`SELECT ${COLUMNS} FROM dataset_version WHERE workspace = ? AND dataset = ? AND number = ?`, [
      workspace,
      name,
      number,
    ]),
  )

export const versionByDigest = async (sql: Sql, workspace: string, name: string, digest: string) =>
  one(
    await sql.get(`SELECT ${COLUMNS} FROM dataset_version WHERE workspace = ? AND dataset = ? AND digest = ?`, [
      workspace,
      name,
      digest,
    ]),
  )

/** Newest first. */
export async function listVersions(
  sql: Sql,
  workspace: string,
  name: string,
  { before_number, limit }: { before_number?: number | undefined; limit: number },
): Promise<VersionSummary[]> {
  const rows = await sql.all(
    `SELECT ${SUMMARY} FROM dataset_version WHERE workspace = ? AND dataset = ? AND number < ? ORDER BY number DESC LIMIT ?`,
    [workspace, name, before_number ?? Number.MAX_SAFE_INTEGER, limit],
  )
  return rows.map(toSummary)
}

/** Names by the alphabet, each with its latest version and how many there are. */
export async function listDatasets(
  sql: Sql,
  workspace: string,
  { after, limit, name }: { after?: string | undefined; limit: number; name?: string },
): Promise<Dataset[]> {
  const found = await sql.all(
    `SELECT d.name, d.created_ms, COUNT(v.id) AS version_count
     FROM dataset d LEFT JOIN dataset_version v ON v.workspace = d.workspace AND v.dataset = d.name
     WHERE d.workspace = ? AND ${name === undefined ? 'd.name > ?' : 'd.name = ?'}
     GROUP BY d.name, d.created_ms ORDER BY d.name LIMIT ?`,
    [workspace, name ?? after ?? '', limit],
  )
  const names = found.map((row) => row.name as string)
  const latest = await sql.all(
    `SELECT ${SUMMARY} FROM dataset_version v WHERE workspace = ? AND dataset IN ${placeholders(names)}
       AND number = (SELECT MAX(number) FROM dataset_version w WHERE w.workspace = v.workspace AND w.dataset = v.dataset)`,
    [workspace, ...names],
  )
  const byName = new Map(latest.map((row) => [row.dataset as string, toSummary(row)]))
  return found.map((row) => ({
    name: row.name as string,
    created_ms: Number(row.created_ms),
    version_count: Number(row.version_count),
    latest: byName.get(row.name as string) ?? null,
  }))
}

/** In the order of their paths. */
export async function filesOf(
  sql: Sql,
  workspace: string,
  version: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<DatasetFile[]> {
  const rows = await sql.all(
    'SELECT path, digest, size_bytes FROM dataset_file WHERE workspace = ? AND version = ? AND path > ? ORDER BY path LIMIT ?',
    [workspace, version, after ?? '', limit],
  )
  return rows.map(toFile)
}

/** In the order of the digest, which is that of their row numbers; the database may sort text by a language's rules. */
export async function allFiles(sql: Sql, version: Pick<DatasetVersion, 'workspace' | 'id'>): Promise<DatasetFile[]> {
  const files = await filesOf(sql, version.workspace, version.id, { limit: FILES_MAX })
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const toFile = (row: Row): DatasetFile => ({
  path: row.path as string,
  digest: row.digest as string,
  size_bytes: Number(row.size_bytes),
})

export async function fileOf(
  sql: Sql,
  workspace: string,
  version: string,
  path: string,
): Promise<DatasetFile | undefined> {
  const row = await sql.get(
    'SELECT path, digest, size_bytes FROM dataset_file WHERE workspace = ? AND version = ? AND path = ?',
    [workspace, version, path],
  )
  return row === undefined ? undefined : toFile(row)
}

export async function putProfile(tx: Tx, workspace: string, version: string, profile: Profile): Promise<void> {
  await tx.run(
    `INSERT INTO dataset_profile (workspace, version, profile) VALUES (?, ?, ?)
     ON CONFLICT (workspace, version) DO UPDATE SET profile = excluded.profile`,
    [workspace, version, json(profile)],
  )
}

export async function profileOf(sql: Sql, workspace: string, version: string): Promise<Profile | undefined> {
  const row = await sql.get('SELECT profile FROM dataset_profile WHERE workspace = ? AND version = ?', [
    workspace,
    version,
  ])
  return row === undefined ? undefined : parseJson<Profile | undefined>(row.profile, undefined)
}

export async function putUpload(
  tx: Tx,
  workspace: string,
  file: { digest: string; size_bytes: number },
  now_ms: number,
): Promise<void> {
  await tx.run(
    `INSERT INTO dataset_upload (workspace, digest, size_bytes, at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (workspace, digest) DO UPDATE SET at_ms = excluded.at_ms`,
    [workspace, file.digest, file.size_bytes, now_ms],
  )
}

export async function dropUploadsBefore(tx: Tx, workspace: string, before_ms: number): Promise<void> {
  await tx.run('DELETE FROM dataset_upload WHERE workspace = ? AND at_ms < ?', [workspace, before_ms])
}

/** Sizes of those among the digests that this workspace has shown: uploaded of late, or in a version of its own. */
export async function ownedSizes(
  sql: Sql,
  workspace: string,
  digests: readonly string[],
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (let from = 0; from < digests.length; from += FILES_AT_ONCE) {
    const some = digests.slice(from, from + FILES_AT_ONCE)
    const rows = await sql.all(
      `SELECT digest, size_bytes FROM dataset_upload WHERE workspace = ? AND digest IN ${placeholders(some)}
       UNION SELECT digest, size_bytes FROM dataset_file WHERE workspace = ? AND digest IN ${placeholders(some)}`,
      [workspace, ...some, workspace, ...some],
    )
    for (const row of rows) sizes.set(row.digest as string, Number(row.size_bytes))
  }
  return sizes
}
