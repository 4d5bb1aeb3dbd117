/** What an importer reads, whatever the source keeps it in. Times are epoch milliseconds UTC. */
import type { PointSet } from '#kernel/point-set.ts'

export interface Pair {
  key: string
  value: string
}

export type Lifecycle = 'active' | 'deleted'

export interface SourceExperiment {
  /** As the source calls it. */
  id: string
  name: string
  lifecycle: Lifecycle
  created_ms: number
  updated_ms: number
  artifact_location: string
  tags: Pair[]
}

export interface SourceDataset {
  dataset: { name: string; digest: string; source_type: string; source: string; schema?: string; profile?: string }
  tags: Pair[]
}

export interface SourceRun {
  run_id: string
  name: string
  user_id: string
  status: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED'
  start_ms: number
  end_ms: number | null
  lifecycle: Lifecycle
  artifact_uri: string
  /** Where its files surely are. */
  artifact_folder?: string
  params: Pair[]
  tags: Pair[]
  inputs: SourceDataset[]
  models: { direction: 'input' | 'output'; model_id: string; step: number | string }[]
  /** Changes whenever points are added. */
  metrics_print: string
  /** About how many points there are: what is sent and compared at once is sized by it. */
  points: number
}

export interface SourceModel {
  model_id: string
  name: string
  model_type: string
  source_run_id: string
  status: 'UNSPECIFIED' | 'PENDING' | 'READY' | 'UPLOAD_FAILED'
  created_ms: number
  updated_ms: number
  lifecycle: Lifecycle
  artifact_uri: string
  /** Where its files surely are. */
  artifact_folder?: string
  params: Pair[]
  tags: Pair[]
  metrics: {
    key: string
    value: number
    at_ms: number
    step: number
    run_id: string
    dataset_name: string
    dataset_digest: string
  }[]
}

export interface SourceVersion {
  version: number
  created_ms: number
  updated_ms: number
  stage: string
  description: string | null
  source: string
  /** Where its files are, when that is not its source. */
  storage_location: string | null
  run_id: string | null
  run_link: string | null
  user_id: string | null
  logged_model_id: string | null
  tags: Pair[]
}

export interface SourceRegistered {
  name: string
  description: string | null
  created_ms: number
  updated_ms: number
  tags: Pair[]
  versions: SourceVersion[]
  aliases: { alias: string; version: number }[]
}

export interface Source {
  /** The same for the same store, however it is spelled: what was taken in is remembered under it. */
  readonly id: string
  /** For people. */
  readonly words: string
  /** Where bytes of a relative or proxied artifact URI lie. */
  readonly folder: string
  /** What is left out, and why. */
  readonly notes: string[]
  experiments(): Promise<SourceExperiment[]>
  /** Runs of an experiment without their points, a page at a time. */
  runs(experiment: SourceExperiment): AsyncGenerator<SourceRun[]>
  /** The points of a run, one key after the other, each once. */
  points(run: SourceRun): AsyncGenerator<{ key: string; points: PointSet }>
  models(experiment: SourceExperiment): AsyncGenerator<SourceModel[]>
  registered(): Promise<SourceRegistered[]>
  close(): Promise<void>
}

export const RUN_STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const
export const MODEL_STATUSES = ['UNSPECIFIED', 'PENDING', 'READY', 'UPLOAD_FAILED'] as const

/** A status as a name or as the number that MLflow's files hold. */
export function runStatus(value: unknown): SourceRun['status'] {
  const named = RUN_STATUSES.find((status) => status === value)
  return named ?? RUN_STATUSES[Number(value) - 1] ?? 'RUNNING'
}

export function modelStatus(value: unknown): SourceModel['status'] {
  const named = MODEL_STATUSES.find((status) => status === value)
  return named ?? MODEL_STATUSES[Number(value)] ?? 'UNSPECIFIED'
}

export const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
export const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined || value === '' ? null : String(value)
export const ms = (value: unknown): number => {
  const number = Number(value ?? 0)
  return Number.isFinite(number) && number > 0 ? Math.floor(number) : 0
}
export const lifecycle = (value: unknown): Lifecycle => (value === 'deleted' ? 'deleted' : 'active')
