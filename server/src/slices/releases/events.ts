import { event } from '#kernel/events/index.ts'
import type { ReleaseState } from './release-store.ts'
import type { ReleaseSpec } from './schema.ts'

export interface ReleaseFact {
  release: string
  endpoint: string
  model: string
  version: number
  state: ReleaseState
  reason: string | null
}

export interface RetrainingFact {
  retraining: string
  endpoint: string
  alert: string
  state: string
  reason: string | null
  pipeline_run?: string | null
  dataset_version?: string | null
  release?: string | null
}

export const policyApplied = event<{ endpoint: string; project: string; spec: ReleaseSpec | null }>(
  'releases.policy-applied',
  'The gate, rollout or retraining rules of an endpoint were set.',
)
export const releaseProposed = event<ReleaseFact>(
  'releases.proposed',
  'A model version is a candidate for an endpoint.',
)
export const releaseMoved = event<ReleaseFact>(
  'releases.moved',
  'A release went on: checking, approved, loading, canary, superseded.',
)
export const releaseRefused = event<ReleaseFact>('releases.refused', 'The gate or a person refused a candidate.')
export const releaseLive = event<ReleaseFact>(
  'releases.live',
  'A release took all traffic: alias, traffic, holds and this event are one transaction.',
)
export const releaseRolledBack = event<ReleaseFact>(
  'releases.rolled-back',
  'A guard or a person rolled a release back.',
)
export const retrainingMoved = event<RetrainingFact>(
  'releases.retraining',
  'A retraining began, was skipped, got on, or ended.',
)
