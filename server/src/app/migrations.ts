import { mlflowMigrations } from '#adapters/mlflow'
import { eventsMigrations } from '#kernel/events/index.ts'
import { holdsMigrations } from '#kernel/holds/index.ts'
import { jobsMigrations } from '#kernel/jobs/index.ts'
import type { MigrationSource } from '#kernel/store/index.ts'
import { accessMigrations } from '#slices/access'
import { collaborationMigrations } from '#slices/collaboration'
import { datasetsMigrations } from '#slices/datasets'
import { explainMigrations } from '#slices/explain'
import { monitoringMigrations } from '#slices/monitoring'
import { pipelinesMigrations } from '#slices/pipelines'
import { qualityMigrations } from '#slices/quality'
import { registryMigrations } from '#slices/registry'
import { releasesMigrations } from '#slices/releases'
import { servingMigrations } from '#slices/serving'
import { trackingMigrations } from '#slices/tracking'

/** Every owner of tables, in the order in which they are migrated: lower slices first. */
export const migrations: readonly MigrationSource[] = [
  eventsMigrations,
  holdsMigrations,
  jobsMigrations,
  accessMigrations,
  collaborationMigrations,
  datasetsMigrations,
  qualityMigrations,
  trackingMigrations,
  registryMigrations,
  pipelinesMigrations,
  servingMigrations,
  monitoringMigrations,
  explainMigrations,
  releasesMigrations,
  mlflowMigrations,
]
