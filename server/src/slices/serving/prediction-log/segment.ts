/**
 * The file that a serving node appends predictions to. A 64-byte header, then frames: payload length, CRC-32 of the payload, payload
 * (lines of JSON). A frame is whole or is not there: a reader stops at the first that is torn.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
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
  const head = Buffer.alloc(HEADER_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUInt16LE(FORMAT, 8)
  head.writeUInt16LE(DIGEST, 10)
  // Bytes 12-15: id of the key that encrypts the frames; 0 is none.
  const start = Buffer.concat([head, frameOf(Buffer.from(JSON.stringify(header)))])
  const file = await open(path, 'wx', 0o600)
  try {
    await writeAt(file, start, 0)
  } catch (error) {
    await file.close()
    await rm(path, { force: true })
    throw error
  }
  return segmentOf(file, path, header, start.length)
}

/** A full disk may take a part of what is written. */
async function writeAt(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let written = 0
  while (written < bytes.length)
    written += (await file.write(bytes, written, bytes.length - written, at + written)).bytesWritten
}

function segmentOf(file: FileHandle, path: string, header: SegmentHeader, size: number): Segment {
  const segment: Segment = {
    path,
    header,
    size_bytes: size,
    async append(lines) {
      const frame = frameOf(Buffer.from(lines))
      await writeAt(file, frame, segment.size_bytes)
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

/** The header alone; undefined for a file that ends before it does, which holds no prediction. */
export async function readHeader(path: string): Promise<SegmentHeader | undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const first = (await isSegment(file, path)) ? await frameAt(file, HEADER_BYTES, size) : undefined
    return first && headerOf(first)
  } finally {
    await file.close()
  }
}

/**
 * The header and, one after another, the payloads of all whole frames up to `until` bytes. `torn` tells of bytes after the last.
 * `header` is undefined for a file that ends before it does.
 */
export async function readSegment(
  path: string,
  each: (payload: Buffer) => Promise<void> | void,
  until = Number.POSITIVE_INFINITY,
): Promise<{ header: SegmentHeader | undefined; torn: boolean; whole_bytes: number }> {
  const file = await open(path, 'r')
  try {
    const end = Math.min(until, (await file.stat()).size)
    let header: SegmentHeader | undefined
    let at = HEADER_BYTES
    if (!(await isSegment(file, path))) return { header, torn: true, whole_bytes: 0 }
    while (at < end) {
      const payload = await frameAt(file, at, end)
      if (!payload) break
      at += FRAME_BYTES + payload.length
      if (header === undefined) header = headerOf(payload)
      else await each(payload)
    }
    return { header, torn: at < end, whole_bytes: at }
  } finally {
    await file.close()
  }
}

const headerOf = (payload: Buffer): SegmentHeader => JSON.parse(payload.toString()) as SegmentHeader

/** False for a file that ends inside its first bytes. Throws for one that is not ours. */
async function isSegment(file: FileHandle, path: string): Promise<boolean> {
  const head = Buffer.alloc(HEADER_BYTES)
  const { bytesRead } = await file.read(head, 0, HEADER_BYTES, 0)
  if (bytesRead < HEADER_BYTES) return false
  if (head.toString('latin1', 0, 8) !== MAGIC)
    throw new DomainError('internal', `${path} is not a segment of predictions`)
  if (head.readUInt16LE(8) > FORMAT)
    throw new DomainError('internal', `${path} was written by a newer Slipway (format ${head.readUInt16LE(8)})`)
  return true
}

/** The payload of the frame that begins at `at`, or undefined when it is torn. */
async function frameAt(file: FileHandle, at: number, end: number): Promise<Buffer | undefined> {
  const frame = Buffer.alloc(FRAME_BYTES)
  if ((await file.read(frame, 0, FRAME_BYTES, at)).bytesRead < FRAME_BYTES) return undefined
  const length = frame.readUInt32LE(0)
  // A length of zeros is what a file system leaves behind after a power cut.
  if (length === 0 || length > PAYLOAD_MAX || at + FRAME_BYTES + length > end) return undefined
  const payload = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(payload, 0, length, at + FRAME_BYTES)
  return bytesRead === length && crc32(payload) === frame.readUInt32LE(4) ? payload : undefined
}
