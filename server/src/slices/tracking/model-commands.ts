import { invalid, notFound } from '#kernel/errors.ts'
import { recordEvent } from '#kernel/events/record.ts'
import type { Tx } from '#kernel/store/index.ts'
import { checkDatasetInput, checkLoggedModelName, checkParam, checkTag } from './checks.ts'
import { loggedModelFinalised } from './events.ts'
import { mustBeActive, mustFindExperiment } from './experiment-rows.ts'
import { refuseIfHeld } from './held.ts'
import { LIMITS } from './limits.ts'
import type { DatasetInput, Integer, KeyValue, LoggedModel, ModelStatus, Stamp } from './model.ts'
import { fillModels, findModel, type ModelRow, mustFindModel } from './model-rows.ts'
import { openRun } from './run-commands.ts'

export interface CreateModel extends Stamp {
  /** Drawn by the caller: `m-` and 32 hex digits. */
  model_id: string
  random_name: string
  experiment_id: string
  name?: string
  model_type?: string
  source_run_id?: string
  params: KeyValue[]
  tags: KeyValue[]
}

const whole = async (tx: Tx, row: ModelRow): Promise<LoggedModel> => (await fillModels(tx, [row]))[0]!

export async function createModel(tx: Tx, input: CreateModel): Promise<LoggedModel> {
  const { workspace } = input.who
  if (input.name !== undefined) checkLoggedModelName(input.name)
  const experiment = await mustFindExperiment(tx, workspace, input.experiment_id)
  mustBeActive(experiment)
  const made = await tx.get<{ model_key: number }>(
    `INSERT INTO logged_model (workspace, model_id, experiment, name, model_type, source_run_id, status, created_ms, updated_ms, lifecycle)
     VALUES (?, ?, ?, ?, ?, ?, 'PENDING', ?, ?, 'active') RETURNING model_key`,
    [
      workspace,
      input.model_id,
      experiment.experiment,
      input.name ?? input.random_name,
      input.model_type ?? '',
      input.source_run_id ?? '',
      input.now_ms,
      input.now_ms,
    ],
  )
  await putModelParams(tx, made!.model_key, input.params)
  await putModelTags(tx, made!.model_key, input.tags)
  return await whole(tx, await mustFindModel(tx, workspace, input.model_id))
}

async function putModelParams(tx: Tx, model_key: number, params: readonly KeyValue[]): Promise<void> {
  refuseTooMany('params', params.length)
  for (const [index, given] of params.entries()) {
    const param = checkParam(given, `params[${index}]`)
    await tx.run(
      `INSERT INTO logged_model_param (model_key, key, value) VALUES (?, ?, ?)
       ON CONFLICT (model_key, key) DO UPDATE SET value = excluded.value`,
      [model_key, param.key, param.value],
    )
  }
}

async function putModelTags(tx: Tx, model_key: number, tags: readonly KeyValue[]): Promise<void> {
  refuseTooMany('tags', tags.length)
  for (const [index, given] of tags.entries()) {
    const tag = checkTag(given, `tags[${index}]`)
    await tx.run(
      `INSERT INTO logged_model_tag (model_key, key, value) VALUES (?, ?, ?)
       ON CONFLICT (model_key, key) DO UPDATE SET value = excluded.value`,
      [model_key, tag.key, tag.value],
    )
  }
}

function refuseTooMany(field: string, count: number): void {
  if (count > LIMITS.batch_entities) {
    throw invalid(`A request can contain at most ${LIMITS.batch_entities} ${field}. Got ${count} ${field}.`, { field })
  }
}

export interface ModelParams extends Stamp {
  model_id: string
  params: KeyValue[]
}

export async function logModelParams(tx: Tx, input: ModelParams): Promise<void> {
  const model = await mustFindModel(tx, input.who.workspace, input.model_id)
  if (model.status !== 'PENDING') await refuseIfHeld(tx, input.who.workspace, 'logged-model', input.model_id)
  await putModelParams(tx, model.model_key, input.params)
}

export interface ModelTags extends Stamp {
  model_id: string
  tags: KeyValue[]
}

export async function setModelTags(tx: Tx, input: ModelTags): Promise<LoggedModel> {
  const model = await mustFindModel(tx, input.who.workspace, input.model_id)
  await putModelTags(tx, model.model_key, input.tags)
  return await whole(tx, model)
}

export interface DeleteModelTag extends Stamp {
  model_id: string
  key: string
}

export async function deleteModelTag(tx: Tx, input: DeleteModelTag): Promise<void> {
  const model = await mustFindModel(tx, input.who.workspace, input.model_id)
  const { changes } = await tx.run('DELETE FROM logged_model_tag WHERE model_key = ? AND key = ?', [
    model.model_key,
    input.key,
  ])
  if (changes === 0) {
    throw notFound(`No tag with key '${input.key.slice(0, 300)}' found for model with ID '${input.model_id}'.`, {
      field: 'key',
    })
  }
}

export interface FinalizeModel extends Stamp {
  model_id: string
  status: ModelStatus
}

/** Asking twice for one status is finalising once. */
export async function finalizeModel(tx: Tx, input: FinalizeModel): Promise<LoggedModel> {
  const { who, model_id, status } = input
  await tx.lock('logged-model', who.workspace, model_id)
  const model = await mustFindModel(tx, who.workspace, model_id)
  if (status === 'UNSPECIFIED') throw invalid(`Invalid model status: ${status}`, { field: 'status' })
  if (model.status === status) return await whole(tx, model)
  if (model.status !== 'PENDING') await refuseIfHeld(tx, who.workspace, 'logged-model', model_id)
  await tx.run('UPDATE logged_model SET status = ?, updated_ms = ? WHERE model_key = ?', [
    status,
    input.now_ms,
    model.model_key,
  ])
  await recordEvent(tx, loggedModelFinalised, {
    id: input.event_id,
    at_ms: input.now_ms,
    who,
    subject: { kind: 'logged-model', id: model_id },
    before: { status: model.status },
    after: {
      model_id,
      experiment_id: String(model.experiment),
      name: model.name,
      source_run_id: model.source_run_id,
      status,
    },
    ...(model.source_run_id !== '' && {
      edges: [
        {
          from: { kind: 'run', id: model.source_run_id },
          to: { kind: 'logged-model', id: model_id },
          relation: 'output',
        },
      ],
    }),
  })
  return await whole(tx, { ...model, status, updated_ms: input.now_ms })
}

export interface LogInputs extends Stamp {
  run_id: string
  datasets: DatasetInput[]
  models: string[]
}

/** The same dataset of an experiment (name, digest) is one; the same input logged again takes new tags alone. */
export async function logInputs(tx: Tx, input: LogInputs): Promise<void> {
  const { workspace } = input.who
  refuseTooMany('datasets', input.datasets.length)
  for (const [index, each] of input.datasets.entries()) checkDatasetInput(each, `datasets[${index}]`)
  const run = await openRun(tx, workspace, input.run_id)
  for (const [position, { dataset, tags }] of input.datasets.entries()) {
    const dataset_key = await putDataset(tx, workspace, run.experiment, dataset)
    await tx.run('INSERT INTO run_input (run_key, dataset_key, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
      run.run_key,
      dataset_key,
      input.now_ms + position,
    ])
    for (const tag of tags) {
      await tx.run(
        `INSERT INTO run_input_tag (run_key, dataset_key, key, value) VALUES (?, ?, ?, ?)
         ON CONFLICT (run_key, dataset_key, key) DO UPDATE SET value = excluded.value`,
        [run.run_key, dataset_key, tag.key, tag.value],
      )
    }
  }
  await putRunModels(
    tx,
    input,
    run.run_key,
    'input',
    input.models.map((model_id) => ({ model_id, step: 0 })),
  )
}

export async function putDataset(
  tx: Tx,
  workspace: string,
  experiment: number,
  dataset: DatasetInput['dataset'],
): Promise<Integer> {
  const made = await tx.get<{ dataset_key: Integer }>(
    `INSERT INTO input_dataset (workspace, experiment, name, digest, source_type, source, schema_text, profile_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment, name, digest) DO NOTHING RETURNING dataset_key`,
    [
      workspace,
      experiment,
      dataset.name,
      dataset.digest,
      dataset.source_type,
      dataset.source,
      dataset.schema ?? null,
      dataset.profile ?? null,
    ],
  )
  if (made) return made.dataset_key
  const there = await tx.get<{ dataset_key: Integer }>(
    'SELECT dataset_key FROM input_dataset WHERE experiment = ? AND name = ? AND digest = ?',
    [experiment, dataset.name, dataset.digest],
  )
  return there!.dataset_key
}

export interface LogOutputs extends Stamp {
  run_id: string
  models: { model_id: string; step: Integer }[]
}

export async function logOutputs(tx: Tx, input: LogOutputs): Promise<void> {
  const run = await openRun(tx, input.who.workspace, input.run_id)
  await putRunModels(tx, input, run.run_key, 'output', input.models)
}

async function putRunModels(
  tx: Tx,
  stamp: Stamp,
  run_key: number,
  direction: 'input' | 'output',
  models: readonly { model_id: string; step: Integer }[],
): Promise<void> {
  refuseTooMany('models', models.length)
  for (const [index, { model_id, step }] of models.entries()) {
    if (!(await findModel(tx, stamp.who.workspace, model_id))) {
      throw notFound(`Logged model with ID '${model_id.slice(0, 300)}' not found.`, {
        field: `models[${index}].model_id`,
      })
    }
    await tx.run(
      `INSERT INTO run_model (run_key, direction, model_id, step, position) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (run_key, direction, model_id) DO UPDATE SET step = excluded.step`,
      [run_key, direction, model_id, step, stamp.now_ms + index],
    )
  }
}
