import { afterAll, beforeAll, expect, test } from 'vitest'
import { examine, schemathesisEnvironment } from './schemathesis.ts'
import { startTarget, type Target } from './target.ts'

const SECONDS = Number(process.env.SLIPWAY_ATTACK_SECONDS ?? 600)

let at: Target
let python: string
beforeAll(async () => {
  python = (await schemathesisEnvironment()).python
  at = await startTarget()
}, 600_000)
afterAll(() => at?.close())

test(
  'no route answers 5xx, or otherwise than /openapi.json says, over many examples and chains of calls',
  async () => {
    const { code, operations, cases, report } = await examine(at, python, {
      seconds: SECONDS,
      examples: 100,
      phases: 'coverage,fuzzing,stateful',
    })
    process.stdout.write(`${cases} cases over ${operations} operations\n`)
    expect(code, report).toBe(0)
    expect(operations).toBeGreaterThan(200)
  },
  (SECONDS + 300) * 1000,
)
