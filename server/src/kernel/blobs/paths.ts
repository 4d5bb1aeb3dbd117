import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { invalid } from '../errors.ts'

const DIGEST = /^sha256:([0-9a-f]{64})$/

/** The 64 hex digits, or invalid: nothing else ever becomes part of a path. */
export function hexOf(digest: string): string {
  const hex = DIGEST.exec(digest)?.[1]
  if (!hex)
    throw invalid(`"${String(digest).slice(0, 100)}" is no digest`, {
      field: 'digest',
      remedy: 'write sha256: and 64 hex digits',
    })
  return hex
}

export const digestOfHex = (hex: string) => `sha256:${hex}`

export interface Paths {
  dir: string
  content: string
  tmp: string
  plain: string
  blob(hex: string): string
  /** The folder of a blob; it is there, durably, when this resolves. */
  prefix(hex: string): Promise<string>
}

export function pathsIn(dir: string): Paths {
  const content = join(dir, 'blobs', 'sha256')
  const prefixes = new Map<string, Promise<string>>()

  // Synced once in the life of every process, also when it is there already: whoever made it may have been killed before its sync.
  const makePrefix = async (name: string) => {
    const path = join(content, name)
    await mkdir(path, { recursive: true, mode: 0o700 })
    await syncFolder(content)
    return path
  }
  return {
    dir,
    content,
    tmp: join(dir, 'blobs', 'tmp'),
    plain: join(dir, 'cache', 'plain'),
    blob: (hex) => join(content, hex.slice(0, 2), hex),
    async prefix(hex) {
      const name = hex.slice(0, 2)
      const made = prefixes.get(name) ?? makePrefix(name)
      prefixes.set(name, made)
      try {
        return await made
      } catch (error) {
        prefixes.delete(name)
        throw error
      }
    },
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Makes a folder within `root` and what is missing between, so that it is still there after a power cut. */
export async function makeFolder(path: string, root: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  for (let made = path; made !== root && made !== dirname(made); made = dirname(made)) await syncFolder(dirname(made))
}

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'
