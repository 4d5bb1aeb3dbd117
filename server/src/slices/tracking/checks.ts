import { invalid } from '#kernel/errors.ts'
import { LIMITS } from './limits.ts'
import type { DatasetInput, KeyValue, MetricColumns, MetricInput } from './model.ts'

/** The words of MLflow's own server: programs match parts of them. */
const shown = (value: unknown): string =>
  JSON.stringify(typeof value === 'string' && value.length > 500 ? `${value.slice(0, 500)}…` : (value ?? null))

export const wrongValue = (path: string, value: unknown, hint?: string) =>
  invalid(`Invalid value ${shown(value)} for parameter '${path}' supplied${hint ? `: ${hint}` : '.'}`, { field: path })

export const missingValue = (path: string) =>
  invalid(
    `Missing value for required parameter '${path}'. See the API docs for more information about request parameters.`,
    { field: path },
  )

const tooLong = (what: string, limit: number, field: string) =>
  invalid(`'${what}' exceeds the maximum length of ${limit} characters`, { field })

/** Characters as Python counts them: code points, not UTF-16 units. */
export function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  if (text.length > limit * 2) return true
  let count = 0
  for (const _ of text) if (++count > limit) return true
  return false
}

/** The first `limit` code points. */
const cut = (text: string, limit: number): string =>
  isLonger(text, limit)
    ? Array.from(text.slice(0, limit * 2))
        .slice(0, limit)
        .join('')
    : text

/** What POSIX makes of a path by looking at its text alone. */
export function normalPath(path: string): string {
  if (path === '') return '.'
  const slashes = path.startsWith('//') && !path.startsWith('///') ? '//' : path.startsWith('/') ? '/' : ''
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..' || (slashes === '' && (parts.length === 0 || parts.at(-1) === '..'))) parts.push(part)
    else parts.pop()
  }
  return slashes + parts.join('/') || '.'
}

const KEY = /^[\p{L}\p{N}_/.\- :]*$/u

/** Without slashes and not beginning with a period: what nearly every key is, and which names no other path. */
const PLAIN_KEY = /^\w[\w.\- :]*$/

function checkKey(key: string, path: string): void {
  if (PLAIN_KEY.test(key)) return
  if (!KEY.test(key)) {
    throw wrongValue(
      path,
      key,
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).',
    )
  }
  const normal = normalPath(key)
  if (normal !== key || normal === '.' || normal.startsWith('..') || normal.startsWith('/')) {
    throw wrongValue(
      path,
      key,
      `Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${normal}'`,
    )
  }
}

const at = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

/** `path` is where the caller wrote it: `` for a request of its own, `metrics[3]` in a batch. */
export function checkMetric(metric: MetricInput, path = ''): void {
  if (metric.key === '') throw missingValue(at(path, 'key'))
  checkKey(metric.key, at(path, 'name'))
  if (metric.timestamp_ms < 0) {
    throw wrongValue(
      at(path, 'timestamp'),
      Number(metric.timestamp_ms),
      `metric '${metric.key}' (value=${metric.value}). Timestamp must be a nonnegative long (64-bit integer) `,
    )
  }
  if (isLonger(metric.key, LIMITS.key_chars)) throw tooLong('Metric name', LIMITS.key_chars, at(path, 'key'))
  if (metric.dataset_name !== undefined && isLonger(metric.dataset_name, LIMITS.dataset_name_chars)) {
    throw tooLong('dataset_name', LIMITS.dataset_name_chars, at(path, 'dataset_name'))
  }
  if (metric.dataset_digest !== undefined && isLonger(metric.dataset_digest, LIMITS.dataset_digest_chars)) {
    throw tooLong('dataset_digest', LIMITS.dataset_digest_chars, at(path, 'dataset_digest'))
  }
}

/** Values over the limit are cut, as MLflow's server does: a long autologged value must not fail a training. */
export function checkParam(param: KeyValue, path = ''): KeyValue {
  if (param.key === '') throw missingValue(at(path, 'key'))
  checkKey(param.key, at(path, 'key'))
  if (isLonger(param.key, LIMITS.key_chars)) throw tooLong('Param key', LIMITS.key_chars, at(path, 'key'))
  return { key: param.key, value: cut(param.value, LIMITS.param_value_chars) }
}

export function checkTag(tag: KeyValue, path = ''): KeyValue {
  if (tag.key === '') throw missingValue(at(path, 'key'))
  checkKey(tag.key, at(path, 'key'))
  if (isLonger(tag.key, LIMITS.key_chars)) throw tooLong(at(path, 'key'), LIMITS.key_chars, at(path, 'key'))
  return { key: tag.key, value: cut(tag.value, LIMITS.tag_value_chars) }
}

export function checkExperimentTag(tag: KeyValue): void {
  if (tag.key === '') throw missingValue('key')
  checkKey(tag.key, 'key')
  if (isLonger(tag.key, LIMITS.key_chars)) throw tooLong('key', LIMITS.key_chars, 'key')
  if (isLonger(tag.value, LIMITS.experiment_tag_value_chars))
    throw tooLong('value', LIMITS.experiment_tag_value_chars, 'value')
}

export function checkExperimentName(name: string, field = 'name'): void {
  if (name === '') throw invalid(`Invalid experiment name: ''`, { field })
  if (isLonger(name, LIMITS.experiment_name_chars)) throw tooLong('name', LIMITS.experiment_name_chars, field)
}

/** Throws invalid for a location that clients could not use, or would look for on their own disks. */
export function checkArtifactLocation(location: string): void {
  const field = 'artifact_location'
  if (location.includes('#') || location.includes('?') || /^[^/]*;/.test(location))
    throw invalid(`'artifact_location' URL can't include fragments or params.`, { field })
  if (location.startsWith('runs:'))
    throw invalid(`Artifact location cannot be a runs:/ URI. Given: '${location.slice(0, 200)}'`, { field })
  // A scheme of one letter is a drive.
  if (!/^[a-z][a-z0-9+.-]+:/i.test(location) || /^file:/i.test(location))
    throw invalid(
      `'artifact_location' has to name a store that every client reaches, as in s3://bucket/folder; leave it out to keep artifacts on this server. Given: '${location.slice(0, 200)}'`,
      { field },
    )
  if (isLonger(location, LIMITS.artifact_location_chars))
    throw tooLong('artifact_location', LIMITS.artifact_location_chars, field)
}

/** As checkMetric for each; each key is looked at once. */
function checkColumns(columns: MetricColumns): void {
  const isFine = (key: string) => PLAIN_KEY.test(key) && key.length <= LIMITS.key_chars
  let fine = columns.keys.every(isFine)
  for (let at = 0; fine && at < columns.at_ms.length; at++) fine = columns.at_ms[at]! >= 0
  if (fine) return
  for (let at = 0; at < columns.value.length; at++) {
    const metric = {
      key: columns.keys[columns.key[at]!]!,
      value: columns.value[at]!,
      timestamp_ms: columns.at_ms[at]!,
      step: columns.step[at]!,
    }
    checkMetric(metric, `metrics[${at}]`)
  }
}

/** Counts of a batch, then its entries; answers them as they are to be stored. */
export function checkBatch(batch: {
  metrics: MetricInput[]
  columns?: MetricColumns
  params: KeyValue[]
  tags: KeyValue[]
}): {
  params: KeyValue[]
  tags: KeyValue[]
} {
  const most = (what: string, limit: number, count: number) => {
    if (count > limit) {
      throw invalid(
        `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please split up ${what} across multiple requests and try again.`,
        { field: what },
      )
    }
  }
  const { metrics, columns } = batch
  const points = metrics.length + (columns?.value.length ?? 0)
  most('metrics', LIMITS.batch_metrics, points)
  most('params', LIMITS.batch_params, batch.params.length)
  most('tags', LIMITS.batch_tags, batch.tags.length)
  most('metrics, params, and tags', LIMITS.batch_entities, points + batch.params.length + batch.tags.length)
  for (const [index, metric] of metrics.entries()) checkMetric(metric, `metrics[${index}]`)
  if (columns) checkColumns(columns)
  const params = batch.params.map((param, index) => checkParam(param, `params[${index}]`))
  const tags = batch.tags.map((tag, index) => checkTag(tag, `tags[${index}]`))
  const seen = new Map<string, string>()
  const twice = new Set<string>()
  for (const { key, value } of params) {
    if (seen.has(key) && seen.get(key) !== value) twice.add(key)
    else seen.set(key, value)
  }
  if (twice.size > 0) {
    throw invalid(
      `Duplicate parameter keys have been submitted: [${[...twice].map((key) => `'${key}'`).join(', ')}]. Please ensure the request contains only one param value per param key.`,
      { field: 'params' },
    )
  }
  return { params, tags }
}

export function checkDatasetInput({ dataset, tags }: DatasetInput, path: string): void {
  const length = (value: string | undefined, name: string, limit: number) => {
    if (value !== undefined && isLonger(value, limit)) throw tooLong(name, limit, `${path}.${name}`)
  }
  length(dataset.name, 'name', LIMITS.dataset_name_chars)
  length(dataset.digest, 'digest', LIMITS.dataset_digest_chars)
  length(dataset.source, 'source', LIMITS.dataset_source_chars)
  length(dataset.source_type, 'source_type', LIMITS.dataset_name_chars)
  length(dataset.schema, 'schema', LIMITS.dataset_schema_chars)
  length(dataset.profile, 'profile', LIMITS.dataset_profile_chars)
  for (const tag of tags) {
    length(tag.key, 'key', LIMITS.input_tag_key_chars)
    length(tag.value, 'value', LIMITS.input_tag_value_chars)
  }
}

export function checkLoggedModelName(name: string): void {
  if (name === '' || /[/:.%"']/.test(name)) {
    throw invalid(
      `Invalid model name ('${name.slice(0, 200)}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
      { field: 'name' },
    )
  }
  if (isLonger(name, LIMITS.model_name_chars)) throw tooLong('name', LIMITS.model_name_chars, 'name')
}

/** Experiment ids are decimals. Throws invalid for anything else. */
export function parseExperimentId(id: string): number {
  const number = /^\d{1,15}$/.test(id.trim()) ? Number(id) : Number.NaN
  if (Number.isNaN(number)) {
    throw invalid(`Invalid experiment ID '${id.slice(0, 200)}'. Experiment ID must be a valid integer.`, {
      field: 'experiment_id',
    })
  }
  return number
}
