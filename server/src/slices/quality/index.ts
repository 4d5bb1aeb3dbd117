import type { MigrationSource } from '#kernel/store/index.ts'

export { type Mistake, readChecks } from './checks.ts'
export * as qualityEvents from './events.ts'
export { checksChanged, type VerdictReached, verdictOverridden, verdictReached } from './events.ts'
export type {
  Admission,
  Check,
  CheckKind,
  CheckResult,
  FailingRow,
  Override,
  Verdict,
  VerdictSummary,
} from './model.ts'
export { createQuality, type Quality, type QualityDeps, type VerdictWithOverride } from './quality.ts'
export type { StatedChecks } from './quality-store.ts'
export { type QualityRouteDeps, qualityRoutes } from './routes.ts'
export { ChecksSchema } from './schema.ts'

export const qualityMigrations: MigrationSource = { owner: 'quality', dir: new URL('./migrations/', import.meta.url) }
