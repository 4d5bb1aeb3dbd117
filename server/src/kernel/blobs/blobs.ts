import { createReadStream } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DomainError, invalid } from '../errors.ts'
import type { Log } from '../log.ts'
import { HEADER_BYTES } from './header.ts'
import type { Blobs } from './index.ts'
import { digestOfHex, hexOf, isMissing, makeFolder, pathsIn } from './paths.ts'
import { createPlainCache, writePlain } from './plain-cache.ts'
import { putBlob } from './put.ts'
import { checkRange, contentOf, openBlob, readWhole, streamOf } from './reading.ts'
import { createSpace } from './space.ts'

const MIB = 1024 * 1024
const READ_BYTES_MAX = 16 * MIB

export interface BlobsOptions {
  /** The data folder; ours are `blobs/` and `cache/plain/` in it. */
  dir: string
  log: Log
  /** Room that no put takes. Default 256 MiB. */
  reserve_bytes?: number
  /** Copies without header that are kept although nobody reads them. Default 4 GiB. */
  cache_bytes?: number
}

/** Blobs in a local folder. What an ended process left half-written is cleaned up here. */
export async function createBlobs({
  dir: given,
  log,
  reserve_bytes = 256 * MIB,
  cache_bytes = 4096 * MIB,
}: BlobsOptions): Promise<Blobs> {
  const dir = resolve(given)
  const paths = pathsIn(dir)
  await makeFolder(paths.content, dir)
  await rm(paths.tmp, { recursive: true, force: true })
  await makeFolder(paths.tmp, dir)
  const space = createSpace(dir, reserve_bytes)
  const cache = await createPlainCache(paths, space, log, cache_bytes)

  return {
    put: (source, options = {}) => putBlob(paths, space, source, options),

    async putFile(path, options = {}) {
      const found = await stat(path).catch((cause) => {
        throw invalid(`cannot read ${path}: ${(cause as Error).message}`, { field: 'path', cause })
      })
      if (!found.isFile()) throw invalid(`${path} is not a file`, { field: 'path', remedy: 'name a regular file' })
      const { max_bytes = Number.POSITIVE_INFINITY } = options
      if (found.size > max_bytes)
        throw new DomainError('too-large', `${path} has ${found.size} bytes; at most ${max_bytes} are taken`)
      await space.need(found.size)
      return putBlob(paths, space, createReadStream(path, { highWaterMark: 256 * 1024 }), options)
    },

    async open(digest, range) {
      const blob = await openBlob(paths, digest)
      try {
        if (range) checkRange(range, blob.size_bytes)
      } catch (error) {
        await blob.file.close()
        throw error
      }
      return { stream: streamOf(blob, range), size_bytes: blob.size_bytes }
    },

    read: (digest, max_bytes = READ_BYTES_MAX) => readWhole(paths, digest, max_bytes),

    async stat(digest) {
      try {
        return { size_bytes: (await stat(paths.blob(hexOf(digest)))).size - HEADER_BYTES }
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },

    async materialise(digest, path) {
      const blob = await openBlob(paths, digest)
      try {
        await writePlain(blob, path, space, { mode: 0o600, sync: false })
      } finally {
        await blob.file.close()
      }
    },

    lend: (digest) => cache.lend(digest),

    async remove(digest) {
      const hex = hexOf(digest)
      await rm(paths.blob(hex), { force: true })
      await cache.forget(hex)
    },

    async *verify(signal) {
      for (const prefix of (await readdir(paths.content)).sort()) {
        for (const hex of (await readdir(join(paths.content, prefix))).sort()) {
          signal?.throwIfAborted()
          yield { digest: digestOfHex(hex), ok: await isWhole(digestOfHex(hex), signal) }
        }
      }
    },
  }

  async function isWhole(digest: string, signal?: AbortSignal): Promise<boolean> {
    const blob = await openBlob(paths, digest).catch(() => undefined)
    if (!blob) return false
    try {
      for await (const _ of contentOf(blob, signal));
      return true
    } catch (error) {
      signal?.throwIfAborted()
      log.error({ err: error, digest }, 'a blob is damaged')
      return false
    } finally {
      await blob.file.close()
    }
  }
}
