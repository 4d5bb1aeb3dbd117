import { beforeAll, expect, test } from 'vitest'
import { examine, schemathesisEnvironment } from './schemathesis.ts'

let python: string
beforeAll(async () => {
  python = (await schemathesisEnvironment()).python
}, 600_000)

test('no route answers 5xx, or otherwise than /openapi.json says', async () => {
  const { failures, operations, cases, report } = await examine(python, {
    seconds: 40,
    examples: 2,
    phases: 'coverage,fuzzing',
  })
  process.stdout.write(`${cases} cases over ${operations} operations\n`)
  expect(failures, report).toBe(0)
  expect(operations, report).toBeGreaterThan(20)
  expect(cases).toBeGreaterThan(100)
}, 200_000)
