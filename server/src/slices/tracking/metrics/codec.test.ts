import { describe, expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { decodePoints, decodeSummary, encodePoints, encodeSummary, isNarrow, NARROW_BOUND } from './codec.ts'
import { merged, noPoints, type Points, pushPoint, sorted } from './points.ts'

const random = seededRandom(7)
const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!

function randomPoints(count: number): Points {
  const points = noPoints()
  for (let i = 0; i < count; i++) {
    const step = pick([
      i,
      i * 100,
      Math.floor((random.next() - 0.5) * NARROW_BOUND * 2),
      NARROW_BOUND,
      -NARROW_BOUND,
      0,
    ])
    const at_ms = pick([1.7e12 + i * 50, Math.floor(random.next() * 100), -NARROW_BOUND, NARROW_BOUND])
    const value = pick([random.next(), Math.fround(random.next()), Number.NaN, 0, -1e308, 5e-324, Number.MAX_VALUE])
    pushPoint(points, step, at_ms, value)
  }
  return sorted(points, 'step')
}

describe('points as bytes', () => {
  test('come back bit for bit, compressed and not', () => {
    for (let round = 0; round < 300; round++) {
      const points = randomPoints(Math.floor(random.next() * 40) + 1)
      for (const compress of [true, false]) expect(decodePoints(encodePoints(points, compress))).toEqual(points)
    }
    const infinite = { step: [0, 1], at_ms: [0, 0], value: [Infinity, -Infinity] }
    expect(decodePoints(encodePoints(infinite, true))).toEqual(infinite)
  })

  test('that were damaged are refused, never read as others', () => {
    const bytes = encodePoints(randomPoints(200), true)
    for (let at = 0; at < bytes.length; at += 7) {
      const bent = bytes.slice()
      bent[at]! ^= 0x55
      expect(() => decodePoints(bent)).toThrow('damaged')
    }
    expect(() => decodePoints(bytes.slice(0, -5))).toThrow('damaged')
    expect(() => decodePoints(new Uint8Array())).toThrow('damaged')
  })

  test('have a summary that leaves NaN out of the extremes', () => {
    const points = { step: [1, 2, 3, 4], at_ms: [10, 20, 30, 40], value: [Number.NaN, 5, -2, Number.NaN] }
    expect(decodeSummary(encodeSummary(points))).toEqual({
      least: { step: 3, at_ms: 30, value: -2 },
      greatest: { step: 2, at_ms: 20, value: 5 },
      last: { step: 4, at_ms: 40, value: Number.NaN },
    })
    expect(decodeSummary(encodeSummary({ step: [1], at_ms: [2], value: [Number.NaN] }))).toEqual({
      last: { step: 1, at_ms: 2, value: Number.NaN },
    })
  })

  test('take integers up to 2^50', () => {
    expect([2 ** 50, -(2 ** 50), 0].every(isNarrow)).toBe(true)
    expect([2 ** 50 + 1, 2n ** 60n, -(2 ** 51)].some(isNarrow)).toBe(false)
  })
})

test('merging keeps each point once, in order', () => {
  for (const order of ['step', 'time'] as const) {
    for (let round = 0; round < 100; round++) {
      const [a, b] = [sorted(randomPoints(20), order), sorted(randomPoints(20), order)]
      const both = noPoints()
      for (const some of [a, b])
        for (let i = 0; i < some.value.length; i++) pushPoint(both, some.step[i]!, some.at_ms[i]!, some.value[i]!)
      expect(merged(a, b, order)).toEqual(sorted(both, order))
    }
  }
})
