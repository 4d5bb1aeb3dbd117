/** Releases, their gate and rollout, and retrainings. */
import type { Actor } from './common.ts'
import type { Counts, RevisionStats } from './serving.ts'

export type ReleaseState =
  | 'proposed'
  | 'checking'
  | 'refused'
  | 'approved'
  | 'loading'
  | 'canary'
  | 'live'
  | 'superseded'
  | 'rolled_back'
export interface Estimate {
  value: number
  low: number
  high: number
  confidence: number
}
export interface GateRule {
  metric?: string
  at_least?: number
  at_most?: number
  versus?: 'champion'
  confidence?: number
  latency_p99?: string
  parity?: string
  data_verdict?: string
  answers?: 'all'
}
export interface Measured {
  rows: number
  source: 'replay' | 'dataset' | 'none'
  source_words: string
  from_ms: number | null
  to_ms: number | null
  left_out: number
  failed: number
  metrics: Record<string, { candidate: Estimate | null; champion: Estimate | null; difference: Estimate | null }>
  latency_p99_ms: number | null
  form: 'onnx' | 'python' | null
  form_reason: string
  data: { id: string; name: string; number: number; verdict: string }[]
  champion: { release: string; version: number } | null
}
export interface RuleOutcome {
  rule: GateRule
  outcome: 'passed' | 'failed' | 'not-applicable'
  words: string
  estimate?: Estimate
  threshold?: number
}
export interface Verdict {
  passed: boolean
  reason: string
  rules: RuleOutcome[]
  measured: Measured
  seconds: number
}
export interface Bundle {
  model: string
  version: number
  model_digest: string | null
  form: 'onnx' | 'python' | null
  run: string | null
  code: string | null
  commit: string | null
  environment: string | null
  data: { id: string; name: string; number: number; digest: string }[]
  endpoint: unknown
  previous: string | null
}
export interface RolloutStep {
  share: number
  requests?: number
}
export interface ReleaseSummary {
  id: string
  endpoint: string
  model: string
  version: number
  state: ReleaseState
  reason: string | null
  revision: string | null
  previous: string | null
  step: number | null
  verdict: { passed: boolean; reason: string } | null
  bundle: Bundle | null
  proposed_by: Actor
  proposed_ms: number
  step_ms: number | null
  live_ms: number | null
  ended_ms: number | null
}
export interface Decision {
  position: number
  state: ReleaseState
  words: string
  facts: Record<string, unknown>
  who: Actor
  at_ms: number
  watermark_ms: number | null
}
export interface ReleaseDetail extends Omit<ReleaseSummary, 'verdict'> {
  verdict: Verdict | null
  policy: {
    gate?: { replay?: { last: string; rows_max?: number }; rules?: GateRule[]; evaluate_on?: { dataset: string } }
  }
  /** The steps and guards that hold, ours where none are stated. */
  rollout: { steps: RolloutStep[]; guards: Record<string, number | string>[] }
  step_counts: { canary?: Counts; stable?: Counts }
  previous_release: ReleaseSummary | null
  decisions: Decision[]
  counts: RevisionStats | null
  stable_counts: RevisionStats | null
}
export interface Retraining {
  id: string
  endpoint: string
  alert: string
  state: 'collecting' | 'training' | 'proposed' | 'skipped' | 'failed' | 'done'
  reason: string | null
  evidence: Record<string, unknown>
  dataset: string | null
  dataset_version: string | null
  pipeline_run: string | null
  release_id: string | null
  from_ms: number | null
  to_ms: number | null
  watermark_ms: number
  created_ms: number
  ended_ms: number | null
}
