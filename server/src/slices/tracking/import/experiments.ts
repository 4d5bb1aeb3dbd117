import { DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { type ExperimentRow, findExperiment, findExperimentByName } from '../experiment-rows.ts'
import type { ExperimentChanges } from '../experiments.ts'
import { insertMany } from '../lists.ts'
import { putMarks, readMark } from './marks.ts'
import type { ImportedExperiment } from './model.ts'

export interface ExperimentTaken {
  experiment_id: string
  /** It was here before, under the same name. */
  merged: boolean
  artifact_location: string
}

interface Known {
  id: string
  merged: boolean
  lifecycle: string
  name: string
}

const itemOf = (source_id: string) => `experiment/${source_id}`

/**
 * The experiment here that one of a source's is: the one it was the last time, else the one of the same name, else a new one.
 * An experiment that was here before keeps its location and whether it is deleted, and its own value of a tag that both have.
 */
export async function importExperiment(
  changes: Pick<ExperimentChanges, 'createExperiment' | 'renameExperiment' | 'deleteExperiment' | 'restoreExperiment'>,
  tx: Tx,
  who: Who,
  given: ImportedExperiment,
): Promise<ExperimentTaken> {
  const { workspace } = who
  await tx.lock('import', workspace, given.source, itemOf(given.source_id))
  const text = await readMark(tx, workspace, given.source, itemOf(given.source_id))
  const known = text === undefined ? undefined : (JSON.parse(text) as Known)
  let row = known && (await findExperiment(tx, workspace, known.id))
  let merged = known?.merged ?? false
  if (!row) {
    await tx.lock('experiment', workspace, given.name)
    row = await findExperimentByName(tx, workspace, given.name)
    merged = row !== undefined
    if (row?.lifecycle === 'deleted' && given.lifecycle === 'active')
      throw new DomainError('conflict', `experiment '${given.name}' is deleted here`, {
        field: 'name',
        remedy: 'Restore it, or leave the experiment out of the import.',
      })
  }
  if (!row) {
    const id = await changes.createExperiment(tx, who, {
      name: given.name,
      tags: [],
      ...(given.artifact_location !== undefined && { artifact_location: given.artifact_location }),
    })
    row = (await findExperiment(tx, workspace, id))!
  }
  const id = String(row.experiment)
  await putTags(tx, row, given.tags, merged)
  if (!merged) await follow(changes, tx, who, row, given, known)
  const mark: Known = { id, merged, lifecycle: given.lifecycle, name: given.name }
  await putMarks(tx, {
    workspace,
    source: given.source,
    marks: [{ item: itemOf(given.source_id), mark: JSON.stringify(mark) }],
  })
  return { experiment_id: id, merged, artifact_location: row.artifact_location }
}

async function putTags(tx: Tx, row: ExperimentRow, tags: ImportedExperiment['tags'], merged: boolean): Promise<void> {
  await insertMany(
    tx,
    'experiment_tag (experiment, key, value)',
    tags.map(({ key, value }) => [row.experiment, key, value]),
    `ON CONFLICT (experiment, key) DO ${merged ? 'NOTHING' : 'UPDATE SET value = excluded.value'}`,
  )
}

/** What changed at the source since the last time changes here; what was changed here alone stays. */
async function follow(
  changes: Pick<ExperimentChanges, 'renameExperiment' | 'deleteExperiment' | 'restoreExperiment'>,
  tx: Tx,
  who: Who,
  row: ExperimentRow,
  given: ImportedExperiment,
  known: Known | undefined,
): Promise<void> {
  const id = String(row.experiment)
  const restored = known?.lifecycle === 'deleted' && given.lifecycle === 'active'
  if (restored && row.lifecycle === 'deleted') await changes.restoreExperiment(tx, who, id)
  if (known && known.name !== given.name && row.name === known.name)
    await changes.renameExperiment(tx, who, id, given.name)
  if (given.lifecycle === 'deleted' && known?.lifecycle !== 'deleted' && row.lifecycle === 'active')
    await changes.deleteExperiment(tx, who, id)
  await tx.run('UPDATE experiment SET created_ms = ?, updated_ms = ? WHERE experiment = ?', [
    given.created_ms || row.created_ms,
    given.updated_ms || given.created_ms || row.updated_ms,
    row.experiment,
  ])
}
