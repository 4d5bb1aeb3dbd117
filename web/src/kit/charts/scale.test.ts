import { describe, expect, test } from 'vitest'
import { airy, linear, logarithmic, nearest, ticks, timeTicks, timeWords } from './scale.ts'

describe('ticks', () => {
  test('are round, within the range, about as many as wanted', () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
    expect(ticks(0.61, 0.84, 4)).toEqual([0.7, 0.8])
    expect(ticks(-3, 12, 4)).toEqual([0, 5, 10])
    expect(ticks(2, 2, 4)).toEqual([2])
    for (const [min, max] of [
      [1e-9, 3e-9],
      [0, 7e12],
      [-1, 1],
    ] as const) {
      const found = ticks(min, max, 5)
      expect(found.length).toBeGreaterThan(2)
      expect(found.length).toBeLessThan(11)
      expect(found.every((tick) => tick >= min && tick <= max * 1.0000001)).toBe(true)
    }
  })

  test('of times are moments that people name', () => {
    const from = Date.UTC(2013, 3, 1)
    expect(timeTicks(from, Date.UTC(2014, 0, 1), 9).map((at) => timeWords(at, 275 * 86_400_000))).toEqual([
      'Apr',
      'May',
      'Jun',
      'Jul',
      'Aug',
      'Sep',
      'Oct',
      'Nov',
      'Dec',
      '2014',
    ])
    expect(timeTicks(from, from + 3_600_000, 4).map((at) => timeWords(at, 3_600_000))).toEqual([
      '00:00',
      '00:15',
      '00:30',
      '00:45',
      '01:00',
    ])
  })
})

test('a scale leads there and back', () => {
  const x = linear(10, 20, 0, 100)
  expect([x.at(15), x.back(50)]).toEqual([50, 15])
  const y = logarithmic(1, 1000, 0, 300)
  expect(y.at(10)).toBeCloseTo(100)
  expect(y.back(200)).toBeCloseTo(100)
})

test('a range gets air, not below zero for what cannot be', () => {
  expect(airy(0.1, 10)[0]).toBe(0)
  expect(airy(5, 5)).toEqual([4.5, 5.5])
  expect(airy(0, 0)).toEqual([-1, 1])
  expect(airy(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toEqual([0, 1])
})

test('the nearest value is found, whatever is between', () => {
  const values = [0, 1, 4, 9]
  expect([-5, 0.4, 2.6, 6, 100].map((wanted) => values[nearest(values, wanted)])).toEqual([0, 0, 4, 4, 9])
})
