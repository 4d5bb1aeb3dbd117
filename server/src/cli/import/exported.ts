/** A folder that `slipway export` wrote. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { type Cell, createAnalytics } from '#kernel/analytics/index.ts'
import { invalid, notFound } from '#kernel/errors.ts'
import { silentLog } from '#kernel/log.ts'
import { orderedOnce } from '#kernel/point-set.ts'
import {
  lifecycle,
  modelStatus,
  ms,
  type Pair,
  runStatus,
  type Source,
  type SourceModel,
  type SourceRun,
  text,
  textOrNull,
} from './model.ts'

type Json = Record<string, unknown>

interface Manifest {
  format: string
  version: number
  counts: Record<string, number>
  files: { path: string; size_bytes: number; sha256: string }[]
}

const RUNS_AT_ONCE = 100
const ROWS_MAX = 1_000_000
const TABLES = ['runs', 'params', 'tags', 'metrics'] as const

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])
const pairs = (value: unknown): Pair[] => list(value).map(({ key, value: to }) => ({ key: text(key), value: text(to) }))

async function readManifest(root: string): Promise<Manifest> {
  const content = await readFile(join(root, 'manifest.json'), 'utf8').catch(() => undefined)
  if (content === undefined)
    throw notFound(`${root} has no manifest.json`, {
      field: 'source',
      remedy: 'Name a folder that slipway export wrote.',
    })
  const manifest = JSON.parse(content) as Manifest
  if (manifest.format !== 'slipway-export' || manifest.version !== 1)
    throw invalid(`${root} is no export that can be read`, { field: 'source' })
  for (const { path, sha256 } of manifest.files) {
    const full = resolve(root, path)
    if (!full.startsWith(root + sep)) throw invalid(`${path} leads out of the export`, { field: 'source' })
    const hash = createHash('sha256')
    try {
      for await (const chunk of createReadStream(full)) hash.update(chunk as Buffer)
    } catch {
      throw invalid(`${path} of the export is missing`, { field: 'source' })
    }
    if (hash.digest('hex') !== sha256) throw invalid(`${path} is not as it was exported`, { field: 'source' })
  }
  return manifest
}

/** Throws invalid when a file is not as it was written. */
export async function openExport(path: string): Promise<Source> {
  const root = await realpath(path).catch(() => path)
  const manifest = await readManifest(root)
  const temp = await mkdtemp(join(tmpdir(), 'slipway-import-'))
  const analytics = createAnalytics({ temp_dir: join(temp, 'analytics'), log: silentLog })
  const has = (table: string) => (manifest.counts[table] ?? 0) > 0
  const files = Object.fromEntries(
    TABLES.filter(has).map((name) => [name, { files: [join(root, `${name}.parquet`)], format: 'parquet' as const }]),
  )
  const json = async (name: string) => JSON.parse(await readFile(join(root, `${name}.json`), 'utf8')) as Json[]
  const inputs = new Map((await json('inputs')).map((row) => [text(row.run_id), row]))
  const models = await json('logged-models')

  const rows = async (table: (typeof TABLES)[number], sql: string, params: Cell[]): Promise<Cell[][]> => {
    if (!has(table)) return []
    const answer = await analytics.query({ sql, params, files, rows_max: ROWS_MAX, timeout_ms: 600_000 })
    if (answer.truncated) throw invalid(`more than ${ROWS_MAX} rows of ${table} at once`, { field: 'source' })
    return answer.rows
  }
  const marks = (ids: readonly string[]) => ids.map(() => '?').join(', ')
  const pairsOf = async (table: 'params' | 'tags', ids: readonly string[]): Promise<Map<string, Pair[]>> => {
    const found = await rows(table, `SELECT run_id, key, value FROM ${table} WHERE run_id IN (${marks(ids)})`, [...ids])
    const groups = Map.groupBy(found, ([id]) => String(id))
    return new Map(
      [...groups].map(([id, some]) => [id, some.map(([, key, value]) => ({ key: text(key), value: text(value) }))]),
    )
  }

  return {
    id: `export:${createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 32)}`,
    words: root,
    folder: root,
    notes: [],

    async experiments() {
      return (await json('experiments')).map((row) => ({
        id: text(row.experiment_id),
        name: text(row.name),
        lifecycle: lifecycle(row.lifecycle_stage),
        created_ms: ms(row.creation_time),
        updated_ms: ms(row.last_update_time),
        artifact_location: text(row.artifact_location),
        tags: pairs(row.tags),
      }))
    },

    async *runs(experiment) {
      let after = ''
      for (;;) {
        const page = await rows(
          'runs',
          `SELECT r.run_id, r.name, r.user_id, r.status, r.start_ms, r.end_ms, r.lifecycle, r.artifact_uri
           FROM runs r WHERE r.experiment_id = ? AND r.run_id > ? ORDER BY r.run_id LIMIT ${RUNS_AT_ONCE}`,
          [experiment.id, after],
        )
        if (page.length === 0) return
        const ids = page.map(([id]) => String(id))
        after = ids.at(-1)!
        const params = await pairsOf('params', ids)
        const tags = await pairsOf('tags', ids)
        const counts = new Map(
          (
            await rows(
              'metrics',
              `SELECT run_id, count(*) FROM metrics WHERE run_id IN (${marks(ids)}) GROUP BY run_id`,
              ids,
            )
          ).map(([id, count]) => [String(id), Number(count)]),
        )
        yield page.map(([run_id, name, user_id, status, start_ms, end_ms, stage, artifact_uri]): SourceRun => {
          const id = String(run_id)
          return {
            run_id: id,
            name: text(name),
            user_id: text(user_id),
            status: runStatus(status),
            start_ms: ms(start_ms),
            end_ms: end_ms === null ? null : ms(end_ms),
            lifecycle: lifecycle(stage),
            artifact_uri: text(artifact_uri),
            params: params.get(id) ?? [],
            tags: tags.get(id) ?? [],
            ...linksOf(inputs.get(id)),
            metrics_print: String(counts.get(id) ?? 0),
            points: counts.get(id) ?? 0,
          }
        })
        if (page.length < RUNS_AT_ONCE) return
      }
    },

    async *points(run) {
      if (run.points === 0) return
      const keys = await rows('metrics', 'SELECT DISTINCT key FROM metrics WHERE run_id = ? ORDER BY key', [run.run_id])
      for (const [key] of keys) {
        const found = await rows(
          'metrics',
          'SELECT step, timestamp_ms, value FROM metrics WHERE run_id = ? AND key = ? ORDER BY step, timestamp_ms',
          [run.run_id, key!],
        )
        const whole = (cell: Cell | undefined) => (typeof cell === 'string' ? BigInt(cell) : Number(cell))
        yield {
          key: String(key),
          points: orderedOnce({
            step: found.map(([step]) => whole(step)),
            at_ms: found.map(([, at_ms]) => whole(at_ms)),
            value: found.map(([, , value]) => Number(value)),
          }),
        }
      }
    },

    async *models(experiment) {
      const own = models.filter((model) => text((model.info as Json).experiment_id) === experiment.id)
      if (own.length > 0) yield own.map(modelOf)
    },

    async registered() {
      return (await json('registered-models')).map((row) => ({
        name: text(row.name),
        description: textOrNull(row.description),
        created_ms: ms(row.creation_timestamp),
        updated_ms: ms(row.last_updated_timestamp),
        tags: pairs(row.tags),
        aliases: list(row.aliases).map(({ alias, version }) => ({ alias: text(alias), version: Number(version) })),
        versions: list(row.versions).map(versionOf),
      }))
    },

    async close() {
      await analytics.stop()
      await rm(temp, { recursive: true, force: true })
    },
  }
}

function linksOf(row: Json | undefined): Pick<SourceRun, 'inputs' | 'models'> {
  return {
    inputs: list(row?.dataset_inputs).map(({ dataset, tags }) => {
      const { name, digest, source_type, source, schema, profile } = dataset as Record<string, string | undefined>
      return {
        dataset: {
          name: text(name),
          digest: text(digest),
          source_type: text(source_type),
          source: text(source),
          ...(schema !== undefined && { schema }),
          ...(profile !== undefined && { profile }),
        },
        tags: pairs(tags),
      }
    }),
    models: [
      ...list(row?.model_inputs).map(({ model_id }) => ({
        direction: 'input' as const,
        model_id: text(model_id),
        step: 0,
      })),
      ...list(row?.model_outputs).map(({ model_id, step }) => ({
        direction: 'output' as const,
        model_id: text(model_id),
        step: Number(step ?? 0),
      })),
    ],
  }
}

function modelOf(model: Json): SourceModel {
  const info = model.info as Json
  const data = (model.data ?? {}) as Json
  return {
    model_id: text(info.model_id),
    name: text(info.name),
    model_type: text(info.model_type),
    source_run_id: text(info.source_run_id),
    status: modelStatus(text(info.status).replace(/^LOGGED_MODEL_/, '')),
    created_ms: ms(info.creation_timestamp_ms),
    updated_ms: ms(info.last_updated_timestamp_ms),
    lifecycle: 'active',
    artifact_uri: text(info.artifact_uri),
    params: pairs(data.params),
    tags: pairs(info.tags),
    metrics: list(data.metrics).map((metric) => ({
      key: text(metric.key),
      value: Number(metric.value),
      at_ms: Number(metric.timestamp),
      step: Number(metric.step ?? 0),
      run_id: text(metric.run_id),
      dataset_name: text(metric.dataset_name),
      dataset_digest: text(metric.dataset_digest),
    })),
  }
}

const versionOf = (row: Json) => ({
  version: Number(row.version),
  created_ms: ms(row.creation_timestamp),
  updated_ms: ms(row.last_updated_timestamp),
  stage: text(row.current_stage) || 'None',
  description: textOrNull(row.description),
  source: text(row.source),
  storage_location: null,
  run_id: textOrNull(row.run_id),
  run_link: textOrNull(row.run_link),
  user_id: textOrNull(row.user_id),
  logged_model_id: textOrNull(row.model_id),
  tags: pairs(row.tags),
})
