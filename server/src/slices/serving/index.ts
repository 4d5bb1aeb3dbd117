export {
  type Counts,
  countsBetween,
  LATENCY_BOUNDS_US,
  latencyQuantile,
  latencyQuantileFrom,
  type RevisionStats,
} from './counters.ts'
export type { ServingDeps, VersionFiles } from './deps.ts'
export {
  endpointApplied,
  endpointRemoved,
  revisionAdded,
  type TrafficSet,
  trafficSet,
  type VersionPrepared,
  versionPrepared,
} from './events.ts'
export { readCsv, readInvocation } from './forms.ts'
export { pythonJson } from './outcome.ts'
export type { PredictionFiles } from './prediction-log/log.ts'
export type { PredictionRecord } from './prediction-log/record.ts'
export type { PredictAnswer } from './predictor.ts'
export type { PythonHome } from './python-home.ts'
export { servingRoutes } from './routes.ts'
export type { TrafficRoute } from './routing.ts'
export { type FrameLine, openFrames, type WorkerError } from './runtimes/frames.ts'
export { EndpointSpec } from './schema.ts'
export type { Scored, Scorer } from './score.ts'
export { createServing, type Serving, servingMigrations } from './serving.ts'
export type { Endpoint, Preparation, Revision, Traffic } from './serving-store.ts'
export { type Feature, featuresOf } from './signature.ts'
