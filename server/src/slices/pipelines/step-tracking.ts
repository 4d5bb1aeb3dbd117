/** The tracking run of a step: what its code logs with the plain MLflow client lands under it. */

import type { Environment } from '#kernel/environments/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { RunStatus } from '#slices/tracking'
import type { PipelinesDeps } from './deps.ts'
import type * as rows from './pipelines-store.ts'
import type { Scalar } from './schema.ts'

/** Tag values are bounded; exact packages of a large environment are cut, the lock's digest never is. */
const TAG_MAX = 8000

export interface StepRuns {
  start(
    run: rows.PipelineRun,
    step: rows.StepRun,
    who: Who,
    facts: {
      inputs: readonly rows.StepInput[]
      params: Readonly<Record<string, Scalar>>
      snapshot: rows.CodeSnapshot
      environment: Environment | undefined
      lock: string | undefined
    },
  ): Promise<{ run_id: string; experiment_id: string }>
  /** Ends it with this status when the step's own code did not. */
  end(run_id: string, who: Who, status: RunStatus): Promise<void>
}

export function createStepRuns({
  store,
  tracking,
  clock,
}: Pick<PipelinesDeps, 'store' | 'tracking' | 'clock'>): StepRuns {
  const experiment = async (who: Who, name: string): Promise<string> => {
    const ask = () =>
      store.query<{ experiment_id: string }>('tracking.getExperimentByName', { workspace: who.workspace, name })
    try {
      return (await ask()).experiment_id
    } catch (error) {
      if (!(error instanceof DomainError) || error.problem !== 'not-found') throw error
    }
    try {
      return await store.write((tx) => tracking.createExperiment(tx, who, { name, tags: [] } as never))
    } catch (error) {
      // Another step was quicker.
      if (error instanceof DomainError && error.problem === 'already-exists') return (await ask()).experiment_id
      throw error
    }
  }

  return {
    async start(run, step, who, { inputs, params, snapshot, environment, lock }) {
      const experiment_id = await experiment(who, `${run.project}/${run.pipeline}`)
      const tags: Record<string, string> = {
        'mlflow.user': who.name,
        'mlflow.source.type': 'PROJECT',
        'mlflow.source.name': `${run.project}/${run.pipeline}/${step.name}`,
        'slipway.pipeline_run': run.id,
        'slipway.step_run': step.id,
        'slipway.code': run.code,
        ...(snapshot.commit_id && { 'mlflow.source.git.commit': snapshot.commit_id }),
        ...(snapshot.branch && { 'mlflow.source.git.branch': snapshot.branch }),
        ...(snapshot.dirty === 1 && { 'slipway.code.dirty': 'true' }),
        ...(lock && { 'slipway.environment.lock': lock }),
        ...(environment && {
          'slipway.environment.key': environment.key,
          'slipway.environment.python': environment.python_version,
          'slipway.environment.packages': Object.entries(environment.packages)
            .map(([name, version]) => `${name}==${version}`)
            .join('\n')
            .slice(0, TAG_MAX),
        }),
      }
      const { run_id } = await store.command<{ run_id: string }>('tracking.createRun', {
        ...tracking.draw.run(who),
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
      if (datasets.length > 0)
        await store.command('tracking.logInputs', { ...tracking.draw.stamp(who), run_id, datasets, models: [] })
      for (const [key, value] of Object.entries(params))
        await store.command('tracking.setTag', {
          ...tracking.draw.stamp(who),
          run_id,
          tag: { key: `slipway.param.${key}`, value: String(value) },
        })
      return { run_id, experiment_id }
    },

    async end(run_id, who, status) {
      const run = await store.read((sql) => tracking.getRun(sql, who.workspace, run_id))
      if (run.status !== 'RUNNING' && run.status !== 'SCHEDULED') return
      await store.command('tracking.updateRun', { ...tracking.draw.stamp(who), run_id, status, end_ms: clock.now() })
    },
  }
}
