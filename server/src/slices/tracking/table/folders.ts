/** Folders of experiments: a path in a tag, so that any client may read and set it. */
import { invalid } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { ExperimentChanges } from '../experiments.ts'

export const FOLDER_TAG = 'slipway.folder'
const DEPTH_MAX = 10
const FOLDERS_MAX = 10_000

/** `team/vision`, without empty, dotted or unprintable parts. Throws invalid. */
export function checkFolder(folder: string): string {
  const parts = folder.split('/').map((part) => part.trim())
  const wrong = parts.some((part) => part === '' || part === '.' || part === '..' || /[\p{Cc}\p{Cf}]/u.test(part))
  if (wrong || parts.length > DEPTH_MAX) {
    throw invalid(`'${folder.slice(0, 200)}' is no folder of experiments`, {
      field: 'folder',
      remedy: `Name up to ${DEPTH_MAX} parts, separated by slashes: team/vision.`,
    })
  }
  return parts.join('/')
}

/** Null takes the experiment out of its folder. */
export async function setExperimentFolder(
  tx: Tx,
  who: Who,
  id: string,
  folder: string | null,
  changes: Pick<ExperimentChanges, 'setExperimentTag' | 'deleteExperimentTag'>,
): Promise<void> {
  if (folder) {
    await changes.setExperimentTag(tx, who, id, { key: FOLDER_TAG, value: checkFolder(folder) })
    return
  }
  const there = await tx.get(
    `SELECT 1 AS found FROM experiment e JOIN experiment_tag t ON t.experiment = e.experiment AND t.key = ?
     WHERE e.workspace = ? AND e.experiment = ?`,
    [FOLDER_TAG, who.workspace, Number(id)],
  )
  if (there) await changes.deleteExperimentTag(tx, who, id, FOLDER_TAG)
}

/** Every folder that holds an active experiment, with how many it holds itself. */
export async function listFolders(sql: Sql, workspace: string): Promise<{ folder: string; experiments: number }[]> {
  const rows = await sql.all<{ folder: string; experiments: number }>(
    `SELECT t.value AS folder, count(*) AS experiments
     FROM experiment e JOIN experiment_tag t ON t.experiment = e.experiment AND t.key = ?
     WHERE e.workspace = ? AND e.lifecycle = 'active' GROUP BY t.value ORDER BY t.value LIMIT ?`,
    [FOLDER_TAG, workspace, FOLDERS_MAX],
  )
  return rows.map(({ folder, experiments }) => ({ folder, experiments: Number(experiments) }))
}

/** A filter of experiments, narrowed to one folder; '' means those in none. */
export function folderFilter(folder: string | undefined, filter: string): string {
  if (folder === undefined) return filter
  const tag = `tags.\`${FOLDER_TAG}\``
  const own = folder === '' ? `${tag} IS NULL` : `${tag} = '${folder.replaceAll("'", "''")}'`
  return filter.trim() === '' ? own : `(${filter}) AND ${own}`
}
