/** The catalogue of a test store that knows monitoring alone. */
export { monitoringCommands as commands } from '../../src/slices/monitoring/commands.ts'
export { monitoringQueries as queries } from '../../src/slices/monitoring/queries.ts'
