import type { Analytics, AnalyticsResult, FileSource } from '#kernel/analytics/index.ts'
import type { BlobRef, Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { invalid, notFound } from '#kernel/errors.ts'
import type { Events, Subject } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import * as store from './datasets-store.ts'
import {
  datasetVersionChanged,
  datasetVersionDeleted,
  datasetVersionRegistered,
  datasetVersionSeenAgain,
} from './events.ts'
import { copyFiles, filesIn } from './folder.ts'
import {
  type Dataset,
  type DatasetFile,
  type DatasetVersion,
  type Profile,
  type VerdictState,
  type VersionSummary,
  versionName,
} from './model.ts'
import { createProfiling } from './profiling.ts'
import { inUsersNames, type Lent, lendFiles, sourceOf } from './reading.ts'
import { checkName, checkRegistration, checkTags, FILES_MAX, type Registration } from './registration.ts'

/** An upload that became no version is forgotten after this long; then it must be sent again. */
export const UPLOAD_KEPT_MS = 24 * 60 * 60_000
export const SAMPLE_ROWS_MAX = 100
const SAMPLE_MS_MAX = 30_000

export interface Registered {
  version: DatasetVersion
  /** False when this content was a version already. */
  created: boolean
}

export interface Datasets {
  /**
   * Makes a version of files that are in the blob store; profiling follows as a job. The same content again is the same version:
   * its tags are added, a new time column is taken and, like a failed version, read again.
   */
  register(tx: Tx, who: Who, input: Registration): Promise<Registered>
  /** The time column of versions registered from now on that name none; null: none. */
  setTimeColumn(tx: Tx, who: Who, name: string, time_column: string | null): Promise<void>
  /** The same for digests that a caller names: only those that its workspace has uploaded or holds in a version. */
  registerUploaded(
    tx: Tx,
    who: Who,
    input: Omit<Registration, 'files'> & { files: readonly { path: string; digest: string }[] },
  ): Promise<Registered>
  /** From a file or folder of this machine; for local callers only. Not in a transaction: it reads disks, then writes. */
  registerPath(
    who: Who,
    input: Omit<Registration, 'files'> & { path: string; signal?: AbortSignal },
  ): Promise<Registered>
  /** Takes bytes for a later `registerUploaded`. Not in a transaction. */
  upload(who: Who, source: Parameters<Blobs['put']>[0], expect?: string): Promise<BlobRef>
  /** Sets tags; null takes one away. */
  changeTags(tx: Tx, who: Who, id: string, changes: Readonly<Record<string, string | null>>): Promise<DatasetVersion>
  /** Refused while something holds the version. Its bytes stay: nothing sweeps blobs yet. */
  deleteVersion(tx: Tx, who: Who, id: string): Promise<void>
  /** What slice quality found, kept beside the version for lists. */
  noteVerdict(tx: Tx, workspace: string, id: string, verdict: VerdictState): Promise<void>

  list(sql: Sql, workspace: string, page: { after?: string | undefined; limit: number }): Promise<Dataset[]>
  get(sql: Sql, workspace: string, name: string): Promise<Dataset>
  versions(
    sql: Sql,
    workspace: string,
    name: string,
    page: { before_number?: number | undefined; limit: number },
  ): Promise<VersionSummary[]>
  /** By id. Throws not-found. */
  version(sql: Sql, workspace: string, id: string): Promise<DatasetVersion>
  /** `name` or `name@latest`, `name@3`, `dsv_…`. Throws not-found, or invalid for another form. */
  find(sql: Sql, workspace: string, reference: string): Promise<DatasetVersion>
  files(
    sql: Sql,
    workspace: string,
    id: string,
    page?: { after?: string | undefined; limit: number },
  ): Promise<DatasetFile[]>
  file(sql: Sql, workspace: string, id: string, path: string): Promise<DatasetFile>
  /** undefined until it is ready. */
  profile(sql: Sql, workspace: string, id: string): Promise<Profile | undefined>
  /** Labels and states for lineage and search, by id. */
  describe(sql: Sql, workspace: string, ids: readonly string[]): Promise<Map<string, { label: string; state?: string }>>

  /** The first rows, at most 100. */
  sample(version: DatasetVersion, limit: number): Promise<AnalyticsResult>
  /** The version's files for analytics or another local process, until `done`; problems of analytics are put into the user's file names by `reword`. */
  lend(version: DatasetVersion): Promise<Lent & { source: FileSource; reword(error: unknown): unknown }>
  /** Copies the files under their own paths into `dir`. */
  materialise(version: DatasetVersion, dir: string): Promise<void>
}

export interface DatasetsDeps {
  store: Pick<Store, 'read' | 'write'>
  blobs: Pick<Blobs, 'put' | 'putFile' | 'open' | 'lend' | 'materialise'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld'>
  analytics: Pick<Analytics, 'query' | 'queries'>
  clock: Clock
  ids: Ids
  /** Largest file that is taken. 20 GiB when left out. */
  file_bytes_max?: number
}

const subjectOf = (version: DatasetVersion): Subject => ({ kind: 'dataset-version', id: version.id })

export function createDatasets(deps: DatasetsDeps): Datasets {
  const { blobs, events, holds, analytics, clock, ids } = deps
  const file_bytes_max = deps.file_bytes_max ?? 20 * 2 ** 30

  const record = (
    tx: Tx,
    type: typeof datasetVersionRegistered,
    who: Who,
    told: { before?: DatasetVersion; after: DatasetVersion; reason?: string | null; produced_by?: Subject | undefined },
  ) =>
    events.record(tx, type, {
      who,
      subject: subjectOf(told.after),
      ...(told.before && { before: told.before }),
      after: told.after,
      ...(told.reason && { reason: told.reason }),
      ...(told.produced_by && { edges: [{ from: told.produced_by, to: subjectOf(told.after), relation: 'output' }] }),
    })

  const profileLater = createProfiling({ ...deps, record })

  const registerAgain = async (
    tx: Tx,
    who: Who,
    before: DatasetVersion,
    input: ReturnType<typeof checkRegistration>,
  ) => {
    const time_column = input.time_column ?? before.time_column
    const again = before.state === 'failed' || time_column !== before.time_column
    const version: DatasetVersion = {
      ...before,
      tags: checkTags({ ...before.tags, ...input.tags }),
      time_column,
      ...(again && { state: 'pending', failure: null, verdict: 'pending' }),
    }
    await store.updateVersion(tx, version)
    if (again) await profileLater(tx, who, version)
    await record(tx, datasetVersionSeenAgain, who, {
      before,
      after: version,
      reason: input.reason,
      produced_by: input.produced_by,
    })
    return { version, created: false }
  }

  const lend = async (version: DatasetVersion) => {
    const lent = await lendFiles(blobs, await deps.store.read((sql) => store.allFiles(sql, version)))
    return { ...lent, source: sourceOf(version, lent), reword: (error: unknown) => inUsersNames(error, lent) }
  }

  const datasets: Datasets = {
    async register(tx, who, registration) {
      const input = checkRegistration(registration)
      const { workspace } = who
      await tx.lock('dataset', workspace, input.name)
      const existing = await store.versionByDigest(tx, workspace, input.name, input.digest)
      if (existing !== undefined) return registerAgain(tx, who, existing, input)
      const now_ms = clock.now()
      const version: DatasetVersion = {
        id: ids.next('dataset_version'),
        workspace,
        name: input.name,
        number: await store.takeNumber(tx, workspace, input.name, now_ms),
        digest: input.digest,
        format: input.format,
        csv: null,
        state: 'pending',
        failure: null,
        verdict: 'pending',
        schema: null,
        column_count: null,
        row_count: null,
        size_bytes: input.size_bytes,
        file_count: input.files.length,
        time_column: input.time_column ?? (await store.timeColumnOf(tx, workspace, input.name)),
        time_from_ms: null,
        time_to_ms: null,
        tags: input.tags,
        source: input.source,
        reason: input.reason,
        who: { kind: who.kind, id: who.id, name: who.name },
        created_ms: now_ms,
        profiled_ms: null,
      }
      await store.insertVersion(tx, version, input.files)
      await profileLater(tx, who, version)
      await record(tx, datasetVersionRegistered, who, {
        after: version,
        reason: input.reason,
        produced_by: input.produced_by,
      })
      return { version, created: true }
    },

    async setTimeColumn(tx, who, name, time_column) {
      await tx.lock('dataset', who.workspace, checkName(name))
      if ((await store.timeColumnOf(tx, who.workspace, name)) === time_column) return
      await store.putTimeColumn(tx, who.workspace, name, time_column, clock.now())
    },

    async registerUploaded(tx, who, input) {
      if (input.files.length > FILES_MAX) throw invalid(`a version has at most ${FILES_MAX} files`, { field: 'files' })
      const sizes = await store.ownedSizes(tx, who.workspace, [...new Set(input.files.map(({ digest }) => digest))])
      const files = input.files.map(({ path, digest }) => {
        const size_bytes = sizes.get(digest)
        if (size_bytes === undefined)
          throw invalid(`the content ${digest.slice(0, 80)} of '${path.slice(0, 200)}' was not uploaded`, {
            field: 'files',
            remedy: 'Send it by PUT /api/slipway/v1/datasets/uploads/<digest> first, and register within a day.',
          })
        return { path, digest, size_bytes }
      })
      return datasets.register(tx, who, { ...input, files })
    },

    async registerPath(who, { path, signal, ...input }) {
      const files: DatasetFile[] = []
      for (const found of await filesIn(path)) {
        const blob = await blobs.putFile(found.local_path, { max_bytes: file_bytes_max, ...(signal && { signal }) })
        files.push({ path: found.path, ...blob })
      }
      return deps.store.write((tx) => datasets.register(tx, who, { source: `path ${path}`, ...input, files }))
    },

    async upload(who, source, expect) {
      const blob = await blobs.put(source, { max_bytes: file_bytes_max, ...(expect !== undefined && { expect }) })
      const now_ms = clock.now()
      await deps.store.write(async (tx) => {
        await store.dropUploadsBefore(tx, who.workspace, now_ms - UPLOAD_KEPT_MS)
        await store.putUpload(tx, who.workspace, blob, now_ms)
      })
      return blob
    },

    async changeTags(tx, who, id, changes) {
      const before = await store.lockVersion(tx, who.workspace, id)
      const tags: Record<string, string> = { ...before.tags }
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) delete tags[key]
        else tags[key] = value
      }
      const after = { ...before, tags: checkTags(tags) }
      await store.updateVersion(tx, after)
      await record(tx, datasetVersionChanged, who, { before, after })
      return after
    },

    async deleteVersion(tx, who, id) {
      const before = await store.lockVersion(tx, who.workspace, id)
      await holds.refuseIfHeld(tx, who.workspace, [subjectOf(before)], `delete dataset version ${versionName(before)}`)
      await store.deleteVersion(tx, who.workspace, id)
      await events.record(tx, datasetVersionDeleted, { who, subject: subjectOf(before), before, after: null })
    },

    async noteVerdict(tx, workspace, id, verdict) {
      await store.updateVersion(tx, { ...(await store.lockVersion(tx, workspace, id)), verdict })
    },

    list: store.listDatasets,

    async get(sql, workspace, name) {
      const [found] = await store.listDatasets(sql, workspace, { name, limit: 1 })
      if (found === undefined) throw notFound(`there is no dataset '${name.slice(0, 130)}'`)
      return found
    },

    versions: store.listVersions,
    version: store.mustFind,

    async find(sql, workspace, reference) {
      if (/^dsv_[0-9a-f]{32}$/.test(reference)) return store.mustFind(sql, workspace, reference)
      const match = /^([^@]{1,120})(?:@(latest|[1-9]\d{0,9}))?$/.exec(reference)
      if (match === null)
        throw invalid(`'${reference.slice(0, 150)}' names no dataset version`, {
          field: 'version',
          remedy: 'Write name, name@latest, name@3 or the id of a version.',
        })
      const [, name, number = 'latest'] = match
      const wanted =
        number === 'latest'
          ? (await store.listVersions(sql, workspace, name!, { limit: 1 }))[0]?.number
          : Number(number)
      const version = wanted === undefined ? undefined : await store.versionByNumber(sql, workspace, name!, wanted)
      if (version === undefined) throw notFound(`there is no dataset version ${reference}`)
      return version
    },

    async files(sql, workspace, id, page) {
      const version = await store.mustFind(sql, workspace, id)
      return page === undefined ? store.allFiles(sql, version) : store.filesOf(sql, workspace, id, page)
    },

    async file(sql, workspace, id, path) {
      const file = await store.fileOf(sql, workspace, id, path)
      if (file === undefined) throw notFound(`dataset version ${id.slice(0, 100)} has no file '${path.slice(0, 200)}'`)
      return file
    },

    profile: (sql, workspace, id) => store.profileOf(sql, workspace, id),

    async describe(sql, workspace, ids) {
      const found = await store.versionsByIds(sql, workspace, ids)
      return new Map(found.map((version) => [version.id, { label: versionName(version), state: version.state }]))
    },

    async sample(version, limit) {
      if (version.state !== 'ready')
        throw invalid(`${versionName(version)} is ${version.state}`, {
          field: 'version',
          remedy: version.failure ?? 'Wait until it is ready.',
        })
      const { source, done, reword } = await lend(version)
      try {
        const sql = 'SELECT * FROM data LIMIT ?'
        const params = [Math.min(limit, SAMPLE_ROWS_MAX)]
        return await analytics.query({ sql, params, files: { data: source }, timeout_ms: SAMPLE_MS_MAX })
      } catch (error) {
        throw reword(error)
      } finally {
        await done()
      }
    },

    lend,

    async materialise(version, dir) {
      await copyFiles(blobs, await deps.store.read((sql) => store.allFiles(sql, version)), dir)
    },
  }
  return datasets
}
