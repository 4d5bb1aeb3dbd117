/** The Python environment of the tests: python/environment.lock, built once per checkout, no network after that. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#kernel/clock.ts'
import { createEnvironments, type Environment } from '#kernel/environments/index.ts'
import { silentLog } from '#kernel/log.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')

/** Kept outside the tests' data folders and under no version control. */
export const ENVIRONMENTS_DIR = join(ROOT, '.cache', 'environments')
export const TOOLS_DIR = join(ENVIRONMENTS_DIR, 'tools')

export const testEnvironments = () => createEnvironments({ dir: ENVIRONMENTS_DIR, log: silentLog, clock: systemClock })

/** `python` as in EnvironmentSpec. The first call of a checkout takes minutes: call it in `beforeAll` with a timeout of 600 s. */
export async function testEnvironment(python?: string): Promise<Environment> {
  const lock = await readFile(join(ROOT, 'python', 'environment.lock'), 'utf8')
  return testEnvironments().ensure({ lock, python })
}
