import { lifecycle, modelStatus, ms, type SourceModel, type SourceRegistered, text, textOrNull } from './model.ts'
import type { SourceDatabase, SqlRow } from './sql-open.ts'

const MODELS_AT_ONCE = 50

const list = (values: readonly unknown[]): string => `(${values.map(() => '?').join(', ')})`
const groupOf = (rows: readonly SqlRow[], column: string) => Map.groupBy(rows, (row) => text(row[column]))

/** Logged models of an experiment, those deleted too. */
export async function* readModels(database: SourceDatabase, experiment: string): AsyncGenerator<SourceModel[]> {
  let after = ''
  for (;;) {
    const rows = await database.all(
      `SELECT * FROM logged_models WHERE experiment_id = ? AND model_id > ? ORDER BY model_id LIMIT ${MODELS_AT_ONCE}`,
      [Number(experiment), after],
    )
    if (rows.length === 0) return
    const ids = rows.map((row) => text(row.model_id))
    after = ids.at(-1)!
    const parts = async (table: string) =>
      groupOf(await database.all(`SELECT * FROM ${table} WHERE model_id IN ${list(ids)}`, ids), 'model_id')
    const params = await parts('logged_model_params')
    const tags = await parts('logged_model_tags')
    const metrics = await parts('logged_model_metrics')
    yield rows.map((row): SourceModel => {
      const id = text(row.model_id)
      return {
        model_id: id,
        name: text(row.name),
        model_type: text(row.model_type),
        source_run_id: text(row.source_run_id),
        status: modelStatus(row.status),
        created_ms: ms(row.creation_timestamp_ms),
        updated_ms: ms(row.last_updated_timestamp_ms),
        lifecycle: lifecycle(row.lifecycle_stage),
        artifact_uri: text(row.artifact_location),
        params: (params.get(id) ?? []).map((one) => ({ key: text(one.param_key), value: text(one.param_value) })),
        tags: (tags.get(id) ?? []).map((one) => ({ key: text(one.tag_key), value: text(one.tag_value) })),
        metrics: (metrics.get(id) ?? []).map((one) => ({
          key: text(one.metric_name),
          value: one.metric_value === null ? Number.NaN : Number(one.metric_value),
          at_ms: Number(one.metric_timestamp_ms),
          step: Number(one.metric_step),
          run_id: text(one.run_id),
          dataset_name: text(one.dataset_name),
          dataset_digest: text(one.dataset_digest),
        })),
      }
    })
  }
}

export async function readRegistered(
  database: SourceDatabase,
  has: (table: string, column?: string) => boolean,
  workspace: string,
): Promise<SourceRegistered[]> {
  if (!has('registered_models')) return []
  const scope = (table: string) => (has(table, 'workspace') ? ' WHERE workspace = ?' : '')
  const rows = async (table: string, order: string): Promise<SqlRow[]> =>
    has(table)
      ? await database.all(
          `SELECT * FROM ${table}${scope(table)} ORDER BY ${order}`,
          has(table, 'workspace') ? [workspace] : [],
        )
      : []
  const models = await rows('registered_models', 'name')
  const tags = groupOf(await rows('registered_model_tags', 'name'), 'name')
  const aliases = groupOf(await rows('registered_model_aliases', 'name, alias'), 'name')
  const versions = groupOf(await rows('model_versions', 'name, version'), 'name')
  const version_tags = Map.groupBy(
    await rows('model_version_tags', 'name, version'),
    (row) => `${text(row.name)}\n${text(row.version)}`,
  )
  const pair = (row: SqlRow) => ({ key: text(row.key), value: text(row.value) })
  return models.map((row) => {
    const name = text(row.name)
    return {
      name,
      description: textOrNull(row.description),
      created_ms: ms(row.creation_time),
      updated_ms: ms(row.last_updated_time),
      tags: (tags.get(name) ?? []).map(pair),
      aliases: (aliases.get(name) ?? []).map((one) => ({ alias: text(one.alias), version: Number(one.version) })),
      versions: (versions.get(name) ?? [])
        .filter((one) => text(one.current_stage) !== 'Deleted_Internal')
        .map((one) => {
          const source = text(one.source)
          return {
            version: Number(one.version),
            created_ms: ms(one.creation_time),
            updated_ms: ms(one.last_updated_time),
            stage: text(one.current_stage) || 'None',
            description: textOrNull(one.description),
            source,
            storage_location: textOrNull(one.storage_location),
            run_id: textOrNull(one.run_id),
            run_link: textOrNull(one.run_link),
            user_id: textOrNull(one.user_id),
            logged_model_id: /^models:\/+(m-[0-9a-zA-Z]+)\/?$/.exec(source)?.[1] ?? null,
            tags: (version_tags.get(`${name}\n${one.version}`) ?? []).map(pair),
          }
        }),
    }
  })
}
