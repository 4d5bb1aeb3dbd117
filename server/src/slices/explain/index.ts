export { versionExplained } from './events.ts'
export { createExplain, type Explain, type ExplainDeps, explainMigrations } from './explain.ts'
export type { Attribution, Explanation, Importance } from './explain-store.ts'
export { explainRoutes } from './routes.ts'
