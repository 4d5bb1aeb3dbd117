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
}

export function pathsIn(dir: string): Paths {
  const content = join(dir, 'blobs', 'sha256')
  return {
    dir,
    content,
    tmp: join(dir, 'blobs', 'tmp'),
    plain: join(dir, 'cache', 'plain'),
    blob: (hex) => join(content, hex.slice(0, 2), hex),
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

/** Makes a folder and what is missing above it, so that it is still there after a power cut. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'
