import { clientDay } from '#kit/client-day.ts'
import { CLIENT_DAY } from '#kit/mlflow-client.ts'
import { eachStore } from '#kit/store.ts'

const TRACKING = CLIENT_DAY['mlflow_day.py']

/** On PostgreSQL the steps that ask most of SQL; those that ask most of the client are the same on both. */
const DAYS = {
  sqlite: {
    'mlflow_day.py': [...TRACKING, 'multipart'],
    'mlflow_models_day.py': [...CLIENT_DAY['mlflow_models_day.py'], 'logged_models'],
  },
  postgres: {
    'mlflow_day.py': TRACKING.filter((name) => name !== 'nested_runs'),
    'mlflow_models_day.py': ['registering'],
  },
}

eachStore("a day of MLflow's newest client", (open, database) => clientDay('newest', open, DAYS[database]))
