import type { MigrationSource } from '#kernel/store/index.ts'

export { createDatasets, type Datasets, type DatasetsDeps, type Registered } from './datasets.ts'
export * as datasetEvents from './events.ts'
export {
  datasetVersionChanged,
  datasetVersionDeleted,
  datasetVersionProfiled,
  datasetVersionRegistered,
  datasetVersionSeenAgain,
} from './events.ts'
export {
  type Column,
  type ColumnKind,
  type ColumnProfile,
  type Dataset,
  type DatasetFile,
  type DatasetVersion,
  type Histogram,
  type Profile,
  type VerdictState,
  type VersionState,
  type VersionSummary,
  versionName,
} from './model.ts'
export { kindOf } from './profile.ts'
export type { Lent } from './reading.ts'
export { checkName as checkDatasetName, contentDigest, type Registration } from './registration.ts'
export { type DatasetRouteDeps, datasetRoutes } from './routes.ts'

export const datasetsMigrations: MigrationSource = { owner: 'datasets', dir: new URL('./migrations/', import.meta.url) }
