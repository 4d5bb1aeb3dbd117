import { delimiter } from 'node:path'
import type { Environment, ProcessOptions, RunningProcess } from '#kernel/environments/index.ts'
import type { ServingDeps } from './deps.ts'

/** Last lines that are kept to say why a tool failed. */
const TAIL_LINES = 20

export interface ToolRun {
  environment: Environment
  /** Module of the package python/slipway. */
  module: string
  args: readonly string[]
  env?: Record<string, string>
  limits?: ProcessOptions['limits']
  /** Lets everything else go first: nobody waits for it. */
  nice?: boolean
  signal?: AbortSignal
  onLine?(text: string): void
}

/** Starts one of our Python tools inside a model's environment. `tail()` tells its last words. */
export async function startTool(
  deps: Pick<ServingDeps, 'startProcess' | 'settings'>,
  run: ToolRun,
): Promise<{ process: RunningProcess; tail(): string }> {
  const last: string[] = []
  const process = await deps.startProcess({
    args: [...(run.nice ? ['nice', '-n', '10'] : []), run.environment.python, '-m', run.module, ...run.args],
    env: {
      PYTHONPATH: [deps.settings.python_path].join(delimiter),
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      ...run.env,
    },
    environment: run.environment,
    stdin: 'pipe',
    ...(run.limits && { limits: run.limits }),
    ...(run.signal && { signal: run.signal }),
    onLine: ({ text }) => {
      last.push(text)
      if (last.length > TAIL_LINES) last.shift()
      run.onLine?.(text)
    },
  })
  return { process, tail: () => last.slice(-4).join(' | ').slice(-1000) }
}
