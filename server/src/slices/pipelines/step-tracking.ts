/** The tracking run of a step: what its code logs with the plain MLflow client lands under it. */
import type { Environment } from '#kernel/environments/index.ts'
import { machineFacts } from '#kernel/machine.ts'
import type { Tx } from '#kernel/store/index.ts'
import type { RunStatus } from '#slices/tracking'
import type { PipelinesDeps } from './deps.ts'
import type * as rows from './pipelines-store.ts'
import type { Scalar } from './schema.ts'

/** Tag values are bounded; exact packages of a large environment are cut, the lock's digest never is. */
const TAG_MAX = 8000

export interface StepRunFacts {
  inputs: readonly rows.StepInput[]
  params: Readonly<Record<string, Scalar>>
  environment: Environment | undefined
  lock: string | undefined
}

export interface StepRuns {
  start(
    tx: Tx,
    run: rows.PipelineRun,
    step: rows.StepRun,
    facts: StepRunFacts,
  ): Promise<{ run_id: string; experiment_id: string }>
  /** Ends it with this status unless the step's own code did, or somebody deleted it. */
  end(tx: Tx, run: rows.PipelineRun, run_id: string, status: RunStatus): Promise<void>
}

export function createStepRuns({ tracking, clock }: Pick<PipelinesDeps, 'tracking' | 'clock'>): StepRuns {
  return {
    async start(tx, run, step, { inputs, params, environment, lock }) {
      const { who } = run
      const experiment_id = await tracking.ensureExperiment(tx, who, `${run.project}/${run.pipeline}`)
      const tags: Record<string, string> = {
        'mlflow.user': who.name,
        'mlflow.source.type': 'PROJECT',
        'mlflow.source.name': `${run.project}/${run.pipeline}/${step.name}`,
        'slipway.pipeline_run': run.id,
        'slipway.step_run': step.id,
        'slipway.code': run.code,
        'slipway.record.system': JSON.stringify(machineFacts()),
        'slipway.record.entry': JSON.stringify({ file: run.spec.steps[step.name]!.run.slice(0, TAG_MAX / 2) }),
        ...(run.source.commit && { 'mlflow.source.git.commit': run.source.commit }),
        ...(run.source.branch && { 'mlflow.source.git.branch': run.source.branch }),
        ...(run.source.dirty && { 'slipway.code.dirty': 'true' }),
        ...(lock && { 'slipway.environment.lock': lock }),
        ...(environment && {
          'slipway.environment.key': environment.key,
          'slipway.environment.python': environment.python_version,
          'slipway.environment.packages': Object.entries(environment.packages)
            .map(([name, version]) => `${name}==${version}`)
            .join('\n')
            .slice(0, TAG_MAX),
        }),
        // Tags and not params: the step's own code may log a param of the same name.
        ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`slipway.param.${name}`, String(value)])),
      }
      const { run_id } = await tracking.createRun(tx, who, {
        experiment_id,
        name: `${step.name} #${run.number}${step.attempt > 1 ? ` (attempt ${step.attempt})` : ''}`,
        user_id: who.name,
        start_ms: clock.now(),
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      })
      const datasets = inputs
        .filter((input) => input.version)
        .map((input) => ({
          dataset: {
            name: input.dataset!,
            digest: input.digest.slice(7, 39),
            source_type: 'slipway',
            source: JSON.stringify({ uri: `slipway://dataset-version/${input.version}` }),
            schema: '',
            profile: '',
          },
          tags: [{ key: 'mlflow.data.context', value: input.name }],
        }))
      if (datasets.length > 0) await tracking.logInputs(tx, who, run_id, datasets)
      return { run_id, experiment_id }
    },

    async end(tx, { who }, run_id, status) {
      const known = await tracking.findRun(tx, who.workspace, run_id)
      if (known?.status !== 'RUNNING' && known?.status !== 'SCHEDULED') return
      if (known.lifecycle !== 'active') return
      await tracking.updateRun(tx, who, run_id, { status, end_ms: clock.now() })
    },
  }
}
