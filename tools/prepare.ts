// The part of the set-up that Node 26 does, once for each purpose and each change of a Python lock: finds Python, and says
// in one sentence what is missing and how to get it. Called by tools/setup.mjs.
import { createPythonFinder } from '../server/src/kernel/environments/python.ts'
import { DomainError } from '../server/src/kernel/errors.ts'

try {
  await createPythonFinder().find(undefined)
} catch (error) {
  if (!(error instanceof DomainError)) throw error
  process.stderr.write(`set-up: ${error.message}. ${error.remedy ?? ''}\n`)
  process.exitCode = 1
}
