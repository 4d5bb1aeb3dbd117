export type { Alert } from './alert-store.ts'
export {
  type AlertMoved,
  alertCleared,
  alertHeld,
  alertRaised,
  monitorApplied,
  monitorRemoved,
  windowComputed,
} from './events.ts'
export { isPositive } from './label-values.ts'
export type { LabelledRow } from './labelled.ts'
export { createMonitoring, type Monitoring, type MonitoringDeps, monitoringMigrations } from './monitoring.ts'
export type { Monitor, MonitorWindow } from './monitoring-store.ts'
export {
  type BinaryRows,
  binaryMetric,
  classMetric,
  LESS_IS_BETTER,
  orderByScore,
  type PerformanceMetric,
  regression,
} from './performance.ts'
export { monitoringRoutes } from './routes.ts'
export { MonitorSpec } from './schema.ts'
export type { WindowFacts } from './window.ts'
