/** MLflow's database store, with the columns that its version has. */
import { invalid } from '#kernel/errors.ts'
import { noPointSet, orderedOnce, type PointSet } from '#kernel/point-set.ts'
import {
  lifecycle,
  ms,
  type Pair,
  runStatus,
  type Source,
  type SourceExperiment,
  type SourceRun,
  text,
  textOrNull,
} from './model.ts'
import { readModels, readRegistered } from './sql-models.ts'
import type { SourceDatabase, SqlRow } from './sql-open.ts'

const RUNS_AT_ONCE = 100
const POINTS_AT_ONCE = 100_000

const groupOf = (rows: readonly SqlRow[], column: string): Map<string, SqlRow[]> =>
  Map.groupBy(rows, (row) => String(row[column]))

const list = (values: readonly unknown[]): string => `(${values.map(() => '?').join(', ')})`

const pairOf = (row: SqlRow): Pair => ({ key: text(row.key), value: text(row.value) })

const whole = (value: unknown): number | bigint => {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  const number = Number(value ?? 0)
  return Number.isSafeInteger(number) ? number : BigInt(String(value))
}

/** `workspace`: the one whose things are read, where the store knows workspaces. */
export async function readDatabase(database: SourceDatabase, workspace = 'default'): Promise<Source> {
  const tables = [
    'experiments',
    'experiment_tags',
    'runs',
    'metrics',
    'params',
    'tags',
    'datasets',
    'inputs',
    'input_tags',
    'logged_models',
    'registered_models',
    'registered_model_tags',
    'registered_model_aliases',
    'model_versions',
    'model_version_tags',
  ]
  const columns = new Map<string, Set<string>>()
  for (const table of tables) columns.set(table, await database.columns(table))
  const has = (table: string, column?: string) =>
    column === undefined ? columns.get(table)!.size > 0 : columns.get(table)!.has(column)
  for (const table of ['experiments', 'runs', 'metrics', 'params', 'tags'])
    if (!has(table))
      throw invalid(`${database.words} is no store of MLflow's: it has no table ${table}`, { field: 'source' })
  const notes: string[] = []
  const key = database.kind === 'mysql' ? '`key`' : '"key"'
  const at = database.kind === 'mysql' ? '`timestamp`' : '"timestamp"'

  const pairsOf = async (table: string, ids: readonly string[]): Promise<Map<string, SqlRow[]>> =>
    groupOf(await database.all(`SELECT * FROM ${table} WHERE run_uuid IN ${list(ids)}`, ids), 'run_uuid')

  const source: Source = {
    id: workspace === 'default' ? database.id : `${database.id}/${workspace}`,
    words: database.words,
    folder: database.folder,
    notes,

    async experiments() {
      const scoped = has('experiments', 'workspace')
      const rows = await database.all(
        `SELECT * FROM experiments${scoped ? ' WHERE workspace = ?' : ''} ORDER BY experiment_id`,
        scoped ? [workspace] : [],
      )
      const tags = has('experiment_tags')
        ? groupOf(await database.all('SELECT * FROM experiment_tags'), 'experiment_id')
        : new Map<string, SqlRow[]>()
      return rows.map((row) => ({
        id: text(row.experiment_id),
        name: text(row.name),
        lifecycle: lifecycle(row.lifecycle_stage),
        created_ms: ms(row.creation_time),
        updated_ms: ms(row.last_update_time),
        artifact_location: text(row.artifact_location),
        tags: (tags.get(text(row.experiment_id)) ?? []).map(pairOf),
      }))
    },

    async *runs(experiment) {
      let after = ''
      for (;;) {
        const rows = await database.all(
          `SELECT * FROM runs WHERE experiment_id = ? AND run_uuid > ? ORDER BY run_uuid LIMIT ${RUNS_AT_ONCE}`,
          [Number(experiment.id), after],
        )
        if (rows.length === 0) return
        after = text(rows.at(-1)!.run_uuid)
        yield await wholeRuns(rows)
        if (rows.length < RUNS_AT_ONCE) return
      }
    },

    async *points(run) {
      yield* pointsOf(run)
    },

    async *models(experiment: SourceExperiment) {
      if (has('logged_models')) yield* readModels(database, experiment.id)
    },

    registered: () => readRegistered(database, has, workspace),
    close: () => database.close(),
  }

  const wholeRuns = async (rows: readonly SqlRow[]): Promise<SourceRun[]> => {
    const ids = rows.map((row) => text(row.run_uuid))
    const params = await pairsOf('params', ids)
    const tags = await pairsOf('tags', ids)
    const counts = groupOf(
      await database.all(
        `SELECT run_uuid, count(*) AS points, max(${at}) AS last FROM metrics WHERE run_uuid IN ${list(ids)} GROUP BY run_uuid`,
        ids,
      ),
      'run_uuid',
    )
    const links = has('inputs')
      ? await database.all(
          `SELECT * FROM inputs WHERE destination_id IN ${list(ids)} OR source_id IN ${list(ids)} ORDER BY input_uuid`,
          [...ids, ...ids],
        )
      : []
    const inputs = await datasetsOf(links)
    return rows.map((row): SourceRun => {
      const run_id = text(row.run_uuid)
      const counted = counts.get(run_id)?.[0]
      const own = (tags.get(run_id) ?? []).map(pairOf)
      return {
        run_id,
        name: text(row.name) || (own.find((tag) => tag.key === 'mlflow.runName')?.value ?? ''),
        user_id: text(row.user_id),
        status: runStatus(row.status),
        start_ms: ms(row.start_time),
        end_ms: row.end_time === null || row.end_time === undefined ? null : ms(row.end_time),
        lifecycle: lifecycle(row.lifecycle_stage),
        artifact_uri: text(row.artifact_uri),
        params: (params.get(run_id) ?? []).map(pairOf),
        tags: own,
        inputs: inputs.get(run_id) ?? [],
        models: modelsOf(links, run_id),
        metrics_print: `${counted?.points ?? 0} ${counted?.last ?? ''}`,
        points: Number(counted?.points ?? 0),
      }
    })
  }

  const datasetsOf = async (links: readonly SqlRow[]): Promise<Map<string, SourceRun['inputs']>> => {
    const found = new Map<string, SourceRun['inputs']>()
    const of = links.filter((link) => link.source_type === 'DATASET' && link.destination_type === 'RUN')
    if (of.length === 0) return found
    const ids = [...new Set(of.map((link) => text(link.source_id)))]
    const datasets = groupOf(
      await database.all(`SELECT * FROM datasets WHERE dataset_uuid IN ${list(ids)}`, ids),
      'dataset_uuid',
    )
    const links_ids = of.map((link) => text(link.input_uuid))
    const tags = has('input_tags')
      ? groupOf(
          await database.all(`SELECT * FROM input_tags WHERE input_uuid IN ${list(links_ids)}`, links_ids),
          'input_uuid',
        )
      : new Map<string, SqlRow[]>()
    for (const link of of) {
      const row = datasets.get(text(link.source_id))?.[0]
      if (!row) continue
      const [schema, profile] = [textOrNull(row.dataset_schema), textOrNull(row.dataset_profile)]
      const run_id = text(link.destination_id)
      const inputs = found.get(run_id) ?? []
      inputs.push({
        dataset: {
          name: text(row.name),
          digest: text(row.digest),
          source_type: text(row.dataset_source_type),
          source: text(row.dataset_source),
          ...(schema !== null && { schema }),
          ...(profile !== null && { profile }),
        },
        tags: (tags.get(text(link.input_uuid)) ?? []).map((tag) => ({ key: text(tag.name), value: text(tag.value) })),
      })
      found.set(run_id, inputs)
    }
    return found
  }

  const step = has('metrics', 'step') ? 'step' : '0'
  const is_nan = has('metrics', 'is_nan') ? 'is_nan' : '0'
  const POINT = `SELECT ${key} AS k, ${at} AS t, ${step} AS s, value AS v, ${is_nan} AS n FROM metrics WHERE run_uuid = ?`

  const pushAll = (into: Map<string, PointSet>, rows: readonly SqlRow[]): void => {
    for (const row of rows) {
      const name = text(row.k)
      let points = into.get(name)
      if (!points) {
        points = noPointSet()
        into.set(name, points)
      }
      points.at_ms.push(whole(row.t))
      points.step.push(whole(row.s))
      points.value.push(row.n === true || Number(row.n) === 1 ? Number.NaN : Number(row.v))
    }
  }

  /** A run at once when it is small, else a key at once; a very long one by stretches of time. */
  async function* pointsOf(run: SourceRun): AsyncGenerator<{ key: string; points: PointSet }> {
    if (run.points === 0) return
    if (run.points <= POINTS_AT_ONCE) {
      const found = new Map<string, PointSet>()
      pushAll(found, await database.all(POINT, [run.run_id]))
      for (const [name, points] of found) yield { key: name, points: orderedOnce(points) }
      return
    }
    // Compared as bytes: a database may take keys for equal that differ in case.
    const seen = new Set<string>()
    const counted = await database.all(`SELECT DISTINCT ${key} AS k FROM metrics WHERE run_uuid = ?`, [run.run_id])
    for (const { k } of counted) {
      const found = new Map<string, PointSet>()
      let from: unknown
      for (;;) {
        const rows = await database.all(
          `${POINT} AND ${key} = ?${from === undefined ? '' : ` AND ${at} > ?`} ORDER BY ${at} LIMIT ${POINTS_AT_ONCE}`,
          [run.run_id, k, ...(from === undefined ? [] : [from])],
        )
        pushAll(found, rows)
        if (rows.length < POINTS_AT_ONCE) break
        from = rows.at(-1)!.t
        // Those of the last moment may go on behind the page.
        pushAll(found, await database.all(`${POINT} AND ${key} = ? AND ${at} = ?`, [run.run_id, k, from]))
      }
      for (const [name, points] of found) {
        if (seen.has(name)) continue
        seen.add(name)
        yield { key: name, points: orderedOnce(points) }
      }
    }
  }

  return source
}

function modelsOf(links: readonly SqlRow[], run_id: string): SourceRun['models'] {
  const models: SourceRun['models'] = []
  for (const link of links) {
    const step = Number(link.step ?? 0)
    if (link.destination_type === 'MODEL_OUTPUT' && text(link.source_id) === run_id)
      models.push({ direction: 'output', model_id: text(link.destination_id), step })
    else if (
      link.source_type !== 'DATASET' &&
      text(link.source_type).includes('MODEL') &&
      text(link.destination_id) === run_id
    )
      models.push({ direction: 'input', model_id: text(link.source_id), step: 0 })
    else if (text(link.source_id) === run_id && text(link.destination_type) === 'MODEL_INPUT')
      models.push({ direction: 'input', model_id: text(link.destination_id), step: 0 })
  }
  return models
}
