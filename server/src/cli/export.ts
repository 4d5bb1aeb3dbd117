import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Analytics, createAnalytics } from '#kernel/analytics/index.ts'
import { invalid } from '#kernel/errors.ts'
import { silentLog } from '#kernel/log.ts'
import type { Client } from './client.ts'
import { EXIT } from './exit.ts'
import {
  experimentPages,
  historyPages,
  modelPages,
  registeredPages,
  runPages,
  versionPages,
  type WireExperiment,
  type WireRun,
} from './export/read.ts'
import { openTable, type Table, type Written, written } from './export/tables.ts'
import { table } from './output.ts'
import type { CommandAction, CommandContext } from './program.ts'

interface ExportOptions {
  experiment: string[]
  artifacts: boolean
}

interface Export {
  client: Client
  dir: string
  tables: Record<'runs' | 'params' | 'tags' | 'metrics', Table>
  counts: Record<string, number>
  /** By run: what its row has no room for. */
  inputs: object[]
  models: object[]
  artifacts: Written[]
  with_artifacts: boolean
  tell(text: string): void
}

const TABLES = {
  runs: [
    {
      run_id: 'VARCHAR',
      experiment_id: 'VARCHAR',
      name: 'VARCHAR',
      user_id: 'VARCHAR',
      status: 'VARCHAR',
      start_ms: 'BIGINT',
      end_ms: 'BIGINT',
      lifecycle: 'VARCHAR',
      artifact_uri: 'VARCHAR',
    },
    'experiment_id, run_id',
  ],
  params: [{ run_id: 'VARCHAR', key: 'VARCHAR', value: 'VARCHAR' }, 'run_id, key'],
  tags: [{ run_id: 'VARCHAR', key: 'VARCHAR', value: 'VARCHAR' }, 'run_id, key'],
  metrics: [
    { run_id: 'VARCHAR', key: 'VARCHAR', step: 'BIGINT', timestamp_ms: 'BIGINT', value: 'DOUBLE' },
    'run_id, key, step, timestamp_ms',
  ],
} as const

/** Everything of a workspace in open formats: Parquet, JSON, and the files as they are. */
export const exportAll: CommandAction<[string, ExportOptions]> = async (context, where, options) => {
  const dir = resolve(context.cwd, where)
  await mkdir(dir, { recursive: true })
  if ((await readdir(dir)).length > 0) throw invalid(`${dir} is not empty`, { remedy: 'Name a new folder.' })
  const temp = await mkdtemp(join(tmpdir(), 'slipway-export-'))
  const analytics = createAnalytics({ temp_dir: join(temp, 'analytics'), log: silentLog })
  try {
    return await writeAll(context, dir, temp, analytics, options)
  } finally {
    await analytics.stop()
    await rm(temp, { recursive: true, force: true })
  }
}

async function writeAll(
  { client, output }: CommandContext,
  dir: string,
  temp: string,
  analytics: Analytics,
  options: ExportOptions,
): Promise<number | undefined> {
  const progress = output.progress(`export ${dir}`)
  const table_of = (name: keyof typeof TABLES) => openTable(dir, temp, name, TABLES[name][0], TABLES[name][1])
  const it: Export = {
    client,
    dir,
    tables: {
      runs: table_of('runs'),
      params: table_of('params'),
      tags: table_of('tags'),
      metrics: table_of('metrics'),
    },
    counts: {},
    inputs: [],
    models: [],
    artifacts: [],
    with_artifacts: options.artifacts,
    tell: (text) => progress.update(text),
  }
  const experiments: WireExperiment[] = []
  for await (const page of experimentPages(client)) experiments.push(...page)
  const wanted = (each: WireExperiment) =>
    options.experiment.length === 0 ||
    options.experiment.includes(each.name) ||
    options.experiment.includes(each.experiment_id)
  const chosen = experiments.filter(wanted)
  if (chosen.length < options.experiment.length)
    throw invalid('one of the experiments is not there', { field: '--experiment' })
  for (const experiment of chosen) await writeExperiment(it, experiment)
  const registered = options.experiment.length === 0 ? await readRegistered(client) : []
  const files: Written[] = []
  for (const each of Object.values(it.tables)) {
    await each.end(analytics)
    it.counts[each.name] = each.rows
    if (each.rows > 0) files.push(await written(dir, `${each.name}.parquet`))
  }
  for (const [name, content] of [
    ['experiments', chosen],
    ['inputs', it.inputs],
    ['logged-models', it.models],
    ['registered-models', registered],
  ] as const) {
    await writeFile(join(dir, `${name}.json`), `${JSON.stringify(content, undefined, 1)}\n`)
    files.push(await written(dir, `${name}.json`))
    it.counts[name] = content.length
  }
  it.counts.artifacts = it.artifacts.length
  const manifest = { format: 'slipway-export', version: 1, counts: it.counts, files: [...files, ...it.artifacts] }
  await writeFile(join(dir, 'manifest.json'), `${JSON.stringify(manifest, undefined, 1)}\n`)
  progress.done()
  output.answer({ dir, counts: it.counts }, () => table(['', 'written'], Object.entries(it.counts)))
  return EXIT.ok
}

async function writeExperiment(it: Export, experiment: WireExperiment): Promise<void> {
  for await (const page of runPages(it.client, experiment.experiment_id)) {
    for (const run of page) await writeRun(it, run)
    it.tell(`${it.tables.runs.rows.toLocaleString('en')} runs, ${it.tables.metrics.rows.toLocaleString('en')} points`)
  }
  for await (const page of modelPages(it.client, experiment.experiment_id)) {
    for (const model of page as unknown as { info: { artifact_uri: string } }[]) {
      it.models.push(model)
      await writeFiles(it, model.info.artifact_uri)
    }
  }
}

async function writeRun(it: Export, { info, data, inputs, outputs }: WireRun): Promise<void> {
  const { runs, params, tags, metrics } = it.tables
  const { run_id } = info
  await runs.add(
    run_id,
    info.experiment_id,
    info.run_name ?? '',
    info.user_id ?? '',
    info.status,
    info.start_time,
    info.end_time ?? null,
    info.lifecycle_stage,
    info.artifact_uri,
  )
  for (const { key, value } of data.params ?? []) await params.add(run_id, key, value)
  for (const { key, value } of data.tags ?? []) await tags.add(run_id, key, value)
  for (const { key } of data.metrics ?? [])
    for await (const page of historyPages(it.client, run_id, key))
      for (const { step, timestamp, value } of page) await metrics.add(run_id, key, step ?? 0, timestamp, value)
  if (inputs?.dataset_inputs?.length || inputs?.model_inputs?.length || outputs?.model_outputs?.length)
    it.inputs.push({ run_id, ...inputs, ...outputs })
  await writeFiles(it, info.artifact_uri)
}

/** The files below an artifact root of the server's, under the path that they have there. */
async function writeFiles(it: Export, uri: string): Promise<void> {
  const root = /^mlflow-artifacts:\/*(.*)$/s.exec(uri)?.[1]
  if (!it.with_artifacts || root === undefined) return
  const { items } = await it.client.get<{ items: { path: string; digest: string }[] }>(
    `/api/slipway/v1/imports/files?${new URLSearchParams({ uri })}`,
  )
  const base = join(it.dir, 'artifacts')
  for (const { path, digest } of items) {
    const full = resolve(base, root, path)
    if (!full.startsWith(base + sep)) throw invalid(`the server names a file outside of its folder: ${path}`)
    await mkdir(dirname(full), { recursive: true })
    const place = `${root}/${path}`.split('/').map(encodeURIComponent).join('/')
    const response = await it.client.open(`/api/2.0/mlflow-artifacts/artifacts/${place}`)
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(full))
    const one = await written(it.dir, `artifacts/${root}/${path}`)
    if (`sha256:${one.sha256}` !== digest)
      throw invalid(`${path} changed while it was written`, { remedy: 'Export again.' })
    it.artifacts.push(one)
  }
}

async function readRegistered(client: Client): Promise<object[]> {
  const models: object[] = []
  for await (const page of registeredPages(client)) {
    for (const model of page) {
      const versions: object[] = []
      for await (const some of versionPages(client, model.name)) versions.push(...some)
      models.push({ ...model, versions })
    }
  }
  return models
}
