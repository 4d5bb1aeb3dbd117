import { expect, test } from 'vitest'
import { ago, bytes, day, measure, NONE, percent, short, shortId, signed, span } from './format.ts'

test('numbers are short and comparable', () => {
  expect(
    [0.73512, 0.0001234, 12.345, 1234.5, 1.2e-7, 3e9, 0, 42, null, Number.NaN].map((value) => measure(value)),
  ).toEqual(['0.7351', '0.0001', '12.35', '1,235', '1.20e-7', '3.00e+9', '0', '42', NONE, NONE])
  expect([999, 12_345, 4_560_000, 7.1e9].map(short)).toEqual(['999', '12.3k', '4.56M', '7.1G'])
  expect([0.5, 0.123, 0.0123, 0.00012, 1, 0].map((share) => percent(share))).toEqual([
    '50 %',
    '12 %',
    '1.2 %',
    '0.01 %',
    '100 %',
    '0 %',
  ])
  expect([0.01, -0.01, 0].map((value) => signed(value, 2))).toEqual(['+0.01', '−0.01', '±0.00'])
})

test('spans and sizes carry their unit', () => {
  expect([0.84, 312, 4200, 59_400, 190_000, 7_500_000, 270_000_000].map(span)).toEqual([
    '0.84 ms',
    '312 ms',
    '4.2 s',
    '59 s',
    '3 min 10 s',
    '2 h 5 min',
    '3 d 3 h',
  ])
  expect([98, 1234, 250_000, 5e9].map(bytes)).toEqual(['98 B', '1.2 kB', '250 kB', '5.0 GB'])
})

test('times: how long ago on the wall, the day in UTC for events', () => {
  const now = Date.UTC(2026, 10, 23, 12)
  expect([1000, 40_000, 600_000, 7_200_000, 3 * 86_400_000].map((ms) => ago(now - ms, now))).toEqual([
    'just now',
    '40 s ago',
    '10 min ago',
    '2 h ago',
    '3 d ago',
  ])
  expect(day(Date.UTC(2013, 7, 14, 23, 5), true)).toBe('14 Aug 2013 23:05')
})

test('ids are told apart by their end, digests by their beginning', () => {
  const hex = '01a2092d3ff471728e25dc33f9d6f6bb'
  expect([`rel_${hex}`, `prd_${hex}.2`, `sha256:${hex}${hex}`, hex, `m-${hex}`, 'flight-delay/6'].map(shortId)).toEqual(
    ['rel_…d6f6bb', 'prd_…d6f6bb.2', '01a2092d', '01a2092d', 'm-…d6f6bb', 'flight-delay/6'],
  )
})
