import { beforeAll, expect, test } from 'vitest'
import { examine, schemathesisEnvironment } from './schemathesis.ts'

const SECONDS = Number(process.env.TEST_ATTACK_SECONDS ?? 600)

let python: string
beforeAll(async () => {
  python = (await schemathesisEnvironment()).python
}, 600_000)

test(
  'no route answers 5xx, or otherwise than /openapi.json says, over many examples and chains of calls',
  async () => {
    const { failures, operations, cases, report } = await examine(python, {
      seconds: SECONDS,
      examples: 100,
      phases: 'coverage,fuzzing,stateful',
    })
    process.stdout.write(`${cases} cases over ${operations} operations\n`)
    expect(failures, report).toBe(0)
    expect(operations).toBeGreaterThan(200)
  },
  (SECONDS + 300) * 1000,
)
