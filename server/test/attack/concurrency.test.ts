import { afterAll, beforeAll, expect, test } from 'vitest'
import { race } from './concurrency.ts'
import { startTarget, type Target } from './target.ts'

let at: Target
beforeAll(async () => {
  at = await startTarget()
}, 60_000)
afterAll(() => at?.close())

test('200 writers at once: no failure, no lost update, aliases and runs move one change after another', async () => {
  const outcome = await race(at, { writers: 200, seconds: 20 })
  process.stdout.write(`${JSON.stringify({ ...outcome, failures: outcome.failures.length })}\n`)
  expect(outcome.failures.slice(0, 5)).toEqual([])
  expect(outcome).toMatchObject({ tangled: [], lost: 0, surplus: 0, registers: 80 })
  expect(outcome.operations).toBeGreaterThan(100)
}, 180_000)
