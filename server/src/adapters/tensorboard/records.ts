/**
 * TFRecord framing: `length u64 · masked CRC-32C of it u32 · data · masked CRC-32C of it u32`, little-endian
 * (tensorflow/core/lib/io/record_writer.cc).
 */

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let at = 0; at < bytes.length; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** A checksum over data that itself holds checksums is rotated and shifted. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

const LENGTH_BYTES = 8
const HEAD_BYTES = 12
const FRAME_BYTES = 16

/** Largest record that is read: one image or one histogram. */
export const RECORD_BYTES_MAX = 16 * 1024 ** 2

export type Found =
  | { kind: 'record'; data: Uint8Array; end: number }
  /** The bytes end inside a record: more may come. `bytes` is how long it is, once its head is there. */
  | { kind: 'torn'; bytes: number }
  | { kind: 'damaged'; why: string /** Behind it, when its length can be trusted. */; end?: number }

/** The record that begins at `from`. */
export function recordAt(bytes: Uint8Array, from: number): Found {
  const left = bytes.length - from
  if (left < HEAD_BYTES) return { kind: 'torn', bytes: FRAME_BYTES }
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, left)
  if (view.getUint32(LENGTH_BYTES, true) !== maskedCrc(bytes.subarray(from, from + LENGTH_BYTES)))
    return { kind: 'damaged', why: 'the checksum of its length is wrong' }
  const length = view.getBigUint64(0, true)
  const total = length + BigInt(FRAME_BYTES)
  if (length > BigInt(RECORD_BYTES_MAX))
    return { kind: 'damaged', why: `it has ${length} bytes, more than ${RECORD_BYTES_MAX}` }
  const end = from + Number(total)
  if (end > bytes.length) return { kind: 'torn', bytes: Number(total) }
  const data = bytes.subarray(from + HEAD_BYTES, end - 4)
  if (view.getUint32(Number(total) - 4, true) !== maskedCrc(data))
    return { kind: 'damaged', why: 'the checksum of its data is wrong', end }
  return { kind: 'record', data, end }
}
