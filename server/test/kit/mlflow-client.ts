import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '#kernel/environments/index.ts'
import { testEnvironments } from './python.ts'

const JOURNEYS = join(import.meta.dirname, '..', 'journeys')

/** Full, unmodified MLflow. The first call of a checkout takes minutes: call it in `beforeAll` with a timeout of 600 s. */
export async function mlflowEnvironment(): Promise<Environment> {
  return testEnvironments().ensure({ lock: await readFile(join(JOURNEYS, 'environment.lock'), 'utf8') })
}

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
