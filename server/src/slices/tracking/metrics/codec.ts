/**
 * Points as bytes: `[version][flags][count]` as varints, then steps and timestamps as differences of differences in zigzag
 * varints, then the values' bytes by plane (all first bytes, all second ones, …), which is what makes doubles compress. What follows
 * the head is one zstd frame with a checksum when the flag says so.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Integer } from '../model.ts'
import type { Points } from './points.ts'

const VERSION = 1
const COMPRESSED = 1
const OF_SERIES = 2
/** Differences of differences of integers up to here are exact as doubles, zigzag included. */
const NARROW_MAX = 2 ** 50
/** What zstd may make of a body: far above any block, so that a damaged one cannot fill the memory. */
const BODY_BYTES_MAX = 64 << 20
const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
}

/** Integers that fit this form; a point with others stays a row. */
export const isNarrow = (value: Integer): value is number =>
  typeof value === 'number' && value >= -NARROW_MAX && value <= NARROW_MAX
export const NARROW_BOUND = NARROW_MAX

class Writer {
  bytes = new Uint8Array(256)
  size = 0

  room(more: number): void {
    if (this.size + more <= this.bytes.length) return
    const wider = new Uint8Array(Math.max(this.bytes.length * 2, this.size + more))
    wider.set(this.bytes)
    this.bytes = wider
  }

  varint(value: number): void {
    this.room(8)
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.size++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.size++] = rest
  }

  /** The first as it is, the second as the difference, the others as the difference of differences. */
  integers(values: readonly Integer[]): void {
    let last = 0
    let step = 0
    for (const value of values as number[]) {
      const difference = value - last
      const change = difference - step
      this.varint(change >= 0 ? change * 2 : -change * 2 - 1)
      step = difference
      last = value
    }
  }

  doubles(values: readonly number[]): void {
    const plain = new Uint8Array(Float64Array.from(values).buffer)
    const count = values.length
    this.room(plain.length)
    for (let plane = 0; plane < 8; plane++) {
      for (let at = 0; at < count; at++) this.bytes[this.size++] = plain[at * 8 + plane]!
    }
  }

  taken(): Uint8Array {
    return this.bytes.subarray(0, this.size)
  }
}

/** Points whose integers are all narrow. */
export function encodePoints(points: Points, compress: boolean): Uint8Array {
  const head = new Writer()
  head.varint(VERSION)
  head.varint(compress ? COMPRESSED : 0)
  head.varint(points.value.length)
  const body = compress ? new Writer() : head
  body.integers(points.step)
  body.integers(points.at_ms)
  body.doubles(points.value)
  if (!compress) return head.taken().slice()
  return Buffer.concat([head.taken(), zstdCompressSync(body.taken(), ZSTD)])
}

class Reader {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  varint(): number {
    const first = this.bytes[this.at]!
    if (first < 0x80) {
      this.at++
      return first
    }
    let value = 0
    for (let scale = 1; scale <= 2 ** 56; scale *= 0x80) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) break
      if (byte < 0x80) return value + byte * scale
      value += (byte - 0x80) * scale
    }
    throw damaged('a number has no end')
  }

  integers(count: number): number[] {
    const values: number[] = []
    let last = 0
    let step = 0
    for (let i = 0; i < count; i++) {
      const code = this.varint()
      if (code < 2 ** 31) step += code & 1 ? -((code + 1) >>> 1) : code >>> 1
      else step += code % 2 === 0 ? code / 2 : -(code + 1) / 2
      last += step
      values.push(last)
    }
    return values
  }

  doubles(count: number): number[] {
    const { bytes, at } = this
    if (bytes.length !== at + count * 8) throw damaged(`${bytes.length - at} bytes of values for ${count} points`)
    const plain = new Uint8Array(count * 8)
    for (let plane = 0; plane < 8; plane++) {
      const from = at + plane * count
      for (let i = 0; i < count; i++) plain[i * 8 + plane] = bytes[from + i]!
    }
    const doubles = new Float64Array(plain.buffer)
    const values: number[] = []
    for (let i = 0; i < count; i++) values.push(doubles[i]!)
    return values
  }
}

const damaged = (why: string, cause?: unknown) => new Error(`stored metric points are damaged: ${why}`, { cause })

/** Throws an Error for bytes that no `encodePoints` wrote. */
export function decodePoints(bytes: Uint8Array): Points {
  const head = new Reader(bytes)
  const version = head.varint()
  if (version !== VERSION) throw damaged(`form ${version} is not known here`)
  const compressed = head.varint() === COMPRESSED
  const count = head.varint()
  let body = head
  if (compressed) {
    try {
      body = new Reader(zstdDecompressSync(bytes.subarray(head.at), { maxOutputLength: BODY_BYTES_MAX }))
    } catch (error) {
      throw damaged((error as Error).message, error)
    }
  }
  if (count > (body.bytes.length - body.at) / 8) throw damaged(`${count} points do not fit`)
  const step = body.integers(count)
  const at_ms = body.integers(count)
  return { step, at_ms, value: body.doubles(count) }
}

/** Points of several series. */
export interface SeriesPoints extends Points {
  series: number[]
}

/** Points whose integers are all narrow. */
export function encodeSeriesPoints(points: SeriesPoints): Uint8Array {
  const body = new Writer()
  body.varint(VERSION)
  body.varint(OF_SERIES)
  body.varint(points.value.length)
  body.integers(points.series)
  body.integers(points.step)
  body.integers(points.at_ms)
  body.doubles(points.value)
  return body.taken().slice()
}

/** Throws an Error for bytes that no `encodeSeriesPoints` wrote. */
export function decodeSeriesPoints(bytes: Uint8Array): SeriesPoints {
  const body = new Reader(bytes)
  if (body.varint() !== VERSION || body.varint() !== OF_SERIES) throw damaged('not a batch of several series')
  const count = body.varint()
  if (count > (bytes.length - body.at) / 8) throw damaged(`${count} points do not fit`)
  const series = body.integers(count)
  const step = body.integers(count)
  const at_ms = body.integers(count)
  return { series, step, at_ms, value: body.doubles(count) }
}

/** What is kept of a block in plain sight: by step order. */
export interface Summary {
  /** Undefined when every value is NaN. */
  least?: { step: number; at_ms: number; value: number }
  greatest?: { step: number; at_ms: number; value: number }
  last: { step: number; at_ms: number; value: number }
}

export function encodeSummary(points: Points): Uint8Array {
  const { value } = points
  let [least, greatest] = [-1, -1]
  for (let i = 0; i < value.length; i++) {
    if (Number.isNaN(value[i])) continue
    if (least < 0 || value[i]! < value[least]!) least = i
    if (greatest < 0 || value[i]! > value[greatest]!) greatest = i
  }
  const three = (at: number) =>
    at < 0 ? [0, 0, Number.NaN] : [Number(points.step[at]!), Number(points.at_ms[at]!), value[at]!]
  return new Uint8Array(Float64Array.from([...three(least), ...three(greatest), ...three(value.length - 1)]).buffer)
}

export function decodeSummary(bytes: Uint8Array): Summary {
  if (bytes.length !== 72) throw damaged(`a summary of ${bytes.length} bytes`)
  // Bytes of a database row need not begin where a double may.
  const all = new Float64Array(bytes.slice().buffer)
  const three = (at: number) => ({ step: all[at]!, at_ms: all[at + 1]!, value: all[at + 2]! })
  const last = three(6)
  return Number.isNaN(all[2]) ? { last } : { least: three(0), greatest: three(3), last }
}
