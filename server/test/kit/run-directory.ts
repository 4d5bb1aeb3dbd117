import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RunDirectory {
  /** A folder of this test run, removed when it ends. */
  dir: string
  /** The process whose end is the end of the run. */
  owner_pid: number
}

/** The folder that all workers of a test run share; outside of a run, one of this process. */
export function runDirectory(): RunDirectory {
  if (!process.env.TEST_RUN_DIR) makeRunDirectory()
  return { dir: process.env.TEST_RUN_DIR!, owner_pid: Number(process.env.TEST_RUN_PID) }
}

/** Makes the folder and tells the workers, which inherit the environment. Readable by PostgreSQL's own user. */
export function makeRunDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-run-'))
  chmodSync(dir, 0o755)
  process.env.TEST_RUN_DIR = dir
  process.env.TEST_RUN_PID = String(process.pid)
  return dir
}
