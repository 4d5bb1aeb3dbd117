/** Traces of a plotly figure as numbers that can be drawn. */
import { isObject } from './parse.ts'

export type Raw = Record<string, unknown>

const ARRAYS: Record<string, new (bytes: ArrayBuffer) => ArrayLike<number>> = {
  f8: Float64Array,
  f4: Float32Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
}

/** A list as plotly writes it: plain, or since version 6 as base64 of little-endian numbers. */
export function listOf(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (!isObject(value) || typeof value.bdata !== 'string') return undefined
  const Typed = ARRAYS[String(value.dtype)]
  if (!Typed) return undefined
  const bytes = Uint8Array.from(atob(value.bdata), (char) => char.charCodeAt(0))
  const numbers = Array.from(new Typed(bytes.buffer))
  const [, wide] = String(value.shape ?? '')
    .split(',')
    .map(Number)
  if (!wide) return numbers
  return Array.from({ length: numbers.length / wide }, (_, row) => numbers.slice(row * wide, (row + 1) * wide))
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/<[^>]*>/g, ' ').trim() : isObject(value) ? textOf(value.text) : ''

export interface DrawnTrace {
  kind: 'line' | 'dots' | 'both' | 'bars'
  name: string
  x: unknown[]
  y: number[]
}
export interface HeatMap {
  x: string[]
  y: string[]
  z: (number | null)[][]
}

const POINTS_MAX = 20_000
const BINS = 30
const numberOf = (value: unknown): number =>
  typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN

/** Undefined for kinds that are not drawn here. */
export function traceOf(raw: Raw, at: number): DrawnTrace | HeatMap | undefined {
  const type = String(raw.type ?? 'scatter')
  const name = textOf(raw.name) || `trace ${at + 1}`
  const [x, y] = [listOf(raw.x), listOf(raw.y)]
  if (type === 'heatmap') {
    const z = listOf(raw.z)?.map((row) => (listOf(row) ?? []).map((value) => (value === null ? null : numberOf(value))))
    if (!z || z.length === 0) return undefined
    return { x: (x ?? z[0]!.map((_, each) => each)).map(String), y: (y ?? z.map((_, each) => each)).map(String), z }
  }
  if (type === 'histogram') return histogram(name, (x ?? y ?? []).map(numberOf).filter(Number.isFinite))
  if (type === 'bar') {
    const across = raw.orientation === 'h'
    const [along, values] = across ? [y, x] : [x, y]
    if (!values) return undefined
    return { kind: 'bars', name, x: (along ?? values.map((_, each) => each)).slice(0, 500), y: values.map(numberOf) }
  }
  if (type !== 'scatter' && type !== 'scattergl') return undefined
  const values = y ?? x
  if (!values) return undefined
  const mode = String(raw.mode ?? 'lines')
  const kind = mode.includes('lines') ? (mode.includes('markers') ? 'both' : 'line') : 'dots'
  const along = y && x ? x : values.map((_, each) => each)
  return { kind, name, x: along.slice(0, POINTS_MAX), y: values.slice(0, POINTS_MAX).map(numberOf) }
}

function histogram(name: string, values: number[]): DrawnTrace | undefined {
  if (values.length === 0) return undefined
  let [low, high] = [values[0]!, values[0]!]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const wide = (high - low) / BINS || 1
  const counts = new Array<number>(BINS).fill(0)
  for (const value of values) counts[Math.min(BINS - 1, Math.floor((value - low) / wide))]! += 1
  return { kind: 'bars', name, x: counts.map((_, at) => Number((low + (at + 0.5) * wide).toPrecision(4))), y: counts }
}

export interface Along {
  /** Categories by place, of an axis that has no order of numbers. */
  names: string[] | undefined
  time: boolean
  at(value: unknown): number
  min: number
  max: number
}

const DATE = /^\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d)?/

/** Numbers, moments, or else names side by side. */
export function alongOf(traces: readonly DrawnTrace[]): Along {
  const all = traces.flatMap(({ x }) => x)
  const numeric = all.every((value) => typeof value === 'number')
  const time = !numeric && all.every((value) => typeof value === 'string' && DATE.test(value))
  const names = numeric || time ? undefined : [...new Set(all.map(String))]
  const places = names && new Map(names.map((name, at) => [name, at]))
  const at = (value: unknown): number =>
    places ? places.get(String(value))! : time ? Date.parse(String(value)) : Number(value)
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of all) {
    const place = at(value)
    if (place < min) min = place
    if (place > max) max = place
  }
  if (!Number.isFinite(min)) [min, max] = [0, 1]
  const bars = traces.some(({ kind }) => kind === 'bars')
  const air = bars || names ? 0.6 * (names || traces[0]!.x.length < 2 ? 1 : (max - min) / (traces[0]!.x.length - 1)) : 0
  return { names, time, at, min: min - air, max: max === min && air === 0 ? max + 1 : max + air }
}
