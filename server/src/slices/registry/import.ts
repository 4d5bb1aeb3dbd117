import { conflict, DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import type { KeyValue } from '#slices/tracking'
import { checkModelName } from './checks.ts'
import { modelCreated, versionCreated } from './events.ts'
import * as pinnedFiles from './file-store.ts'
import { manifestOf, NO_MANIFEST, readTexts, type Texts, tellingDigests } from './manifest.ts'
import type { Alias, Stage } from './model.ts'
import { lockModel, type Models, modelSubject, versionSubject } from './models.ts'
import type { RegistryDeps } from './registry.ts'
import * as db from './registry-store.ts'
import { type Resolved, resolveSource } from './source.ts'
import { digestOf, edgesOf } from './versions.ts'

export interface ImportedVersion {
  version: number
  created_ms: number
  updated_ms: number
  stage: Stage
  description: string | null
  /** Where its files are for this server; what names no place here is kept as it is, without files. */
  source: string
  run_id: string | null
  run_link: string | null
  user_id: string | null
  logged_model_id: string | null
  tags: KeyValue[]
}

export interface ImportedRegistered {
  name: string
  description: string | null
  created_ms: number
  updated_ms: number
  tags: KeyValue[]
  versions: ImportedVersion[]
  aliases: Alias[]
  /** Aliases that were there when this source was read before. */
  gone_aliases: string[]
}

export interface RegisteredTaken {
  created: boolean
  versions_created: number[]
  /** Versions whose files do not lie here. */
  without_files: number[]
  /** What could not be taken in, and why. */
  conflicts: string[]
}

/** Takes a model in with its versions under the numbers they have; what is there already is brought up to date. */
export type ImportModel = (
  store: Pick<Store, 'read' | 'write'>,
  who: Who,
  given: ImportedRegistered,
) => Promise<RegisteredTaken>

const TRIES_MAX = 3
const NOWHERE: Resolved = { files: [], run: null, logged_model_id: null, copied: null }

export function createImport(deps: RegistryDeps, models: Pick<Models, 'moveAlias' | 'deleteAlias'>): ImportModel {
  const { events, blobs, runs } = deps

  const resolve = async (sql: Sql, workspace: string, version: ImportedVersion): Promise<Resolved> => {
    try {
      const { source, run_id, logged_model_id } = version
      return await resolveSource(sql, workspace, runs, { source, run_id, logged_model_id })
    } catch (error) {
      // What the version stands on is gone, or never was here: its entry is still worth keeping.
      if (error instanceof DomainError && (error.problem === 'not-found' || error.problem === 'invalid')) return NOWHERE
      throw error
    }
  }

  const make = async (
    tx: Tx,
    who: Who,
    model: db.ModelRow,
    given: ImportedVersion,
    texts: Texts,
  ): Promise<Resolved> => {
    const { workspace } = who
    const from = await resolve(tx, workspace, given)
    const manifest = from.copied?.manifest ?? manifestOf(from.files, texts)
    if (!manifest) throw conflict('the files of the model changed while it was taken in', { field: 'source' })
    const row = {
      model_key: model.model_key,
      version: given.version,
      created_by: given.user_id ?? who.name,
      created_ms: given.created_ms,
      updated_ms: given.updated_ms,
      stage: given.stage,
      description: given.description,
      source: given.source,
      run_id: given.run_id,
      run_link: given.run_link,
      logged_model_id: given.logged_model_id ?? from.logged_model_id,
      digest: digestOf(from.files),
      size_bytes: from.files.reduce((sum, file) => sum + file.size_bytes, 0),
      file_count: from.files.length,
    }
    const version_key = await db.insertVersion(tx, workspace, row, from.files.length === 0 ? NO_MANIFEST : manifest)
    await pinnedFiles.insertFiles(tx, version_key, from.files)
    for (const tag of given.tags) await db.putTag(tx, 'model_version_tag', version_key, tag)
    const subject = versionSubject(model.name, given.version)
    await events.record(tx, versionCreated, {
      who,
      subject,
      after: {
        name: model.name,
        version: given.version,
        source: row.source,
        run_id: row.run_id,
        logged_model_id: row.logged_model_id,
        digest: row.digest,
        file_count: row.file_count,
        size_bytes: row.size_bytes,
        flavors: Object.keys(manifest.flavors ?? {}).slice(0, 50),
      },
      reason: 'imported',
      edges: edgesOf(subject, row, from),
    })
    return from
  }

  const ensureModel = async (tx: Tx, who: Who, given: ImportedRegistered): Promise<[db.ModelRow, boolean]> => {
    await lockModel(tx, who.workspace, given.name)
    const found = await db.findModel(tx, who.workspace, given.name)
    if (found) return [found, false]
    const { name, description, created_ms, updated_ms } = given
    const row = { name, description, created_by: who.name, created_ms, updated_ms }
    const model_key = await db.insertModel(tx, who.workspace, row)
    await events.record(tx, modelCreated, {
      who,
      subject: modelSubject(name),
      after: { name, description },
      reason: 'imported',
    })
    return [{ ...row, model_key, last_version: 0 }, true]
  }

  const put = async (tx: Tx, who: Who, given: ImportedRegistered, texts: Texts): Promise<RegisteredTaken> => {
    const { workspace } = who
    const [model, created] = await ensureModel(tx, who, given)
    const taken: RegisteredTaken = { created, versions_created: [], without_files: [], conflicts: [] }
    for (const tag of given.tags) await db.putTag(tx, 'registered_model_tag', model.model_key, tag)
    const refused = new Set<number>()
    for (const version of given.versions) {
      const before = await db.findVersion(tx, workspace, given.name, version.version)
      if (!before) {
        const from = await make(tx, who, model, version, texts)
        taken.versions_created.push(version.version)
        if (from.files.length === 0) taken.without_files.push(version.version)
      } else if (before.created_ms !== version.created_ms) {
        refused.add(version.version)
        taken.conflicts.push(`${given.name} has another version ${version.version} here`)
      } else {
        const { description, stage, updated_ms } = version
        if (before.updated_ms !== updated_ms || before.stage !== stage || before.description !== description)
          await db.updateVersion(tx, { version_key: before.version_key, description, stage, updated_ms })
        for (const tag of version.tags) await db.putTag(tx, 'model_version_tag', before.version_key, tag)
      }
    }
    await db.updateModel(tx, {
      ...model,
      description: given.description ?? model.description,
      last_version: Math.max(model.last_version, ...given.versions.map(({ version }) => version)),
      updated_ms: Math.max(given.updated_ms, created ? 0 : model.updated_ms),
    })
    await putAliases(tx, who, given, refused, taken)
    return taken
  }

  const putAliases = async (
    tx: Tx,
    who: Who,
    given: ImportedRegistered,
    refused: ReadonlySet<number>,
    taken: RegisteredTaken,
  ): Promise<void> => {
    const attempt = async (work: () => Promise<unknown>) => {
      try {
        await work()
      } catch (error) {
        // Refused before anything was written.
        if (!(error instanceof DomainError) || error.problem === 'internal') throw error
        taken.conflicts.push(error.message)
      }
    }
    for (const { alias, version } of given.aliases) {
      if (refused.has(version)) continue
      await attempt(() => models.moveAlias(tx, who, { model: given.name, alias, to: version, reason: 'imported' }))
    }
    for (const alias of given.gone_aliases)
      await attempt(() => models.deleteAlias(tx, who, { model: given.name, alias }))
  }

  return async (store, who, given) => {
    checkModelName(given.name)
    for (let tries = 1; ; tries++) {
      const digests = await store.read(async (sql) => {
        const all: string[] = []
        for (const version of given.versions) {
          if (await db.findVersion(sql, who.workspace, given.name, version.version)) continue
          const { files, copied } = await resolve(sql, who.workspace, version)
          if (!copied) all.push(...tellingDigests(files))
        }
        return all
      })
      const texts = await readTexts(blobs, digests)
      try {
        return await store.write((tx) => put(tx, who, given, texts))
      } catch (error) {
        const moved = error instanceof DomainError && error.problem === 'conflict' && error.field === 'source'
        if (!moved || tries === TRIES_MAX) throw error
      }
    }
  }
}
