/** Uploads in parts: each part is a file of its own until the whole is put together, and none stays beyond a day. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BlobRef, Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'

export const PARTS_MAX = 10_000
const UPLOADS_MAX = 100
const KEPT_MS = 24 * 60 * 60_000
const ID = /^[0-9a-f]{32}$/

export interface Part {
  number: number
  /** As the answer to the part's upload said it, quotes or not. */
  etag: string
}

export interface Multipart {
  /** A new upload's id: 32 hex digits. Throws too-many when a hundred are under way. */
  begin(): Promise<string>
  /** Takes one part, whole or not at all; answers its etag. A part sent again counts with the etag that is completed. */
  take(id: string, number: number, bytes: AsyncIterable<Uint8Array>): Promise<string>
  /** Puts the parts together, in order, and keeps the whole. The parts stay until `end`, so that it can be tried again. */
  join(id: string, parts: readonly Part[], count: number, max_bytes: number): Promise<BlobRef>
  /** Forgets the parts; an unknown upload is fine. */
  end(id: string): Promise<void>
}

export function createMultipart(deps: {
  /** The data folder; ours is `uploads/` in it. */
  dir: string
  blobs: Pick<Blobs, 'put'>
  clock: Clock
  /** Room on the disk that no part takes. */
  reserve_bytes: number
}): Multipart {
  const root = join(deps.dir, 'uploads')

  const folderOf = async (id: string): Promise<string> => {
    const folder = join(root, ID.test(id) ? id : 'none')
    if (await stat(folder).catch(() => undefined)) return folder
    throw notFound('no such upload: it was completed, aborted, or is older than a day', { field: 'upload_id' })
  }

  const sweep = async (): Promise<number> => {
    let here = 0
    for (const name of await readdir(root)) {
      const found = await stat(join(root, name)).catch(() => undefined)
      if (found && found.mtimeMs < deps.clock.now() - KEPT_MS)
        await rm(join(root, name), { recursive: true, force: true })
      else if (found) here += 1
    }
    return here
  }

  return {
    async begin() {
      await mkdir(root, { recursive: true, mode: 0o700 })
      if ((await sweep()) >= UPLOADS_MAX) {
        throw new DomainError('too-many', `${UPLOADS_MAX} uploads in parts are under way`, {
          remedy: 'Wait until some are completed, or send the file in one request.',
        })
      }
      const id = randomUUID().replaceAll('-', '')
      await mkdir(join(root, id), { mode: 0o700 })
      return id
    },

    async take(id, number, bytes) {
      const folder = await folderOf(id)
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize < deps.reserve_bytes) {
        throw new DomainError('storage-full', 'there is no room for another part', { remedy: 'Make room on the disk.' })
      }
      const hash = createHash('sha256')
      const tmp = join(folder, `tmp-${randomUUID()}`)
      try {
        await pipeline(
          bytes,
          new Transform({
            transform(chunk: Buffer, _, done) {
              hash.update(chunk)
              done(null, chunk)
            },
          }),
          createWriteStream(tmp, { flags: 'wx', mode: 0o600 }),
        )
        const etag = hash.digest('hex')
        await rename(tmp, join(folder, `${number}-${etag}`))
        return etag
      } catch (error) {
        await rm(tmp, { force: true })
        throw error
      }
    },

    async join(id, parts, count, max_bytes) {
      const folder = await folderOf(id)
      const files = checkParts(parts, count).map(({ number, etag }) => ({
        number,
        path: join(folder, `${number}-${etag}`),
      }))
      for (const { number, path } of files) {
        if (await stat(path).catch(() => undefined)) continue
        throw invalid(`part ${number} has not arrived with this etag`, { field: 'parts', remedy: 'Send it again.' })
      }
      return await deps.blobs.put(contentOf(files.map(({ path }) => path)), { max_bytes })
    },

    async end(id) {
      if (ID.test(id)) await rm(join(root, id), { recursive: true, force: true })
    },
  }
}

async function* contentOf(paths: readonly string[]): AsyncIterable<Uint8Array> {
  for (const path of paths) yield* createReadStream(path, { highWaterMark: 256 * 1024 })
}

/** Each number from 1 on, once. */
function checkParts(parts: readonly Part[], count: number): Part[] {
  const sorted = [...parts].sort((a, b) => a.number - b.number)
  const wrong = (why: string) => invalid(`the parts are not those of the upload: ${why}`, { field: 'parts' })
  if (sorted.length !== count) throw wrong(`${sorted.length} of ${count} are named`)
  return sorted.map(({ number, etag }, at) => {
    if (number !== at + 1) throw wrong(`part ${at + 1} is missing`)
    const digest = etag.replaceAll('"', '')
    if (!/^[0-9a-f]{64}$/.test(digest)) throw wrong(`part ${number} has no etag`)
    return { number, etag: digest }
  })
}
