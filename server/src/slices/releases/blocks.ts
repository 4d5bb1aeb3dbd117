/** What a bootstrap draws anew. Pure. */

const HOUR_MS = 3_600_000
const SPANS = [
  { by: 'day', ms: 24 * HOUR_MS },
  { by: 'hour', ms: HOUR_MS },
] as const
/** Blocks below which their own spread says too little. */
const BLOCKS_MIN = 7

export interface Blocks {
  by: 'day' | 'hour' | 'row'
  count: number
  /** The block of each row, numbered from 0; null: each row is one. */
  of: Uint32Array | null
}

/**
 * Rows of one day depend on each other: they share its weather, its outages, its campaign. Drawing them one by one would make an
 * interval too narrow, so whole days (UTC) are drawn where there are seven, else hours, else rows; rows also where a time is lacking.
 */
export function blocksOf(times: readonly (number | null)[]): Blocks {
  for (const { by, ms } of times.includes(null) ? [] : SPANS) {
    const numbers = new Map<number, number>()
    const of = Uint32Array.from(times, (time) => {
      const span = Math.floor(time! / ms)
      let number = numbers.get(span)
      if (number === undefined) {
        number = numbers.size
        numbers.set(span, number)
      }
      return number
    })
    if (numbers.size >= BLOCKS_MIN) return { by, count: numbers.size, of }
  }
  return { by: 'row', count: times.length, of: null }
}
