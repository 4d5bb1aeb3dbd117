import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { chromiumMissing } from './chromium.ts'
import { discardPostgres, type PostgresServer, postgresMissing } from './postgres-server.ts'
import { makeRunDirectory } from './run-directory.ts'

/** Vitest's global set-up: the run's folder; says once what will be skipped; afterwards ends what the tests shared. */
export function setup(): () => Promise<void> {
  const dir = makeRunDirectory()
  if (!process.env.CI) {
    for (const missing of [postgresMissing(), chromiumMissing()]) {
      if (missing) process.stderr.write(`${missing}; tests on it are skipped\n`)
    }
  }
  return async () => {
    for (const name of ['postgres', 'postgres-fsync']) {
      const state = join(dir, `${name}.json`)
      if (!existsSync(state)) continue
      await discardPostgres(JSON.parse(readFileSync(state, 'utf8')) as PostgresServer, join(dir, name))
    }
    rmSync(dir, { recursive: true, force: true })
  }
}
