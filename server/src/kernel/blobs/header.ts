import { DomainError } from '../errors.ts'

/**
 * The 64 bytes before a blob's content: 0-7 magic, 8 format, 9 digest algorithm (1 sha256), 10-11 zero, 12-15 encryption key id
 * (big-endian, 0 none), 16-63 zero. A reader that meets a format, algorithm or key it does not know refuses the file.
 */
export const HEADER_BYTES = 64
const MAGIC = Buffer.from('SLIPBLOB')
const FORMAT = 1
const SHA256 = 1

export const header: Buffer = (() => {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes[8] = FORMAT
  bytes[9] = SHA256
  return bytes
})()

export const corrupt = (digest: string, why: string) =>
  new DomainError('internal', `blob ${digest} is corrupt: ${why}`, {
    remedy: 'restore it from a backup, or put the same bytes again',
    facts: { corrupt: digest },
  })

export function checkHeader(bytes: Uint8Array, digest: string): void {
  if (bytes.length < HEADER_BYTES || !MAGIC.equals(bytes.subarray(0, 8)))
    throw corrupt(digest, 'it has no header of ours')
  if (header.compare(bytes, 0, HEADER_BYTES) === 0) return
  throw new DomainError('unsupported', `blob ${digest} is of a format that this version does not know`, {
    remedy: 'open the folder with the version of Slipway that wrote it',
  })
}
