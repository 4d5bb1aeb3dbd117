/** What is told across all areas: the overview, why a prediction came out as it did, search, jobs. */
import type { ReleaseDetail, ReleaseState } from './releases.ts'
import type { Prediction, Preparation } from './serving.ts'

export type StageState = 'ok' | 'running' | 'failed' | 'waiting' | 'not-applicable'
export const STAGES = ['Source', 'Prepare', 'Build', 'Test', 'Merge', 'Deploy', 'Monitor'] as const
export interface Stage {
  stage: (typeof STAGES)[number]
  state: StageState
  words: string
  since_ms: number | null
  link: { kind: string; id: string } | null
}
export interface Overview {
  projects: {
    project: string
    stages: Stage[]
    endpoints: {
      name: string
      model: string
      live: { release: string; version: number; since_ms: number | null } | null
      open: { release: string; version: number; state: ReleaseState; step: number | null } | null
      /** The newest release, when it was rolled back. */
      rolled_back: { release: string; version: number; reason: string | null } | null
      /** Answered by the revisions that have traffic now, since they were loaded. */
      requests: number
      watermark_ms: number | null
      alerts_open: number
      last_window: { start_ms: number; metrics: Record<string, number | null> } | null
    }[]
  }[]
}
export interface Attribution {
  feature: string
  value: number
}
export interface Why {
  prediction: Prediction & { endpoint: string }
  label: { value: string; observed_ms: number; received_ms?: number; who?: string } | null
  endpoint: { name: string; model: string }
  release: Omit<ReleaseDetail, 'previous_release' | 'rollout' | 'counts' | 'stable_counts'> | null
  version: {
    name: string
    version: number
    digest: string | null
    created_ms?: number
    created_by?: string
    run_id?: string | null
    aliases?: string[]
  } | null
  preparation: Preparation | null
  run: string | null
  code: { digest: string; commit_id: string | null; branch: string | null; dirty: number; file_count: number } | null
  environment: string | null
  data: {
    id: string
    name: string
    number: number
    verdict: string
    version: {
      row_count: number | null
      digest: string
      time_from_ms: number | null
      time_to_ms: number | null
      created_ms: number
    } | null
  }[]
  attributions: Explanation | null
  parts_missing: { part: string; words: string }[]
}
/** How much each feature moved one answer away from the usual one; base and pushes add up to the output, in `space`. */
export interface Explanation {
  method: 'tree' | 'permutation'
  space: string
  class: unknown
  base_value: number
  output: number
  attributions: Attribution[]
}
export interface VersionExplanation {
  state: 'waiting' | 'done' | 'failed'
  reason: string | null
  method?: 'tree' | 'permutation'
  space?: string
  rows?: number
  importance?: { feature: string; value: number }[]
  beeswarm?: { features: string[]; inputs: unknown[][]; attributions: number[][] }
}

export interface SearchHit {
  kind: string
  id: string
  label: string
}
export interface Job {
  id: string
  kind: string
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
  subject: { kind: string; id: string } | null
  attempt: number
  attempts_max: number
  progress: number | null
  note: string | null
  error: { problem: string; message: string } | null
  created_ms: number
  started_ms: number | null
  ended_ms: number | null
}
