/** The catalogue of a test store that knows tracking alone. */
import { trackingCommands, trackingQueries } from '../../src/slices/tracking/commands.ts'

export const commands = trackingCommands
export const queries = trackingQueries
