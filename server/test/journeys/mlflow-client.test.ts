import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Environment } from '#kernel/environments/index.ts'
import { mlflowEnvironment, runJourney, type Step } from '#kit/mlflow-client.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'

let environment: Environment

beforeAll(async () => {
  environment = await mlflowEnvironment()
}, 600_000)

const TRACKING = [
  'experiments',
  'runs_metrics_params_tags',
  'batches',
  'searching',
  'nested_runs',
  'artifacts',
  'datasets',
]
const MODELS = ['models', 'autologging', 'evaluation', 'registering']

/** On PostgreSQL the steps that ask most of SQL; those that ask most of the client are the same on both. */
const DAYS = {
  sqlite: { 'mlflow_day.py': TRACKING, 'mlflow_models_day.py': MODELS },
  postgres: {
    'mlflow_day.py': TRACKING.filter((name) => name !== 'nested_runs'),
    'mlflow_models_day.py': ['registering'],
  },
}

eachStore("a day of MLflow's unmodified client", (open, database) => {
  const days = Object.entries(DAYS[database])
  const steps: Step[] = []
  let server: MlflowServer
  let stderr = ''

  beforeAll(async () => {
    server = await startMlflowServer(open)
    for (const [script, names] of days) {
      const day = await runJourney(environment, script, { url: server.url, steps: names })
      steps.push(...day.steps)
      stderr += day.stderr
    }
  }, 500_000)

  afterAll(() => server?.close())

  describe('goes well', () => {
    test.each(days.flatMap(([, names]) => names))('%s', (name) => {
      const step = steps.find((each) => each.step === name)
      expect(step, stderr).toBeDefined()
      expect(step!.error).toBeUndefined()
      expect(step!.ok).toBe(true)
    })
  })
})
