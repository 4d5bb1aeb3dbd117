import { chromiumMissing } from './chromium.ts'
import { endRun } from './postgres.ts'
import { postgresMissing } from './postgres-server.ts'
import { makeRunDirectory } from './run-directory.ts'

/** Vitest's global set-up: the run's folder; says once what will be skipped; afterwards ends what the tests shared. */
export function setup(): () => Promise<void> {
  makeRunDirectory()
  if (!process.env.CI) {
    for (const missing of [postgresMissing(), chromiumMissing()]) {
      if (missing) process.stderr.write(`${missing}; tests on it are skipped\n`)
    }
  }
  return endRun
}
