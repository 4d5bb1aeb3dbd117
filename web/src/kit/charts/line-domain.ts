import { withoutOutliers } from './curves.ts'
import type { Line } from './line-chart.tsx'
import { airy, nearest, type Scale } from './scale.ts'

interface Asked {
  thresholds: readonly { y: number }[]
  x: readonly [number, number]
  log: boolean
  /** Outliers may fall off. */
  clip: boolean
}

/** What of y is shown. */
export function domainOf(
  lines: readonly Line[],
  { thresholds, x: [x_min, x_max], log, clip }: Asked,
): [number, number] {
  const values: number[] = []
  for (const { points } of lines)
    for (const [px, py] of points) {
      if (py !== null && Number.isFinite(py) && px >= x_min && px <= x_max && !(log && py <= 0)) values.push(py)
    }
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  if (clip) [low, high] = withoutOutliers(values) ?? [low, high]
  for (const { y } of thresholds) {
    low = Math.min(low, y)
    high = Math.max(high, y)
  }
  if (!log) return airy(low, high)
  return Number.isFinite(low) ? [low * 0.9, Math.max(high, low * 1.5) * 1.1] : [0.1, 1]
}

export function logTicks(min: number, max: number): number[] {
  const found: number[] = []
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++)
    for (const factor of [1, 3])
      if (factor * 10 ** power >= min && factor * 10 ** power <= max)
        found.push(Number((factor * 10 ** power).toPrecision(3)))
  return found.length > 6 ? found.filter((each) => Number.isInteger(Math.log10(each))) : found
}

export function pathOf({ points }: Line, sx: Scale, sy: Scale): string {
  let path = ''
  let open = false
  for (const [x, y] of points) {
    if (y === null || !Number.isFinite(y)) open = false
    else {
      path += `${open ? 'L' : 'M'}${sx.at(x).toFixed(1)} ${sy.at(y).toFixed(1)}`
      open = true
    }
  }
  return path
}

/** A line's value at x; nothing where it has none near. */
export function valueAt(line: Line, x: number): { line: Line; y: number }[] {
  const { points } = line
  if (points.length === 0) return []
  const xs = xsOf(line)
  const [px, y] = points[nearest(xs, x)]!
  const near = px === x || (xs.length > 20 && Math.abs(px - x) <= (2 * (xs.at(-1)! - xs[0]!)) / xs.length)
  return y !== null && near ? [{ line, y }] : []
}

const known = new WeakMap<object, number[]>()
/** Looked up at each move of the pointer, so made once. */
function xsOf({ points }: Line): number[] {
  const found = known.get(points) ?? points.map(([x]) => x)
  known.set(points, found)
  return found
}

export function summaryOf(lines: readonly Line[], format: (value: number) => string): string {
  return lines
    .filter(({ faint }) => !faint)
    .slice(0, 6)
    .map(({ label, points }) => {
      const values = points.flatMap(([, y]) => (y === null ? [] : [y]))
      if (values.length === 0) return `${label}: no values`
      let [low, high] = [values[0]!, values[0]!]
      for (const value of values) {
        if (value < low) low = value
        if (value > high) high = value
      }
      return `${label}: ${values.length} values, last ${format(values.at(-1)!)}, from ${format(low)} to ${format(high)}`
    })
    .join('; ')
}
