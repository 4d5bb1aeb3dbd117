import type { Jobs } from '#kernel/jobs/index.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Monitoring } from '#slices/monitoring'
import type { Pipelines, Projects } from '#slices/pipelines'
import type { Registry } from '#slices/registry'
import type { Releases, ReleasesDeps } from '#slices/releases'
import type { Serving } from '#slices/serving'

export interface InsightDeps {
  store: Pick<Store, 'read'>
  jobs: Pick<Jobs, 'list'>
  projects: Projects
  datasets: Pick<Datasets, 'list' | 'versions' | 'version'>
  pipelines: Pick<Pipelines, 'listPipelines' | 'listRuns' | 'getCode'>
  registry: Pick<Registry, 'getVersion'>
  serving: Pick<
    Serving,
    | 'listEndpoints'
    | 'getEndpoint'
    | 'trafficOf'
    | 'watermark'
    | 'stats'
    | 'findPrediction'
    | 'listPreparations'
    | 'preparation'
    | 'flushWatermarks'
  >
  monitoring: Pick<Monitoring, 'listMonitors' | 'windows' | 'alerts' | 'labelsOf' | 'due'>
  releases: Pick<
    Releases,
    | 'listReleases'
    | 'describeReleases'
    | 'countReleases'
    | 'countRetrainings'
    | 'liveRelease'
    | 'openRelease'
    | 'listRetrainings'
    | 'decisions'
    | 'getRelease'
  >
  trainingData: ReleasesDeps['trainingData']
  provenance: ReleasesDeps['provenance']
  /** Attributions of a prediction row, when they were computed. */
  attributions(sql: Sql, workspace: string, prediction: string): Promise<unknown>
  /** Events that wait for a subscriber. */
  undelivered(sql: Sql, workspace: string): Promise<number>
}
