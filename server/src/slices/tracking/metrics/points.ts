import type { Integer } from '../model.ts'

/** Points by column, as they are read, merged and sealed. NaN stands as itself; infinities never come this far. */
export interface Points {
  step: Integer[]
  at_ms: Integer[]
  value: number[]
}

/** By (step, timestamp, value) or by (timestamp, step, value); NaN compares as 0, after it when all else is equal. */
export type Order = 'step' | 'time'

/** One point's place in an order, exclusive where a scan goes on after it. */
export interface Place {
  step: Integer
  at_ms: Integer
  value: number
}

export const noPoints = (): Points => ({ step: [], at_ms: [], value: [] })

export const pushPoint = (to: Points, step: Integer, at_ms: Integer, value: number): void => {
  to.step.push(step)
  to.at_ms.push(at_ms)
  to.value.push(value)
}

export function appendPoints(to: Points, some: Points): void {
  for (let i = 0; i < some.value.length; i++) pushPoint(to, some.step[i]!, some.at_ms[i]!, some.value[i]!)
}

/** One after the other. */
export function joined(parts: readonly Points[]): Points {
  if (parts.length === 1) return parts[0]!
  return {
    step: ([] as Integer[]).concat(...parts.map(({ step }) => step)),
    at_ms: ([] as Integer[]).concat(...parts.map(({ at_ms }) => at_ms)),
    value: ([] as number[]).concat(...parts.map(({ value }) => value)),
  }
}

/** The first column of an order. */
export const mainOf = (points: Points, order: Order): Integer[] => (order === 'step' ? points.step : points.at_ms)

const byValue = (a: number, b: number): number => {
  const [x, y] = [Number.isNaN(a) ? 0 : a, Number.isNaN(b) ? 0 : b]
  if (x !== y) return x < y ? -1 : 1
  return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0)
}

export function comparePlaces(order: Order, a: Place, b: Place): number {
  const first = order === 'step' ? a.step : a.at_ms
  const second = order === 'step' ? b.step : b.at_ms
  if (first !== second) return first < second ? -1 : 1
  const third = order === 'step' ? a.at_ms : a.step
  const fourth = order === 'step' ? b.at_ms : b.step
  if (third !== fourth) return third < fourth ? -1 : 1
  return byValue(a.value, b.value)
}

/** As comparePlaces, of two points where they stand. */
function compareAt(order: Order, a: Points, i: number, b: Points, j: number): number {
  const [first, second] = order === 'step' ? [a.step[i]!, b.step[j]!] : [a.at_ms[i]!, b.at_ms[j]!]
  if (first !== second) return first < second ? -1 : 1
  const [third, fourth] = order === 'step' ? [a.at_ms[i]!, b.at_ms[j]!] : [a.step[i]!, b.step[j]!]
  if (third !== fourth) return third < fourth ? -1 : 1
  return byValue(a.value[i]!, b.value[j]!)
}

export const placeAt = (points: Points, at: number): Place => ({
  step: points.step[at]!,
  at_ms: points.at_ms[at]!,
  value: points.value[at]!,
})

export const slicePoints = (points: Points, from: number, to?: number): Points => ({
  step: points.step.slice(from, to),
  at_ms: points.at_ms.slice(from, to),
  value: points.value.slice(from, to),
})

/** In order, exact repeats once. Answers the same object when there was nothing to do. */
export function sorted(points: Points, order: Order): Points {
  const count = points.value.length
  let rises = true
  for (let i = 1; i < count && rises; i++) rises = compareAt(order, points, i - 1, points, i) < 0
  if (rises) return points
  const places = Array.from({ length: count }, (_, i) => i).sort((i, j) => compareAt(order, points, i, points, j))
  const out = noPoints()
  let last = -1
  for (const i of places) {
    if (last >= 0 && compareAt(order, points, last, points, i) === 0) continue
    pushPoint(out, points.step[i]!, points.at_ms[i]!, points.value[i]!)
    last = i
  }
  return out
}

/** Two sorted lists as one, exact repeats once. */
export function merged(a: Points, b: Points, order: Order): Points {
  const [n, m] = [a.value.length, b.value.length]
  if (n === 0) return b
  if (m === 0) return a
  if (compareAt(order, a, n - 1, b, 0) < 0) {
    return { step: a.step.concat(b.step), at_ms: a.at_ms.concat(b.at_ms), value: a.value.concat(b.value) }
  }
  const out = noPoints()
  for (let i = 0, j = 0; i < n || j < m; ) {
    const which = i === n ? 1 : j === m ? -1 : compareAt(order, a, i, b, j)
    if (which <= 0) {
      pushPoint(out, a.step[i]!, a.at_ms[i]!, a.value[i]!)
      i++
      if (which === 0) j++
    } else {
      pushPoint(out, b.step[j]!, b.at_ms[j]!, b.value[j]!)
      j++
    }
  }
  return out
}

/** How many of the sorted `values` are below `bound`. */
export function countBelow(values: readonly Integer[], bound: Integer): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
