import { type ModelVersion, type RegisteredModel, readVersion } from '#slices/registry'
import type { LoggedModel } from '#slices/tracking'
import type { Fields } from './fields.ts'
import { metric } from './wire.ts'

/** A version's number, which clients send as text or number. */
export function versionIn(fields: Fields): number {
  try {
    return Number(fields.integer('version'))
  } catch (error) {
    const text = textOf(fields)
    if (text === undefined) throw error
    return readVersion(text)
  }
}

function textOf(fields: Fields): string | undefined {
  try {
    return fields.optionalText('version') || undefined
  } catch {
    return undefined
  }
}

/** `model`: the logged model that the version was made of, for its params and metrics. */
export const modelVersion = (from: ModelVersion, model?: LoggedModel) => ({
  name: from.name,
  version: String(from.version),
  creation_timestamp: from.created_ms,
  last_updated_timestamp: from.updated_ms,
  user_id: from.created_by,
  current_stage: from.stage,
  ...(from.description !== null && { description: from.description }),
  source: from.source,
  ...(from.run_id !== null && { run_id: from.run_id }),
  status: 'READY',
  tags: from.tags,
  ...(from.run_link !== null && { run_link: from.run_link }),
  aliases: from.aliases,
  ...(from.logged_model_id !== null && { model_id: from.logged_model_id }),
  ...(model && {
    model_params: model.params.map(({ key, value }) => ({ name: key, value })),
    model_metrics: model.metrics.map((each) => ({
      ...metric(each),
      ...(each.dataset_name && { dataset_name: each.dataset_name }),
      ...(each.dataset_digest && { dataset_digest: each.dataset_digest }),
      model_id: each.model_id,
      run_id: each.run_id,
    })),
  }),
})

export const registeredModel = (from: RegisteredModel) => ({
  name: from.name,
  creation_timestamp: from.created_ms,
  last_updated_timestamp: from.updated_ms,
  user_id: from.created_by,
  ...(from.description !== null && { description: from.description }),
  latest_versions: from.latest_versions.map((version) => modelVersion(version)),
  tags: from.tags,
  aliases: from.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
})
