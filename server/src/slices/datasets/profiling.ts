import type { Analytics } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import type { EventType } from '#kernel/events/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Store, Tx } from '#kernel/store/index.ts'
import * as rows from './datasets-store.ts'
import { datasetVersionProfiled } from './events.ts'
import type { DatasetVersion } from './model.ts'
import { type Findings, readVersion } from './read-version.ts'

const PROFILE_MS_MAX = 35 * 60_000
/** Times that a version is read anew because its time column changed under way. */
const ROUNDS_MAX = 5

interface Deps {
  store: Pick<Store, 'read'>
  blobs: Pick<Blobs, 'open' | 'lend'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  analytics: Pick<Analytics, 'queries'>
  clock: Clock
  record(
    tx: Tx,
    type: EventType<DatasetVersion>,
    who: Who,
    told: { before: DatasetVersion; after: DatasetVersion },
  ): Promise<unknown>
}

/** Defines the job that reads a version whole; answers how to ask for it. */
export function createProfiling({ store, blobs, jobs, analytics, clock, record }: Deps) {
  /** Answers false when what was found is of no use any more. */
  const finish = async (
    tx: Tx,
    who: Who,
    id: string,
    found: Findings | { failure: string },
    time_column?: string | null,
  ): Promise<boolean> => {
    const before = await rows.lockVersion(tx, who.workspace, id).catch(absent)
    // Deleted meanwhile, or finished by another worker.
    if (before?.state !== 'pending') return true
    if (time_column !== undefined && time_column !== before.time_column) return false
    const after = { ...before, ...changesOf(found), profiled_ms: clock.now() }
    await rows.updateVersion(tx, after)
    if (!('failure' in found)) await rows.putProfile(tx, before.workspace, id, found.profile)
    await record(tx, datasetVersionProfiled, who, { before, after })
    return true
  }

  jobs.define<{ version: string }, { state: string }>({
    kind: 'datasets.profile',
    timeout_ms: PROFILE_MS_MAX,
    concurrency: 1,
    async run(job, context) {
      const { version: id } = job.input
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        const { version, files } = await store.read(async (sql) => {
          const found = await rows.versionById(sql, job.workspace, id)
          return { version: found, files: found === undefined ? [] : await rows.allFiles(sql, found) }
        })
        if (version?.state !== 'pending') return { state: version?.state ?? 'deleted' }
        const found = await readVersion({ analytics, blobs }, version, files, context)
        if (await context.write((tx) => finish(tx, job.who, id, found, version.time_column)))
          return { state: 'failure' in found ? 'failed' : 'ready' }
      }
      throw new DomainError('unavailable', 'the time column of the version changes faster than it can be read')
    },
    async onGivenUp(tx, job) {
      const why = job.error?.message ?? 'the job was cancelled'
      await finish(tx, job.who, job.input.version, { failure: `reading it did not succeed: ${why}` })
    },
  })

  return (tx: Tx, who: Who, version: DatasetVersion): Promise<string> =>
    jobs.enqueue(tx, {
      kind: 'datasets.profile',
      workspace: version.workspace,
      input: { version: version.id },
      who,
      subject: { kind: 'dataset-version', id: version.id },
      key: `datasets.profile:${version.id}`,
    })
}

const changesOf = (found: Findings | { failure: string }) =>
  'failure' in found
    ? { state: 'failed' as const, failure: found.failure.slice(0, 2000) }
    : {
        state: 'ready' as const,
        failure: null,
        csv: found.csv,
        schema: found.schema,
        column_count: found.schema.length,
        row_count: found.profile.row_count,
        time_from_ms: found.time_from_ms,
        time_to_ms: found.time_to_ms,
      }

function absent(error: unknown): undefined {
  if (error instanceof DomainError && error.problem === 'not-found') return undefined
  throw error
}
