/** Shapes of replies that the API's description does not state yet. What it states is taken from schema.d.ts. */
import type { paths } from './schema.d.ts'

type Ok<T> = T extends { responses: { 200: { content: { 'application/json': infer R } } } } ? R : never
/** The reply of a GET route as the API describes it. */
export type Reply<P extends keyof paths> = paths[P] extends { get: infer G } ? Ok<G> : never
export type Item<T> = T extends { items: (infer I)[] } ? I : never

type V1 = '/api/slipway/v1'

export type Me = Reply<`${V1}/me`>
export type AuditEvent = Item<Reply<`${V1}/audit`>>
export type RunDetail = Reply<`${V1}/runs/{run_id}`>
export type RunRow = Item<Reply<`${V1}/runs`>>
export type Series = Reply<`${V1}/runs/{run_id}/metrics`>['series'][number]
export type Experiment = Item<Reply<`${V1}/experiments`>>
export type Dataset = Item<Reply<`${V1}/datasets`>>
export type DatasetVersion = NonNullable<Dataset['latest']>
export type Profile = Reply<`${V1}/datasets/{name}/versions/{version}/profile`>
export type ProfileColumn = Profile['columns'][number]
export type Model = Item<Reply<`${V1}/models`>>
export type ModelVersion = Reply<`${V1}/models/{model}/versions/{version}`>
export type LineageGraph = Reply<`${V1}/lineage`>

export interface Page<T> {
  items: T[]
  next_cursor?: string
}

export interface Actor {
  kind: 'person' | 'token' | 'rule' | 'run' | 'system' | (string & {})
  id: string
  name: string
}

// --- serving
export interface Counts {
  requests: number
  errors: number
  over_time: number
  stood_in: number
  latency: number[]
  scores: number[]
  last_error: string | null
}
export interface RevisionStats extends Counts {
  latency_p50_ms: number | null
  latency_p99_ms: number | null
  since_ms: number
}
export interface Traffic {
  endpoint: string
  routes: { revision: string; share: number; role: 'stable' | 'canary' }[]
  release: string | null
  changed_ms: number
}
export interface Endpoint {
  name: string
  project: string
  model: string
  alias: string
  spec: Record<string, unknown> & { model: string; task?: string; clock?: string; threshold?: number }
  created_ms: number
  updated_ms: number
  traffic: Traffic | null
  watermark_ms: number | null
}
export interface Revision {
  id: string
  endpoint: string
  number: number
  model: string
  version: number
  state: 'wanted' | 'retired'
  created_ms: number
  retired_ms: number | null
  reports: {
    node: string
    state: 'loading' | 'ready' | 'failed'
    form: 'onnx' | 'python' | null
    reason: string | null
    load_ms: number | null
    reported_ms: number
  }[]
  stats: RevisionStats | null
}
export interface EndpointDetail extends Endpoint {
  revisions: Revision[]
  dropped: number
}
export interface Prediction {
  id: string
  event_ms: number
  at_ms: number
  latency_us: number
  status: 'ok' | 'error' | 'fallback'
  revision: string
  version: number
  answered_by: string
  answered_version: number
  release: string | null
  key: string | null
  score: number | null
  label: string | null
  output: string | null
  error: string | null
  /** What was asked, as JSON text, when the model names no features. */
  inputs: string | null
  features: Record<string, string | number | boolean | null>
}
export interface Preparation {
  model: string
  version: number
  state: 'waiting' | 'done' | 'failed'
  form: 'onnx' | 'python' | null
  reason: string
  report: Record<string, unknown> | null
  created_ms: number
  ended_ms: number | null
}

// --- releases
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
    rollout?: { steps: RolloutStep[]; guards?: Record<string, number | string>[] }
  }
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

// --- pipelines
export type StepState = 'waiting' | 'running' | 'done' | 'cached' | 'failed' | 'cancelled' | 'skipped'
export interface PipelineRunSummary {
  id: string
  project: string
  pipeline: string
  number: number
  state: 'running' | 'done' | 'failed' | 'cancelled'
  reason: string | null
  cause: { kind: string; [key: string]: unknown }
  who: Actor
  code: string
  created_ms: number
  ended_ms: number | null
}
export interface StepSpec {
  run: string
  needs?: string[]
  reads?: Record<string, { dataset?: string; step?: string; output?: string }>
  writes?: Record<string, { path: string; dataset?: string }>
  environment?: string
  params?: Record<string, string | number | boolean>
  timeout?: string
  retries?: number
  memory?: string
  cache?: boolean
}
export interface PipelineSpec {
  triggers?: Record<string, string>[]
  params?: Record<string, string | number | boolean>
  steps: Record<string, StepSpec>
}
export interface Pipeline {
  name: string
  project: string
  spec: PipelineSpec
  environments: Record<string, { python?: string; lock: string }>
  code: string
  applied_by: Actor
  created_ms: number
  updated_ms: number
  last_run?: PipelineRunSummary | null
}
export interface StepRun {
  id: string
  run: string
  name: string
  attempt: number
  state: StepState
  tracking_run: string | null
  cache_words: string | null
  cached_from: string | null
  inputs: { name: string; digest: string; dataset?: string; version?: string; number?: number; from_step?: string }[]
  outputs: {
    name: string
    digest: string
    size_bytes: number
    files: { path: string; digest: string; size_bytes: number }[]
    version?: string
    dataset?: string
  }[]
  environment: string | null
  reason: string | null
  exit_code: number | null
  peak_bytes: number | null
  started_ms: number | null
  ended_ms: number | null
}
export interface PipelineRun extends PipelineRunSummary {
  spec: PipelineSpec
  environments: Record<string, { python?: string; lock: string }>
  params: Record<string, string | number | boolean>
  inputs: Record<string, string>
  steps: StepRun[]
}

// --- monitoring
export interface FeatureDrift {
  feature: string
  kind: 'numeric' | 'categorical'
  psi: number | null
  ks: number | null
  ks_p: number | null
  nulls: number
  /** Share of nulls in the reference. */
  nulls_reference?: number
  bins: { reference: number[]; current: number[]; names: string[] }
}
export interface WindowFacts {
  requests: number
  rows: number
  errors: number
  fallbacks: number
  labelled: number
  versions: Record<string, number>
  metrics: Record<string, number | null>
  words: string[]
  latency_ms: { p50: number | null; p95: number | null; p99: number | null }
  score: { mean: number | null; histogram: number[] }
  positives: number | null
  drift: FeatureDrift[]
  drift_version: number | null
}
export interface MonitorWindow {
  monitor: string
  start_ms: number
  end_ms: number
  state: 'computed' | 'revised' | 'dirty' | 'failed'
  facts: WindowFacts
  computed_ms: number
  revisions: number
}
export interface AlertRule {
  name: string
  metric: string
  below?: number
  above?: number
  below_reference?: number
  above_reference?: number
  for?: number
  clear?: number
}
export interface Monitor {
  name: string
  project: string
  endpoint: string
  spec: {
    endpoint: string
    window: string
    every?: string
    label_delay?: string
    labels_min?: number
    metrics?: string[]
    drift?: { psi?: boolean; ks?: boolean; psi_above?: number }
    alerts?: AlertRule[]
  }
  applied_ms: number
  next_ms: number | null
}
export interface MonitorRow extends Monitor {
  last_window: MonitorWindow | null
  alerts_open: number
}
export interface MonitorDetail extends Monitor {
  windows: MonitorWindow[]
  alerts: Alert[]
}
export interface Alert {
  id: string
  monitor: string
  endpoint: string
  name: string
  metric: string
  state: 'open' | 'cleared'
  threshold: number
  value: number | null
  reference: { value: number; version: number; window_ms: number } | null
  opened_window_ms: number
  cleared_window_ms: number | null
  watermark_ms: number
  opened_ms: number
  cleared_ms: number | null
}

// --- insight
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
  release: Omit<ReleaseDetail, 'previous_release' | 'counts' | 'stable_counts'> | null
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
