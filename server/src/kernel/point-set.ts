/** A series of metric points as a set: what a source holds and what a store answers are the same when their digests are. */
import { createHash } from 'node:crypto'

/** By column; integers beyond 2^53 come as bigint. NaN stands as itself. */
export interface PointSet {
  step: (number | bigint)[]
  at_ms: (number | bigint)[]
  value: number[]
}

export const noPointSet = (): PointSet => ({ step: [], at_ms: [], value: [] })

const asKept = (value: number): number =>
  Number.isNaN(value) ? value : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)) + 0

/** In order of (step, time, value), NaN as 0 and behind it, exact repeats once; infinities as the greatest doubles, -0 as 0. */
export function orderedOnce(points: PointSet): PointSet {
  const value = points.value.map(asKept)
  const { step, at_ms } = points
  const compare = (i: number, j: number): number => {
    if (step[i] !== step[j]) return step[i]! < step[j]! ? -1 : 1
    if (at_ms[i] !== at_ms[j]) return at_ms[i]! < at_ms[j]! ? -1 : 1
    const [x, y] = [value[i]!, value[j]!]
    const [a, b] = [Number.isNaN(x) ? 0 : x, Number.isNaN(y) ? 0 : y]
    if (a !== b) return a < b ? -1 : 1
    return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
  }
  let rises = true
  for (let i = 1; i < value.length && rises; i++) rises = compare(i - 1, i) < 0
  if (rises) return { step, at_ms, value }
  const order = Array.from(value.keys()).sort(compare)
  const out = noPointSet()
  let last = -1
  for (const i of order) {
    if (last >= 0 && compare(last, i) === 0) continue
    out.step.push(step[i]!)
    out.at_ms.push(at_ms[i]!)
    out.value.push(value[i]!)
    last = i
  }
  return out
}

const PART = 4096

/** Takes ordered points part by part. */
export function pointDigest(): { add(points: PointSet): void; count(): number; hex(): string } {
  const hash = createHash('sha256')
  let count = 0
  return {
    add({ step, at_ms, value }) {
      for (let first = 0; first < value.length; first += PART) {
        const end = Math.min(value.length, first + PART)
        const words = new Float64Array((end - first) * 3)
        for (let i = first, at = 0; i < end; i++) {
          words[at++] = Number(step[i])
          words[at++] = Number(at_ms[i])
          // One bit pattern for all that are not a number.
          words[at++] = Number.isNaN(value[i]!) ? Number.NaN : value[i]!
        }
        hash.update(new Uint8Array(words.buffer))
      }
      count += value.length
    },
    count: () => count,
    hex: () => hash.digest('hex'),
  }
}

/** Of names and their values, in whatever order. */
export function pairsDigest(pairs: readonly { key: string; value: string }[]): string {
  const sorted = pairs.map(({ key, value }) => [key, value]).sort(([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}
