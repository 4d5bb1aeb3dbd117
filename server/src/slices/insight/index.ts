export type { InsightDeps } from './deps.ts'
export { createInsight, type Insight } from './insight.ts'
export { insightRoutes } from './routes.ts'
