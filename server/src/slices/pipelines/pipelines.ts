import { join } from 'node:path'
import { invalid, notFound } from '#kernel/errors.ts'
import type { EventRecord } from '#kernel/events/index.ts'
import type { Actor, Who } from '#kernel/http/who.ts'
import type { MigrationSource, Sql, Tx } from '#kernel/store/index.ts'
import { type Code, createCode } from './code.ts'
import type { PipelinesDeps } from './deps.ts'
import { pipelineApplied, pipelineRemoved } from './events.ts'
import { graphMistakes } from './graph.ts'
import * as rows from './pipelines-store.ts'
import { createRuns } from './runs.ts'
import type { PipelineSpec } from './schema.ts'
import type { StartInput } from './starts.ts'
import { createRunner } from './step-job.ts'
import { createStepLogs, type StepLogs } from './step-log.ts'
import { createStepRuns } from './step-tracking.ts'
import { createTriggers, type Triggers } from './triggers.ts'

export const pipelinesMigrations: MigrationSource = {
  owner: 'pipelines',
  dir: new URL('./migrations/', import.meta.url),
}

export interface Pipelines extends Code, Pick<Triggers, 'considerDataset' | 'considerEvent'> {
  /** Makes or changes a pipeline. `environments` name locks by digest. Throws invalid with every mistake of its graph. */
  applyPipeline(
    tx: Tx,
    who: Who,
    input: {
      project: string
      name: string
      spec: PipelineSpec
      environments: Record<string, rows.LockedEnvironment>
      code: string
    },
  ): Promise<void>
  removePipeline(tx: Tx, who: Who, project: string, name: string): Promise<void>
  getPipeline(sql: Sql, workspace: string, project: string, name: string): Promise<rows.Pipeline>
  listPipelines(sql: Sql, workspace: string, project?: string): Promise<rows.Pipeline[]>
  start(tx: Tx, who: Who, input: StartInput): Promise<rows.PipelineRun>
  /** Stops what runs and does not begin the rest. Cancelling twice is fine. */
  cancelRun(tx: Tx, who: Who, run: string, reason?: string): Promise<void>
  /** A new run that takes the outputs of the finished steps and does the rest again. */
  retryRun(tx: Tx, who: Who, run: string): Promise<rows.PipelineRun>
  getRun(sql: Sql, workspace: string, id: string): Promise<rows.PipelineRun>
  listRuns(sql: Sql, workspace: string, filter: Parameters<typeof rows.runsOf>[2]): Promise<rows.PipelineRun[]>
  steps(sql: Sql, workspace: string, run: string): Promise<rows.StepRun[]>
  getStep(sql: Sql, workspace: string, id: string): Promise<rows.StepRun>
  readLog: StepLogs['read']
  describeRuns(
    sql: Sql,
    workspace: string,
    ids: readonly string[],
  ): Promise<Map<string, { label: string; state?: string }>>
  /** Sweeps what a killed server left behind and sets the schedules; before jobs start. */
  startTriggers(): Promise<void>
}

export function createPipelines(deps: PipelinesDeps): Pipelines {
  const { events, clock, settings } = deps
  const code = createCode(deps)
  const logs = createStepLogs({ blobs: deps.blobs, dir: join(settings.dir, 'steps') })
  const stepRuns = createStepRuns(deps)
  const runner = createRunner(deps, code, logs, stepRuns)

  const need = async (sql: Sql, workspace: string, project: string, name: string): Promise<rows.Pipeline> => {
    const pipeline = await rows.pipelineByName(sql, workspace, project, name)
    if (!pipeline)
      throw notFound(`no pipeline '${name}' in project '${project}'`, {
        field: 'pipeline',
        remedy: 'Declare it in slipway.yaml and apply.',
      })
    return pipeline
  }

  const runs = createRuns(deps, { runner, logs, stepRuns, needPipeline: need })
  const triggers = createTriggers(deps, runs.start)
  /** Schedules follow the commit: one that cannot be set does not undo what was applied. */
  const reschedule = (tx: Tx) =>
    tx.afterCommit(() => {
      triggers.startTriggers().catch((error: unknown) => deps.log.error({ err: error }, 'schedules could not be set'))
    })

  return {
    ...code,
    considerDataset: triggers.considerDataset,
    considerEvent: (tx: Tx, who: Who, event: EventRecord) => triggers.considerEvent(tx, who, event),
    async startTriggers() {
      await runner.sweep()
      await triggers.startTriggers()
    },

    async applyPipeline(tx, who, { project, name, spec, environments, code: digest }) {
      const mistakes = graphMistakes(spec, Object.keys(environments))
      if (mistakes.length > 0)
        throw invalid(mistakes.map(({ path, message }) => `pipelines.${name}.${path}: ${message}`).join('\n'), {
          field: `pipelines.${name}`,
        })
      const before = await rows.pipelineByName(tx, who.workspace, project, name)
      if (
        before &&
        before.code === digest &&
        JSON.stringify([before.spec, before.environments]) === JSON.stringify([spec, environments])
      )
        return
      const now = clock.now()
      const applied_by: Actor = { kind: who.kind, id: who.id, name: who.name }
      await rows.putPipeline(tx, {
        workspace: who.workspace,
        project,
        name,
        spec,
        environments,
        code: digest,
        applied_by,
        created_ms: before?.created_ms ?? now,
        updated_ms: now,
      })
      await events.record(tx, pipelineApplied, {
        who,
        subject: { kind: 'pipeline', id: `${project}/${name}` },
        before: before?.spec,
        after: { project, pipeline: name, code: digest },
      })
      reschedule(tx)
    },

    async removePipeline(tx, who, project, name) {
      await need(tx, who.workspace, project, name)
      await rows.dropPipeline(tx, who.workspace, project, name)
      await events.record(tx, pipelineRemoved, {
        who,
        subject: { kind: 'pipeline', id: `${project}/${name}` },
        after: { project, pipeline: name },
      })
      reschedule(tx)
    },

    getPipeline: need,
    listPipelines: rows.pipelinesOf,
    start: runs.start,
    cancelRun: runs.cancelRun,
    retryRun: runs.retryRun,
    getRun: runs.getRun,
    listRuns: rows.runsOf,
    steps: rows.stepsOf,
    getStep: runs.getStep,
    readLog: logs.read,
    async describeRuns(sql, workspace, wanted) {
      const described = new Map<string, { label: string; state?: string }>()
      for (const id of wanted) {
        const run = await rows.runById(sql, workspace, id)
        if (run) described.set(id, { label: `${run.project}/${run.pipeline} #${run.number}`, state: run.state })
      }
      return described
    },
  }
}
