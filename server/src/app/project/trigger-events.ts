/** Events that may start a pipeline. What runs log and what pipelines do is not among them: that would start itself for ever. */
import type { EventType } from '#kernel/events/index.ts'
import { datasetEvents } from '#slices/datasets'
import { alertCleared, alertHeld, alertRaised, windowComputed } from '#slices/monitoring'
import { qualityEvents } from '#slices/quality'
import { registryEvents } from '#slices/registry'
import { releaseEvents } from '#slices/releases'
import { endpointApplied, endpointRemoved, revisionAdded, trafficSet, versionPrepared } from '#slices/serving'

const isType = (value: unknown): value is EventType<unknown> =>
  typeof value === 'object' && value !== null && 'name' in value && 'about' in value

export const TRIGGER_EVENTS: readonly EventType<unknown>[] = [
  ...Object.values(datasetEvents),
  ...Object.values(qualityEvents),
  ...Object.values(registryEvents),
  ...Object.values(releaseEvents),
  ...[endpointApplied, endpointRemoved, revisionAdded, trafficSet, versionPrepared],
  ...[alertRaised, alertHeld, alertCleared, windowComputed],
].filter(isType)
