export { sendArtifact } from './artifact-files.ts'
export { pathOfUri as artifactPathOfUri, safePath as safeArtifactPath } from './artifact-paths.ts'
export { type ArtifactViewDeps, artifactViewRoutes } from './artifact-views.ts'
export { joinPath as joinArtifactPath } from './artifacts.ts'
export { BOARD_LIMITS, type BoardPart, type BoardRecord } from './boards/model.ts'
export { trackingCommands } from './commands.ts'
export { datasetVersionOf } from './data-version.ts'
export * from './events.ts'
export { LIMITS as trackingLimits } from './limits.ts'
export { createSealer, type Sealer } from './metrics/sealer.ts'
export type {
  ArtifactEntry,
  ArtifactFile,
  DatasetInput,
  Experiment,
  Integer,
  KeyValue,
  Lifecycle,
  LifecycleView,
  LoggedModel,
  Metric,
  MetricColumns,
  MetricInput,
  ModelMetric,
  ModelStatus,
  Run,
  RunInfo,
  RunStatus,
  SearchPage,
  Stamp,
} from './model.ts'
export { MODEL_STATUSES, RUN_STATUSES } from './model.ts'
export { type RunTexts, trackingQueries } from './queries.ts'
export { type TrackingRouteDeps, trackingRoutes } from './routes.ts'
export { createRunSealer, type RunSealer } from './search/columns/sealer.ts'
export * as search from './search/index.ts'
export { createTracking, type Draw, type Tracking, type TrackingDeps, trackingMigrations } from './tracking.ts'
