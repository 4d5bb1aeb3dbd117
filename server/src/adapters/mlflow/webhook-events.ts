/** What MLflow tells of its registry, and when: our events in the words of its webhooks. */
import { DomainError } from '#kernel/errors.ts'
import type { EventRecord } from '#kernel/events/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import type { Fact } from '#slices/collaboration'
import { type Registry, registryEvents } from '#slices/registry'

const IS_PROMPT = 'mlflow.prompt.is_prompt'
const PROMPT_TEXT = 'mlflow.prompt.text'
const PROMPT_TYPE = '_mlflow_prompt_type'

/** A sample of each event that can be listened to, by `<entity>.<action>`: what a test sends. */
export const SAMPLES: Readonly<Record<string, Record<string, unknown>>> = {
  'registered_model.created': {
    name: 'example_model',
    tags: { example_key: 'example_value' },
    description: 'An example registered model',
  },
  'model_version.created': {
    name: 'example_model',
    version: '1',
    source: 'models:/123',
    run_id: 'abcd1234abcd5678',
    tags: { example_key: 'example_value' },
    description: 'An example model version',
  },
  'model_version_tag.set': { name: 'example_model', version: '1', key: 'example_key', value: 'example_value' },
  'model_version_tag.deleted': { name: 'example_model', version: '1', key: 'example_key' },
  'model_version_alias.created': { name: 'example_model', alias: 'example_alias', version: '1' },
  'model_version_alias.deleted': { name: 'example_model', alias: 'example_alias' },
  'prompt.created': {
    name: 'example_prompt',
    tags: { example_key: 'example_value' },
    description: 'An example prompt',
  },
  'prompt_version.created': {
    name: 'example_prompt',
    version: '1',
    template: 'Hello {{name}}!',
    tags: { example_key: 'example_value' },
    description: 'An example prompt version',
  },
  'prompt_tag.set': { name: 'example_prompt', key: 'example_key', value: 'example_value' },
  'prompt_tag.deleted': { name: 'example_prompt', key: 'example_key' },
  'prompt_version_tag.set': { name: 'example_prompt', version: '1', key: 'example_key', value: 'example_value' },
  'prompt_version_tag.deleted': { name: 'example_prompt', version: '1', key: 'example_key' },
  'prompt_alias.created': { name: 'example_prompt', alias: 'example_alias', version: '1' },
  'prompt_alias.deleted': { name: 'example_prompt', alias: 'example_alias' },
}

type Fit = Pick<Registry, 'getModel' | 'getVersion'>
type Tags = readonly { key: string; value: string }[]

const isPrompt = (tags: Tags) => tags.some(({ key, value }) => key === IS_PROMPT && value === 'true')
const shownTags = (tags: Tags, prompt: boolean) =>
  Object.fromEntries(
    tags
      .filter(({ key }) => !prompt || ![IS_PROMPT, PROMPT_TEXT, PROMPT_TYPE].includes(key))
      .map(({ key, value }) => [key, value]),
  )

/** Undefined for what MLflow does not tell of, and for what is gone again. */
export async function webhookFact(sql: Sql, registry: Fit, event: EventRecord): Promise<Fact | undefined> {
  const { workspace } = event
  const told = (event.after ?? event.before) as { name: string; version?: number; alias?: string } | null
  if (!told) return undefined
  try {
    switch (event.name) {
      case registryEvents.modelCreated.name: {
        const { name, tags, description } = await registry.getModel(sql, workspace, told.name)
        const prompt = isPrompt(tags)
        const entity = prompt ? 'prompt' : 'registered_model'
        return { entity, action: 'created', data: { name, tags: shownTags(tags, prompt), description } }
      }
      case registryEvents.versionCreated.name:
        return await versionMade(sql, registry, workspace, { name: told.name, version: told.version! })
      case registryEvents.tagChanged.name:
        return await tagFact(sql, registry, event as EventRecord<registryEvents.TagFact>)
      case registryEvents.aliasMoved.name:
      case registryEvents.aliasDeleted.name: {
        const prompt = isPrompt((await registry.getModel(sql, workspace, told.name)).tags)
        const { name, alias } = told
        const entity = prompt ? 'prompt_alias' : 'model_version_alias'
        return event.after === null
          ? { entity, action: 'deleted', data: { name, alias } }
          : { entity, action: 'created', data: { name, alias, version: String(told.version) } }
      }
      default:
        return undefined
    }
  } catch (error) {
    if (error instanceof DomainError && error.problem === 'not-found') return undefined
    throw error
  }
}

async function versionMade(
  sql: Sql,
  registry: Fit,
  workspace: string,
  at: { name: string; version: number },
): Promise<Fact> {
  const { tags, source, run_id, description } = await registry.getVersion(sql, workspace, at)
  const prompt = isPrompt(tags)
  const place = { name: at.name, version: String(at.version) }
  return prompt
    ? {
        entity: 'prompt_version',
        action: 'created',
        data: {
          ...place,
          template: tags.find(({ key }) => key === PROMPT_TEXT)?.value ?? '',
          tags: shownTags(tags, true),
          description,
        },
      }
    : {
        entity: 'model_version',
        action: 'created',
        data: { ...place, source, run_id, tags: shownTags(tags, false), description },
      }
}

async function tagFact(
  sql: Sql,
  registry: Fit,
  { workspace, after }: EventRecord<registryEvents.TagFact>,
): Promise<Fact | undefined> {
  const { name, version, key, value } = after
  const prompt = isPrompt((await registry.getModel(sql, workspace, name)).tags)
  // MLflow tells of tags of prompts, of their versions and of model versions, but not of a model's own.
  if (!prompt && version === undefined) return undefined
  const entity = `${prompt ? 'prompt' : 'model'}${version === undefined ? '' : '_version'}_tag`
  const place = { name, ...(version !== undefined && { version: String(version) }), key }
  return value === null
    ? { entity, action: 'deleted', data: place }
    : { entity, action: 'set', data: { ...place, value } }
}
