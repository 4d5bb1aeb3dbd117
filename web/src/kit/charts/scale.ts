/** Axes: round ticks for numbers and for times, and the way from values to places. */

export interface Scale {
  /** Place of a value, in pixels. */
  at(value: number): number
  /** Value at a place. */
  back(place: number): number
  min: number
  max: number
}

export function linear(min: number, max: number, from: number, to: number): Scale {
  const width = max - min || 1
  return {
    at: (value) => from + ((value - min) / width) * (to - from),
    back: (place) => min + ((place - from) / (to - from || 1)) * width,
    min,
    max,
  }
}

export function logarithmic(min: number, max: number, from: number, to: number): Scale {
  const inner = linear(Math.log10(min), Math.log10(max), from, to)
  return {
    at: (value) => inner.at(Math.log10(Math.max(value, min))),
    back: (place) => 10 ** inner.back(place),
    min,
    max,
  }
}

/** Round values from min to max, about `wanted` of them. */
export function ticks(min: number, max: number, wanted: number): number[] {
  if (!(max > min)) return [min]
  const rough = (max - min) / Math.max(1, wanted)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999) ?? 10 * power
  const found: number[] = []
  for (let at = Math.ceil(min / step - 1e-9) * step; at <= max + step * 1e-9; at += step)
    found.push(Number(at.toPrecision(12)))
  return found
}

/** A range with a little air, on round ends; a flat line gets room on both sides. */
export function airy(min: number, max: number): [min: number, max: number] {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return [0, 1]
  if (min === max) return min === 0 ? [-1, 1] : [min - Math.abs(min) * 0.1, max + Math.abs(max) * 0.1]
  const air = (max - min) * 0.08
  const low = min >= 0 && min - air < 0 ? 0 : min - air
  return [low, max + air]
}

const S = 1000
const H = 3600 * S
const D = 24 * H
const STEPS = [S, 5 * S, 15 * S, 60 * S, 5 * 60 * S, 15 * 60 * S, H, 3 * H, 6 * H, 12 * H, D, 2 * D, 7 * D, 14 * D]

/** Moments that people name: full minutes and hours, midnights, firsts of a month; UTC. */
export function timeTicks(min: number, max: number, wanted: number): number[] {
  if (!(max > min)) return [min]
  const rough = (max - min) / Math.max(1, wanted)
  const step = STEPS.find((each) => each >= rough)
  const found: number[] = []
  if (step !== undefined) {
    for (let at = Math.ceil(min / step) * step; at <= max; at += step) found.push(at)
    return found
  }
  const months = [1, 2, 3, 6, 12, 24, 60].find((each) => each * 31 * D >= rough) ?? 120
  const start = new Date(min)
  for (
    let month = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months;
    ;
    month += months
  ) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1)
    if (at > max) return found
    if (at >= min) found.push(at)
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number) => String(value).padStart(2, '0')

/** What a tick says: as little as tells it from its neighbours; the year where one begins. */
export function timeWords(ms: number, width_ms: number): string {
  const at = new Date(ms)
  const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
  if (width_ms < 5 * 60 * S) return `${clock}:${two(at.getUTCSeconds())}`
  if (width_ms < 2 * D) return clock
  const month = MONTHS[at.getUTCMonth()]
  if (at.getUTCDate() === 1 && width_ms > 45 * D) return at.getUTCMonth() === 0 ? String(at.getUTCFullYear()) : month!
  return `${at.getUTCDate()} ${month}`
}

/** Index of the value nearest to one wanted, in a rising list. */
export function nearest(values: readonly number[], wanted: number): number {
  let low = 0
  let high = values.length - 1
  while (high - low > 1) {
    const mid = (low + high) >> 1
    if (values[mid]! < wanted) low = mid
    else high = mid
  }
  return Math.abs(values[low]! - wanted) <= Math.abs((values[high] ?? Number.POSITIVE_INFINITY) - wanted) ? low : high
}
