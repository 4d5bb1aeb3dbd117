/** The catalogue of a test store that knows tracking and MLflow's wire alone. */
import { mlflowQueries } from '../../src/adapters/mlflow/queries.ts'
import { createRunTexts, trackingCommands, trackingQueries } from '../../src/slices/tracking/commands.ts'

export const commands = trackingCommands
export const queries = { ...trackingQueries, ...mlflowQueries(trackingQueries, createRunTexts) }
