/** Runs that go to another experiment: moved with their history, or copied under new ids. */
import { invalid } from '#kernel/errors.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { runMoved } from '../events.ts'
import { type ExperimentRow, mustBeActive, mustFindExperiment } from '../experiment-rows.ts'
import { allIn } from '../lists.ts'
import { artifactUriOf, RUN_COLUMNS, type RunRow, runNotFound } from '../run-rows.ts'

export interface MoveAsk {
  run_ids: readonly string[]
  to_experiment: string
}

/** The active runs of these ids, each once, in the order asked for. Throws not-found for unknown ones, invalid for deleted ones. */
export async function chosenRuns(tx: Tx, workspace: string, run_ids: readonly string[]): Promise<RunRow[]> {
  const ids = [...new Set(run_ids)]
  const rows = await allIn<RunRow>(
    tx,
    `SELECT ${RUN_COLUMNS} FROM run r JOIN experiment e ON e.experiment = r.experiment
     WHERE r.workspace = ? AND r.run_id IN`,
    [workspace],
    ids,
  )
  const found = new Map(rows.map((row) => [row.run_id, row]))
  return ids.map((id) => {
    const row = found.get(id)
    if (!row) throw runNotFound(id)
    if (row.lifecycle !== 'active') {
      throw invalid(`run ${id} is deleted`, { field: 'run_ids', remedy: 'Restore it first, or leave it out.' })
    }
    return row
  })
}

export async function targetOf(tx: Tx, workspace: string, experiment_id: string): Promise<ExperimentRow> {
  const target = await mustFindExperiment(tx, workspace, experiment_id)
  mustBeActive(target)
  return target
}

/**
 * Moves runs into an experiment: params, metrics, tags and inputs go along, artifacts stay where they lie and the run
 * keeps naming them. Throws conflict when a hold names one of them. Answers how many were elsewhere before.
 */
export async function moveRuns(
  tx: Tx,
  who: Who,
  ask: MoveAsk,
  { events, holds }: { events: Pick<Events, 'record'>; holds: Pick<Holds, 'refuseIfHeld'> },
): Promise<{ moved: number; experiment_id: string }> {
  const { workspace } = who
  for (const id of [...new Set(ask.run_ids)].sort()) await tx.lock('run', workspace, id)
  const target = await targetOf(tx, workspace, ask.to_experiment)
  const runs = (await chosenRuns(tx, workspace, ask.run_ids)).filter((run) => run.experiment !== target.experiment)
  await holds.refuseIfHeld(
    tx,
    workspace,
    runs.map(({ run_id }) => ({ kind: 'run', id: run_id })),
    `move ${runs.length === 1 ? `run ${runs[0]!.run_id}` : `${runs.length} runs`} to experiment '${target.name}'`,
  )
  for (const run of runs) {
    const artifact_uri = run.artifact_uri ?? artifactUriOf(run.artifact_location, run.run_id)
    await tx.run('UPDATE run SET experiment = ?, artifact_uri = ? WHERE run_key = ?', [
      target.experiment,
      artifact_uri,
      run.run_key,
    ])
    await rehomeInputs(tx, run.run_key, run.run_key, target.experiment)
    await events.record(tx, runMoved, {
      who,
      subject: { kind: 'run', id: run.run_id },
      before: { experiment_id: String(run.experiment) },
      after: { run_id: run.run_id, experiment_id: String(target.experiment), name: run.name, status: run.status },
    })
  }
  return { moved: runs.length, experiment_id: String(target.experiment) }
}

/** A dataset row belongs to one experiment: the inputs of `from` become inputs of `to`, by rows of the new experiment. */
export async function rehomeInputs(tx: Tx, from: number, to: number, experiment: number): Promise<void> {
  const inputs = await tx.all<{ dataset_key: number; name: string; digest: string }>(
    `SELECT i.dataset_key, d.name, d.digest FROM run_input i JOIN input_dataset d ON d.dataset_key = i.dataset_key
     WHERE i.run_key = ? ORDER BY i.position`,
    [from],
  )
  for (const { dataset_key, name, digest } of inputs) {
    await tx.run(
      `INSERT INTO input_dataset (workspace, experiment, name, digest, source_type, source, schema_text, profile_text)
       SELECT workspace, CAST(? AS INTEGER), name, digest, source_type, source, schema_text, profile_text
       FROM input_dataset WHERE dataset_key = ? ON CONFLICT DO NOTHING`,
      [experiment, dataset_key],
    )
    const own = await tx.get<{ dataset_key: number }>(
      'SELECT dataset_key FROM input_dataset WHERE experiment = ? AND name = ? AND digest = ?',
      [experiment, name, digest],
    )
    if (own!.dataset_key === dataset_key && from === to) continue
    await tx.run(
      `INSERT INTO run_input (run_key, dataset_key, position)
       SELECT CAST(? AS INTEGER), CAST(? AS INTEGER), position FROM run_input WHERE run_key = ? AND dataset_key = ?
       ON CONFLICT DO NOTHING`,
      [to, own!.dataset_key, from, dataset_key],
    )
    await tx.run(
      `INSERT INTO run_input_tag (run_key, dataset_key, key, value)
       SELECT CAST(? AS INTEGER), CAST(? AS INTEGER), key, value FROM run_input_tag WHERE run_key = ? AND dataset_key = ?
       ON CONFLICT DO NOTHING`,
      [to, own!.dataset_key, from, dataset_key],
    )
    if (from === to) await tx.run('DELETE FROM run_input WHERE run_key = ? AND dataset_key = ?', [from, dataset_key])
  }
}
