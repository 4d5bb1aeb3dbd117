/**
 * The file that a serving node appends predictions to. A 64-byte header, then frames: payload length, CRC-32 of the payload, payload
 * (lines of JSON). A frame is whole or is not there: a reader stops at the first that is torn.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { DomainError } from '#kernel/errors.ts'

const MAGIC = 'SLIPPRED'
const FORMAT = 1
/** Digest of frames: 1 is CRC-32. */
const DIGEST = 1
export const HEADER_BYTES = 64
const FRAME_BYTES = 8
/** A longer length is not a frame of ours. */
const PAYLOAD_MAX = 1 << 28

export interface SegmentHeader {
  workspace: string
  endpoint: string
  /** Column types of the features, for the seal. */
  features: Record<string, string>
}

export interface Segment {
  readonly path: string
  readonly header: SegmentHeader
  size_bytes: number
  append(lines: string): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Makes a new segment; its first frame says what it holds. */
export async function createSegment(path: string, header: SegmentHeader): Promise<Segment> {
  const file = await open(path, 'wx', 0o600)
  const head = Buffer.alloc(HEADER_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUInt16LE(FORMAT, 8)
  head.writeUInt16LE(DIGEST, 10)
  // Bytes 12-15: id of the key that encrypts the frames; 0 is none.
  const frame = frameOf(Buffer.from(JSON.stringify(header)))
  await file.write(Buffer.concat([head, frame]))
  return segmentOf(file, path, header, HEADER_BYTES + frame.length)
}

function segmentOf(file: FileHandle, path: string, header: SegmentHeader, size: number): Segment {
  const segment: Segment = {
    path,
    header,
    size_bytes: size,
    async append(lines) {
      const frame = frameOf(Buffer.from(lines))
      let written = 0
      while (written < frame.length) {
        const { bytesWritten } = await file.write(frame, written, frame.length - written, segment.size_bytes + written)
        written += bytesWritten
      }
      // Only now: after a failed write the next one goes over the torn bytes.
      segment.size_bytes += frame.length
    },
    sync: () => file.datasync(),
    close: () => file.close(),
  }
  return segment
}

function frameOf(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_BYTES + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt32LE(crc32(payload), 4)
  payload.copy(frame, FRAME_BYTES)
  return frame
}

/** The header and, one after another, the payloads of all whole frames up to `until` bytes. `torn` tells of bytes after the last. */
export async function readSegment(
  path: string,
  each: (payload: Buffer) => Promise<void> | void,
  until = Number.POSITIVE_INFINITY,
): Promise<{ header: SegmentHeader; torn: boolean; whole_bytes: number }> {
  const file = await open(path, 'r')
  try {
    const head = Buffer.alloc(HEADER_BYTES)
    const { bytesRead } = await file.read(head, 0, HEADER_BYTES, 0)
    if (bytesRead < HEADER_BYTES || head.toString('latin1', 0, 8) !== MAGIC)
      throw new DomainError('internal', `${path} is not a segment of predictions`)
    if (head.readUInt16LE(8) > FORMAT)
      throw new DomainError('internal', `${path} was written by a newer Slipway (format ${head.readUInt16LE(8)})`)
    let header: SegmentHeader | undefined
    let at = HEADER_BYTES
    for (;;) {
      if (at >= until) break
      const frame = Buffer.alloc(FRAME_BYTES)
      if ((await file.read(frame, 0, FRAME_BYTES, at)).bytesRead < FRAME_BYTES) break
      const length = frame.readUInt32LE(0)
      if (length > PAYLOAD_MAX) break
      const payload = Buffer.allocUnsafe(length)
      if (
        (await file.read(payload, 0, length, at + FRAME_BYTES)).bytesRead < length ||
        crc32(payload) !== frame.readUInt32LE(4)
      )
        break
      at += FRAME_BYTES + length
      if (header === undefined) header = JSON.parse(payload.toString()) as SegmentHeader
      else await each(payload)
    }
    if (header === undefined) throw new DomainError('internal', `${path} ends before it says what it holds`)
    return { header, torn: at < Math.min(until, (await file.stat()).size), whole_bytes: at }
  } finally {
    await file.close()
  }
}
