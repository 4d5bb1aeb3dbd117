import type { MigrationSource } from '#kernel/store/index.ts'

export { LIMITS, readStage, readVersion } from './checks.ts'
export * as registryEvents from './events.ts'
export type {
  Alias,
  Manifest,
  ModelVersion,
  RegisteredModel,
  Runs,
  Search,
  Stage,
  VersionFile,
} from './model.ts'
export { STAGES } from './model.ts'
export { aliasSubject, type MoveAlias, modelSubject, versionSubject } from './models.ts'
export { listFolder, type PinnedFiles } from './pinned.ts'
export { registerVersion } from './register.ts'
export { createRegistry, type Registry, type RegistryDeps, readVersionId } from './registry.ts'
export { type RegistryRouteDeps, registryRoutes } from './routes.ts'
export type { NewVersion, VersionAt } from './versions.ts'

export const registryMigrations: MigrationSource = { owner: 'registry', dir: new URL('./migrations/', import.meta.url) }
