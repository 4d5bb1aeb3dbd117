import { expect, test } from 'vitest'
import { lookAgain } from './rate.ts'

test('requests a second are told while they come, and no longer', () => {
  const first = { requests: 1000, at_ms: 0, rate: 0 }
  const second = lookAgain(first, 3400, 3000)
  expect(second.rate).toBe(800)
  expect(lookAgain(second, 3500, 3200)).toBe(second)
  expect(lookAgain(second, 3400, 6000).rate).toBe(0)
  // What serves was loaded anew.
  expect(lookAgain(second, 7, 6000).rate).toBe(0)
})
