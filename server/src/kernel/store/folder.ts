import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { conflict } from '../errors.ts'

/** How the data folder is laid out. Raised when an older Slipway could not read what a newer one puts there. */
export const FOLDER_LAYOUT = 1

export interface Folder {
  path: string
  /** Gives the lock back. */
  close(): Promise<void>
}

/**
 * Makes a folder and the parents that are missing, closed to others, and syncs every folder that got a new name in it:
 * what is synced inside later is lost in a power cut if the way to it is not on disk.
 */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    syncFolder(at)
    if (at === dirname(resolve(first))) return
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Puts a small file in place whole, readable by us alone: after a kill or a power cut it has all of its content, or is not there. */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  const partial = `${path}.new`
  rmSync(partial, { force: true })
  writeFileSync(partial, content, { mode: 0o600, flush: true })
  renameSync(partial, path)
  syncFolder(dirname(path))
}

/**
 * Makes or opens the data folder: mode 0700, layout number in FORMAT, and a lock for the process's life. The lock is
 * SQLite's own on an empty file: the kernel drops it when the process dies in whatever way, so nothing stale can remain.
 * Throws DomainError 'conflict' when another process has the folder or a newer Slipway laid it out.
 */
export async function openFolder(path: string): Promise<Folder> {
  makeFolder(path)
  const process_file = join(path, 'PID')
  const lock = new DatabaseSync(join(path, 'LOCK'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw conflict(`the data folder ${path} is in use${by(process_file)}`, {
      remedy: 'Stop that process, or choose another folder with --data.',
      cause: error,
    })
  }
  try {
    chmodSync(path, 0o700)
    const format_file = join(path, 'FORMAT')
    const layout = layoutOf(format_file)
    if (layout === undefined) writeFileWhole(format_file, `slipway data folder, layout ${FOLDER_LAYOUT}\n`)
    else if (layout > FOLDER_LAYOUT)
      throw conflict(`the data folder ${path} has layout ${layout}, this Slipway knows ${FOLDER_LAYOUT}`, {
        remedy: 'Start the newer version of Slipway that made it.',
      })
    sayProcess(process_file)
  } catch (error) {
    lock.close()
    throw error
  }
  return {
    path,
    async close() {
      rmSync(process_file, { force: true })
      lock.close()
    },
  }
}

/** For people; a disk without any room is no reason not to serve. */
function sayProcess(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const by = (process_file: string) => {
  const pid = textOf(process_file)?.trim()
  return pid ? ` by process ${pid}` : ''
}

function layoutOf(file: string): number | undefined {
  const text = textOf(file)
  // Empty: the first layout was once written so that a power cut could leave that.
  if (text === undefined || text === '') return undefined
  const layout = /^slipway data folder, layout (\d+)$/m.exec(text)?.[1]
  if (layout === undefined) throw conflict(`${file} is not Slipway's`, { remedy: 'Choose another folder with --data.' })
  return Number(layout)
}
