import type { BlobRef } from '#kernel/blobs/index.ts'
import { conflict, invalid, notFound } from '#kernel/errors.ts'
import type { Subject } from '#kernel/events/index.ts'
import type { Holds } from '#kernel/holds/index.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { ownersOfPath, safePath, splitPath } from './artifact-paths.ts'
import { LIMITS } from './limits.ts'
import { allIn } from './lists.ts'
import type { ArtifactEntry, ArtifactFile } from './model.ts'

/** Held things that one delete may touch; beyond, it has to be done in parts. */
const OWNERS_MAX = 500

export type ArtifactAt =
  | { kind: 'file'; digest: string; size_bytes: number; modified_ms: number }
  | { kind: 'folder' }
  | undefined

/** The artifact proxy's tree of one workspace. Paths have gone through `safePath`. */
export interface Artifacts {
  at(sql: Sql, workspace: string, path: string): Promise<ArtifactAt>
  /** What stands directly in a folder, by name; empty for a file or where nothing is. */
  list(sql: Sql, workspace: string, folder: string): Promise<ArtifactEntry[]>
  /** All files below a folder, by path; a file itself answers as `[{ path: '' }]`. */
  filesUnder(sql: Sql, workspace: string, path: string): Promise<ArtifactFile[]>
  /**
   * Puts a file whose bytes are already kept, makes its folders, replaces what was there. Throws invalid when a folder
   * is there or a file in the way, conflict when a hold protects what it would change.
   */
  put(tx: Tx, who: Who, path: string, ref: BlobRef): Promise<void>
  /** Removes a file, or a folder with all inside; nothing there is fine. Throws conflict naming the holders. */
  remove(tx: Tx, who: Who, path: string): Promise<void>
}

interface FileRow {
  name: string
  digest: string
  size_bytes: number
  modified_ms: number
}

/** The folder and all folders below it. The empty look-up lends the parameter the column's collation, as PostgreSQL asks. */
const FOLDERS_UNDER = `WITH RECURSIVE under (path) AS (
  SELECT COALESCE((SELECT name FROM artifact_folder WHERE 1 = 0), CAST(? AS TEXT)) UNION ALL
  SELECT CASE WHEN under.path = '' THEN f.name ELSE under.path || '/' || f.name END
  FROM under JOIN artifact_folder f ON f.workspace = ? AND f.parent = under.path)`

export function createArtifacts({ holds, now }: { holds: Pick<Holds, 'refuseIfHeld'>; now: () => number }): Artifacts {
  const file = (sql: Sql, workspace: string, path: string): Promise<FileRow | undefined> => {
    const { folder, name } = splitPath(path)
    return sql.get<FileRow>(
      'SELECT name, digest, size_bytes, modified_ms FROM artifact_file WHERE workspace = ? AND folder = ? AND name = ?',
      [workspace, folder, name],
    )
  }

  const isFolder = async (sql: Sql, workspace: string, path: string): Promise<boolean> => {
    if (path === '') return true
    const { folder, name } = splitPath(path)
    const found = await sql.get(
      'SELECT 1 AS found FROM artifact_folder WHERE workspace = ? AND parent = ? AND name = ?',
      [workspace, folder, name],
    )
    return found !== undefined
  }

  const at: Artifacts['at'] = async (sql, workspace, path) => {
    const found = await file(sql, workspace, path)
    if (found) {
      const { digest, size_bytes, modified_ms } = found
      return { kind: 'file', digest, size_bytes, modified_ms }
    }
    return (await isFolder(sql, workspace, path)) ? { kind: 'folder' } : undefined
  }

  /** Folder rows from the file upwards, as far as they are missing. */
  const makeFolders = async (tx: Tx, workspace: string, folder: string): Promise<void> => {
    let path = folder
    while (path !== '') {
      const { folder: parent, name } = splitPath(path)
      const { changes } = await tx.run(
        'INSERT INTO artifact_folder (workspace, parent, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        [workspace, parent, name],
      )
      if (changes === 0) return
      if (await file(tx, workspace, path)) {
        throw invalid(`Invalid path: '${path}' is a file, so nothing can be put below it`, { field: 'path' })
      }
      path = parent
    }
  }

  const foldersUnder = async (sql: Sql, workspace: string, path: string): Promise<string[]> => {
    const most = LIMITS.artifact_listing
    const rows = await sql.all<{ path: string }>(`${FOLDERS_UNDER} SELECT path FROM under LIMIT ?`, [
      path,
      workspace,
      most + 1,
    ])
    if (rows.length > most) throw tooMuch(path)
    return rows.map((row) => row.path)
  }

  return {
    at,

    async list(sql, workspace, folder) {
      const most = LIMITS.artifact_listing
      const folders = await sql.all<{ name: string }>(
        'SELECT name FROM artifact_folder WHERE workspace = ? AND parent = ? ORDER BY name LIMIT ?',
        [workspace, folder, most],
      )
      const files = await sql.all<FileRow>(
        'SELECT name, size_bytes FROM artifact_file WHERE workspace = ? AND folder = ? ORDER BY name LIMIT ?',
        [workspace, folder, most],
      )
      return [
        ...folders.map(({ name }) => ({ path: name, is_dir: true })),
        ...files.map(({ name, size_bytes }) => ({ path: name, is_dir: false, size_bytes })),
      ].sort((a, b) => (a.path < b.path ? -1 : 1))
    },

    async filesUnder(sql, workspace, path) {
      const single = path === '' ? undefined : await file(sql, workspace, path)
      if (single) return [{ path: '', digest: single.digest, size_bytes: single.size_bytes }]
      const folders = await foldersUnder(sql, workspace, path)
      const rows = await allIn<FileRow & { folder: string }>(
        sql,
        'SELECT folder, name, digest, size_bytes FROM artifact_file WHERE workspace = ? AND folder IN',
        [workspace],
        folders,
      )
      if (rows.length > LIMITS.artifact_listing) throw tooMuch(path)
      const cut = path === '' ? 0 : path.length + 1
      return rows
        .map(({ folder, name, digest, size_bytes }) => ({
          path: (folder === '' ? name : `${folder}/${name}`).slice(cut),
          digest,
          size_bytes,
        }))
        .sort((a, b) => (a.path < b.path ? -1 : 1))
    },

    async put(tx, who, path, ref) {
      const { workspace } = who
      if (path === '') throw invalid('Invalid path', { field: 'path', remedy: 'Name the file.' })
      const before = await file(tx, workspace, path)
      if (before?.digest !== ref.digest) {
        // New files may join a held run; the folder of a held model stays as it was released.
        const owners = ownersOfPath(path).filter(({ kind }) => before !== undefined || kind === 'logged-model')
        if (owners.length > 0) await holds.refuseIfHeld(tx, workspace, owners, `change artifact ${path}`)
      }
      if (await isFolder(tx, workspace, path)) {
        throw invalid(`Invalid path: '${path}' is a folder`, { field: 'path', remedy: 'Give the file another name.' })
      }
      const { folder, name } = splitPath(path)
      await makeFolders(tx, workspace, folder)
      await tx.run(
        `INSERT INTO artifact_file (workspace, folder, name, digest, size_bytes, modified_ms) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (workspace, folder, name)
         DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes, modified_ms = excluded.modified_ms`,
        [workspace, folder, name, ref.digest, ref.size_bytes, now()],
      )
    },

    async remove(tx, who, path) {
      const { workspace } = who
      if (path === '') {
        throw invalid('Invalid path', {
          field: 'path',
          remedy: 'Name a file or folder: the whole tree is not deleted at once.',
        })
      }
      const what = await at(tx, workspace, path)
      if (!what) return
      const folders = what.kind === 'file' ? [] : await foldersUnder(tx, workspace, path)
      const owners = uniqueOwners([path, ...folders])
      if (owners.length > OWNERS_MAX) throw tooMuch(path)
      await holds.refuseIfHeld(tx, workspace, owners, `delete artifact ${path}`)
      const { folder, name } = splitPath(path)
      if (what.kind === 'file') {
        await tx.run('DELETE FROM artifact_file WHERE workspace = ? AND folder = ? AND name = ?', [
          workspace,
          folder,
          name,
        ])
        return
      }
      for (let first = 0; first < folders.length; first += 256) {
        const some = folders.slice(first, first + 256)
        const list = some.map(() => '?').join(', ')
        await tx.run(`DELETE FROM artifact_file WHERE workspace = ? AND folder IN (${list})`, [workspace, ...some])
        await tx.run(`DELETE FROM artifact_folder WHERE workspace = ? AND parent IN (${list})`, [workspace, ...some])
      }
      await tx.run('DELETE FROM artifact_folder WHERE workspace = ? AND parent = ? AND name = ?', [
        workspace,
        folder,
        name,
      ])
    },
  }
}

const tooMuch = (path: string) =>
  conflict(`too much lies under '${path}' to be handled at once`, {
    field: 'path',
    remedy: 'Take its folders one by one.',
  })

function uniqueOwners(paths: readonly string[]): Subject[] {
  const owners = new Map<string, Subject>()
  for (const path of paths) for (const owner of ownersOfPath(`${path}/`)) owners.set(`${owner.kind}/${owner.id}`, owner)
  return [...owners.values()]
}

/** The file at a path below a root, for readers. Throws not-found, and invalid for a folder. */
export async function fileAt(
  artifacts: Pick<Artifacts, 'at'>,
  sql: Sql,
  workspace: string,
  path: string,
): Promise<BlobRef> {
  const found = await artifacts.at(sql, workspace, path)
  if (found?.kind === 'file') return { digest: found.digest, size_bytes: found.size_bytes }
  if (found) throw invalid(`Artifact path refers to a directory, not a file: '${path}'`, { field: 'path' })
  throw notFound(`No such artifact: '${path}'`, { field: 'path' })
}

export const joinPath = (root: string, relative: string): string => {
  const path = safePath(relative)
  return root === '' ? path : path === '' ? root : `${root}/${path}`
}
