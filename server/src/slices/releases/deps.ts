import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Monitoring } from '#slices/monitoring'
import type { Pipelines } from '#slices/pipelines'
import type { Registry } from '#slices/registry'
import type { Serving } from '#slices/serving'
import type { Bundle } from './release-store.ts'

export interface ReleasesDeps {
  store: Store
  events: Pick<Events, 'record'>
  holds: Pick<Holds, 'place' | 'release'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  blobs: Pick<Blobs, 'putFile'>
  datasets: Pick<Datasets, 'register' | 'version' | 'find' | 'lend'>
  registry: Pick<Registry, 'moveAlias' | 'deleteAlias' | 'getVersion' | 'holdFor'>
  pipelines: Pick<Pipelines, 'start' | 'getPipeline'>
  serving: Pick<
    Serving,
    | 'getEndpoint'
    | 'applyEndpoint'
    | 'endpointsOfModel'
    | 'addRevision'
    | 'retireRevision'
    | 'readiness'
    | 'setTraffic'
    | 'trafficOf'
    | 'watermark'
    | 'preparation'
    | 'openScorer'
    | 'stats'
    | 'flushWatermarks'
  >
  monitoring: Pick<Monitoring, 'labelledRows' | 'copyLabelled' | 'rowsOfDataset'>
  /** Data versions of ours that the run of a model version names, with the verdict of each. */
  trainingData(
    sql: Sql,
    workspace: string,
    model: string,
    version: number,
  ): Promise<{ id: string; name: string; number: number; digest: string; verdict: string; time_to_ms: number | null }[]>
  /** Code, commit, environment and run behind a model version. */
  provenance(
    sql: Sql,
    workspace: string,
    model: string,
    version: number,
  ): Promise<Pick<Bundle, 'run' | 'code' | 'commit' | 'environment' | 'model_digest'>>
  clock: Clock
  ids: Ids
  log: Log
  settings: { dir: string }
}
