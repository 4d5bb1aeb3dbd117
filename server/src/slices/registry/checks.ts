import { DomainError, invalid } from '#kernel/errors.ts'
import { STAGES, type Stage } from './model.ts'

/** Every bound of the registry in one place. Those that MLflow's clients know have MLflow's values. */
export const LIMITS = {
  name_chars: 256,
  tag_key_chars: 250,
  tag_value_chars: 100_000,
  description_chars: 100_000,
  alias_chars: 255,
  source_chars: 2_000,
  create_tags: 100,
  aliases: 100,
  files: 10_000,
  models_page: 1_000,
  versions_page: 200_000,
  /** Of the MLmodel file and of requirements.txt; what is larger is not read. */
  manifest_bytes: 512 * 1024,
} as const

/** The words of MLflow's own server: programs match parts of them. */
const SEE = 'See the API docs for more information about request parameters.'
export const missing = (field: string) => invalid(`Missing value for required parameter '${field}'. ${SEE}`, { field })

const shown = (value: string): string => JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}…` : value)

export function checkModelName(name: string, field = 'name'): void {
  if (name.trim() === '') throw missing(field)
  if (/[/:]/.test(name) || name === '.' || name === '..') {
    throw invalid(
      `Invalid value ${shown(name)} for parameter '${field}' supplied: Registered model name cannot contain '/' or ':', and cannot be '.' or '..'.`,
      { field },
    )
  }
  tooLong(name, LIMITS.name_chars, field)
}

export function tooLong(value: string, limit: number, field: string, what = field): void {
  if (value.length > limit && [...value].length > limit) {
    throw invalid(`'${what}' exceeds the maximum length of ${limit} characters`, { field })
  }
}

export function checkTag(tag: { key: string; value: string }): void {
  if (tag.key === '') throw missing('key')
  if (!/^[\p{L}\p{N}_/.\- :]*$/u.test(tag.key)) {
    throw invalid(
      `Invalid value ${shown(tag.key)} for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).`,
      { field: 'key' },
    )
  }
  tooLong(tag.key, LIMITS.tag_key_chars, 'key')
  if (tag.key === 'mlflow.prompt.text') tooLong(tag.value, LIMITS.tag_value_chars, 'value', 'Prompt text')
  else tooLong(tag.value, LIMITS.tag_value_chars, 'value')
}

export function checkAlias(alias: string): void {
  if (alias === '') throw missing('alias')
  tooLong(alias, LIMITS.alias_chars, 'alias')
  if (!/^[A-Za-z0-9_-]+$/.test(alias)) {
    throw invalid(
      `Invalid alias name: ${shown(alias)}. Names may only contain alphanumerics, underscores (_) and dashes (-).`,
      { field: 'alias' },
    )
  }
  if (/^latest$/i.test(alias)) {
    throw invalid("'latest' alias name (case insensitive) is reserved.", { field: 'alias' })
  }
  if (/^v\d+$/i.test(alias)) {
    throw invalid(`Version alias name '${alias}' is reserved.`, { field: 'alias' })
  }
}

/** The stage meant by a text in any case. */
export function readStage(text: string): Stage {
  const stage = STAGES.find((each) => each.toLowerCase() === text.toLowerCase())
  if (!stage) {
    throw invalid(`Invalid Model Version stage: ${text.slice(0, 100)}. Value must be one of ${STAGES.join(', ')}.`, {
      field: 'stage',
    })
  }
  return stage
}

/** A version's number; clients send it as number or text. */
export function readVersion(value: unknown, field = 'version'): number {
  const number =
    typeof value === 'number' ? value : /^\d{1,15}$/.test(String(value).trim()) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) {
    throw invalid(`Parameter '${field}' must be an integer, got '${String(value).slice(0, 100)}'.`, { field })
  }
  return number
}

export const noModel = (name: string) =>
  new DomainError('not-found', `Registered Model with name=${name.slice(0, 300)} not found`, { field: 'name' })

export const noVersion = (name: string, version: number) =>
  new DomainError('not-found', `Model Version (name=${name.slice(0, 300)}, version=${version}) not found`, {
    field: 'version',
  })
