import { invalid } from '#kernel/errors.ts'
import { recordEvent } from '#kernel/events/record.ts'
import type { Tx } from '#kernel/store/index.ts'
import { runEnded, runsImported } from '../events.ts'
import { mustFindExperiment } from '../experiment-rows.ts'
import { refuseIfHeld } from '../held.ts'
import { insertMany } from '../lists.ts'
import { noteEnded } from '../metrics/unsealed.ts'
import { isEnded, type KeyValue, type Lifecycle, type Stamp } from '../model.ts'
import { putDataset } from '../model-commands.ts'
import { findRun, type RunRow } from '../run-rows.ts'
import type { ImportedRun } from './model.ts'

export interface ImportRuns extends Stamp {
  source: string
  experiment_id: string
  runs: ImportedRun[]
  /** Drawn by the caller: one for each run. */
  event_ids: string[]
}

/** Makes or brings up to date; a run keeps its id. Answers those that are new. */
export async function importRuns(tx: Tx, input: ImportRuns): Promise<{ created: string[] }> {
  const { workspace } = input.who
  const { experiment } = await mustFindExperiment(tx, workspace, input.experiment_id)
  const created: string[] = []
  for (const [index, run] of input.runs.entries()) {
    await tx.lock('run', workspace, run.run_id)
    const before = await findRun(tx, workspace, run.run_id)
    const run_key = before ? await bringUp(tx, input, index, before) : await make(tx, workspace, experiment, run)
    if (!before) created.push(run.run_id)
    await putPairs(tx, 'run_param', run_key, run.params, before === undefined)
    await putPairs(tx, 'run_tag', run_key, run.tags, before === undefined)
    for (const key of run.gone_tags) await tx.run('DELETE FROM run_tag WHERE run_key = ? AND key = ?', [run_key, key])
    await putInputs(tx, workspace, before?.experiment ?? experiment, run_key, run)
    if (isEnded(run.status)) noteEnded(run_key)
  }
  if (created.length > 0) {
    await recordEvent(tx, runsImported, {
      id: input.event_id,
      at_ms: input.now_ms,
      who: input.who,
      subject: { kind: 'experiment', id: String(experiment) },
      after: { source: input.source, experiment_id: String(experiment), run_ids: created },
    })
  }
  return { created }
}

async function make(tx: Tx, workspace: string, experiment: number, run: ImportedRun): Promise<number> {
  const made = await tx.get<{ run_key: number }>(
    `INSERT INTO run (workspace, run_id, experiment, name, user_id, status, start_ms, end_ms, lifecycle, deleted_with_experiment, artifact_uri)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) RETURNING run_key`,
    [
      workspace,
      run.run_id,
      experiment,
      run.name,
      run.user_id,
      run.status,
      run.start_ms,
      run.end_ms,
      run.lifecycle,
      run.artifact_uri ?? null,
    ],
  )
  return made!.run_key
}

/** A run deleted here stays deleted: only what changed at the source since the last time is taken over. */
const lifecycleOf = (before: RunRow, run: ImportedRun): Lifecycle =>
  run.lifecycle_before !== undefined && run.lifecycle_before !== run.lifecycle ? run.lifecycle : before.lifecycle

async function bringUp(tx: Tx, input: ImportRuns, index: number, before: RunRow): Promise<number> {
  const run = input.runs[index]!
  const { who } = input
  const lifecycle = lifecycleOf(before, run)
  const same =
    before.name === run.name &&
    before.user_id === run.user_id &&
    before.status === run.status &&
    before.start_ms === run.start_ms &&
    before.end_ms === run.end_ms &&
    before.lifecycle === lifecycle
  if (same) return before.run_key
  if (isEnded(before.status)) await refuseIfHeld(tx, who.workspace, 'run', run.run_id)
  await tx.run(
    `UPDATE run SET name = ?, user_id = ?, status = ?, start_ms = ?, end_ms = ?, lifecycle = ?, deleted_with_experiment = 0
     WHERE run_key = ?`,
    [run.name, run.user_id, run.status, run.start_ms, run.end_ms, lifecycle, before.run_key],
  )
  if (isEnded(run.status) && !isEnded(before.status)) {
    const { run_id, name, status, start_ms, end_ms } = run
    await recordEvent(tx, runEnded, {
      id: input.event_ids[index]!,
      at_ms: input.now_ms,
      who,
      subject: { kind: 'run', id: run_id },
      before: { status: before.status },
      after: { run_id, experiment_id: String(before.experiment), name, status, start_ms, end_ms },
    })
  }
  return before.run_key
}

/** Those that a run has already and that are the same are left alone: each change of one makes the run loose. */
async function putPairs(
  tx: Tx,
  table: 'run_param' | 'run_tag',
  run_key: number,
  pairs: readonly KeyValue[],
  fresh: boolean,
): Promise<void> {
  const unique = new Map(pairs.map(({ key, value }) => [key, value]))
  if (unique.size !== pairs.length)
    throw invalid('a key stands twice', { field: table === 'run_tag' ? 'tags' : 'params' })
  if (!fresh && unique.size > 0) {
    const there = await tx.all<KeyValue>(`SELECT key, value FROM ${table} WHERE run_key = ?`, [run_key])
    for (const { key, value } of there) if (unique.get(key) === value) unique.delete(key)
  }
  await insertMany(
    tx,
    `${table} (run_key, key, value)`,
    [...unique].map(([key, value]) => [run_key, key, value]),
    'ON CONFLICT (run_key, key) DO UPDATE SET value = excluded.value',
  )
}

async function putInputs(
  tx: Tx,
  workspace: string,
  experiment: number,
  run_key: number,
  run: ImportedRun,
): Promise<void> {
  for (const [position, { dataset, tags }] of run.inputs.entries()) {
    const dataset_key = await putDataset(tx, workspace, experiment, dataset)
    await tx.run('INSERT INTO run_input (run_key, dataset_key, position) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
      run_key,
      dataset_key,
      position,
    ])
    await insertMany(
      tx,
      'run_input_tag (run_key, dataset_key, key, value)',
      [...new Map(tags.map((tag) => [tag.key, tag.value]))].map(([key, value]) => [run_key, dataset_key, key, value]),
      'ON CONFLICT (run_key, dataset_key, key) DO UPDATE SET value = excluded.value',
    )
  }
  await insertMany(
    tx,
    'run_model (run_key, direction, model_id, step, position)',
    run.models.map(({ direction, model_id, step }, position) => [run_key, direction, model_id, step, position]),
    'ON CONFLICT (run_key, direction, model_id) DO NOTHING',
  )
}
