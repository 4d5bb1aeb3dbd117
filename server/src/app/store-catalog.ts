/** What runs beside the database: on SQLite this module is loaded in the writer and reader threads, so it imports commands and queries alone. */
import type { Catalog } from '#kernel/store/index.ts'
import { mlflowQueries } from '../adapters/mlflow/queries.ts'
import { monitoringCommands } from '../slices/monitoring/commands.ts'
import { monitoringQueries } from '../slices/monitoring/queries.ts'
import { trackingCommands } from '../slices/tracking/commands.ts'
import { createRunTexts, trackingQueries } from '../slices/tracking/queries.ts'

export const commands: Catalog['commands'] = { ...trackingCommands, ...monitoringCommands }
export const queries: Catalog['queries'] = {
  ...trackingQueries,
  ...mlflowQueries(trackingQueries, createRunTexts),
  ...monitoringQueries,
}
