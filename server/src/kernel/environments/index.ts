/** Managed Python environments, and processes of users' code: steps, models, explainers. */
import { join } from 'node:path'

export { createEnvironments, type EnvironmentsDeps } from './environments.ts'
export { type Requirement, readLock } from './lock.ts'
export type {
  EnsureOptions,
  Environment,
  EnvironmentListing,
  EnvironmentSpec,
  Environments,
  Progress,
} from './model.ts'
export type { EndReason, ProcessEnd, ProcessLimits, ProcessOptions, RunningProcess } from './process.ts'
export { runProcess, startProcess } from './process.ts'
export { type Protection, protections } from './protections.ts'
export { createPythonFinder, type Interpreter, type PythonFinder } from './python.ts'

/** Folder to put into PYTHONPATH so that `python -m slipway.worker` and its siblings are found. */
export const PYTHON_PACKAGE_DIR = join(import.meta.dirname, '..', '..', '..', '..', 'python')
