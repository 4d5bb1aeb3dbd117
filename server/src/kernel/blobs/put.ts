import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { DomainError, invalid } from '../errors.ts'
import { header } from './header.ts'
import type { BlobRef } from './index.ts'
import { digestOfHex, hexOf, type Paths, syncFolder } from './paths.ts'
import type { Space } from './space.ts'

/** Gathered before it is written: fewer trips to the thread pool. */
const WRITE_BYTES = 1024 * 1024
/** Hashed in one go: about a tenth of a millisecond of the event loop. */
const HASH_BYTES = 256 * 1024
/** The disk is asked for room again after so much. */
const SPACE_BYTES = 64 * 1024 * 1024

export interface PutOptions {
  max_bytes?: number
  expect?: string
  signal?: AbortSignal
}

export type Source = Readable | Uint8Array | AsyncIterable<Uint8Array>

const chunksOf = (source: Source): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
  source instanceof Uint8Array ? [source] : source

function* slices(chunk: Uint8Array): Iterable<Uint8Array> {
  if (chunk.length <= HASH_BYTES) yield chunk
  else for (let start = 0; start < chunk.length; start += HASH_BYTES) yield chunk.subarray(start, start + HASH_BYTES)
}

async function writeAll(file: FileHandle, buffers: Uint8Array[]): Promise<void> {
  const bytes = buffers.reduce((sum, { length }) => sum + length, 0)
  const { bytesWritten } = await file.writev(buffers)
  if (bytesWritten === bytes) return
  // A short write: the disk took some of it. What is left either goes through or says why not.
  await file.appendFile(Buffer.concat(buffers).subarray(bytesWritten))
}

/** Streams to a file of its own, then gives it its name. Whatever goes wrong, nothing is left behind. */
export async function putBlob(paths: Paths, space: Space, source: Source, options: PutOptions): Promise<BlobRef> {
  const { max_bytes = Number.POSITIVE_INFINITY, signal } = options
  const expected = options.expect === undefined ? undefined : hexOf(options.expect)
  const tmp = join(paths.tmp, randomUUID())
  let file: FileHandle | undefined
  try {
    signal?.throwIfAborted()
    await space.need(source instanceof Uint8Array ? source.length : 0)
    file = await open(tmp, 'wx', 0o600)
    const { hex, size_bytes } = await writeContent(file, source, { max_bytes, signal, space })
    if (expected && expected !== hex) {
      throw invalid(`the bytes have digest ${digestOfHex(hex)}, not ${options.expect}`, {
        field: 'digest',
        remedy: 'send the bytes again',
      })
    }
    await file.datasync()
    await file.close()
    file = undefined
    await giveName(paths, tmp, hex)
    return { digest: digestOfHex(hex), size_bytes }
  } catch (error) {
    await file?.close().catch(() => {})
    await rm(tmp, { force: true }).catch(() => {})
    throw space.named(error)
  }
}

interface Writing {
  max_bytes: number
  signal: AbortSignal | undefined
  space: Space
}

/** Hashes while the write before it is under way. */
async function writeContent(file: FileHandle, source: Source, { max_bytes, signal, space }: Writing) {
  const hash = createHash('sha256')
  let size_bytes = 0
  let asked_at = 0
  let waiting: Uint8Array[] = [header]
  let waiting_bytes = 0
  let writing: Promise<void> = Promise.resolve()

  const flush = async () => {
    const buffers = waiting
    waiting = []
    waiting_bytes = 0
    await writing
    signal?.throwIfAborted()
    if (size_bytes - asked_at >= SPACE_BYTES) {
      asked_at = size_bytes
      await space.need(0)
    }
    writing = writeAll(file, buffers)
    // Its failure is met at the next flush; without this it would count as unhandled until then.
    writing.catch(() => {})
  }

  try {
    for await (const chunk of chunksOf(source)) {
      size_bytes += chunk.length
      if (size_bytes > max_bytes) {
        throw new DomainError('too-large', `the content is larger than ${max_bytes} bytes`, {
          remedy: `send at most ${max_bytes} bytes`,
        })
      }
      for (const slice of slices(chunk)) {
        hash.update(slice)
        waiting.push(slice)
        waiting_bytes += slice.length
        if (waiting_bytes >= WRITE_BYTES) await flush()
      }
    }
    await flush()
  } finally {
    // Before the file is closed, also after an error.
    await writing.catch(() => {})
  }
  await writing
  return { hex: hash.digest('hex'), size_bytes }
}

/** Puts the file in its place, over an equal one: that is the same bytes, and heals a damaged copy. */
async function giveName(paths: Paths, tmp: string, hex: string): Promise<void> {
  const folder = await paths.prefix(hex)
  await rename(tmp, paths.blob(hex))
  await syncFolder(folder)
}
