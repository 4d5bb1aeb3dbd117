import type { Sql } from '#kernel/store/index.ts'
import type { ArtifactEntry } from '#slices/tracking'
import * as pinnedFiles from './file-store.ts'
import type { VersionFile } from './model.ts'
import * as db from './registry-store.ts'
import { PINNED_ROOT } from './source.ts'

/**
 * The pinned files of versions as a tree to read: `<key>/<version>/<path>` below `models-registry/` of the artifact tree.
 * They stay what they were when the version was made.
 */
export interface PinnedFiles {
  readonly prefix: string
  file(sql: Sql, workspace: string, path: string): Promise<VersionFile | undefined>
  /** What stands directly in a folder; empty for a file or where nothing is. */
  list(sql: Sql, workspace: string, folder: string): Promise<ArtifactEntry[]>
}

export function createPinnedFiles(): PinnedFiles {
  const split = async (sql: Sql, workspace: string, path: string) => {
    const [key, version, ...rest] = path.split('/').filter(Boolean)
    if (!isNumber(key) || !isNumber(version)) return undefined
    const row = await db.findVersionByKey(sql, workspace, Number(key), Number(version))
    return row && { row, path: rest.join('/') }
  }
  return {
    prefix: PINNED_ROOT,
    async file(sql, workspace, path) {
      const at = await split(sql, workspace, path)
      return at && pinnedFiles.fileAt(sql, at.row.version_key, at.path)
    },
    async list(sql, workspace, folder) {
      const at = await split(sql, workspace, folder)
      return at ? listFolder(await pinnedFiles.filesOf(sql, at.row.version_key), at.path) : []
    },
  }
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d{1,15}$/.test(text)

/** What stands directly in one folder, among files named by their whole path. */
export function listFolder(files: readonly VersionFile[], folder: string): ArtifactEntry[] {
  const prefix = folder === '' ? '' : `${folder}/`
  const entries = new Map<string, ArtifactEntry>()
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue
    const rest = file.path.slice(prefix.length)
    const slash = rest.indexOf('/')
    const name = slash < 0 ? rest : rest.slice(0, slash)
    if (slash < 0) entries.set(name, { path: name, is_dir: false, size_bytes: file.size_bytes })
    else if (!entries.has(name)) entries.set(name, { path: name, is_dir: true })
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}
