/** Endpoints, their revisions and predictions. */

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
