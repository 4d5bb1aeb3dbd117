// The part of the set-up that Node 26 does, once for each purpose and each change of a Python lock: finds Python and
// builds the environments that the purpose runs in, so that nothing later needs the network. Called by tools/setup.mjs.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { systemClock } from '../server/src/kernel/clock.ts'
import { createEnvironments } from '../server/src/kernel/environments/index.ts'
import { DomainError } from '../server/src/kernel/errors.ts'
import { silentLog } from '../server/src/kernel/log.ts'
import { ROOT } from './run.ts'

/** Environments of a checkout: tests, examples and the demo share them. */
const ENVIRONMENTS_DIR = path.join(ROOT, '.cache/environments')
/** Reaching a package index and unpacking some hundred megabytes; past this the line is dead. */
const BUILD_MS_MAX = 10 * 60_000
const PROGRESS_MS = 10_000

const LOCKS: Record<string, readonly string[]> = {
  test: [
    'python/environment.lock',
    'server/test/journeys/environment.lock',
    'server/test/boards/environment.lock',
    'server/test/attack/environment.lock',
    'examples/flights/environment.lock',
  ],
  demo: ['examples/flights/environment.lock'],
}

const purpose = process.argv[2] ?? ''
const locks = LOCKS[purpose]
if (!locks) throw new Error(`nothing is to be prepared for '${purpose}', only for ${Object.keys(LOCKS).join(', ')}`)

const started = Date.now()
const say = (words: string) => process.stderr.write(`set-up: ${words}\n`)
let stage = ''
const timer = setInterval(() => say(`${stage}: ${Math.round((Date.now() - started) / 1000)} s`), PROGRESS_MS)
try {
  const environments = createEnvironments({ dir: ENVIRONMENTS_DIR, log: silentLog, clock: systemClock })
  for (const lock of locks) {
    await environments.ensure(
      { lock: readFileSync(path.join(ROOT, lock), 'utf8') },
      {
        signal: AbortSignal.timeout(BUILD_MS_MAX),
        onProgress: ({ words }) => {
          // One line for each stage, not for each of the packages.
          if (words !== stage && !words.startsWith('+ ')) say(words)
          stage = words
        },
      },
    )
  }
} catch (error) {
  if (!(error instanceof DomainError)) throw error
  say(`a Python environment of ${locks.join(', ')} could not be made: ${error.message}. ${error.remedy ?? ''}`)
  process.exitCode = 1
} finally {
  clearInterval(timer)
}
