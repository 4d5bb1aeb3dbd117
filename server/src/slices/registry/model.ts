/** What the registry speaks of. Times are epoch milliseconds UTC. */

import type { ArtifactFile, KeyValue, Tracking } from '#slices/tracking'

/** Kept for old clients; new ones use aliases. */
export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const
export type Stage = (typeof STAGES)[number]

/** Tag by which a model is a prompt, and so is each of its versions. */
export const PROMPT_TAG = 'mlflow.prompt.is_prompt'

export interface Alias {
  alias: string
  version: number
}

export interface ModelVersion {
  name: string
  /** From 1, rising; never used again while the model lives. */
  version: number
  created_by: string
  created_ms: number
  updated_ms: number
  stage: Stage
  description: string | null
  /** Where its files came from, as the caller wrote it. */
  source: string
  run_id: string | null
  run_link: string | null
  logged_model_id: string | null
  /** `sha256:…` over the paths and digests of its files; null when none of them lie here (a remote source, a prompt). */
  digest: string | null
  size_bytes: number
  file_count: number
  tags: KeyValue[]
  aliases: string[]
}

/** What the MLmodel file told when the version was made; each null when it did not. */
export interface Manifest {
  /** `{inputs, outputs, params}`, each JSON in text form as MLflow writes it. */
  signature: Record<string, unknown> | null
  /** By name: `sklearn`, `python_function`, with their settings. */
  flavors: Record<string, unknown> | null
  python_version: string | null
  mlflow_version: string | null
  /** The text of requirements.txt. */
  requirements: string | null
}

/** A file as it was when the version was made; `path` is relative to the model's folder. */
export type VersionFile = ArtifactFile

export interface RegisteredModel {
  name: string
  description: string | null
  created_by: string
  created_ms: number
  updated_ms: number
  tags: KeyValue[]
  aliases: Alias[]
  /** The newest of each stage that has one. */
  latest_versions: ModelVersion[]
}

export interface Search {
  filter: string
  /** Only versions of this model. */
  model?: string
  order_by: readonly string[]
  limit: number
  after?: unknown
}

/** What the registry asks of tracking. `get…` throws not-found for what is not there. */
export type Runs = Pick<Tracking, 'getRun' | 'getLoggedModel' | 'findOutput' | 'filesOfUri' | 'setLoggedModelTags'>
