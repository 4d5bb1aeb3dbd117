import { describe, expect, test } from 'vitest'
import { pointsOf, rangeOf, rangeText, smoothed, withoutOutliers } from './curves.ts'

describe('curves', () => {
  test('points rise in x, whatever the order they were logged in', () => {
    const series = { step: [0, 5, 3], timestamp_ms: [1000, 1200, 1400], value: [1, null, 3] }
    expect(pointsOf(series, 'step', 900)).toEqual([
      [0, 1],
      [3, 3],
      [5, null],
    ])
    expect(pointsOf(series, 'relative', 900)).toEqual([
      [100, 1],
      [300, null],
      [500, 3],
    ])
  })

  test('smoothing starts at the first value and leaves gaps', () => {
    expect(
      smoothed(
        [
          [0, 4],
          [1, 4],
          [2, null],
          [3, 4],
        ],
        0.9,
      ),
    ).toEqual([
      [0, 4],
      [1, 4],
      [2, null],
      [3, 4],
    ])
    const [, [, second]] = smoothed(
      [
        [0, 0],
        [1, 1],
      ],
      0.5,
    ) as [unknown, [number, number]]
    expect(second).toBeCloseTo(2 / 3)
  })

  test('one spike does not stretch the axis; values without any are shown whole', () => {
    const calm = Array.from({ length: 50 }, (_, at) => Math.sin(at))
    const [low, high] = withoutOutliers([...calm, 1000])!
    expect(low).toBeGreaterThanOrEqual(-1)
    expect(high).toBeLessThan(2)
    expect(withoutOutliers(calm)).toBeUndefined()
    expect(withoutOutliers([1, 2, 1000])).toBeUndefined()
  })

  test('a zoom goes through an address and back', () => {
    expect(rangeOf(rangeText([12.5, 1700000000123])!)).toEqual([12.5, 1700000000123])
    expect([rangeOf(''), rangeOf('5~1'), rangeOf('a~b')]).toEqual([undefined, undefined, undefined])
  })
})
