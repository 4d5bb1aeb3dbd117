import { createHash } from 'node:crypto'
import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { conflict, DomainError, invalid } from '#kernel/errors.ts'
import type { Edge, Events, Subject } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import { datasetVersionOf, type KeyValue } from '#slices/tracking'
import { checkTag, LIMITS, missing, noModel, noVersion, tooLong } from './checks.ts'
import { stageMoved, tagChanged, versionCreated, versionDeleted, versionDescribed } from './events.ts'
import * as pinnedFiles from './file-store.ts'
import { manifestOf, NO_MANIFEST, readTexts, type Texts, tellingDigests } from './manifest.ts'
import { type Manifest, type ModelVersion, PROMPT_TAG, type Runs, type Stage, type VersionFile } from './model.ts'
import { aliasSubject, lockModel, modelSubject, versionSubject } from './models.ts'
import * as db from './registry-store.ts'
import { PINNED_ROOT, type Resolved, resolveSource } from './source.ts'

export interface NewVersion {
  name: string
  source: string
  run_id?: string
  run_link?: string
  logged_model_id?: string
  description?: string
  tags?: readonly KeyValue[]
}

export interface VersionAt {
  name: string
  version: number
}

/** Tags and description can always be changed; what a live release holds cannot be deleted. */
export interface Versions {
  getVersion(sql: Sql, workspace: string, at: VersionAt): Promise<ModelVersion>
  /** The pinned files, by path. */
  versionFiles(sql: Sql, workspace: string, at: VersionAt): Promise<VersionFile[]>
  /** One pinned file, or undefined. */
  versionFile(sql: Sql, workspace: string, at: VersionAt, path: string): Promise<VersionFile | undefined>
  versionManifest(sql: Sql, workspace: string, at: VersionAt): Promise<Manifest>
  /** Reads what the files at a source tell, before the transaction: no file is read inside one. */
  prepareVersion(read: Store['read'], workspace: string, input: NewVersion): Promise<Texts>
  /**
   * The next version, its files pinned by digest as they stand in this transaction. Throws conflict when they changed since
   * `prepareVersion`: call both again.
   */
  createVersion(tx: Tx, who: Who, input: NewVersion, texts: Texts): Promise<ModelVersion>
  describeVersion(tx: Tx, who: Who, input: VersionAt & { description: string }): Promise<ModelVersion>
  deleteVersion(tx: Tx, who: Who, at: VersionAt): Promise<void>
  setVersionTag(tx: Tx, who: Who, input: VersionAt & KeyValue): Promise<void>
  deleteVersionTag(tx: Tx, who: Who, input: VersionAt & { key: string }): Promise<void>
  moveStage(tx: Tx, who: Who, input: VersionAt & { stage: Stage; archive_existing: boolean }): Promise<ModelVersion>
  /** The newest version of each stage named, or of each that has one. */
  latestVersions(sql: Sql, workspace: string, name: string, stages: readonly Stage[]): Promise<ModelVersion[]>
  /**
   * Holds everything that a live version stands on: itself, its model, its run and logged model, their experiments. Let go by
   * `holds.release(tx, workspace, by)`. Throws conflict when one of them is deleted at the same moment.
   */
  holdFor(tx: Tx, workspace: string, at: VersionAt, by: Subject, reason: string): Promise<void>
  /** Where a client can open the files: the pinned ones, or the source itself when none lie here. */
  downloadUri(sql: Sql, workspace: string, at: VersionAt): Promise<string>
}

interface Deps {
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld' | 'place'>
  blobs: Pick<Blobs, 'stat' | 'read'>
  clock: Clock
  runs: Runs
}

export function createVersions({ events, holds, blobs, clock, runs }: Deps): Versions {
  const version = async (sql: Sql, workspace: string, at: VersionAt): Promise<db.VersionRow> => {
    if (at.name === '') throw missing('name')
    const found = await db.findVersion(sql, workspace, at.name, at.version)
    if (!found) throw noVersion(at.name, at.version)
    return found
  }
  const locked = async (tx: Tx, workspace: string, at: VersionAt) => {
    await lockModel(tx, workspace, at.name)
    return version(tx, workspace, at)
  }
  const whole = async (sql: Sql, row: db.VersionRow) => (await db.withVersionParts(sql, [row]))[0]!
  const originOf = (input: NewVersion) => ({
    source: input.source,
    run_id: input.run_id || null,
    logged_model_id: input.logged_model_id || null,
  })
  const touchModel = async (tx: Tx, workspace: string, name: string, now_ms: number) => {
    const model = (await db.findModel(tx, workspace, name))!
    await db.updateModel(tx, { ...model, updated_ms: now_ms })
  }

  return {
    async getVersion(sql, workspace, at) {
      return whole(sql, await version(sql, workspace, at))
    },
    async versionFiles(sql, workspace, at) {
      return pinnedFiles.filesOf(sql, (await version(sql, workspace, at)).version_key)
    },
    async versionFile(sql, workspace, at, path) {
      return pinnedFiles.fileAt(sql, (await version(sql, workspace, at)).version_key, path)
    },
    async versionManifest(sql, workspace, at) {
      return db.manifestOfVersion(sql, (await version(sql, workspace, at)).version_key)
    },

    async prepareVersion(read, workspace, input) {
      if (isPrompt(input)) return new Map()
      const digests = await read(async (sql) => {
        const { files, copied } = await resolveSource(sql, workspace, runs, originOf(input))
        return copied ? [] : tellingDigests(files)
      })
      return readTexts(blobs, digests)
    },

    async createVersion(tx, who, input, texts) {
      checkNew(input)
      const { workspace } = who
      await lockModel(tx, workspace, input.name)
      const model = await db.findModel(tx, workspace, input.name)
      if (!model) throw noModel(input.name)
      const prompt = isPrompt(input)
      const from: Resolved = prompt
        ? { files: [], run: null, logged_model_id: null, copied: null }
        : await resolveSource(tx, workspace, runs, originOf(input))
      if (from.files.length > LIMITS.files) {
        throw new DomainError('too-large', `a model version has at most ${LIMITS.files} files`, {
          field: 'source',
          remedy: 'Register the folder of the model alone.',
        })
      }
      const manifest = from.copied?.manifest ?? manifestOf(from.files, texts)
      if (!manifest) {
        throw conflict('the files of the model changed while it was registered', {
          field: 'source',
          remedy: 'Register it again when its files are complete.',
        })
      }
      const now = clock.now()
      const number = model.last_version + 1
      const row = {
        model_key: model.model_key,
        version: number,
        created_by: who.name,
        created_ms: now,
        updated_ms: now,
        stage: 'None' as const,
        description: input.description ?? null,
        source: input.source,
        run_id: input.run_id || from.run?.run_id || from.copied?.run_id || null,
        run_link: input.run_link || null,
        logged_model_id: from.logged_model_id,
        digest: digestOf(from.files),
        size_bytes: from.files.reduce((sum, file) => sum + file.size_bytes, 0),
        file_count: from.files.length,
      }
      const version_key = await db.insertVersion(tx, workspace, row, prompt ? NO_MANIFEST : manifest)
      await pinnedFiles.insertFiles(tx, version_key, from.files)
      for (const tag of input.tags ?? []) await db.putTag(tx, 'model_version_tag', version_key, tag)
      await db.updateModel(tx, { ...model, last_version: number, updated_ms: now })
      if (row.logged_model_id !== null) await tellLoggedModel(tx, who, row.logged_model_id, input.name, number)
      await events.record(tx, versionCreated, {
        who,
        subject: versionSubject(input.name, number),
        after: {
          name: input.name,
          version: number,
          source: row.source,
          run_id: row.run_id,
          logged_model_id: row.logged_model_id,
          digest: row.digest,
          file_count: row.file_count,
          size_bytes: row.size_bytes,
          flavors: Object.keys(manifest.flavors ?? {}).slice(0, 50),
        },
        edges: edgesOf(versionSubject(input.name, number), row, from),
      })
      return whole(tx, { ...row, version_key, name: input.name })
    },

    async describeVersion(tx, who, { description, ...at }) {
      tooLong(description, LIMITS.description_chars, 'description')
      const before = await locked(tx, who.workspace, at)
      const after = { ...before, description, updated_ms: clock.now() }
      await db.updateVersion(tx, after)
      await events.record(tx, versionDescribed, {
        who,
        subject: versionSubject(at.name, at.version),
        before: { description: before.description },
        after: { description },
      })
      return whole(tx, after)
    },

    async deleteVersion(tx, who, at) {
      const row = await locked(tx, who.workspace, at)
      const before = await whole(tx, row)
      const subjects = [
        versionSubject(at.name, at.version),
        ...before.aliases.map((alias) => aliasSubject(at.name, alias)),
      ]
      await holds.refuseIfHeld(tx, who.workspace, subjects, `delete model version ${at.name}/${at.version}`)
      await db.deleteVersion(tx, row.version_key)
      await touchModel(tx, who.workspace, at.name, clock.now())
      await events.record(tx, versionDeleted, {
        who,
        subject: versionSubject(at.name, at.version),
        before: { source: row.source, run_id: row.run_id, digest: row.digest, aliases: before.aliases },
        after: null,
      })
    },

    async setVersionTag(tx, who, { key, value, ...at }) {
      checkTag({ key, value })
      const row = await locked(tx, who.workspace, at)
      const before = await db.getTag(tx, 'model_version_tag', row.version_key, key)
      if (before === value) return
      await db.putTag(tx, 'model_version_tag', row.version_key, { key, value })
      await events.record(tx, tagChanged, {
        who,
        subject: versionSubject(at.name, at.version),
        before: { ...at, key, value: before ?? null },
        after: { ...at, key, value },
      })
    },

    async deleteVersionTag(tx, who, { key, ...at }) {
      const row = await locked(tx, who.workspace, at)
      const before = await db.getTag(tx, 'model_version_tag', row.version_key, key)
      if (before === undefined) return
      await db.deleteTag(tx, 'model_version_tag', row.version_key, key)
      await events.record(tx, tagChanged, {
        who,
        subject: versionSubject(at.name, at.version),
        before: { ...at, key, value: before },
        after: { ...at, key, value: null },
      })
    },

    async moveStage(tx, who, { stage, archive_existing, ...at }) {
      if (archive_existing && stage !== 'Staging' && stage !== 'Production') {
        throw invalid(
          `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. Valid stages are Staging and Production`,
          { field: 'archive_existing_versions' },
        )
      }
      const before = await locked(tx, who.workspace, at)
      const now = clock.now()
      const after = { ...before, stage, updated_ms: now }
      const moved = archive_existing ? await db.emptyStage(tx, before, stage, 'Archived', now) : []
      await db.updateVersion(tx, after)
      await touchModel(tx, who.workspace, at.name, now)
      const told = [
        ...moved.map((number) => ({ version: number, from: stage, to: 'Archived' as Stage })),
        ...(before.stage === stage ? [] : [{ version: at.version, from: before.stage, to: stage }]),
      ]
      for (const each of told) {
        const fact = { name: at.name, version: each.version }
        await events.record(tx, stageMoved, {
          who,
          subject: versionSubject(at.name, each.version),
          before: { ...fact, stage: each.from },
          after: { ...fact, stage: each.to },
        })
      }
      return whole(tx, after)
    },

    async latestVersions(sql, workspace, name, stages) {
      const model = await db.findModel(sql, workspace, name)
      if (!model) throw noModel(name)
      const rows = await db.newestPerStage(sql, [model.model_key])
      const wanted = rows.filter((row) => stages.length === 0 || stages.includes(row.stage))
      return db.withVersionParts(sql, wanted)
    },

    async holdFor(tx, workspace, at, by, reason) {
      const row = await locked(tx, workspace, at)
      const standsOn = async (): Promise<Subject[]> => {
        const run = row.run_id === null ? undefined : await found(runs.getRun(tx, workspace, row.run_id))
        const logged =
          row.logged_model_id === null
            ? undefined
            : await found(runs.getLoggedModel(tx, workspace, row.logged_model_id))
        const active = run?.lifecycle === 'active' ? run : undefined
        const experiments = new Set([active?.experiment_id, logged?.experiment_id].filter((id) => id !== undefined))
        return [
          versionSubject(at.name, at.version),
          modelSubject(at.name),
          ...(active ? [{ kind: 'run', id: active.run_id } as const] : []),
          ...(logged ? [{ kind: 'logged-model', id: logged.model_id } as const] : []),
          ...[...experiments].map((id) => ({ kind: 'experiment', id }) as const),
        ]
      }
      // The same order for everybody, so that two releases never wait for each other.
      const subjects = (await standsOn()).sort((a, b) => (`${a.kind}\n${a.id}` < `${b.kind}\n${b.id}` ? -1 : 1))
      for (const subject of subjects) await holds.place(tx, workspace, subject, by, reason)
      // A delete that was under way has ended by now: each of the two sees the other.
      if ((await standsOn()).length < subjects.length)
        throw conflict(`what ${at.name}/${at.version} stands on was deleted just now`, {
          remedy: 'Try again: a version outlives its run.',
        })
    },

    async downloadUri(sql, workspace, at) {
      const row = await version(sql, workspace, at)
      if (row.file_count > 0) return `mlflow-artifacts:/${PINNED_ROOT}/${row.model_key}/${row.version}`
      const logged = row.logged_model_id && (await found(runs.getLoggedModel(sql, workspace, row.logged_model_id)))
      if (logged) return logged.artifact_uri
      const path = /^runs:\/+[^/]+\/?(.*)$/.exec(row.source)?.[1]
      const run = path !== undefined && row.run_id !== null && (await found(runs.getRun(sql, workspace, row.run_id)))
      return run ? `${run.artifact_uri}/${path}` : row.source
    },
  }

  /** The logged model says which versions it became: MLflow's UI reads it there. */
  async function tellLoggedModel(tx: Tx, who: Who, id: string, name: string, number: number): Promise<void> {
    // Its other registrations, under other names, write the same tag.
    await tx.lock('logged-model', who.workspace, id)
    const logged = await found(runs.getLoggedModel(tx, who.workspace, id))
    if (!logged) return
    const key = 'mlflow.modelVersions'
    const before = logged.tags.find((tag) => tag.key === key)?.value
    const list = [...parseList(before), { name, version: number }]
    // Old entries go first when the list outgrows what a tag may hold.
    while (JSON.stringify(list).length > LOGGED_MODEL_TAG_CHARS) list.shift()
    await runs.setLoggedModelTags(tx, who, id, [{ key, value: JSON.stringify(list) }])
  }
}

/** What tracking keeps of a tag's value. */
const LOGGED_MODEL_TAG_CHARS = 8_000

const isPrompt = (input: Pick<NewVersion, 'tags'>): boolean =>
  (input.tags ?? []).some((tag) => tag.key === PROMPT_TAG && tag.value === 'true')

function checkNew(input: NewVersion): void {
  if (input.name === '') throw missing('name')
  if (input.source === '') throw missing('source')
  tooLong(input.source, LIMITS.source_chars, 'source')
  tooLong(input.description ?? '', LIMITS.description_chars, 'description')
  tooLong(input.run_link ?? '', LIMITS.source_chars, 'run_link')
  const tags = input.tags ?? []
  if (tags.length > LIMITS.create_tags) throw invalid(`at most ${LIMITS.create_tags} tags at once`, { field: 'tags' })
  for (const tag of tags) checkTag(tag)
}

/** What a thing is, or undefined when it is gone: a version outlives its run. */
async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof DomainError && error.problem === 'not-found') return undefined
    throw error
  }
}

function parseList(text: string | undefined): unknown[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(list) ? list : []
  } catch {
    return []
  }
}

/** One digest over all files, whatever order they came in: sorted `path NUL digest` lines. */
export function digestOf(files: readonly VersionFile[]): string | null {
  if (files.length === 0) return null
  const lines = files
    .map((file) => `${file.path}\0${file.digest}\n`)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`
}

export function edgesOf(
  to: Subject,
  row: { run_id: string | null; logged_model_id: string | null },
  from: Resolved,
): Edge[] {
  const edges: Edge[] = []
  if (row.run_id !== null) edges.push({ from: { kind: 'run', id: row.run_id }, to, relation: 'registered' })
  if (row.logged_model_id !== null) {
    edges.push({ from: { kind: 'logged-model', id: row.logged_model_id }, to, relation: 'registered' })
  }
  if (from.copied) edges.push({ from: versionSubject(from.copied.name, from.copied.version), to, relation: 'derived' })
  const datasets = (from.run?.dataset_inputs ?? []).map(({ dataset }) => datasetVersionOf(dataset.source))
  for (const id of new Set(datasets)) {
    if (id !== undefined) edges.push({ from: { kind: 'dataset-version', id }, to, relation: 'trained' })
  }
  return edges
}
