/** What serving asks of the parts around it: less than all of each. */
import type { Analytics } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Environments, ProcessOptions, RunningProcess } from '#kernel/environments/index.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Random } from '#kernel/random.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { Telemetry } from '#kernel/telemetry.ts'
import type { Signature } from './signature.ts'

/** A model version as serving needs it. */
export interface VersionFiles {
  model: string
  version: number
  /** `sha256:…` over the files. */
  digest: string | null
  files: readonly { path: string; digest: string; size_bytes: number }[]
  signature: Signature | null
  flavors: Record<string, unknown> | null
  /** requirements.txt that the model carries. */
  requirements: string | null
  python_version: string | null
}

export interface ServingDeps {
  store: Store
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'refuseIfHeld'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  blobs: Blobs
  analytics: Analytics
  environments: Pick<Environments, 'ensure'>
  startProcess(options: ProcessOptions): Promise<RunningProcess>
  clock: Clock
  ids: Ids
  random: Random
  log: Log
  telemetry: Pick<Telemetry, 'counter' | 'gauge' | 'histogram'>
  /** Slice registry: the pinned files of a version. */
  versionFiles(sql: Sql, workspace: string, model: string, version: number): Promise<VersionFiles | undefined>
  /** The environment in which the version was trained, when a pipeline step made it. */
  trainedIn(workspace: string, model: string, version: number): Promise<{ python?: string; lock: string } | undefined>
  /** Training rows as one file that other processes may read, when the run names a data version of ours. */
  trainingRows(
    workspace: string,
    model: string,
    version: number,
  ): Promise<{ path: string; format: 'csv' | 'parquet'; done(): Promise<void> } | undefined>
  settings: {
    /** `<data>`: predictions/, cache/ and run-time sockets lie below. */
    dir: string
    log_interval_ms: number
    workers: number
    /** Memory of one of them. */
    memory_bytes: number
    /** Rows of waiting requests that a Python form is asked in one call. */
    batch_rows: number
    /** Folder that holds the Python package `slipway`. */
    python_path: string
  }
}
