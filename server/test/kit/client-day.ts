import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Generation, mlflowEnvironment, runJourney, type Step } from './mlflow-client.ts'
import { type MlflowServer, startMlflowServer } from './mlflow-server.ts'
import type { OpenTestStore } from './store.ts'

/** Steps by the script that has them. */
export type Day = Readonly<Record<string, readonly string[]>>

/** One day of one generation of MLflow's client against a fresh server: a test for each step. */
export function clientDay(generation: Generation, open: OpenTestStore, day: Day): void {
  const steps: Step[] = []
  let server: MlflowServer
  let stderr = ''

  beforeAll(async () => {
    const environment = await mlflowEnvironment(generation)
    server = await startMlflowServer(open)
    for (const [script, names] of Object.entries(day)) {
      const done = await runJourney(environment, script, { url: server.url, steps: names, timeout_ms: 400_000 })
      steps.push(...done.steps)
      stderr += done.stderr
    }
  }, 1_000_000)

  afterAll(() => server?.close())

  describe('goes well', () => {
    test.each(Object.values(day).flat())('%s', (name) => {
      const step = steps.find((each) => each.step === name)
      expect(step, stderr).toBeDefined()
      expect(step!.error).toBeUndefined()
      expect(step!.ok).toBe(true)
    })
  })
}
