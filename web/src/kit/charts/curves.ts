/** From logged values to what is drawn: smoothing, the axis below, and a range that outliers do not stretch. */

/** What lies below: the step, the clock, or milliseconds since the run's start. */
export type Axis = 'step' | 'time' | 'relative'
export const AXES: readonly Axis[] = ['step', 'time', 'relative']
export const axisOf = (text: string): Axis => AXES.find((axis) => axis === text) ?? 'step'

/** Column-wise, as the server sends it; null is NaN. */
export interface Columns {
  step: readonly number[]
  timestamp_ms: readonly number[]
  value: readonly (number | null)[]
}

export type Point = readonly [x: number, y: number | null]

/** Points by rising x. `start_ms` is the run's start, from which relative time counts. */
export function pointsOf({ step, timestamp_ms, value }: Columns, axis: Axis, start_ms: number): Point[] {
  const xs = axis === 'step' ? step : axis === 'time' ? timestamp_ms : timestamp_ms.map((at) => at - start_ms)
  const points = xs.map((x, at) => [x, value[at]!] as const)
  const rising = points.every(([x], at) => at === 0 || points[at - 1]![0] <= x)
  return rising ? points : points.sort((a, b) => a[0] - b[0])
}

/** Exponential moving average, begun without a bias towards zero; gaps stay gaps. `weight` in [0, 1). */
export function smoothed(points: readonly Point[], weight: number): Point[] {
  if (weight <= 0) return [...points]
  let mean = 0
  let mass = 0
  return points.map(([x, y]) => {
    if (y === null || !Number.isFinite(y)) return [x, null]
    mean = mean * weight + y * (1 - weight)
    mass = mass * weight + (1 - weight)
    return [x, mean / mass]
  })
}

/** Values outside of the middle nine tenths may fall off the chart; a fifth of their width is left as air. */
const TAIL = 0.05
const AIR = 0.2
const VALUES_MIN = 10

/** The range of most values, as TensorBoard ignores outliers; undefined when there are too few to tell, or nothing would be cut. */
export function withoutOutliers(values: readonly number[]): [low: number, high: number] | undefined {
  if (values.length < VALUES_MIN) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
  const [low, high] = [at(TAIL), at(1 - TAIL)]
  const air = (high - low) * AIR
  if (!(air > 0)) return undefined
  const range: [number, number] = [Math.max(sorted[0]!, low - air), Math.min(sorted.at(-1)!, high + air)]
  return range[0] === sorted[0] && range[1] === sorted.at(-1) ? undefined : range
}

/** Zoom as it stands in an address: `12~340`, in units of the axis. */
export function rangeOf(text: string): [from: number, to: number] | undefined {
  const [from, to] = text.split('~').map(Number)
  return from !== undefined && to !== undefined && Number.isFinite(from) && Number.isFinite(to) && from < to
    ? [from, to]
    : undefined
}

export const rangeText = (range: readonly [number, number] | undefined): string | undefined =>
  range && `${Number(range[0].toPrecision(13))}~${Number(range[1].toPrecision(13))}`

const COLORS = 8
const DASHES = [undefined, '6 3', '2 3', '8 3 2 3'] as const

/** Stroke of the first, second, … run that has the same colour. */
export const dashOf = (at: number): string | undefined => DASHES[at % DASHES.length]

/** By place: eight colours, then the same with another stroke. */
export const looksOf = (at: number): { color: string; dash: string | undefined } => ({
  color: `var(--s${(at % COLORS) + 1})`,
  dash: dashOf(Math.floor(at / COLORS)),
})
