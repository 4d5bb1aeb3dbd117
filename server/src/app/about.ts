import { readFileSync } from 'node:fs'

const read = (): { version: string } =>
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

/** Slipway's own version. */
export const { version } = read()

/** The MLflow whose API we speak: its clients decide by this what they may send. */
export const MLFLOW_VERSION = '3.17.2'
