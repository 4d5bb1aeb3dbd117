/** MLflow's file store, of version 1 to 3: a folder `mlruns` with a folder for each experiment. It is only ever read. */
import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { invalid } from '#kernel/errors.ts'
import { orderedOnce } from '#kernel/point-set.ts'
import { files, folders, type Meta, meta, metricPoints, pairs, pythonNumber } from './mlruns-files.ts'
import { readRegistered } from './mlruns-models.ts'
import {
  lifecycle,
  modelStatus,
  ms,
  runStatus,
  type Source,
  type SourceExperiment,
  type SourceModel,
  type SourceRun,
  text,
  textOrNull,
} from './model.ts'

/** What an experiment has beside runs. */
const NO_RUNS = new Set(['tags', 'datasets', 'traces', 'models'])
const RUNS_AT_ONCE = 100

export async function openMlruns(path: string): Promise<Source> {
  const root = await realpath(path)
  const places = new Map<string, string>()
  const found = new Map<string, string>()
  const notes: string[] = []

  const runFolder = (run: SourceRun) => found.get(run.run_id)!

  return {
    id: `mlruns:${createHash('sha256').update(`${hostname()}\n${root}`).digest('hex').slice(0, 32)}`,
    words: root,
    folder: root,
    notes,

    async experiments() {
      const all: SourceExperiment[] = []
      for (const [parent, where] of [
        [root, 'active'],
        [join(root, '.trash'), 'deleted'],
      ] as const) {
        for (const id of await folders(parent)) {
          if (id === '.trash' || (parent === root && id === 'models')) continue
          const about = await meta(join(parent, id))
          if (!about) {
            if (/^\d+$/.test(id)) notes.push(`experiment ${id} has no readable meta.yaml`)
            continue
          }
          places.set(id, join(parent, id))
          all.push({
            id,
            name: text(about.name),
            lifecycle: where === 'deleted' ? 'deleted' : lifecycle(about.lifecycle_stage),
            created_ms: ms(about.creation_time),
            updated_ms: ms(about.last_update_time),
            artifact_location: text(about.artifact_location) || join(parent, id),
            tags: await pairs(join(parent, id, 'tags')),
          })
        }
      }
      if (all.length === 0)
        throw invalid(`${root} holds no experiment of MLflow's`, {
          field: 'source',
          remedy: 'Name the folder mlruns itself.',
        })
      return all
    },

    async *runs(experiment) {
      const place = places.get(experiment.id)!
      let page: SourceRun[] = []
      for (const id of await folders(place)) {
        if (NO_RUNS.has(id)) continue
        const run = await readRun(place, id)
        if (!run) continue
        found.set(run.run_id, join(place, id))
        page.push(run)
        if (page.length === RUNS_AT_ONCE) {
          yield page
          page = []
        }
      }
      if (page.length > 0) yield page
    },

    async *points(run) {
      for (const { key, path } of await files(join(runFolder(run), 'metrics'))) {
        const points = metricPoints(await readFile(path, 'utf8'), run.status !== 'RUNNING')
        yield { key, points: orderedOnce(points) }
      }
    },

    async *models(experiment) {
      const place = join(places.get(experiment.id)!, 'models')
      for (const id of await folders(place)) {
        const model = await readModel(join(place, id))
        if (model) yield [model]
      }
    },

    registered: () => readRegistered(join(root, 'models')),
    close: async () => {},
  }
}

async function readRun(place: string, id: string): Promise<SourceRun | undefined> {
  const folder = join(place, id)
  const about = await meta(folder)
  if (!about) return undefined
  const run_id = text(about.run_id) || text(about.run_uuid) || id
  const tags = await pairs(join(folder, 'tags'))
  const print = createHash('sha256')
  let bytes = 0
  for (const { key, path } of await files(join(folder, 'metrics'))) {
    const facts = await stat(path).catch(() => undefined)
    print.update(`${key}\n${facts?.size ?? 0}\n`)
    bytes += facts?.size ?? 0
  }
  return {
    run_id,
    name: text(about.run_name) || text(about.name) || (tags.find(({ key }) => key === 'mlflow.runName')?.value ?? ''),
    user_id: text(about.user_id),
    status: runStatus(about.status),
    start_ms: ms(about.start_time),
    end_ms: about.end_time === null || about.end_time === undefined ? null : ms(about.end_time),
    lifecycle: lifecycle(about.lifecycle_stage),
    ...whereFiles(folder, text(about.artifact_uri)),
    params: await pairs(join(folder, 'params')),
    tags,
    inputs: await readInputs(place, folder),
    models: await readRunModels(folder),
    metrics_print: print.digest('hex'),
    points: Math.ceil(bytes / 16),
  }
}

/** The folder may have been moved or copied since its URIs were written: local files are looked for where the run is. */
function whereFiles(folder: string, uri: string): { artifact_uri: string; artifact_folder?: string } {
  const artifact_folder = join(folder, 'artifacts')
  if (/^[a-z][a-z0-9+.-]+:/i.test(uri) && !/^file:/i.test(uri)) return { artifact_uri: uri }
  return { artifact_uri: uri || artifact_folder, artifact_folder }
}

async function readInputs(place: string, folder: string): Promise<SourceRun['inputs']> {
  const inputs: SourceRun['inputs'] = []
  for (const id of await folders(join(folder, 'inputs'))) {
    const input = await meta(join(folder, 'inputs', id))
    if (input?.source_type !== 'DATASET') continue
    const dataset = await meta(join(place, 'datasets', basename(text(input.source_id))))
    if (!dataset) continue
    const [schema, profile] = [textOrNull(dataset.schema), textOrNull(dataset.profile)]
    inputs.push({
      dataset: {
        name: text(dataset.name),
        digest: text(dataset.digest),
        source_type: text(dataset.source_type),
        source: text(dataset.source),
        ...(schema !== null && { schema }),
        ...(profile !== null && { profile }),
      },
      tags: Object.entries((input.tags as Meta | null) ?? {}).map(([key, value]) => ({ key, value: text(value) })),
    })
  }
  return inputs
}

async function readRunModels(folder: string): Promise<SourceRun['models']> {
  const models: SourceRun['models'] = []
  for (const id of await folders(join(folder, 'inputs'))) {
    const input = await meta(join(folder, 'inputs', id))
    if (input && text(input.source_type).startsWith('MODEL'))
      models.push({ direction: 'input', model_id: text(input.source_id), step: 0 })
  }
  for (const id of await folders(join(folder, 'outputs'))) {
    const output = await meta(join(folder, 'outputs', id))
    if (output) models.push({ direction: 'output', model_id: id, step: Number(output.step ?? 0) })
  }
  return models
}

async function readModel(folder: string): Promise<SourceModel | undefined> {
  const about = await meta(folder)
  if (!about) return undefined
  const status = modelStatus(about.status)
  const metrics: SourceModel['metrics'] = []
  for (const { key, path } of await files(join(folder, 'metrics'))) {
    for (const line of (await readFile(path, 'utf8')).split('\n').slice(0, -1)) {
      const [at_ms, value, step, run_id, dataset_name, dataset_digest] = line.trim().split(' ')
      if (value === undefined) continue
      metrics.push({
        key,
        value: pythonNumber(value),
        at_ms: Number(at_ms),
        step: Number(step ?? 0),
        run_id: run_id ?? '',
        dataset_name: dataset_name ?? '',
        dataset_digest: dataset_digest ?? '',
      })
    }
  }
  return {
    model_id: text(about.model_id) || basename(folder),
    name: text(about.name),
    model_type: text(about.model_type),
    source_run_id: text(about.source_run_id),
    status,
    created_ms: ms(about.creation_timestamp),
    updated_ms: ms(about.last_updated_timestamp),
    lifecycle: lifecycle(about.lifecycle_stage),
    ...whereFiles(folder, text(about.artifact_location)),
    params: await pairs(join(folder, 'params')),
    tags: await pairs(join(folder, 'tags')),
    metrics,
  }
}
