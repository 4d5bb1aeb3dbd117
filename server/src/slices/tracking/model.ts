/** What tracking speaks of. Times are epoch milliseconds UTC; integers beyond 2^53 come as bigint. */
import type { Who } from '#kernel/http/index.ts'

export type Integer = number | bigint

export type Lifecycle = 'active' | 'deleted'
export type LifecycleView = 'active' | 'deleted' | 'all'

export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

export const isEnded = (status: string): boolean => status === 'FINISHED' || status === 'FAILED' || status === 'KILLED'

export const MODEL_STATUSES = ['UNSPECIFIED', 'PENDING', 'READY', 'UPLOAD_FAILED'] as const
export type ModelStatus = (typeof MODEL_STATUSES)[number]

export interface KeyValue {
  key: string
  value: string
}

export interface Experiment {
  experiment_id: string
  name: string
  artifact_location: string
  lifecycle: Lifecycle
  created_ms: number
  updated_ms: number
  tags: KeyValue[]
}

/** How many runs an experiment has. */
export interface RunCounts {
  active: number
  deleted: number
  running: number
  last_started_ms: number | null
}

export interface Metric {
  key: string
  /** NaN allowed; infinities are kept as ±1.7976931348623157e308. */
  value: number
  timestamp_ms: Integer
  step: Integer
}

/** A point as logged: beside the run also for a logged model and a dataset, when named. */
export interface MetricInput extends Metric {
  model_id?: string
  dataset_name?: string
  dataset_digest?: string
}

/** Plain points of a batch by column: what crosses threads in a tenth of the time of one object each. */
export interface MetricColumns {
  keys: readonly string[]
  /** Which of `keys` each point is of. */
  key: ArrayLike<number>
  step: ArrayLike<Integer>
  at_ms: ArrayLike<Integer>
  value: ArrayLike<number>
}

export interface DatasetRef {
  name: string
  digest: string
  source_type: string
  /** Text as the client sent it, JSON most often: never parsed, never rewritten. */
  source: string
  schema?: string
  profile?: string
}

export interface DatasetInput {
  dataset: DatasetRef
  tags: KeyValue[]
}

export interface ModelOutput {
  model_id: string
  step: Integer
}

export interface RunInfo {
  run_id: string
  name: string
  experiment_id: string
  user_id: string
  status: RunStatus
  start_ms: number
  end_ms: number | null
  artifact_uri: string
  lifecycle: Lifecycle
}

export interface Run extends RunInfo {
  /** Latest of each key, by (step, timestamp, value). */
  metrics: Metric[]
  params: KeyValue[]
  tags: KeyValue[]
  dataset_inputs: DatasetInput[]
  model_inputs: string[]
  model_outputs: ModelOutput[]
}

export interface ModelMetric extends Metric {
  model_id: string
  run_id: string
  dataset_name: string
  dataset_digest: string
}

export interface LoggedModel {
  model_id: string
  experiment_id: string
  name: string
  model_type: string
  source_run_id: string
  status: ModelStatus
  lifecycle: Lifecycle
  artifact_uri: string
  created_ms: number
  updated_ms: number
  params: KeyValue[]
  tags: KeyValue[]
  metrics: ModelMetric[]
}

/** A file or folder in a listing. `path` is relative to what was listed. */
export interface ArtifactEntry {
  path: string
  is_dir: boolean
  size_bytes?: number
}

/** A file under a root, as it stands now. `path` is relative to the root. */
export interface ArtifactFile {
  path: string
  /** `sha256:<64 hex digits>`. */
  digest: string
  size_bytes: number
}

/** What every command is handed: who acts, when, and an id for the event it may record. */
export interface Stamp {
  who: Who
  now_ms: number
  event_id: string
}

/** One page of a search: `next` is where the following page begins, to be handed back unchanged. */
export interface SearchPage<T> {
  items: T[]
  next?: unknown
}
