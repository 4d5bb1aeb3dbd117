/** What an importer hands in, as it stood at its source: nothing is checked against the rules for new runs but its size. */
import type { DatasetInput, Integer, KeyValue, Lifecycle, ModelStatus, RunStatus } from '../model.ts'

export const IMPORT_LIMITS = {
  runs: 100,
  points: 10_000,
  marks: 1000,
  mark_chars: 2_000_000,
  item_chars: 600,
  key_chars: 500,
  value_chars: 1_000_000,
  pairs: 20_000,
  models: 100,
  model_metrics: 5000,
  files: 100_000,
} as const

export interface ImportedExperiment {
  source: string
  /** Its id there. */
  source_id: string
  name: string
  lifecycle: Lifecycle
  created_ms: number
  updated_ms: number
  tags: KeyValue[]
  /** Left out: its artifacts are kept here. */
  artifact_location?: string
}

export interface ImportedRun {
  run_id: string
  name: string
  user_id: string
  status: RunStatus
  start_ms: number
  end_ms: number | null
  lifecycle: Lifecycle
  /** How it stood when this source was read before. */
  lifecycle_before?: Lifecycle
  /** When its artifacts are not below its experiment. */
  artifact_uri?: string
  params: KeyValue[]
  tags: KeyValue[]
  /** Keys of tags that were there when this source was read before. */
  gone_tags: string[]
  inputs: DatasetInput[]
  models: { direction: 'input' | 'output'; model_id: string; step: Integer }[]
}

export interface ImportedModel {
  model_id: string
  name: string
  model_type: string
  source_run_id: string
  status: ModelStatus
  created_ms: number
  updated_ms: number
  lifecycle: Lifecycle
  lifecycle_before?: Lifecycle
  params: KeyValue[]
  tags: KeyValue[]
  gone_tags: string[]
  metrics: {
    key: string
    value: number
    at_ms: Integer
    step: Integer
    run_id: string
    dataset_name: string
    dataset_digest: string
  }[]
}

/** Points of a run by column. */
export interface ImportedPoints {
  run_id: string
  keys: string[]
  key: number[]
  step: Integer[]
  at_ms: Integer[]
  value: number[]
}

export interface Mark {
  item: string
  mark: string
}

/** What is here of a run, to be compared with what its source holds. */
export interface RunState {
  run_id: string
  experiment_id: string
  params: { count: number; digest: string }
  tags: { count: number; digest: string }
  inputs: number
  models: number
  metrics: { key: string; count: number; digest: string }[]
}
