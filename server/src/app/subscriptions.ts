/** The whole nervous system: who reacts to what. Only what may happen a moment later goes this way. */
import { webhookFact } from '#adapters/mlflow'
import type { Permission } from '#kernel/http/who.ts'
import { accessEvents } from '#slices/access'
import { datasetVersionProfiled } from '#slices/datasets'
import { alertHeld, alertRaised } from '#slices/monitoring'
import { pipelineEvents } from '#slices/pipelines'
import { verdictOverridden, verdictReached } from '#slices/quality'
import { registryEvents } from '#slices/registry'
import { endpointApplied, endpointRemoved, versionPrepared } from '#slices/serving'
import type { Parts } from './parts.ts'
import { TRIGGER_EVENTS } from './project/trigger-events.ts'

const PREPARE: readonly Permission[] = ['registry.read', 'serving.write', 'datasets.read', 'tracking.read']

const EXPLAIN: readonly Permission[] = ['registry.read', 'serving.read', 'explain.write', 'datasets.read']

const CHECK: readonly Permission[] = ['datasets.read', 'quality.write']
const START: readonly Permission[] = ['datasets.read', 'pipelines.write']

const TELL: readonly Permission[] = ['registry.read', 'collaboration.write']

const RELEASE: readonly Permission[] = [
  'releases.read',
  'releases.write',
  'registry.read',
  'registry.write',
  'serving.read',
  'serving.write',
  'monitoring.read',
  'datasets.read',
  'tracking.read',
]

export function subscribe({
  events,
  registry,
  collaboration,
  quality,
  pipelines,
  serving,
  explain,
  releases,
  tracking,
}: Parts): void {
  events.on(accessEvents.workspaceCreated, 'tracking', ['tracking.write'], async (tx, _who, { after }) => {
    await tracking.ensureDefaultExperiment(tx, after.name)
  })
  events.on(datasetVersionProfiled, 'quality', CHECK, (tx, who, event) => quality.considerVersion(tx, who, event))
  events.on(verdictReached, 'pipelines', START, async (tx, who, { after }) => {
    if (after.passed) await pipelines.considerDataset(tx, who, { dataset: after.dataset, version: after.version })
  })
  // A failing version that a person accepts may be an input from now on.
  events.on(verdictOverridden, 'pipelines', START, (tx, who, { subject, after }) =>
    pipelines.considerDataset(tx, who, { dataset: after.dataset, version: subject.id }),
  )
  for (const type of TRIGGER_EVENTS)
    events.on(type, 'pipeline-triggers', START, (tx, who, event) => pipelines.considerEvent(tx, who, event))
  for (const type of Object.values(registryEvents))
    events.on<unknown>(type, 'webhooks', TELL, (tx, who, event) =>
      collaboration.tell(tx, who, () => webhookFact(tx, registry, event)),
    )
  events.on(registryEvents.versionCreated, 'serving', PREPARE, (tx, who, { after }) =>
    serving.prepare(tx, who, after.name, after.version),
  )
  events.on(registryEvents.versionCreated, 'releases', RELEASE, (tx, who, { after }) =>
    releases.considerCandidate(tx, who, { model: after.name, version: after.version }),
  )
  events.on(versionPrepared, 'explain', EXPLAIN, async (tx, who, { after }) => {
    if (after.ok) await explain.explainVersion(tx, who, after.model, after.version)
  })
  events.on(endpointApplied, 'releases', RELEASE, (tx, who, { after }) =>
    releases.considerEndpoint(tx, who, after.endpoint),
  )
  events.on(endpointRemoved, 'releases', RELEASE, (tx, who, { after, at_ms }) =>
    releases.considerRemoval(tx, who, { endpoint: after.endpoint, at_ms }),
  )
  events.on(alertRaised, 'retraining', RELEASE, (tx, who, { after }) =>
    releases.considerRetraining(tx, who, { ...after }),
  )
  events.on(alertHeld, 'retraining', RELEASE, (tx, who, { after }) =>
    releases.considerRetraining(tx, who, { ...after }),
  )
  events.on(pipelineEvents.pipelineRunEnded, 'retraining', RELEASE, (tx, who, { after }) =>
    releases.considerPipelineEnd(tx, who, {
      run: after.run,
      state: after.state,
      ...(after.reason && { reason: after.reason }),
    }),
  )
}
