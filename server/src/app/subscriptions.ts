/** The whole nervous system: who reacts to what. Only what may happen a moment later goes this way. */
import type { Permission } from '#kernel/http/who.ts'
import { datasetVersionProfiled } from '#slices/datasets'
import { verdictReached } from '#slices/quality'
import { registryEvents } from '#slices/registry'
import type { Parts } from './parts.ts'

const PREPARE: readonly Permission[] = ['registry.read', 'serving.write', 'datasets.read', 'tracking.read']

const CHECK: readonly Permission[] = ['datasets.read', 'quality.write']
const START: readonly Permission[] = ['datasets.read', 'pipelines.write']

export function subscribe({ events, quality, pipelines, serving }: Parts): void {
  events.on(datasetVersionProfiled, 'quality', CHECK, (tx, who, event) => quality.considerVersion(tx, who, event))
  events.on(verdictReached, 'pipelines', START, async (tx, who, { after }) => {
    if (after.passed) await pipelines.considerDataset(tx, who, { dataset: after.dataset, version: after.version })
  })
  events.onAny('pipeline-triggers', START, (tx, who, event) => pipelines.considerEvent(tx, who, event))
  events.on(registryEvents.versionCreated, 'serving', PREPARE, (tx, who, { after }) =>
    serving.prepare(tx, who, after.name, after.version),
  )
}
