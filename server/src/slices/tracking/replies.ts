/** How our own API words what tracking knows: RFC 3339 times, plain numbers, NaN as null. */
import type { Experiment, KeyValue, LoggedModel, Metric, Run, RunCounts, RunInfo } from './model.ts'

const time = (ms: number): string => new Date(ms).toISOString()
/** Clients may log any 64-bit timestamp; what is no date is shown as the number it is. */
export const anyTime = (ms: number | bigint): string =>
  Math.abs(Number(ms)) <= 8.64e15 ? time(Number(ms)) : String(ms)

export const metricReply = ({ key, value, step, timestamp_ms }: Metric) => ({
  key,
  value: Number.isNaN(value) ? null : value,
  step: Number(step),
  timestamp: anyTime(timestamp_ms),
})

export const infoReply = (run: RunInfo) => ({
  run_id: run.run_id,
  name: run.name,
  experiment_id: run.experiment_id,
  user: run.user_id,
  status: run.status,
  started: anyTime(run.start_ms),
  ended: run.end_ms === null ? null : anyTime(run.end_ms),
  duration_ms: run.end_ms === null ? null : run.end_ms - run.start_ms,
  lifecycle: run.lifecycle,
})

export const rowReply = (run: Run) => ({
  ...infoReply(run),
  metrics: run.metrics.map(metricReply),
  params: run.params,
  tags: run.tags,
})

export const modelReply = (model: LoggedModel) => ({
  model_id: model.model_id,
  name: model.name,
  experiment_id: model.experiment_id,
  source_run_id: model.source_run_id,
  model_type: model.model_type,
  status: model.status,
  created: time(model.created_ms),
  updated: time(model.updated_ms),
  artifact_uri: model.artifact_uri,
  params: model.params,
  tags: model.tags,
  metrics: model.metrics.map(metricReply),
})

export const experimentReply = (experiment: Experiment, counts: RunCounts) => ({
  experiment_id: experiment.experiment_id,
  name: experiment.name,
  artifact_location: experiment.artifact_location,
  lifecycle: experiment.lifecycle,
  created: time(experiment.created_ms),
  updated: time(experiment.updated_ms),
  tags: experiment.tags,
  runs: {
    active: counts.active,
    deleted: counts.deleted,
    running: counts.running,
    last_started: counts.last_started_ms === null ? null : anyTime(counts.last_started_ms),
  },
})

export const tagValue = (tags: readonly KeyValue[], key: string): string | null =>
  tags.find((tag) => tag.key === key)?.value ?? null
