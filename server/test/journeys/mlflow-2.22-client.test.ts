import { describe } from 'vitest'
import { clientDay } from '#kit/client-day.ts'
import { testStore } from '#kit/store.ts'

/** What a morning needs; the whole day of every generation is in mlflow-clients.long.test.ts. */
const MORNING = {
  'mlflow_day.py': ['runs_metrics_params_tags', 'searching', 'artifacts'],
  'mlflow_models_day.py': ['models', 'registering'],
}

describe("a morning of MLflow's client 2.22", () => clientDay('2.22', testStore, MORNING))
