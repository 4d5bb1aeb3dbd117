import { describe } from 'vitest'
import { clientDay } from '#kit/client-day.ts'
import { CLIENT_DAY } from '#kit/mlflow-client.ts'
import { eachStore } from '#kit/store.ts'

/** The newest client's whole day is in mlflow-client.test.ts. */
eachStore("a whole day of MLflow's older clients", (open) => {
  describe('2.9', () => clientDay('2.9', open, CLIENT_DAY))
  describe('2.22', () => clientDay('2.22', open, CLIENT_DAY))
})
