import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Environment } from '#kernel/environments/index.ts'
import { mlflowEnvironment, runJourney, type Step } from '#kit/mlflow-client.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'

let environment: Environment

beforeAll(async () => {
  environment = await mlflowEnvironment()
}, 600_000)

/** On PostgreSQL the steps that ask most of SQL; those that ask of the client are the same on both. */
const STEPS = {
  sqlite: [
    'experiments',
    'runs_metrics_params_tags',
    'batches',
    'searching',
    'nested_runs',
    'artifacts',
    'datasets',
    'models',
    'autologging',
    'evaluation',
    'registering',
  ],
  postgres: ['experiments', 'runs_metrics_params_tags', 'batches', 'searching', 'artifacts', 'datasets', 'registering'],
}

eachStore("a day of MLflow's unmodified client", (open, database) => {
  let server: MlflowServer
  let steps: Step[]
  let stderr: string

  beforeAll(async () => {
    server = await startMlflowServer(open)
    const day = await runJourney(environment, 'mlflow_day.py', { url: server.url, steps: STEPS[database] })
    steps = day.steps
    stderr = day.stderr
  }, 300_000)

  afterAll(() => server?.close())

  describe('goes well', () => {
    test.each(STEPS[database])('%s', (name) => {
      const step = steps.find((each) => each.step === name)
      expect(step, stderr).toBeDefined()
      expect(step!.error).toBeUndefined()
      expect(step!.ok).toBe(true)
    })
  })
})
