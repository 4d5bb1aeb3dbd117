import type { MigrationSource } from '#kernel/store/index.ts'

export { type Access, type AccessDeps, createAccess } from './access.ts'
export type { Member, Person, Token, Workspace } from './access-store.ts'
export { auditRoutes } from './audit-routes.ts'
export * as accessEvents from './events.ts'
export { accessRoutes, reachableWorkspaces } from './routes.ts'

export const accessMigrations: MigrationSource = { owner: 'access', dir: new URL('./migrations/', import.meta.url) }
