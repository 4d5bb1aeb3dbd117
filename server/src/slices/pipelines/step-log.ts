/** What a step says: written line by line to a file that people read while it grows, kept as a blob afterwards. */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError } from '#kernel/errors.ts'

/** Past this the rest is left out, and the log says so. */
const LOG_BYTES_MAX = 20 * 1024 ** 2
const CHUNK_BYTES = 256 * 1024
const FLUSH_MS = 100

export interface StepLog {
  line(text: string): void
  /** Puts the whole log into blobs and answers its digest. */
  finish(): Promise<string>
}

export interface StepLogs {
  open(step: string): Promise<StepLog>
  /** Bytes from `offset` on, at most 256 KiB; `ended` when the log is whole. */
  read(
    step: { id: string; log_digest: string | null },
    offset: number,
  ): Promise<{ text: string; next_offset: number; ended: boolean }>
}

export function createStepLogs({ blobs, dir }: { blobs: Blobs; dir: string }): StepLogs {
  const pathOf = (step: string) => join(dir, `${step}.log`)
  return {
    async open(step) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const file: FileHandle = await open(pathOf(step), 'w', 0o600)
      let waiting: string[] = []
      let bytes = 0
      let full = false
      let writing: Promise<unknown> = Promise.resolve()
      let timer: NodeJS.Timeout | undefined
      const flush = () => {
        timer = undefined
        const text = waiting.join('')
        waiting = []
        // A full disk must not end the step: what cannot be written is lost from the log alone.
        if (text) writing = writing.then(() => file.write(text)).catch(() => undefined)
      }
      return {
        line(text) {
          if (full) return
          bytes += Buffer.byteLength(text) + 1
          full = bytes > LOG_BYTES_MAX
          waiting.push(
            full ? `… the log is longer than ${LOG_BYTES_MAX / 1024 ** 2} MB; the rest was left out\n` : `${text}\n`,
          )
          timer ??= setTimeout(flush, FLUSH_MS)
        },
        async finish() {
          clearTimeout(timer)
          flush()
          await writing
          await file.close()
          const { digest } = await blobs.putFile(pathOf(step))
          return digest
        },
      }
    },

    async read(step, offset) {
      let file: FileHandle
      try {
        file = await open(pathOf(step.id), 'r')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        if (!step.log_digest) return { text: '', next_offset: offset, ended: false }
        const whole = Buffer.from(await blobs.read(step.log_digest, LOG_BYTES_MAX + 1024 ** 2))
        const part = whole.subarray(offset, offset + CHUNK_BYTES)
        return { text: part.toString(), next_offset: offset + part.length, ended: offset + part.length >= whole.length }
      }
      try {
        const buffer = Buffer.alloc(CHUNK_BYTES)
        const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, offset)
        // Never half a letter: cut at the last line end.
        const end = bytesRead < CHUNK_BYTES ? bytesRead : buffer.lastIndexOf(10, bytesRead - 1) + 1 || bytesRead
        return {
          text: buffer.toString('utf8', 0, end),
          next_offset: offset + end,
          ended: step.log_digest !== null && bytesRead === 0,
        }
      } catch (error) {
        throw new DomainError('internal', 'the log could not be read', { cause: error })
      } finally {
        await file.close()
      }
    },
  }
}

export const dropStepLog = (dir: string, step: string): Promise<void> => rm(join(dir, `${step}.log`), { force: true })
