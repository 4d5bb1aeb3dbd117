import type {
  DatasetInput,
  Experiment,
  Integer,
  KeyValue,
  LifecycleView,
  LoggedModel,
  Metric,
  MetricInput,
  ModelStatus,
  Run,
  RunInfo,
  RunStatus,
} from '#slices/tracking'
import type { Fields } from './fields.ts'

/** 64-bit integers go out as JSON numbers, also those that a double would bend. */
export const int = (value: Integer): unknown =>
  typeof value === 'bigint' ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString()) : value

/** JSON has no word for these. */
export const double = (value: number): number | string =>
  Number.isNaN(value) ? 'NaN' : value === Infinity ? 'Infinity' : value === -Infinity ? '-Infinity' : value

export const VIEWS: Record<string, LifecycleView> = { ACTIVE_ONLY: 'active', DELETED_ONLY: 'deleted', ALL: 'all' }
export const VIEW_NUMBERS = ['', 'ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']

export const STATUSES: Record<string, RunStatus> = {
  RUNNING: 'RUNNING',
  SCHEDULED: 'SCHEDULED',
  FINISHED: 'FINISHED',
  FAILED: 'FAILED',
  KILLED: 'KILLED',
}
export const STATUS_NUMBERS = ['', 'RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']

export const MODEL_STATUSES: Record<string, ModelStatus> = {
  LOGGED_MODEL_STATUS_UNSPECIFIED: 'UNSPECIFIED',
  LOGGED_MODEL_PENDING: 'PENDING',
  LOGGED_MODEL_READY: 'READY',
  LOGGED_MODEL_UPLOAD_FAILED: 'UPLOAD_FAILED',
}
export const MODEL_STATUS_NUMBERS = Object.keys(MODEL_STATUSES)

export const readKeyValue = (entry: Fields): KeyValue => ({
  key: entry.text('key'),
  value: entry.optionalText('value') ?? '',
})

export const readMetric = (entry: Fields): MetricInput => {
  const model_id = entry.optionalText('model_id')
  const dataset_name = entry.optionalText('dataset_name')
  const dataset_digest = entry.optionalText('dataset_digest')
  return {
    key: entry.text('key'),
    value: entry.double('value'),
    timestamp_ms: entry.integer('timestamp'),
    step: entry.optionalInteger('step') ?? 0,
    ...(model_id && { model_id }),
    ...(dataset_name && { dataset_name }),
    ...(dataset_digest && { dataset_digest }),
  }
}

export const readDatasetInput = (entry: Fields): DatasetInput => {
  const dataset = entry.one('dataset')
  const schema = dataset?.optionalText('schema')
  const profile = dataset?.optionalText('profile')
  return {
    dataset: {
      name: dataset?.text('name') ?? entry.text('dataset'),
      digest: dataset!.text('digest'),
      source_type: dataset!.text('source_type'),
      source: dataset!.text('source'),
      ...(schema !== undefined && { schema }),
      ...(profile !== undefined && { profile }),
    },
    tags: entry.list('tags', readKeyValue),
  }
}

export const experiment = (from: Experiment) => ({
  experiment_id: from.experiment_id,
  name: from.name,
  artifact_location: from.artifact_location,
  lifecycle_stage: from.lifecycle,
  last_update_time: from.updated_ms,
  creation_time: from.created_ms,
  tags: from.tags,
})

export const metric = (from: Metric) => ({
  key: from.key,
  value: double(from.value),
  timestamp: int(from.timestamp_ms),
  step: int(from.step),
})

export const runMetric = (from: Metric & { run_id: string }) => ({ ...metric(from), run_id: from.run_id })

export const runInfo = (from: RunInfo) => ({
  run_uuid: from.run_id,
  experiment_id: from.experiment_id,
  run_name: from.name,
  user_id: from.user_id,
  status: from.status,
  start_time: from.start_ms,
  ...(from.end_ms !== null && { end_time: from.end_ms }),
  artifact_uri: from.artifact_uri,
  lifecycle_stage: from.lifecycle,
  run_id: from.run_id,
})

export const run = (from: Run) => ({
  info: runInfo(from),
  data: { metrics: from.metrics.map(metric), params: from.params, tags: from.tags },
  inputs: {
    dataset_inputs: from.dataset_inputs,
    model_inputs: from.model_inputs.map((model_id) => ({ model_id })),
  },
  outputs: { model_outputs: from.model_outputs.map(({ model_id, step }) => ({ model_id, step: int(step) })) },
})

const modelStatus = (status: ModelStatus) =>
  status === 'UNSPECIFIED' ? 'LOGGED_MODEL_STATUS_UNSPECIFIED' : `LOGGED_MODEL_${status}`

export const loggedModel = (from: LoggedModel) => ({
  info: {
    model_id: from.model_id,
    experiment_id: from.experiment_id,
    name: from.name,
    creation_timestamp_ms: from.created_ms,
    last_updated_timestamp_ms: from.updated_ms,
    artifact_uri: from.artifact_uri,
    status: modelStatus(from.status),
    ...(from.model_type && { model_type: from.model_type }),
    ...(from.source_run_id && { source_run_id: from.source_run_id }),
    tags: from.tags,
  },
  data: {
    params: from.params,
    metrics: from.metrics.map((each) => ({
      ...metric(each),
      ...(each.dataset_name && { dataset_name: each.dataset_name }),
      ...(each.dataset_digest && { dataset_digest: each.dataset_digest }),
      model_id: each.model_id,
      run_id: each.run_id,
    })),
  },
})
