/** A segment's columns as bytes: pages of some columns each, and a head that says where each column is. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  type Column,
  type ColumnName,
  kindOf,
  type ListColumn,
  NOT_A_NUMBER,
  NUMBER,
  type NumberColumn,
} from './column.ts'

const PAGE_BYTES = 16 * 1024
const VERSION = 1

/** `[page, offset, length, runs that have it]` */
export type Place = readonly [page: number, offset: number, length: number, runs: number]

export interface Head {
  runs: number
  columns: Map<ColumnName, Place>
}

/** The keys of runs as bytes, and back. */
export const packKeys = (keys: readonly number[]): Uint8Array => bytesOf(Float64Array.from(keys))
export const readKeys = (bytes: Uint8Array): number[] =>
  Array.from(new Float64Array(Uint8Array.prototype.slice.call(bytes).buffer))

export interface Packed {
  head: Uint8Array
  pages: Uint8Array[]
}

const RAW = 0
const ZSTD = 1

/** The smaller of a page as it is and compressed, with a byte in front that says which. */
function packPage(parts: readonly Uint8Array[]): Uint8Array {
  const raw = Buffer.concat([Buffer.of(RAW), ...parts])
  const small = zstdCompressSync(raw.subarray(1))
  return small.length < raw.length * 0.7 ? Buffer.concat([Buffer.of(ZSTD), small]) : raw
}

/** The bytes of a page as `packPage` was given them. No Buffer: its `slice` would not copy. */
export function unpackPage(page: Uint8Array): Uint8Array {
  const bytes = page[0] === ZSTD ? zstdDecompressSync(page.subarray(1)) : page.subarray(1)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Columns of `runs` places, in pages. A column larger than a page has one of its own. */
export function packColumns(runs: number, columns: Iterable<readonly [ColumnName, Cells]>): Packed {
  const places: [ColumnName, ...Place][] = []
  const pages: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let size = 0
  const flush = () => {
    if (parts.length > 0) pages.push(packPage(parts))
    parts = []
    size = 0
  }
  for (const [name, cells] of columns) {
    const bytes = encode(kindOf(name), runs, cells)
    if (size > 0 && size + bytes.length > PAGE_BYTES) flush()
    places.push([name, pages.length, size, bytes.length, cells.places.length])
    parts.push(bytes)
    size += bytes.length
  }
  flush()
  const head = zstdCompressSync(JSON.stringify([VERSION, runs, places]))
  return { head, pages }
}

export function readHead(bytes: Uint8Array): Head {
  const [version, runs, places] = JSON.parse(zstdDecompressSync(bytes).toString()) as [
    number,
    number,
    [ColumnName, number, number, number, number][],
  ]
  if (version !== VERSION) throw new Error(`segments of version ${version} are not known`)
  return {
    runs,
    columns: new Map(places.map(([name, page, offset, length, has]) => [name, [page, offset, length, has]])),
  }
}

/** What one column of a segment has: at place `places[i]` stands `values[i]`, NaN for a metric that is none. */
export interface Cells {
  places: number[]
  values: (number | string | string[])[]
}

const ALL = 1
const DENSE = 0
const SPARSE = 2
/** Set beside the width of a text column's codes. */
const SPARSE_TEXT = 0x80

const bytesOf = (array: Float64Array | Uint32Array | Uint16Array | Uint8Array): Uint8Array =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength)

function encode(kind: Column['kind'], runs: number, { places, values }: Cells): Uint8Array {
  if (kind === 'number') return encodeNumbers(runs, places, values as number[])
  if (kind === 'text') return encodeTexts(runs, places, values as string[])
  const lists = new Array<string[] | null>(runs).fill(null)
  for (const [at, place] of places.entries()) lists[place] = values[at] as string[]
  return Buffer.from(JSON.stringify(lists))
}

/** All numbers: they alone. Few: places and values. Else a state for each place, then the numbers there are. */
function encodeNumbers(runs: number, places: readonly number[], values: readonly number[]): Uint8Array {
  if (places.length * 4 < runs) {
    return Buffer.concat([Buffer.of(SPARSE), bytesOf(Uint32Array.from(places)), bytesOf(Float64Array.from(values))])
  }
  const state = new Uint8Array(runs)
  const dense = new Float64Array(runs)
  for (const [at, place] of places.entries()) {
    state[place] = Number.isNaN(values[at]) ? NOT_A_NUMBER : NUMBER
    dense[place] = values[at]!
  }
  const numbers = dense.filter((_, place) => state[place] === NUMBER)
  return numbers.length === runs
    ? Buffer.concat([Buffer.of(ALL), bytesOf(numbers)])
    : Buffer.concat([Buffer.of(DENSE), state, bytesOf(numbers)])
}

/** The width of a code, the codes with 0 for none (few: how many, places, codes), then the texts. */
function encodeTexts(runs: number, places: readonly number[], values: readonly string[]): Uint8Array {
  const known = new Map<string, number>()
  for (const value of values) if (!known.has(value)) known.set(value, known.size)
  const width = known.size < 0xff ? 1 : known.size < 0xffff ? 2 : 4
  const sparse = places.length * 4 < runs
  const codes = new (width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array)(sparse ? places.length : runs)
  for (const [at, place] of places.entries()) codes[sparse ? at : place] = known.get(values[at]!)! + 1
  const texts = Buffer.from(JSON.stringify([...known.keys()]))
  if (!sparse) return Buffer.concat([Buffer.of(width), bytesOf(codes), texts])
  const where = Uint32Array.from(places)
  const count = bytesOf(Uint32Array.of(places.length))
  return Buffer.concat([Buffer.of(width | SPARSE_TEXT), count, bytesOf(where), bytesOf(codes), texts])
}

/** Writes the numbers of one segment into a column of many, from place `at`. */
export function decodeNumbers(bytes: Uint8Array, runs: number, into: NumberColumn, at: number): void {
  if (bytes[0] === ALL) {
    into.values.set(new Float64Array(bytes.slice(1).buffer), at)
    into.state.fill(NUMBER, at, at + runs)
    return
  }
  if (bytes[0] === SPARSE) {
    const count = (bytes.length - 1) / 12
    const places = new Uint32Array(bytes.slice(1, 1 + count * 4).buffer)
    const values = new Float64Array(bytes.slice(1 + count * 4).buffer)
    for (let i = 0; i < count; i++) {
      into.values[at + places[i]!] = values[i]!
      into.state[at + places[i]!] = Number.isNaN(values[i]) ? NOT_A_NUMBER : NUMBER
    }
    return
  }
  const numbers = new Float64Array(bytes.slice(1 + runs).buffer)
  let next = 0
  for (let place = 0; place < runs; place++) {
    const state = bytes[1 + place]!
    into.state[at + place] = state
    if (state === NUMBER) into.values[at + place] = numbers[next++]!
  }
}

const codesAt = (bytes: Uint8Array, from: number, count: number, width: number) => {
  const own = bytes.slice(from, from + count * width).buffer
  return width === 1 ? new Uint8Array(own) : width === 2 ? new Uint16Array(own) : new Uint32Array(own)
}

/** A text column of many segments, as it is put together. */
export interface TextTarget {
  readonly codes: Int32Array
  codeOf(text: string): number
  append(texts: readonly string[]): number
}

/** Writes codes from place `at`. */
export function decodeTexts(bytes: Uint8Array, runs: number, into: TextTarget, at: number): void {
  const width = bytes[0]! & ~SPARSE_TEXT
  const sparse = (bytes[0]! & SPARSE_TEXT) !== 0
  const count = sparse ? new Uint32Array(bytes.slice(1, 5).buffer)[0]! : runs
  const begin = sparse ? 5 + count * 4 : 1
  const places = sparse ? new Uint32Array(bytes.slice(5, begin).buffer) : undefined
  const codes = codesAt(bytes, begin, count, width)
  const texts = JSON.parse(Buffer.from(bytes.subarray(begin + count * width)).toString()) as string[]
  // Names and ids are nearly all different.
  const first = texts.length * 2 > count ? into.append(texts) : -1
  const own = first < 0 ? texts.map((text) => into.codeOf(text)) : undefined
  for (let i = 0; i < count; i++) {
    const code = codes[i]!
    if (code > 0) into.codes[at + (places ? places[i]! : i)] = own ? own[code - 1]! : first + code - 1
  }
}

export const decodeLists = (bytes: Uint8Array): ListColumn['lists'] =>
  (JSON.parse(Buffer.from(bytes).toString()) as (string[] | null)[]).map((list) => list ?? undefined)
