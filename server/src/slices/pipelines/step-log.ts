/** What a step says: written line by line to a file that people read while it grows, kept as a blob afterwards. */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError } from '#kernel/errors.ts'

/** Past this the middle is left out, and the log says so. */
const LOG_BYTES_MAX = 20 * 1024 ** 2
/** The end says why a step failed: this much of it is kept whatever came before. */
const TAIL_LINES = 200
const CHUNK_BYTES = 256 * 1024
const FLUSH_MS = 100

export interface StepLog {
  line(text: string): void
  /** Puts the whole log into blobs and answers its digest. */
  finish(): Promise<string>
}

export interface StepLogs {
  /** Goes on where an earlier taking of the same step ended, so that a reader's offset stays right. */
  open(step: string): Promise<StepLog>
  /**
   * Text from byte `offset` on, at most 256 KiB and never half a letter; `ended` when all was read and the step has ended.
   * `step` must have been read before the call: what it has by then is in the file.
   */
  read(
    step: { id: string; state: string; log_digest: string | null },
    offset: number,
  ): Promise<{ text: string; next_offset: number; ended: boolean }>
  /** Takes the file away, once the step names the blob. */
  drop(step: string): Promise<void>
}

export function createStepLogs({
  blobs,
  dir,
  bytes_max = LOG_BYTES_MAX,
}: {
  blobs: Pick<Blobs, 'putFile' | 'open' | 'stat'>
  dir: string
  bytes_max?: number
}): StepLogs {
  const pathOf = (step: string) => join(dir, `${step}.log`)

  const readFile = async (path: string, offset: number): Promise<Buffer | undefined> => {
    let file: FileHandle
    try {
      file = await open(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new DomainError('internal', 'the log could not be read', { cause: error })
    }
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, offset)
      return chunk.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }
  const readBlob = async (digest: string, offset: number): Promise<Buffer> => {
    const facts = await blobs.stat(digest)
    if (!facts || offset >= facts.size_bytes) return Buffer.alloc(0)
    return buffer((await blobs.open(digest, { start: offset, end: offset + CHUNK_BYTES - 1 })).stream)
  }

  return {
    async open(step) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const file = await open(pathOf(step), 'a', 0o600)
      let bytes = (await file.stat()).size
      let waiting: string[] = []
      let tail: string[] = []
      let left_out = 0
      let writing: Promise<unknown> = Promise.resolve()
      let timer: NodeJS.Timeout | undefined
      const flush = () => {
        timer = undefined
        const text = waiting.join('')
        waiting = []
        // A full disk must not end the step: what cannot be written is lost from the log alone.
        if (text) writing = writing.then(() => file.appendFile(text)).catch(() => undefined)
      }
      return {
        line(text) {
          bytes += Buffer.byteLength(text) + 1
          if (bytes > bytes_max) {
            tail.push(text)
            if (tail.length > TAIL_LINES) {
              tail.shift()
              left_out++
            }
            return
          }
          waiting.push(`${text}\n`)
          timer ??= setTimeout(flush, FLUSH_MS)
        },
        async finish() {
          clearTimeout(timer)
          if (left_out > 0)
            waiting.push(`… ${left_out} lines are left out: the log is longer than ${bytes_max} bytes …\n`)
          waiting.push(...tail.map((text) => `${text}\n`))
          tail = []
          flush()
          await writing
          await file.close()
          const { digest } = await blobs.putFile(pathOf(step))
          return digest
        },
      }
    },

    async read(step, offset) {
      const chunk =
        (await readFile(pathOf(step.id), offset)) ??
        (step.log_digest ? await readBlob(step.log_digest, offset) : Buffer.alloc(0))
      const end = wholeLetters(chunk)
      return {
        text: chunk.toString('utf8', 0, end),
        next_offset: offset + end,
        ended: end === 0 && !['waiting', 'running'].includes(step.state),
      }
    },

    drop: (step) => rm(pathOf(step), { force: true }),
  }
}

/** Length without a last letter whose bytes are not all there. */
export function wholeLetters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) break
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.length - back : bytes.length
  }
  return bytes.length
}
