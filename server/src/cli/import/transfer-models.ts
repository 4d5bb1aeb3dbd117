import { filesPrint, isElsewhere, sendFiles } from './artifacts.ts'
import type { SourceModel, SourceRegistered, SourceVersion } from './model.ts'
import { filesOf, placeOf, printOf, type Target, type Transfer } from './transfer-state.ts'

const API = '/api/slipway/v1/imports'
const METRICS_AT_ONCE = 5000
const VERSIONS_AT_ONCE = 50
const STAGES = ['None', 'Staging', 'Production', 'Archived']

interface ModelMark {
  print: string
  tags: string[]
  lifecycle: 'active' | 'deleted'
  files: number
  bytes: number
}

/** Logged models of an experiment, with their files. */
export async function bringModels(it: Transfer, target: Target, roots: Map<string, string>): Promise<void> {
  for await (const page of it.source.models(target.source))
    for (const model of page) await bringModel(it, target, model, roots)
}

async function bringModel(it: Transfer, target: Target, model: SourceModel, roots: Map<string, string>): Promise<void> {
  const elsewhere = isElsewhere(model.artifact_uri)
  const files = elsewhere ? undefined : await filesOf(it, model)
  const root = `${target.artifact_location.replace(/\/+$/, '')}/models/${model.model_id}/artifacts`
  roots.set(placeOf(model.artifact_uri, it.options.places), root)
  it.count('logged models', 'source', 1)
  const print = printOf([model, files && filesPrint(files)])
  const text = it.marks.get(`model/${model.model_id}`)
  const before = text === undefined ? undefined : (JSON.parse(text) as ModelMark)
  if (before?.print === print) {
    it.count('logged models', 'here', 1)
    for (const part of ['source', 'here'] as const) {
      it.count('artifact files', part, before.files)
      it.count('artifact bytes', part, before.bytes)
    }
    return
  }
  const fresh = await putModel(it, target, model, before)
  if (fresh) it.count('logged models', 'added', 1)
  const wrong: string[] = []
  if (elsewhere && placeOf(root, it.options.places) !== placeOf(model.artifact_uri, it.options.places))
    wrong.push(`its files at ${model.artifact_uri} are not below its experiment here`)
  else if (files === undefined && !elsewhere)
    wrong.push(`its files at ${model.artifact_uri} cannot be read from here (--artifact-root names a server's folder)`)
  const sent = files && (await sendFiles(it.client, root, files, () => {}))
  if (sent) {
    it.count('artifact files', 'source', sent.files)
    it.count('artifact bytes', 'source', sent.bytes)
    it.count('artifact files', 'added', sent.new_files)
    it.count('artifact bytes', 'added', sent.new_bytes)
    it.count('artifact files', 'here', sent.files - sent.wrong.length)
    if (sent.wrong.length === 0) it.count('artifact bytes', 'here', sent.bytes)
    wrong.push(...sent.wrong)
  }
  if (model.lifecycle === 'active') wrong.push(...(await compareModel(it, model)))
  for (const why of wrong) it.wrong(`logged model ${model.model_id}: ${why}`)
  if (wrong.length > 0) return
  it.count('logged models', 'here', 1)
  const mark: ModelMark = {
    print,
    tags: model.tags.map(({ key }) => key),
    lifecycle: model.lifecycle,
    files: sent?.files ?? 0,
    bytes: sent?.bytes ?? 0,
  }
  await it.mark(`model/${model.model_id}`, mark)
}

/** A model of very many metrics is sent in parts. */
async function putModel(
  it: Transfer,
  target: Target,
  model: SourceModel,
  before: ModelMark | undefined,
): Promise<boolean> {
  const { artifact_uri: _, artifact_folder: __, ...told } = model
  const there = new Set(model.tags.map(({ key }) => key))
  let fresh = false
  for (let first = 0; first === 0 || first < model.metrics.length; first += METRICS_AT_ONCE) {
    const metrics = model.metrics.slice(first, first + METRICS_AT_ONCE).map((metric) => ({
      ...metric,
      value: Number.isNaN(metric.value) ? 'NaN' : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, metric.value)),
    }))
    const one = {
      ...told,
      metrics,
      gone_tags: (before?.tags ?? []).filter((key) => !there.has(key)),
      ...(before && { lifecycle_before: before.lifecycle }),
    }
    const { created } = await it.client.put<{ created: string[] }>(`${API}/logged-models`, {
      experiment_id: target.experiment_id,
      models: [one],
    })
    fresh ||= created.length > 0
  }
  return fresh
}

async function compareModel(it: Transfer, model: SourceModel): Promise<string[]> {
  const path = `/api/2.0/mlflow/logged-models/${encodeURIComponent(model.model_id)}`
  const { model: here } = await it.client.get<{
    model: {
      info: { tags?: { key: string; value: string }[] }
      data: { params?: { key: string; value: string }[]; metrics?: unknown[] }
    }
  }>(path)
  const missing = (what: string, pairs: typeof model.tags, there: typeof model.tags | undefined) => {
    const values = new Map(there?.map(({ key, value }) => [key, value]))
    const other = pairs.filter(({ key, value }) => values.get(key) !== value)
    return other.length > 0 ? [`${what} differ: ${other.map(({ key }) => key).join(', ')}`] : []
  }
  return [
    ...missing('params', model.params, here.data.params),
    ...missing('tags', model.tags, here.info.tags),
    ...((here.data.metrics?.length ?? 0) < model.metrics.length ? ['metrics are missing'] : []),
  ]
}

/** The source's registry: after its runs and logged models, on which versions stand. */
export async function bringRegistered(it: Transfer, roots: ReadonlyMap<string, string>): Promise<void> {
  for (const model of await it.source.registered()) {
    it.count('models', 'source', 1)
    it.count('versions', 'source', model.versions.length)
    it.count('aliases', 'source', model.aliases.length)
    if (!it.options.dry_run) await bringOne(it, model, roots)
  }
}

async function bringOne(it: Transfer, model: SourceRegistered, roots: ReadonlyMap<string, string>): Promise<void> {
  const versions = model.versions.map((version) => versionOf(it, version, roots))
  const item = `registered/${model.name}`
  const text = it.marks.get(item)
  const before = text === undefined ? undefined : (JSON.parse(text) as { print: string; aliases: string[] })
  const print = printOf({ ...model, versions })
  if (before?.print === print) {
    it.count('models', 'here', 1)
    it.count('versions', 'here', versions.length)
    it.count('aliases', 'here', model.aliases.length)
    return
  }
  const there = new Set(model.aliases.map(({ alias }) => alias))
  const gone_aliases = (before?.aliases ?? []).filter((alias) => !there.has(alias))
  const conflicts: string[] = []
  let refused = 0
  for (let first = 0; first === 0 || first < versions.length; first += VERSIONS_AT_ONCE) {
    const last = first + VERSIONS_AT_ONCE >= versions.length
    const taken = await it.client.put<{
      created: boolean
      versions_created: number[]
      without_files: number[]
      conflicts: string[]
    }>(`${API}/models`, {
      name: model.name,
      description: model.description,
      created_ms: model.created_ms,
      updated_ms: model.updated_ms,
      tags: model.tags,
      versions: versions.slice(first, first + VERSIONS_AT_ONCE),
      aliases: last ? model.aliases : [],
      gone_aliases: last ? gone_aliases : [],
    })
    if (taken.created) it.count('models', 'added', 1)
    it.count('versions', 'added', taken.versions_created.length)
    refused += taken.conflicts.filter((why) => why.includes('another version')).length
    conflicts.push(...taken.conflicts)
    for (const number of taken.without_files)
      it.note(`version ${number} of ${model.name} has no files here: its source is ${versionSource(model, number)}`)
  }
  it.count('models', 'here', 1)
  it.count('versions', 'here', versions.length - refused)
  const { aliases } = await it.client.get<{ aliases: { alias: string; version: number }[] }>(
    `/api/slipway/v1/models/${encodeURIComponent(model.name)}`,
  )
  const here = new Map(aliases.map(({ alias, version }) => [alias, version]))
  const right = model.aliases.filter(({ alias, version }) => here.get(alias) === version)
  it.count('aliases', 'here', right.length)
  it.count('aliases', 'added', right.filter(({ alias }) => !before?.aliases.includes(alias)).length)
  if (right.length < model.aliases.length && conflicts.length === 0) conflicts.push('aliases differ')
  for (const why of conflicts) it.wrong(`model ${model.name}: ${why}`)
  if (conflicts.length === 0) await it.mark(item, { print, aliases: [...there] })
}

const versionSource = (model: SourceRegistered, number: number) =>
  model.versions.find(({ version }) => version === number)?.source ?? ''

/** A version as the door takes it: its source is where its files are now. */
function versionOf(it: Transfer, version: SourceVersion, roots: ReadonlyMap<string, string>) {
  const { storage_location, ...told } = version
  const named = /^(models|runs):/.test(version.source)
  const mapped = named
    ? undefined
    : (mappedTo(it, version.source, roots) ?? (storage_location && mappedTo(it, storage_location, roots)))
  return {
    ...told,
    stage: STAGES.find((stage) => stage.toLowerCase() === version.stage.toLowerCase()) ?? 'None',
    source: mapped ?? version.source,
  }
}

/** The place here of what lies at or below an artifact root of the source's. */
function mappedTo(it: Transfer, uri: string, roots: ReadonlyMap<string, string>): string | undefined {
  const place = placeOf(uri, it.options.places)
  for (let end = place.length; end > 0; end = place.lastIndexOf('/', end - 1)) {
    const root = roots.get(place.slice(0, end))
    if (root !== undefined) return root + place.slice(end)
  }
  return undefined
}
