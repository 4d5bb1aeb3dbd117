import { event } from '#kernel/events/index.ts'
import type { DatasetVersion } from './model.ts'

export const datasetVersionRegistered = event<DatasetVersion>(
  'datasets.version-registered',
  'Data that a workspace had not seen under this name became a version of it; profiling follows.',
)
export const datasetVersionSeenAgain = event<DatasetVersion>(
  'datasets.version-seen-again',
  'Content that is a version already was registered again.',
)
export const datasetVersionChanged = event<DatasetVersion>(
  'datasets.version-changed',
  'The tags of a dataset version changed.',
)
export const datasetVersionProfiled = event<DatasetVersion>(
  'datasets.version-profiled',
  'A dataset version was read whole: it is ready with schema and profile, or failed with the reason.',
)
export const datasetVersionDeleted = event<null>('datasets.version-deleted', 'A dataset version was deleted.')
