import { invalid } from '#kernel/errors.ts'
import { recordEvent } from '#kernel/events/record.ts'
import type { Tx } from '#kernel/store/index.ts'
import { loggedModelFinalised } from '../events.ts'
import { mustFindExperiment } from '../experiment-rows.ts'
import { refuseIfHeld } from '../held.ts'
import { insertMany } from '../lists.ts'
import { columnsOf } from '../metrics/forms.ts'
import type { Stamp } from '../model.ts'
import { findModel, type ModelRow } from '../model-rows.ts'
import type { ImportedModel } from './model.ts'

export interface ImportModels extends Stamp {
  experiment_id: string
  models: ImportedModel[]
  /** Drawn by the caller: one for each model. */
  event_ids: string[]
}

/** Makes logged models or brings them up to date; they keep their ids. */
export async function importModels(tx: Tx, input: ImportModels): Promise<{ created: string[] }> {
  const { workspace } = input.who
  const { experiment } = await mustFindExperiment(tx, workspace, input.experiment_id)
  const created: string[] = []
  for (const [index, model] of input.models.entries()) {
    await tx.lock('logged-model', workspace, model.model_id)
    const before = await findModel(tx, workspace, model.model_id)
    if (!before) created.push(model.model_id)
    const model_key = before
      ? await bringUp(tx, workspace, before, model)
      : await make(tx, workspace, experiment, model)
    await putParts(tx, model_key, model)
    if (!before && model.status === 'READY') await tell(tx, input, index, experiment)
  }
  return { created }
}

async function tell(tx: Tx, input: ImportModels, index: number, experiment: number): Promise<void> {
  const { model_id, name, source_run_id, status } = input.models[index]!
  await recordEvent(tx, loggedModelFinalised, {
    id: input.event_ids[index]!,
    at_ms: input.now_ms,
    who: input.who,
    subject: { kind: 'logged-model', id: model_id },
    after: { model_id, experiment_id: String(experiment), name, source_run_id, status },
    ...(source_run_id !== '' && {
      edges: [
        {
          from: { kind: 'run', id: source_run_id },
          to: { kind: 'logged-model', id: model_id },
          relation: 'output',
        },
      ],
    }),
  })
}

async function make(tx: Tx, workspace: string, experiment: number, model: ImportedModel): Promise<number> {
  const made = await tx.get<{ model_key: number }>(
    `INSERT INTO logged_model (workspace, model_id, experiment, name, model_type, source_run_id, status, created_ms, updated_ms, lifecycle)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING model_key`,
    [
      workspace,
      model.model_id,
      experiment,
      model.name,
      model.model_type,
      model.source_run_id,
      model.status,
      model.created_ms,
      model.updated_ms,
      model.lifecycle,
    ],
  )
  return made!.model_key
}

async function bringUp(tx: Tx, workspace: string, before: ModelRow, model: ImportedModel): Promise<number> {
  const moved = model.lifecycle_before !== undefined && model.lifecycle_before !== model.lifecycle
  const lifecycle = moved ? model.lifecycle : before.lifecycle
  if (before.status === model.status && before.updated_ms === model.updated_ms && before.lifecycle === lifecycle)
    return before.model_key
  if (before.status !== 'PENDING' && before.status !== model.status)
    await refuseIfHeld(tx, workspace, 'logged-model', model.model_id)
  await tx.run('UPDATE logged_model SET status = ?, updated_ms = ?, lifecycle = ? WHERE model_key = ?', [
    model.status,
    model.updated_ms,
    lifecycle,
    before.model_key,
  ])
  return before.model_key
}

async function putParts(tx: Tx, model_key: number, model: ImportedModel): Promise<void> {
  for (const [table, pairs] of [
    ['logged_model_param', model.params],
    ['logged_model_tag', model.tags],
  ] as const) {
    if (new Set(pairs.map(({ key }) => key)).size !== pairs.length)
      throw invalid('a key stands twice', { field: table === 'logged_model_tag' ? 'tags' : 'params' })
    await insertMany(
      tx,
      `${table} (model_key, key, value)`,
      pairs.map(({ key, value }) => [model_key, key, value]),
      'ON CONFLICT (model_key, key) DO UPDATE SET value = excluded.value',
    )
  }
  for (const key of model.gone_tags)
    await tx.run('DELETE FROM logged_model_tag WHERE model_key = ? AND key = ?', [model_key, key])
  const metrics = new Map(
    model.metrics.map((metric) => [
      [metric.key, metric.at_ms, metric.step, metric.run_id, metric.dataset_name, metric.dataset_digest].join('\n'),
      metric,
    ]),
  )
  await insertMany(
    tx,
    'logged_model_metric (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest, value, is_nan)',
    [...metrics.values()].map((metric) => [
      model_key,
      metric.key,
      metric.at_ms,
      metric.step,
      metric.run_id,
      metric.dataset_name,
      metric.dataset_digest,
      ...columnsOf(metric.value),
    ]),
    `ON CONFLICT (model_key, key, at_ms, step, run_id, dataset_name, dataset_digest)
     DO UPDATE SET value = excluded.value, is_nan = excluded.is_nan`,
  )
}
