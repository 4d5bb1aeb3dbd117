import { invalid } from '#kernel/errors.ts'
import type { Tx } from '#kernel/store/index.ts'
import { checkBatch, checkMetric } from './checks.ts'
import { insertMany } from './lists.ts'
import type { Integer, KeyValue, MetricInput, Stamp } from './model.ts'
import { mustFindModel } from './model-rows.ts'
import { activeRun, amend, openRun, writeParams, writeTags } from './run-commands.ts'

const DOUBLE_MAX = Number.MAX_VALUE

interface Stored {
  value: number
  is_nan: 0 | 1
}

/** No database keeps NaN and infinities alike: NaN is marked, infinities are the greatest doubles, as in MLflow. */
function stored(value: number): Stored {
  if (Number.isNaN(value)) return { value: 0, is_nan: 1 }
  return { value: Math.max(-DOUBLE_MAX, Math.min(DOUBLE_MAX, value)), is_nan: 0 }
}

const isLater = (a: MetricInput, b: MetricInput): boolean => {
  if (a.step !== b.step) return a.step > b.step
  if (a.timestamp_ms !== b.timestamp_ms) return a.timestamp_ms > b.timestamp_ms
  return stored(a.value).value > stored(b.value).value
}

const PUT_LATEST = `INSERT INTO run_metric (run_key, key, step, at_ms, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (run_key, key) DO UPDATE SET
    step = excluded.step, at_ms = excluded.at_ms, value = excluded.value, is_nan = excluded.is_nan
  WHERE (excluded.step, excluded.at_ms, excluded.value) > (run_metric.step, run_metric.at_ms, run_metric.value)
  RETURNING series`

/** The series of a key, whose latest point is `point` unless a later one is there. */
async function putLatest(tx: Tx, run_key: number, point: MetricInput): Promise<Integer> {
  const { value, is_nan } = stored(point.value)
  const put = await tx.get<{ series: Integer }>(PUT_LATEST, [
    run_key,
    point.key,
    point.step,
    point.timestamp_ms,
    value,
    is_nan,
  ])
  if (put) return put.series
  const there = await tx.get<{ series: Integer }>('SELECT series FROM run_metric WHERE run_key = ? AND key = ?', [
    run_key,
    point.key,
  ])
  return there!.series
}

async function writeMetrics(tx: Tx, run_key: number, metrics: readonly MetricInput[]): Promise<void> {
  const latest = new Map<string, MetricInput>()
  for (const metric of metrics) {
    const before = latest.get(metric.key)
    if (!before || isLater(metric, before)) latest.set(metric.key, metric)
  }
  const series = new Map<string, Integer>()
  for (const [key, metric] of latest) series.set(key, await putLatest(tx, run_key, metric))
  await insertMany(
    tx,
    'metric_point (series, step, at_ms, value, is_nan)',
    metrics.map((metric) => {
      const { value, is_nan } = stored(metric.value)
      return [series.get(metric.key)!, metric.step, metric.timestamp_ms, value, is_nan]
    }),
    'ON CONFLICT DO NOTHING',
  )
}

/** Those that name a logged model are kept for the model as well. */
async function writeModelMetrics(
  tx: Tx,
  workspace: string,
  run_id: string,
  metrics: readonly MetricInput[],
): Promise<void> {
  const keys = new Map<string, number>()
  for (const metric of metrics) {
    if (!metric.model_id) continue
    let model_key = keys.get(metric.model_id)
    if (model_key === undefined) {
      model_key = (await mustFindModel(tx, workspace, metric.model_id)).model_key
      keys.set(metric.model_id, model_key)
    }
    const dataset_name = metric.dataset_name ?? ''
    if (Buffer.byteLength(metric.key) + Buffer.byteLength(dataset_name) > 1800) {
      throw invalid('the metric key and the dataset name are longer than 1800 bytes together', {
        field: 'dataset_name',
      })
    }
    const { value, is_nan } = stored(metric.value)
    await tx.run(
      `INSERT INTO logged_model_metric (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest, value, is_nan)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest)
       DO UPDATE SET value = excluded.value, is_nan = excluded.is_nan`,
      [
        model_key,
        metric.key,
        metric.timestamp_ms,
        metric.step,
        run_id,
        dataset_name,
        metric.dataset_digest ?? '',
        value,
        is_nan,
      ],
    )
  }
}

export interface LogMetric {
  workspace: string
  run_id: string
  metric: MetricInput
}

export async function logMetric(tx: Tx, { workspace, run_id, metric }: LogMetric): Promise<void> {
  checkMetric(metric)
  const run = await openRun(tx, workspace, run_id)
  await writeMetrics(tx, run.run_key, [metric])
  if (metric.model_id) await writeModelMetrics(tx, workspace, run_id, [metric])
}

export interface LogBatch extends Stamp {
  run_id: string
  metrics: MetricInput[]
  params: KeyValue[]
  tags: KeyValue[]
}

/** All of it or nothing. */
export async function logBatch(tx: Tx, input: LogBatch): Promise<void> {
  const { params, tags } = checkBatch(input)
  const { workspace } = input.who
  const tagsAlone = params.length === 0 && input.metrics.length === 0
  const run = await (tagsAlone ? activeRun : openRun)(tx, workspace, input.run_id)
  const added =
    params.length === 0
      ? []
      : await writeParams(tx, run, params, (changed) => {
          const list = changed.map(
            ({ key, old_value, new_value }) =>
              `{'key': '${key}', 'old_value': '${old_value}', 'new_value': '${new_value}'}`,
          )
          return invalid(
            `Changing param values is not allowed. Params were already logged='[${list.join(', ')}]' for run ID='${input.run_id}'.`,
            { field: 'params' },
          )
        })
  if (input.metrics.length > 0) {
    await writeMetrics(tx, run.run_key, input.metrics)
    await writeModelMetrics(tx, workspace, input.run_id, input.metrics)
  }
  const amendment = tags.length === 0 ? {} : await writeTags(tx, run, tags)
  await amend(tx, run, input, { ...amendment, params: added })
}
