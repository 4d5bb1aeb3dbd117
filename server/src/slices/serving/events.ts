import { event } from '#kernel/events/index.ts'

export interface VersionPrepared {
  model: string
  version: number
  ok: boolean
  form: 'onnx' | 'python' | null
  reason: string
}

export interface TrafficSet {
  endpoint: string
  routes: readonly { revision: string; version: number; share: number; role: 'stable' | 'canary' }[]
  release: string | null
}

export const endpointApplied = event<{ endpoint: string; model: string; alias: string }>(
  'serving.endpoint-applied',
  'An endpoint was made or its settings changed.',
)
export const endpointRemoved = event<{ endpoint: string }>('serving.endpoint-removed', 'An endpoint was removed.')
export const versionPrepared = event<VersionPrepared>(
  'serving.version-prepared',
  'A model version was scanned, loaded once and compiled, or could not be.',
)
export const revisionAdded = event<{ revision: string; endpoint: string; model: string; version: number }>(
  'serving.revision-added',
  'A model version is wanted at an endpoint.',
)
export const trafficSet = event<TrafficSet>('serving.traffic-set', 'The wanted traffic of an endpoint changed.')
