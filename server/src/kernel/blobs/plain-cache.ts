import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import { makeFolder, type Paths } from './paths.ts'
import { contentOf, type OpenBlob, openBlob } from './reading.ts'
import type { Space } from './space.ts'

const GATHER_BYTES = 1024 * 1024

interface Entry {
  size_bytes: number
  /** Borrowers. A lent copy is never taken away. */
  lent: number
  used_at: number
  /** The blob was removed while this copy was lent. */
  gone: boolean
  ready: Promise<void>
}

/** Writes a blob's bytes without our header, checking them. Nothing stays at `path` on failure. */
export async function writePlain(
  blob: OpenBlob,
  path: string,
  space: Space,
  { mode, sync }: { mode: number; sync: boolean },
): Promise<void> {
  await space.need(blob.size_bytes)
  const partial = `${path}.${randomUUID()}.partial`
  try {
    const file = await open(partial, 'wx', mode)
    try {
      let waiting: Buffer[] = []
      let bytes = 0
      const flush = async () => {
        if (waiting.length > 0) await file.appendFile(Buffer.concat(waiting))
        waiting = []
        bytes = 0
      }
      for await (const chunk of contentOf(blob)) {
        waiting.push(chunk)
        bytes += chunk.length
        if (bytes >= GATHER_BYTES) await flush()
      }
      await flush()
      if (sync) await file.datasync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw space.named(error)
  }
}

/**
 * Copies without header for processes that read paths. Checked when made, read-only, kept while there is room, the longest
 * unused goes first. What is lent stays, even past the cap.
 */
export async function createPlainCache(paths: Paths, space: Space, log: Log, cap_bytes: number) {
  const entries = new Map<string, Entry>()
  let uses = 0
  const pathOf = (hex: string) => join(paths.plain, hex)
  /** Files on their way out: a new copy of the same name waits until the old one is gone. */
  const leaving = new Map<string, Promise<void>>()

  const drop = (hex: string): Promise<void> => {
    entries.delete(hex)
    const done = rm(pathOf(hex), { force: true }).finally(() => leaving.delete(hex))
    leaving.set(hex, done)
    return done
  }

  await makeFolder(paths.plain, paths.dir)
  for (const name of await readdir(paths.plain)) {
    if (!/^[0-9a-f]{64}$/.test(name)) await rm(pathOf(name), { force: true, recursive: true })
    else
      entries.set(name, {
        size_bytes: (await stat(pathOf(name))).size,
        lent: 0,
        used_at: 0,
        gone: false,
        ready: Promise.resolve(),
      })
  }

  const evict = async () => {
    let total = [...entries.values()].reduce((sum, { size_bytes }) => sum + size_bytes, 0)
    const idle = [...entries].filter(([, entry]) => entry.lent === 0).sort(([, a], [, b]) => a.used_at - b.used_at)
    for (const [hex, entry] of idle) {
      const { size_bytes } = entry
      if (total <= cap_bytes) return
      // While another was dropped somebody may have borrowed this one, or dropped it.
      if (entry.lent > 0 || entries.get(hex) !== entry) continue
      total -= size_bytes
      await drop(hex)
    }
  }

  const make = async (blob: OpenBlob) => {
    try {
      await leaving.get(blob.hex)
      await writePlain(blob, pathOf(blob.hex), space, { mode: 0o400, sync: true })
    } finally {
      await blob.file.close()
    }
  }

  const entryFor = async (digest: string): Promise<[string, Entry]> => {
    const blob = await openBlob(paths, digest)
    const known = entries.get(blob.hex)
    if (known && known.size_bytes === blob.size_bytes) {
      known.lent += 1
      known.gone = false
      await blob.file.close()
      return [blob.hex, known]
    }
    const entry: Entry = { size_bytes: blob.size_bytes, lent: 1, used_at: 0, gone: false, ready: make(blob) }
    entries.set(blob.hex, entry)
    return [blob.hex, entry]
  }

  return {
    async lend(digest: string): Promise<{ path: string; done(): Promise<void> }> {
      const [hex, entry] = await entryFor(digest)
      entry.used_at = ++uses
      let over = false
      try {
        await entry.ready
      } catch (error) {
        if (entries.get(hex) === entry) entries.delete(hex)
        throw error
      }
      await evict()
      return {
        path: pathOf(hex),
        async done() {
          if (over) return
          over = true
          entry.lent -= 1
          if (entry.gone && entry.lent === 0 && entries.get(hex) === entry) await drop(hex)
          await evict().catch((error) => log.warn({ err: error }, 'the cache of plain copies could not be trimmed'))
        },
      }
    },

    /** The blob is gone: so is its copy, once nobody reads it. */
    async forget(hex: string): Promise<void> {
      const entry = entries.get(hex)
      if (!entry) return
      if (entry.lent > 0) entry.gone = true
      else await drop(hex)
    },
  }
}
