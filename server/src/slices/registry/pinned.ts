import type { Sql } from '#kernel/store/index.ts'
import type { VersionFile } from './model.ts'
import * as db from './registry-store.ts'
import { PINNED_ROOT } from './source.ts'

/**
 * The pinned files of versions as a part of the artifact tree: `models-registry/<key>/<version>/<path>`. They are there to
 * be read alone, and stay what they were when the version was made.
 */
export interface PinnedFiles {
  /** Whether a path of the artifact tree is ours to answer: nobody else writes there. */
  owns(path: string): boolean
  file(sql: Sql, workspace: string, path: string): Promise<VersionFile | undefined>
  /** What a folder holds; empty when there is no such folder. Names are those within it. */
  list(sql: Sql, workspace: string, path: string): Promise<{ path: string; is_dir: boolean; size_bytes?: number }[]>
}

export function createPinnedFiles(): PinnedFiles {
  const split = async (sql: Sql, workspace: string, path: string) => {
    const [root, key, version, ...rest] = path.split('/').filter(Boolean)
    if (root !== PINNED_ROOT || !isNumber(key) || !isNumber(version)) return undefined
    const row = await db.findVersionByKey(sql, workspace, Number(key), Number(version))
    return row && { row, path: rest.join('/') }
  }
  return {
    owns: (path) => path.split('/').filter(Boolean)[0] === PINNED_ROOT,

    async file(sql, workspace, path) {
      const at = await split(sql, workspace, path)
      return at && db.fileAt(sql, at.row.version_key, at.path)
    },

    async list(sql, workspace, path) {
      const at = await split(sql, workspace, path)
      return at ? listFolder(await db.filesOf(sql, at.row.version_key), at.path) : []
    },
  }
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d{1,15}$/.test(text)

/** The entries of one folder among files named by their whole path; folders first met first, sorted by name. */
export function listFolder(
  files: readonly VersionFile[],
  folder: string,
): { path: string; is_dir: boolean; size_bytes?: number }[] {
  const prefix = folder === '' ? '' : `${folder}/`
  const entries = new Map<string, { path: string; is_dir: boolean; size_bytes?: number }>()
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
