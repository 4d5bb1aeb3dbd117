import { invalid } from '#kernel/errors.ts'
import type { Tx } from '#kernel/store/index.ts'
import { checkBatch, checkMetric } from './checks.ts'
import { columnsOf } from './metrics/forms.ts'
import { byColumn, writePoint, writePoints } from './metrics/write.ts'
import type { KeyValue, MetricColumns, MetricInput, Stamp } from './model.ts'
import { mustFindModel } from './model-rows.ts'
import { activeRun, amend, openRun, writeParams, writeTags } from './run-commands.ts'

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
    const [value, is_nan] = columnsOf(metric.value)
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
  await writePoint(tx, run.run_key, metric)
  if (metric.model_id) await writeModelMetrics(tx, workspace, run_id, [metric])
}

export interface LogBatch extends Stamp {
  run_id: string
  metrics: MetricInput[]
  /** More points, those that are of no logged model. */
  columns?: MetricColumns
  params: KeyValue[]
  tags: KeyValue[]
}

/** All of it or nothing. */
export async function logBatch(tx: Tx, input: LogBatch): Promise<void> {
  const { params, tags } = checkBatch(input)
  const { workspace } = input.who
  const tagsAlone = params.length === 0 && input.metrics.length === 0 && !input.columns
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
  if (input.columns) await writePoints(tx, run.run_key, input.columns)
  if (input.metrics.length > 0) {
    await writePoints(tx, run.run_key, byColumn(input.metrics))
    await writeModelMetrics(tx, workspace, input.run_id, input.metrics)
  }
  const amendment = tags.length === 0 ? {} : await writeTags(tx, run, tags)
  await amend(tx, run, input, { ...amendment, params: added })
}
