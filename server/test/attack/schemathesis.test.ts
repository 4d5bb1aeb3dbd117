import { afterAll, beforeAll, expect, test } from 'vitest'
import { examine, schemathesisEnvironment } from './schemathesis.ts'
import { startTarget, type Target } from './target.ts'

let at: Target
let python: string
beforeAll(async () => {
  python = (await schemathesisEnvironment()).python
  at = await startTarget()
}, 600_000)
afterAll(() => at?.close())

test('no route answers 5xx, or otherwise than /openapi.json says', async () => {
  const { code, operations, cases, report } = await examine(at, python, {
    seconds: 40,
    examples: 2,
    phases: 'coverage,fuzzing',
  })
  process.stdout.write(`${cases} cases over ${operations} operations\n`)
  expect(code, report).toBe(0)
  expect(operations, report).toBeGreaterThan(200)
  expect(cases).toBeGreaterThan(500)
}, 200_000)
