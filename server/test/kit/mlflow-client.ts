import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '#kernel/environments/index.ts'
import { testEnvironments } from './python.ts'

const JOURNEYS = join(import.meta.dirname, '..', 'journeys')

/** Generations of MLflow's client, by the file with the exact versions of each; all on Python 3.11. */
export const GENERATIONS = {
  newest: 'environment.lock',
  '2.22': 'environment-2.22.lock',
  '2.9': 'environment-2.9.lock',
} as const
export type Generation = keyof typeof GENERATIONS

/** Full, unmodified MLflow. The first call of a checkout takes minutes: call it in `beforeAll` with a timeout of 600 s. */
export async function mlflowEnvironment(generation: Generation = 'newest'): Promise<Environment> {
  const lock = await readFile(join(JOURNEYS, GENERATIONS[generation]), 'utf8')
  return testEnvironments().ensure({ lock, ...(generation !== 'newest' && { python: '3.11' }) })
}

/** The steps of a client's day that every generation knows, by their script. */
export const CLIENT_DAY = {
  'mlflow_day.py': [
    'experiments',
    'runs_metrics_params_tags',
    'batches',
    'searching',
    'nested_runs',
    'artifacts',
    'datasets',
  ],
  'mlflow_models_day.py': ['models', 'autologging', 'evaluation', 'registering'],
} as const

export interface Step {
  step: string
  ok: boolean
  error?: string
}

/** Runs a script of the journeys against a server; answers the steps it reports, and what it said on stderr. */
export async function runJourney(
  environment: Environment,
  script: string,
  options: { url: string; steps?: readonly string[]; env?: Record<string, string>; timeout_ms?: number },
): Promise<{ steps: Step[]; stderr: string; code: number | null }> {
  const child = spawn(environment.python, [join(JOURNEYS, script), ...(options.steps ?? [])], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      LANG: 'C.UTF-8',
      MLFLOW_TRACKING_URI: options.url,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      // A wrong 5xx shows at once instead of after minutes of trying again.
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT: '60',
      // In the oldest client's days scikit-learn loads distutils before setuptools, which then refuses to replace it.
      SETUPTOOLS_USE_DISTUTILS: 'stdlib',
      GIT_PYTHON_REFRESH: 'quiet',
      PYTHONWARNINGS: 'ignore',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeout_ms ?? 240_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-20_000)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const steps = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"step"'))
    .map((line) => JSON.parse(line) as Step)
  return { steps, stderr, code }
}
