import { event } from '#kernel/events/index.ts'
import type { Stage } from './model.ts'

export interface ModelFact {
  name: string
  description: string | null
}

export interface VersionFact {
  name: string
  version: number
  source: string
  run_id: string | null
  logged_model_id: string | null
  digest: string | null
  file_count: number
  size_bytes: number
  /** Names of its flavours: `python_function` means that MLflow can serve it. */
  flavors: string[]
}

export interface AliasFact {
  name: string
  alias: string
  version: number
  /** The release in whose step the alias moved. */
  release?: string
}

export interface TagFact {
  name: string
  version?: number
  key: string
  /** Null when there is none any more. */
  value: string | null
}

export const modelCreated = event<ModelFact>('registry.model-created', 'A registered model was made.')
export const modelRenamed = event<{ name: string }>('registry.model-renamed', 'A registered model got another name.')
export const modelDescribed = event<ModelFact>('registry.model-described', 'The description of a model changed.')
export const modelDeleted = event<null>(
  'registry.model-deleted',
  'A registered model was deleted with its versions, tags and aliases.',
)
export const versionCreated = event<VersionFact>(
  'registry.version-created',
  'A model version was made, its files pinned by digest.',
)
export const versionDescribed = event<{ description: string | null }>(
  'registry.version-described',
  'The description of a model version changed.',
)
export const versionDeleted = event<null>('registry.version-deleted', 'A model version was deleted.')
export const stageMoved = event<{ name: string; version: number; stage: Stage }>(
  'registry.stage-moved',
  'A model version moved to another stage.',
)
export const aliasMoved = event<AliasFact>('registry.alias-moved', 'An alias points to another version.')
export const aliasDeleted = event<null>('registry.alias-deleted', 'An alias was deleted.')
export const tagChanged = event<TagFact>('registry.tag-changed', 'A tag of a model or version was set or deleted.')
