import { expect, test } from 'vitest'
import { judgeAlert } from './alerts.ts'
import { firstOpenWindow, firstWindow, gridOf, isDue } from './grid.ts'
import { type AlertSpec, checkSpec } from './schema.ts'

/** Moves of an alert over a series of values. */
function moves(spec: Partial<AlertSpec>, values: (number | null)[], reference: number | null = null): string {
  let streak = 0
  let open = false
  return values
    .map((value) => {
      const judged = judgeAlert({
        spec: { name: 'a', metric: 'roc_auc', ...spec },
        value,
        reference,
        streak,
        open,
      })
      streak = judged.streak
      if (judged.move === 'open') open = true
      if (judged.move === 'clear') open = false
      return judged.move[0]
    })
    .join('')
}

test('an alert opens after `for` windows in a row, holds, and clears beyond `clear`', () => {
  const spec = { below: 0.7, for: 2, clear: 0.02 }
  expect(moves(spec, [0.75, 0.69, 0.68, 0.69, 0.71, 0.715, 0.72, 0.69])).toBe('nnohnncn')
  expect(moves(spec, [0.69, 0.71, 0.69, 0.71])).toBe('nnnn')
  expect(moves({ above: 5 }, [4, 6, 6, 5, 6])).toBe('nohco')
})

test('exactly at the threshold does not hold', () => {
  expect(moves({ below: 0.7 }, [0.7])).toBe('n')
  expect(moves({ above: 0.7 }, [0.7])).toBe('n')
})

test('a window without a value neither lengthens nor breaks a streak', () => {
  expect(moves({ below: 0.7, for: 2 }, [0.6, null, 0.6, null, 0.6])).toBe('nnonh')
})

test('against a reference: nothing is judged until there is one', () => {
  expect(moves({ below_reference: 0.05 }, [0.1, 0.1])).toBe('nn')
  expect(moves({ below_reference: 0.05 }, [0.78, 0.74, 0.76], 0.8)).toBe('noc')
  expect(moves({ above_reference: 0.05 }, [0.84, 0.86], 0.8)).toBe('no')
})

const DAY = 86_400_000
test('windows lie on a grid since the epoch; whole weeks begin on Mondays', () => {
  const grid = gridOf({ endpoint: 'e', window: '7d', label_delay: '1d' })
  expect(new Date(firstWindow(grid, Date.UTC(2013, 3, 3))).toISOString()).toBe('2013-04-01T00:00:00.000Z')
  expect(firstWindow(grid, Date.UTC(2013, 3, 1))).toBe(Date.UTC(2013, 3, 1))
  expect(firstWindow(grid, Date.UTC(2013, 3, 1) - 1)).toBe(Date.UTC(2013, 2, 25))
  expect(isDue(grid, Date.UTC(2013, 3, 1), Date.UTC(2013, 3, 9))).toBe(true)
  expect(isDue(grid, Date.UTC(2013, 3, 1), Date.UTC(2013, 3, 9) - 1)).toBe(false)
  const sliding = gridOf({ endpoint: 'e', window: '3d', every: '1d' })
  expect(firstWindow(sliding, 10 * DAY + 1)).toBe(8 * DAY)
  expect(firstWindow(sliding, 10 * DAY)).toBe(8 * DAY)
})

test('the first open window is the first that is not due', () => {
  for (const spec of [
    { endpoint: 'e', window: '7d', label_delay: '1d' },
    { endpoint: 'e', window: '3d', every: '1d' },
    { endpoint: 'e', window: '1h', every: '7h', label_delay: '30m' },
  ]) {
    const grid = gridOf(spec)
    for (const watermark of [1_000_000 * 3_600_000, 1_000_000 * 3_600_000 + 1, 1_364_774_400_000]) {
      const open = firstOpenWindow(grid, watermark)
      expect(isDue(grid, open, watermark)).toBe(false)
      expect(isDue(grid, open - grid.every_ms, watermark)).toBe(true)
    }
  }
})

test('what the schema cannot say is refused with its place', () => {
  const check = (more: object) => () => checkSpec('m', { endpoint: 'e', window: '1d', ...more })
  expect(check({ window: '0s' })).toThrow('at least 1s')
  expect(check({ every: '1s' })).toThrow('at most 366')
  const alert = { name: 'a', metric: 'roc_auc' }
  expect(check({ alerts: [alert] })).toThrow('an alert has one of below')
  expect(check({ alerts: [{ ...alert, below: 1, above: 2 }] })).toThrow('an alert has one of below')
  expect(
    check({
      alerts: [
        { ...alert, below: 1 },
        { ...alert, above: 2 },
      ],
    }),
  ).toThrow("two alerts are named 'a'")
})
