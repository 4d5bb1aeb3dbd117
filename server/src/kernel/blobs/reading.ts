import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { DomainError, invalid, notFound } from '../errors.ts'
import { checkHeader, corrupt, HEADER_BYTES } from './header.ts'
import { hexOf, isMissing, type Paths } from './paths.ts'

const READ_BYTES = 256 * 1024
/** Read ahead of a slow reader. */
const AHEAD_BYTES = 1024 * 1024

export interface OpenBlob {
  file: FileHandle
  digest: string
  hex: string
  size_bytes: number
}

/** Opens a blob's file and checks its header. Throws not-found. The caller closes it. */
export async function openBlob(paths: Paths, digest: string): Promise<OpenBlob> {
  const hex = hexOf(digest)
  let file: FileHandle
  try {
    file = await open(paths.blob(hex), 'r')
  } catch (error) {
    if (isMissing(error)) throw notFound(`no blob ${digest}`)
    throw error
  }
  try {
    const { size } = await file.stat()
    const head = Buffer.alloc(HEADER_BYTES)
    const { bytesRead } = await file.read(head, 0, HEADER_BYTES, 0)
    checkHeader(head.subarray(0, bytesRead), digest)
    return { file, digest, hex, size_bytes: size - HEADER_BYTES }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The content, chunk by chunk; ends in an error when the digest differs. Closes nothing. */
export async function* contentOf(blob: OpenBlob, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  for (let position = 0; position < blob.size_bytes; ) {
    signal?.throwIfAborted()
    const chunk = await readAt(blob, position, Math.min(READ_BYTES, blob.size_bytes - position))
    hash.update(chunk)
    position += chunk.length
    yield chunk
  }
  checkDigest(blob, hash)
}

async function readAt({ file, digest }: OpenBlob, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, HEADER_BYTES + position)
  if (bytesRead === 0) throw corrupt(digest, 'it ends before its size')
  return buffer.subarray(0, bytesRead)
}

function checkDigest({ digest, hex }: OpenBlob, hash: Hash): void {
  if (hash.digest('hex') !== hex) throw corrupt(digest, 'its bytes have another digest')
}

/** A stream of the whole content (checked) or of the bytes start to end, both included (not checked). */
export function streamOf(blob: OpenBlob, range?: { start: number; end: number }): Readable {
  const first = range?.start ?? 0
  const last = range ? Math.min(range.end, blob.size_bytes - 1) : blob.size_bytes - 1
  const whole = first === 0 && last === blob.size_bytes - 1
  const hash = whole ? createHash('sha256') : undefined
  let position = first
  return new Readable({
    highWaterMark: AHEAD_BYTES,
    read() {
      if (position > last) {
        try {
          if (hash) checkDigest(blob, hash)
          this.push(null)
        } catch (error) {
          this.destroy(error as Error)
        }
        return
      }
      readAt(blob, position, Math.min(READ_BYTES, last - position + 1)).then(
        (chunk) => {
          hash?.update(chunk)
          position += chunk.length
          this.push(chunk)
        },
        (error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      blob.file.close().then(
        () => done(error),
        (closing) => done(error ?? closing),
      )
    },
  })
}

export function checkRange({ start, end }: { start: number; end: number }, size_bytes: number): void {
  const fits =
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start && start < size_bytes
  if (!fits) {
    throw invalid(`bytes ${start} to ${end} are not within the ${size_bytes} bytes of the blob`, {
      field: 'range',
      remedy: `ask for bytes between 0 and ${size_bytes - 1}`,
    })
  }
}

export async function readWhole(paths: Paths, digest: string, max_bytes: number): Promise<Uint8Array> {
  const blob = await openBlob(paths, digest)
  try {
    if (blob.size_bytes > max_bytes) {
      throw new DomainError(
        'too-large',
        `blob ${digest} has ${blob.size_bytes} bytes; at most ${max_bytes} are read at once`,
      )
    }
    const bytes = new Uint8Array(blob.size_bytes)
    let position = 0
    for await (const chunk of contentOf(blob)) {
      bytes.set(chunk, position)
      position += chunk.length
    }
    return bytes
  } finally {
    await blob.file.close()
  }
}
