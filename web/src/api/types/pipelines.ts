/** Pipelines, their runs and steps. */
import type { Actor } from './common.ts'

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
