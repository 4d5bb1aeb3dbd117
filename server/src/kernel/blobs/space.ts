import { statfs } from 'node:fs/promises'
import { DomainError } from '../errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export interface Space {
  /** Throws storage-full when writing `bytes` would go below the reserve. */
  need(bytes: number): Promise<void>
  /** A full disk as storage-full; any other error as it is. */
  named(error: unknown): unknown
}

const storageFull = (dir: string, why: string, cause?: unknown) =>
  new DomainError('storage-full', `${dir} is full: ${why}`, {
    remedy: 'make room on that disk; reading and serving go on',
    ...(cause !== undefined && { cause }),
  })

export function createSpace(dir: string, reserve_bytes: number): Space {
  return {
    async need(bytes) {
      const { bavail, bsize } = await statfs(dir)
      const free = bavail * bsize
      if (free - bytes < reserve_bytes)
        throw storageFull(dir, `${free} bytes are free and ${reserve_bytes} are kept in reserve`)
    },
    named: (error) =>
      FULL.has((error as NodeJS.ErrnoException).code ?? '') ? storageFull(dir, (error as Error).message, error) : error,
  }
}
