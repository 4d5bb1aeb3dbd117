/** A part of an axis of parallel coordinates, and the same as a filter of the run search. */
import type { Frame, FrameColumn } from './columns.ts'

/** An axis as it is drawn: numbers between two ends, or each text at its own height. */
export interface AxisScale {
  column: FrameColumn
  /** Texts by height, of an axis that is not numeric. */
  texts: readonly string[]
  low: number
  high: number
}

/** From 0 at the low end to 1. */
export interface Brush {
  name: string
  from: number
  to: number
}

export function axisScale(column: FrameColumn): AxisScale {
  if (!column.numeric) {
    const texts = [...new Set(column.values.flatMap((value) => (value === null ? [] : [String(value)])))].sort()
    return { column, texts, low: 0, high: Math.max(1, texts.length - 1) }
  }
  const known = column.values.filter((value): value is number => typeof value === 'number')
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of known) {
    if (value < low) low = value
    if (value > high) high = value
  }
  if (!Number.isFinite(low)) [low, high] = [0, 1]
  return { column, texts: [], low, high: high > low ? high : low + 1 }
}

/** Height of a value from 0 to 1; undefined for a run that has none. */
export function heightOf(axis: AxisScale, value: number | string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined
  const number = axis.column.numeric ? Number(value) : axis.texts.indexOf(String(value))
  if (!axis.column.numeric && axis.texts.length === 1) return 0.5
  return (number - axis.low) / (axis.high - axis.low)
}

/** Rows that lie in every brush. */
export function inside(frame: Frame, axes: readonly AxisScale[], brushes: readonly Brush[]): boolean[] {
  const bound = brushes.flatMap((brush) => {
    const axis = axes.find(({ column }) => column.name === brush.name)
    return axis ? [{ axis, brush }] : []
  })
  return frame.rows.map((_, row) =>
    bound.every(({ axis, brush }) => {
      const height = heightOf(axis, axis.column.values[row])
      return height !== undefined && height >= brush.from - 1e-9 && height <= brush.to + 1e-9
    }),
  )
}

/** Rounded outwards, so that no run at the edge is lost. */
const outward = (value: number, up: boolean): string => {
  const short = Number(value.toPrecision(6))
  if (up ? short >= value : short <= value) return String(short)
  return String(value)
}
const quoted = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`)

/** The same in the filter language: `metrics.auc >= 0.7 and params.kind in ('a', 'b')`. */
export function filterOf(axes: readonly AxisScale[], brushes: readonly Brush[]): string {
  return brushes
    .flatMap(({ name, from, to }) => {
      const axis = axes.find(({ column }) => column.name === name)
      if (!axis) return []
      const at = (height: number) => axis.low + height * (axis.high - axis.low)
      if (axis.column.numeric)
        return [
          ...(from > 0 ? [`${name} >= ${outward(at(from), false)}`] : []),
          ...(to < 1 ? [`${name} <= ${outward(at(to), true)}`] : []),
        ]
      const taken = axis.texts.filter((text) => {
        const height = heightOf(axis, text)!
        return height >= from - 1e-9 && height <= to + 1e-9
      })
      return taken.length > 0 ? [`${name} IN (${taken.map(quoted).join(', ')})`] : []
    })
    .join(' AND ')
}

/** Both filters together; the one that stands keeps its own meaning. */
export const both = (standing: string, more: string): string =>
  standing === '' ? more : more === '' ? standing : `(${standing}) AND ${more}`

/** As they stand in an address: `metrics.auc~0.5~1`, parted by bars. */
export const brushText = (brushes: readonly Brush[]): string =>
  brushes.map(({ name, from, to }) => `${name}~${Number(from.toFixed(4))}~${Number(to.toFixed(4))}`).join('|')

export function brushesOf(text: string): Brush[] {
  return text.split('|').flatMap((part) => {
    const [, name, from, to] = /^(.+)~([\d.]+)~([\d.]+)$/.exec(part) ?? []
    return name !== undefined && Number(from) < Number(to) ? [{ name, from: Number(from), to: Number(to) }] : []
  })
}
