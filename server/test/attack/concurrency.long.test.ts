import { afterAll, beforeAll, expect, test } from 'vitest'
import { race } from './concurrency.ts'
import { startTarget, type Target } from './target.ts'

const SECONDS = Number(process.env.TEST_RACE_SECONDS ?? 600)

let at: Target
beforeAll(async () => {
  at = await startTarget()
}, 60_000)
afterAll(() => at?.close())

test(
  '200 writers, mixed load, 10 minutes: no failure, no lost update, every history is linearizable',
  async () => {
    const outcome = await race(at, { writers: 200, seconds: SECONDS })
    process.stdout.write(`${JSON.stringify({ ...outcome, failures: outcome.failures.length })}\n`)
    expect(outcome.failures.slice(0, 5)).toEqual([])
    expect(outcome).toMatchObject({ tangled: [], lost: 0, surplus: 0 })
  },
  (SECONDS + 600) * 1000,
)
