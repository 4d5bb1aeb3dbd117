/** What of a folder is code: the files that git tracks below it, or all files where there is no git. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { invalid } from '#kernel/errors.ts'

const run = promisify(execFile)

export interface SnapshotFile {
  path: string
  digest: string
  size_bytes: number
  executable?: boolean
}

export interface Snapshot {
  /** Folder that paths are relative to. */
  root: string
  files: SnapshotFile[]
  commit?: string
  branch?: string
  dirty?: boolean
  diff?: string
}

const DIFF_CHARS_MAX = 1_000_000
const FILES_MAX = 20_000
/** Folders that hold no code where no git says so. */
const NOT_CODE = new Set(['node_modules', '.git', '.venv', '__pycache__', '.slipway', 'mlruns', '.pytest_cache'])

const git = async (cwd: string, ...args: string[]): Promise<string> =>
  (await run('git', args, { cwd, maxBuffer: 64 * 1024 ** 2 })).stdout

export async function takeSnapshot(folder: string): Promise<Snapshot> {
  const facts = await gitFacts(folder)
  const paths = facts?.paths ?? (await plainFiles(folder))
  if (paths.length > FILES_MAX)
    throw invalid(`${folder} holds ${paths.length} files; a snapshot of code may hold ${FILES_MAX}`, {
      remedy: 'Begin a git repository: then only tracked files are taken.',
    })
  const files: SnapshotFile[] = []
  for (const path of paths) {
    const full = join(folder, path)
    const known = await stat(full).catch(() => undefined)
    // Deleted but still tracked: the tree is what counts, and the diff tells of it.
    if (!known?.isFile()) continue
    files.push({
      path: path.split(sep).join('/'),
      digest: await digestOf(full),
      size_bytes: known.size,
      ...((known.mode & 0o111) !== 0 && { executable: true }),
    })
  }
  return { root: folder, files, ...facts?.about }
}

async function gitFacts(
  folder: string,
): Promise<{ paths: string[]; about: Pick<Snapshot, 'commit' | 'branch' | 'dirty' | 'diff'> } | undefined> {
  try {
    await git(folder, 'rev-parse', '--show-toplevel')
  } catch {
    return undefined
  }
  const paths = (await git(folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'))
    .split('\0')
    .filter(Boolean)
  const commit = await git(folder, 'rev-parse', 'HEAD').then(
    (text) => text.trim(),
    () => undefined,
  )
  const branch = await git(folder, 'rev-parse', '--abbrev-ref', 'HEAD').then(
    (text) => text.trim(),
    () => undefined,
  )
  const status = await git(folder, 'status', '--porcelain', '--', '.')
  const diff = commit && status ? await git(folder, 'diff', 'HEAD', '--', '.') : ''
  return {
    paths,
    about: {
      ...(commit && { commit }),
      ...(branch && { branch }),
      dirty: status !== '',
      ...(diff && { diff: diff.slice(0, DIFF_CHARS_MAX) }),
    },
  }
}

async function plainFiles(folder: string): Promise<string[]> {
  const found: string[] = []
  const walk = async (dir: string) => {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      if (NOT_CODE.has(entry.name)) continue
      const path = join(dir, entry.name)
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile()) found.push(relative(folder, path))
      if (found.length > FILES_MAX) return
    }
  }
  await walk(folder)
  return found
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return `sha256:${hash.digest('hex')}`
}
