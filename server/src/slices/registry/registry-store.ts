import { json, parseJson, placeholders, type Row, type Sql, type SqlValue } from '#kernel/store/index.ts'
import type { KeyValue } from '#slices/tracking'
import type { Alias, Manifest, ModelVersion, RegisteredModel, Stage } from './model.ts'

/** A model's own row, with the key that its versions, tags and aliases hang on. */
export interface ModelRow {
  model_key: number
  name: string
  description: string | null
  created_by: string
  created_ms: number
  updated_ms: number
  last_version: number
}

export interface VersionRow extends Omit<ModelVersion, 'tags' | 'aliases'> {
  version_key: number
  model_key: number
}

export const VERSION_COLUMNS = `v.version_key, v.model_key, m.name, v.version, v.created_by, v.created_ms, v.updated_ms,
  v.stage, v.description, v.source, v.run_id, v.run_link, v.logged_model_id, v.digest, v.size_bytes, v.file_count`
export const MODEL_COLUMNS =
  'm.model_key, m.name, m.description, m.created_by, m.created_ms, m.updated_ms, m.last_version'

export const toModel = (row: Row): ModelRow => ({
  model_key: Number(row.model_key),
  name: row.name as string,
  description: row.description as string | null,
  created_by: row.created_by as string,
  created_ms: Number(row.created_ms),
  updated_ms: Number(row.updated_ms),
  last_version: Number(row.last_version),
})

export const toVersion = (row: Row): VersionRow => ({
  version_key: Number(row.version_key),
  model_key: Number(row.model_key),
  name: row.name as string,
  version: Number(row.version),
  created_by: row.created_by as string,
  created_ms: Number(row.created_ms),
  updated_ms: Number(row.updated_ms),
  stage: row.stage as Stage,
  description: row.description as string | null,
  source: row.source as string,
  run_id: row.run_id as string | null,
  run_link: row.run_link as string | null,
  logged_model_id: row.logged_model_id as string | null,
  digest: row.digest as string | null,
  size_bytes: Number(row.size_bytes),
  file_count: Number(row.file_count),
})

const KEYS_IN_ONE_STATEMENT = 500

/** Reads rows for many keys; `text` ends in ` IN `. */
async function allIn(sql: Sql, text: string, keys: readonly number[], tail = ''): Promise<Row[]> {
  const rows: Row[] = []
  for (let first = 0; first < keys.length; first += KEYS_IN_ONE_STATEMENT) {
    const some = keys.slice(first, first + KEYS_IN_ONE_STATEMENT)
    rows.push(...(await sql.all(`${text} ${placeholders(some)}${tail}`, some)))
  }
  return rows
}

export async function findModel(sql: Sql, workspace: string, name: string): Promise<ModelRow | undefined> {
  const row = await sql.get(`SELECT ${MODEL_COLUMNS} FROM registered_model m WHERE m.workspace = ? AND m.name = ?`, [
    workspace,
    name,
  ])
  return row && toModel(row)
}

export async function insertModel(
  tx: Sql,
  workspace: string,
  model: Omit<ModelRow, 'model_key' | 'last_version'>,
): Promise<number> {
  const row = await tx.get(
    `INSERT INTO registered_model (workspace, name, description, created_by, created_ms, updated_ms, last_version)
     VALUES (?, ?, ?, ?, ?, ?, 0) RETURNING model_key`,
    [workspace, model.name, model.description, model.created_by, model.created_ms, model.updated_ms],
  )
  return Number(row!.model_key)
}

export async function updateModel(
  tx: Sql,
  model: Pick<ModelRow, 'model_key' | 'name' | 'description' | 'updated_ms' | 'last_version'>,
): Promise<void> {
  await tx.run(
    'UPDATE registered_model SET name = ?, description = ?, updated_ms = ?, last_version = ? WHERE model_key = ?',
    [model.name, model.description, model.updated_ms, model.last_version, model.model_key],
  )
}

/** Its versions, tags, files and aliases go with it. */
export async function deleteModel(tx: Sql, model_key: number): Promise<void> {
  await tx.run('DELETE FROM registered_model WHERE model_key = ?', [model_key])
}

type TagTable = 'registered_model_tag' | 'model_version_tag'
const KEY_OF = { registered_model_tag: 'model_key', model_version_tag: 'version_key' } as const

export async function putTag(tx: Sql, table: TagTable, key: number, tag: KeyValue): Promise<void> {
  await tx.run(
    `INSERT INTO ${table} (${KEY_OF[table]}, key, value) VALUES (?, ?, ?)
     ON CONFLICT (${KEY_OF[table]}, key) DO UPDATE SET value = excluded.value`,
    [key, tag.key, tag.value],
  )
}

export async function getTag(sql: Sql, table: TagTable, key: number, tag: string): Promise<string | undefined> {
  const row = await sql.get(`SELECT value FROM ${table} WHERE ${KEY_OF[table]} = ? AND key = ?`, [key, tag])
  return row?.value as string | undefined
}

export async function deleteTag(tx: Sql, table: TagTable, key: number, tag: string): Promise<void> {
  await tx.run(`DELETE FROM ${table} WHERE ${KEY_OF[table]} = ? AND key = ?`, [key, tag])
}

async function tagsOf(sql: Sql, table: TagTable, keys: readonly number[]): Promise<Map<number, KeyValue[]>> {
  const owner = KEY_OF[table]
  const rows = await allIn(sql, `SELECT ${owner} AS owner, key, value FROM ${table} WHERE ${owner} IN`, keys)
  const found = new Map<number, KeyValue[]>()
  for (const row of rows) {
    const tags = found.get(Number(row.owner)) ?? []
    tags.push({ key: row.key as string, value: row.value as string })
    found.set(Number(row.owner), tags)
  }
  for (const tags of found.values()) tags.sort((a, b) => (a.key < b.key ? -1 : 1))
  return found
}

export interface AliasRow extends Alias {
  model_key: number
  version_key: number
  moved_ms: number
  moved_by: string
}

const toAlias = (row: Row): AliasRow => ({
  model_key: Number(row.model_key),
  version_key: Number(row.version_key),
  alias: row.alias as string,
  version: Number(row.version),
  moved_ms: Number(row.moved_ms),
  moved_by: row.moved_by as string,
})

const ALIAS_COLUMNS = 'model_key, alias, version_key, version, moved_ms, moved_by'

export async function getAlias(sql: Sql, model_key: number, alias: string): Promise<AliasRow | undefined> {
  const row = await sql.get(`SELECT ${ALIAS_COLUMNS} FROM model_alias WHERE model_key = ? AND alias = ?`, [
    model_key,
    alias,
  ])
  return row && toAlias(row)
}

export async function aliasesOf(sql: Sql, models: readonly number[]): Promise<AliasRow[]> {
  const rows = await allIn(sql, `SELECT ${ALIAS_COLUMNS} FROM model_alias WHERE model_key IN`, models)
  return rows.map(toAlias).sort((a, b) => (a.alias < b.alias ? -1 : 1))
}

export async function putAlias(tx: Sql, alias: AliasRow): Promise<void> {
  await tx.run(
    `INSERT INTO model_alias (${ALIAS_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (model_key, alias)
     DO UPDATE SET version_key = excluded.version_key, version = excluded.version, moved_ms = excluded.moved_ms,
     moved_by = excluded.moved_by`,
    [alias.model_key, alias.alias, alias.version_key, alias.version, alias.moved_ms, alias.moved_by],
  )
}

export async function deleteAlias(tx: Sql, model_key: number, alias: string): Promise<void> {
  await tx.run('DELETE FROM model_alias WHERE model_key = ? AND alias = ?', [model_key, alias])
}

export async function findVersion(
  sql: Sql,
  workspace: string,
  name: string,
  version: number,
): Promise<VersionRow | undefined> {
  const row = await sql.get(
    `SELECT ${VERSION_COLUMNS} FROM registered_model m JOIN model_version v ON v.model_key = m.model_key
     WHERE m.workspace = ? AND m.name = ? AND v.version = ?`,
    [workspace, name, version],
  )
  return row && toVersion(row)
}

/** By the keys that a pinned artifact path names. */
export async function findVersionByKey(
  sql: Sql,
  workspace: string,
  model_key: number,
  version: number,
): Promise<VersionRow | undefined> {
  const row = await sql.get(
    `SELECT ${VERSION_COLUMNS} FROM model_version v JOIN registered_model m ON m.model_key = v.model_key
     WHERE v.workspace = ? AND v.model_key = ? AND v.version = ?`,
    [workspace, model_key, version],
  )
  return row && toVersion(row)
}

/** The newest version of each stage, of each of the models. */
export async function newestPerStage(sql: Sql, models: readonly number[]): Promise<VersionRow[]> {
  const rows = await allIn(
    sql,
    `SELECT ${VERSION_COLUMNS} FROM model_version v JOIN registered_model m ON m.model_key = v.model_key
     JOIN (SELECT model_key, stage, max(version) AS version FROM model_version GROUP BY model_key, stage) newest
     ON newest.model_key = v.model_key AND newest.version = v.version AND newest.stage = v.stage
     WHERE newest.model_key IN`,
    models,
  )
  return rows.map(toVersion).sort((a, b) => a.version - b.version)
}

/** Versions by name and number, those that are there. */
export async function findVersions(
  sql: Sql,
  workspace: string,
  at: readonly { name: string; version: number }[],
): Promise<VersionRow[]> {
  const found: VersionRow[] = []
  for (const [name, some] of Map.groupBy(at, (each) => each.name)) {
    const numbers = some.map(({ version }) => version).slice(0, KEYS_IN_ONE_STATEMENT)
    const rows = await sql.all(
      `SELECT ${VERSION_COLUMNS} FROM registered_model m JOIN model_version v ON v.model_key = m.model_key
       WHERE m.workspace = ? AND m.name = ? AND v.version IN ${placeholders(numbers)}`,
      [workspace, name, ...numbers],
    )
    found.push(...rows.map(toVersion))
  }
  return found
}

/** Numbers of a model's versions, newest first. */
export async function versionNumbers(sql: Sql, model_key: number, limit: number): Promise<number[]> {
  const rows = await sql.all('SELECT version FROM model_version WHERE model_key = ? ORDER BY version DESC LIMIT ?', [
    model_key,
    limit,
  ])
  return rows.map((row) => Number(row.version))
}

export async function newestVersion(sql: Sql, model_key: number, stage?: Stage): Promise<number | undefined> {
  const row = await sql.get(
    `SELECT max(version) AS version FROM model_version WHERE model_key = ? ${stage === undefined ? '' : 'AND stage = ?'}`,
    stage === undefined ? [model_key] : [model_key, stage],
  )
  return row?.version === null || row === undefined ? undefined : Number(row.version)
}

export async function insertVersion(
  tx: Sql,
  workspace: string,
  version: Omit<VersionRow, 'version_key' | 'name'>,
  manifest: Manifest,
): Promise<number> {
  const values: [string, SqlValue][] = [
    ['workspace', workspace],
    ['model_key', version.model_key],
    ['version', version.version],
    ['created_by', version.created_by],
    ['created_ms', version.created_ms],
    ['updated_ms', version.updated_ms],
    ['stage', version.stage],
    ['description', version.description],
    ['source', version.source],
    ['run_id', version.run_id],
    ['run_link', version.run_link],
    ['logged_model_id', version.logged_model_id],
    ['digest', version.digest],
    ['size_bytes', version.size_bytes],
    ['file_count', version.file_count],
    ['signature', manifest.signature && json(manifest.signature)],
    ['flavors', manifest.flavors && json(manifest.flavors)],
    ['python_version', manifest.python_version],
    ['mlflow_version', manifest.mlflow_version],
    ['requirements', manifest.requirements],
  ]
  const row = await tx.get(
    `INSERT INTO model_version (${values.map(([name]) => name).join(', ')}) VALUES ${placeholders(values)}
     RETURNING version_key`,
    values.map(([, value]) => value),
  )
  return Number(row!.version_key)
}

export async function updateVersion(
  tx: Sql,
  version: Pick<VersionRow, 'version_key' | 'description' | 'stage' | 'updated_ms'>,
): Promise<void> {
  await tx.run('UPDATE model_version SET description = ?, stage = ?, updated_ms = ? WHERE version_key = ?', [
    version.description,
    version.stage,
    version.updated_ms,
    version.version_key,
  ])
}

/** Moves all other versions of a stage out of it; answers their numbers. */
export async function emptyStage(
  tx: Sql,
  { model_key, version }: { model_key: number; version: number },
  from: Stage,
  to: Stage,
  now_ms: number,
): Promise<number[]> {
  const rows = await tx.all('SELECT version FROM model_version WHERE model_key = ? AND stage = ? AND version <> ?', [
    model_key,
    from,
    version,
  ])
  await tx.run(
    'UPDATE model_version SET stage = ?, updated_ms = ? WHERE model_key = ? AND stage = ? AND version <> ?',
    [to, now_ms, model_key, from, version],
  )
  return rows.map((row) => Number(row.version))
}

export async function deleteVersion(tx: Sql, version_key: number): Promise<void> {
  await tx.run('DELETE FROM model_version WHERE version_key = ?', [version_key])
}

export async function manifestOfVersion(sql: Sql, version_key: number): Promise<Manifest> {
  const row = await sql.get(
    'SELECT signature, flavors, python_version, mlflow_version, requirements FROM model_version WHERE version_key = ?',
    [version_key],
  )
  return {
    signature: parseJson<Record<string, unknown> | null>(row?.signature, null),
    flavors: parseJson<Record<string, unknown> | null>(row?.flavors, null),
    python_version: (row?.python_version ?? null) as string | null,
    mlflow_version: (row?.mlflow_version ?? null) as string | null,
    requirements: (row?.requirements ?? null) as string | null,
  }
}

/** Rows as the registry hands them out: with tags and aliases. */
export async function withVersionParts(sql: Sql, rows: readonly VersionRow[]): Promise<ModelVersion[]> {
  const keys = rows.map((row) => row.version_key)
  const tags = await tagsOf(sql, 'model_version_tag', keys)
  const aliases = Map.groupBy(
    await aliasesOf(sql, [...new Set(rows.map((row) => row.model_key))]),
    (alias) => alias.version_key,
  )
  return rows.map(({ version_key, model_key: _, ...version }) => ({
    ...version,
    tags: tags.get(version_key) ?? [],
    aliases: (aliases.get(version_key) ?? []).map(({ alias }) => alias),
  }))
}

export async function withModelParts(sql: Sql, rows: readonly ModelRow[]): Promise<RegisteredModel[]> {
  const keys = rows.map((row) => row.model_key)
  const tags = await tagsOf(sql, 'registered_model_tag', keys)
  const aliases = Map.groupBy(await aliasesOf(sql, keys), (alias) => alias.model_key)
  const newest = await newestPerStage(sql, keys)
  const latest = Map.groupBy(await withVersionParts(sql, newest), (version) => version.name)
  return rows.map(({ model_key, last_version: _, ...model }) => ({
    ...model,
    tags: tags.get(model_key) ?? [],
    aliases: (aliases.get(model_key) ?? []).map(({ alias, version }) => ({ alias, version })),
    latest_versions: latest.get(model.name) ?? [],
  }))
}
