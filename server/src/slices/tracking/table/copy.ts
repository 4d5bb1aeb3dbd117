import { DomainError } from '#kernel/errors.ts'
import { recordEvent } from '#kernel/events/record.ts'
import type { Tx } from '#kernel/store/index.ts'
import { pathOfUri } from '../artifact-paths.ts'
import { runCreated } from '../events.ts'
import { allIn, insertMany } from '../lists.ts'
import { copyRunPoints, countRunPoints } from '../metrics/copy.ts'
import type { Stamp } from '../model.ts'
import { STEP_RUN_TAG } from '../run-commands.ts'
import { artifactUriOf, type RunRow } from '../run-rows.ts'
import { chosenRuns, rehomeInputs, targetOf } from './move.ts'

export const COPIED_FROM_TAG = 'slipway.copied_from'
const PARENT_TAG = 'mlflow.parentRunId'

/** What one call may copy: it is one transaction, and others wait for it. */
const FILES_MAX = 5_000
const POINTS_MAX = 300_000

export interface CopyRuns extends Omit<Stamp, 'event_id'> {
  to_experiment: string
  /** The new ids are drawn by the caller. */
  runs: { from: string; run_id: string; event_id: string }[]
}

export interface CopiedRuns {
  experiment_id: string
  runs: { from: string; run_id: string }[]
}

const tooMuch = (what: string, most: number) =>
  new DomainError('too-large', `these runs have more than ${most} ${what} together`, {
    field: 'run_ids',
    remedy: 'Copy fewer runs at once.',
  })

/**
 * Copies runs with all that was logged to them. Files are not stored twice: the copies name the same bytes. A copy among
 * whose siblings its parent is copied too becomes a child of that copy.
 */
export async function copyRuns(tx: Tx, input: CopyRuns): Promise<CopiedRuns> {
  const { who } = input
  const target = await targetOf(tx, who.workspace, input.to_experiment)
  const rows = await chosenRuns(
    tx,
    who.workspace,
    input.runs.map(({ from }) => from),
  )
  await refuseTooMuch(tx, rows)
  const drawn = new Map(input.runs.map((each) => [each.from, each]))
  let files = 0
  for (const row of rows) {
    const { run_id, event_id } = drawn.get(row.run_id)!
    const source_uri = row.artifact_uri ?? artifactUriOf(row.artifact_location, row.run_id)
    const own_uri = artifactUriOf(target.artifact_location, run_id)
    // Files elsewhere cannot be copied from here: the copy names the same place.
    const here = pathOfUri(source_uri) !== undefined && pathOfUri(own_uri) !== undefined
    const made = await tx.get<{ run_key: number }>(
      `INSERT INTO run (workspace, run_id, experiment, name, user_id, status, start_ms, end_ms, lifecycle, deleted_with_experiment, artifact_uri)
       SELECT workspace, CAST(? AS TEXT), CAST(? AS INTEGER), name, user_id, status, start_ms, end_ms, 'active', 0, CAST(? AS TEXT)
       FROM run WHERE run_key = ? RETURNING run_key`,
      [run_id, target.experiment, here ? null : source_uri, row.run_key],
    )
    const run_key = made!.run_key
    await copyRows(tx, row.run_key, run_key)
    await copyTags(tx, row, run_key, (id) => drawn.get(id)?.run_id)
    await rehomeInputs(tx, row.run_key, run_key, target.experiment)
    if (here) files += await copyFiles(tx, who.workspace, pathOfUri(source_uri)!, pathOfUri(own_uri)!, input.now_ms)
    if (files > FILES_MAX) throw tooMuch('files', FILES_MAX)
    await recordEvent(tx, runCreated, {
      id: event_id,
      at_ms: input.now_ms,
      who,
      subject: { kind: 'run', id: run_id },
      after: { run_id, experiment_id: String(target.experiment), name: row.name, status: row.status },
      reason: `copied from run ${row.run_id}`,
      edges: [{ from: { kind: 'run', id: row.run_id }, to: { kind: 'run', id: run_id }, relation: 'copied-to' }],
    })
  }
  return {
    experiment_id: String(target.experiment),
    runs: rows.map((row) => ({ from: row.run_id, run_id: drawn.get(row.run_id)!.run_id })),
  }
}

async function refuseTooMuch(tx: Tx, rows: readonly RunRow[]): Promise<void> {
  let points = 0
  for (const { run_key } of rows) {
    points += await countRunPoints(tx, run_key, POINTS_MAX + 1)
    if (points > POINTS_MAX) throw tooMuch('metric points', POINTS_MAX)
  }
}

async function copyRows(tx: Tx, from: number, to: number): Promise<void> {
  await tx.run(
    'INSERT INTO run_param (run_key, key, value) SELECT CAST(? AS INTEGER), key, value FROM run_param WHERE run_key = ?',
    [to, from],
  )
  await tx.run(
    `INSERT INTO run_metric (run_key, key, step, at_ms, value, is_nan)
     SELECT CAST(? AS INTEGER), key, step, at_ms, value, is_nan FROM run_metric WHERE run_key = ?`,
    [to, from],
  )
  await copyRunPoints(tx, from, to)
  await tx.run(
    `INSERT INTO run_model (run_key, direction, model_id, step, position)
     SELECT CAST(? AS INTEGER), direction, model_id, step, position FROM run_model WHERE run_key = ?`,
    [to, from],
  )
}

async function copyTags(tx: Tx, from: RunRow, to: number, copyOf: (id: string) => string | undefined): Promise<void> {
  const tags = await tx.all<{ key: string; value: string }>('SELECT key, value FROM run_tag WHERE run_key = ?', [
    from.run_key,
  ])
  const kept = new Map(tags.map(({ key, value }) => [key, value]))
  // The copy is no work of that step.
  kept.delete(STEP_RUN_TAG)
  const parent = kept.get(PARENT_TAG)
  if (parent !== undefined) kept.set(PARENT_TAG, copyOf(parent) ?? parent)
  kept.set(COPIED_FROM_TAG, from.run_id)
  await insertMany(
    tx,
    'run_tag (run_key, key, value)',
    [...kept].map(([key, value]) => [to, key, value]),
  )
}

/** The tree below one folder again below another, folder by folder. Answers how many files it has. */
async function copyFiles(tx: Tx, workspace: string, from: string, to: string, now_ms: number): Promise<number> {
  const parts = to.split('/')
  for (const [depth, name] of parts.entries()) {
    await tx.run('INSERT INTO artifact_folder (workspace, parent, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
      workspace,
      parts.slice(0, depth).join('/'),
      name,
    ])
  }
  let files = 0
  let level = [from]
  while (level.length > 0) {
    for (const folder of level) {
      const copy = `${to}${folder.slice(from.length)}`
      const copied = await tx.run(
        `INSERT INTO artifact_file (workspace, folder, name, digest, size_bytes, modified_ms)
         SELECT workspace, CAST(? AS TEXT), name, digest, size_bytes, CAST(? AS INTEGER)
         FROM artifact_file WHERE workspace = ? AND folder = ? ON CONFLICT DO NOTHING`,
        [copy, now_ms, workspace, folder],
      )
      await tx.run(
        `INSERT INTO artifact_folder (workspace, parent, name)
         SELECT workspace, CAST(? AS TEXT), name FROM artifact_folder WHERE workspace = ? AND parent = ? ON CONFLICT DO NOTHING`,
        [copy, workspace, folder],
      )
      files += copied.changes
      if (files > FILES_MAX) return files
    }
    const below = await allIn<{ parent: string; name: string }>(
      tx,
      'SELECT parent, name FROM artifact_folder WHERE workspace = ? AND parent IN',
      [workspace],
      level,
    )
    level = below.map(({ parent, name }) => `${parent}/${name}`)
  }
  return files
}
