/** The whole nervous system: who reacts to what. Only what may happen a moment later goes this way. */
import type { Permission } from '#kernel/http/who.ts'
import { registryEvents } from '#slices/registry'
import type { Parts } from './parts.ts'

const PREPARE: readonly Permission[] = ['registry.read', 'serving.write', 'datasets.read', 'tracking.read']

export function subscribe({ events, serving }: Parts): void {
  events.on(registryEvents.versionCreated, 'serving', PREPARE, (tx, who, { after }) =>
    serving.prepare(tx, who, after.name, after.version),
  )
}
