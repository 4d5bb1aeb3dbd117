/** Folders of experiments: paths like `team/vision`, known by the experiments that lie in them. */

interface FolderCount {
  folder: string
  experiments: number
}

interface Subfolder {
  path: string
  /** Its last part. */
  name: string
  /** In it and in all below it. */
  experiments: number
}

/** The folders right below one ('' is the top), also those that hold only other folders. */
export function subfolders(all: readonly FolderCount[], parent: string): Subfolder[] {
  const prefix = parent && `${parent}/`
  const found = new Map<string, Subfolder>()
  for (const { folder, experiments } of all) {
    if (!folder.startsWith(prefix) || folder === parent) continue
    const name = folder.slice(prefix.length).split('/')[0]!
    const path = prefix + name
    const known = found.get(path)
    if (known) known.experiments += experiments
    else found.set(path, { path, name, experiments })
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

/** A folder and those above it, from the top. */
export function waysTo(folder: string): { path: string; name: string }[] {
  const parts = folder.split('/').filter(Boolean)
  return parts.map((name, at) => ({ name, path: parts.slice(0, at + 1).join('/') }))
}
