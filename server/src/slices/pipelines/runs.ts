/** Runs of pipelines: which step is next, how a step and a run end. Every change of a run holds the run's lock. */
import { DomainError, notFound } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { PipelinesDeps } from './deps.ts'
import { pipelineRunEnded, stepEnded } from './events.ts'
import { dependentsOf, needsOf } from './graph.ts'
import * as rows from './pipelines-store.ts'
import { createStarts, emptyStep, type Starts } from './starts.ts'
import { type Runner, type StepOutcome, stepEdges } from './step-job.ts'
import type { StepLogs } from './step-log.ts'
import type { StepRuns } from './step-tracking.ts'

/** Jobs outlive the longest step: its own time-out ends it first, with better words. */
export const STEP_TIMEOUT_MAX_MS = 7 * 86_400_000
const JOB_TIMEOUT_MS = STEP_TIMEOUT_MAX_MS + 86_400_000
const OPEN: readonly string[] = ['waiting', 'running']

export interface Runs extends Starts {
  cancelRun(tx: Tx, who: Who, run: string, reason?: string): Promise<void>
  getRun(sql: Sql, workspace: string, id: string): Promise<rows.PipelineRun>
  getStep(sql: Sql, workspace: string, id: string): Promise<rows.StepRun>
}

export function createRuns(
  deps: PipelinesDeps,
  {
    runner,
    logs,
    stepRuns,
    needPipeline,
  }: {
    runner: Runner
    logs: StepLogs
    stepRuns: StepRuns
    needPipeline(sql: Sql, workspace: string, project: string, name: string): Promise<rows.Pipeline>
  },
): Runs {
  const { events, jobs, clock, ids, settings } = deps

  const needRun = async (sql: Sql, workspace: string, id: string): Promise<rows.PipelineRun> => {
    const run = await rows.runById(sql, workspace, id)
    if (!run) throw notFound(`no pipeline run ${id}`, { field: 'run' })
    return run
  }
  const needStep = async (sql: Sql, workspace: string, id: string): Promise<rows.StepRun> => {
    const step = await rows.stepById(sql, workspace, id)
    if (!step) throw notFound(`no step ${id}`, { field: 'step' })
    return step
  }
  /** Two steps that end at once must see each other, so that one of them begins what waits for both. */
  const lockRun = async (tx: Tx, workspace: string, id: string): Promise<rows.PipelineRun> => {
    await tx.lock('pipelines.advance', workspace, id)
    return needRun(tx, workspace, id)
  }

  const enqueue = (tx: Tx, run: rows.PipelineRun, step: string) =>
    jobs.enqueue<{ step: string }>(tx, {
      kind: 'pipelines.step',
      workspace: run.workspace,
      who: run.who,
      input: { step },
      subject: { kind: 'step-run', id: step },
      key: `step:${step}`,
    })

  const fact = (run: rows.PipelineRun, state: string, reason?: string | null) => ({
    run: run.id,
    project: run.project,
    pipeline: run.pipeline,
    number: run.number,
    state,
    cause: run.cause,
    ...(reason && { reason }),
  })

  /** A run that still runs has a reason only when somebody cancelled it. */
  const isCancelled = (run: rows.PipelineRun): boolean => run.reason !== null

  /** Begins every step whose needs are done; ends the run when nothing is left to do. The caller holds the run's lock. */
  const advance = async (tx: Tx, run: rows.PipelineRun): Promise<void> => {
    if (run.state !== 'running') return
    const latest = new Map((await rows.stepsOf(tx, run.workspace, run.id)).map((step) => [step.name, step]))
    const finished = (name: string) => ['done', 'cached'].includes(latest.get(name)?.state ?? '')
    for (const step of latest.values()) {
      if (step.state !== 'waiting' || step.job !== null) continue
      if (needsOf(run.spec, step.name).every(finished))
        await rows.updateStep(tx, run.workspace, step.id, { job: await enqueue(tx, run, step.id) })
    }
    const states = [...latest.values()].map(({ state }) => state)
    if (states.some((state) => OPEN.includes(state))) return
    const failed = [...latest.values()].find((step) => step.state === 'failed')
    const state: rows.RunState = failed ? 'failed' : states.includes('cancelled') ? 'cancelled' : 'done'
    const reason = failed ? `step ${failed.name}: ${failed.reason}` : state === 'cancelled' ? run.reason : null
    await rows.updateRun(tx, run.workspace, run.id, { state, reason, ended_ms: clock.now() })
    await events.record(tx, pipelineRunEnded, {
      who: run.who,
      subject: { kind: 'pipeline-run', id: run.id },
      after: fact(run, state, reason),
    })
  }

  /** How a step ended, with all that hangs on it: its tracking run, its token, its data versions, what comes next. */
  const finishStep = async (tx: Tx, id: { workspace: string; step: string }, outcome: StepOutcome): Promise<void> => {
    const found = await needStep(tx, id.workspace, id.step)
    const run = await lockRun(tx, id.workspace, found.run)
    const step = await needStep(tx, id.workspace, id.step)
    if (!OPEN.includes(step.state)) return
    const outputs = outcome.changes.outputs ?? []
    const edges = stepEdges(step, outcome)
    if (outcome.state === 'done') {
      for (const output of outputs) {
        const write = run.spec.steps[step.name]?.writes?.[output.name]
        if (!write?.dataset) continue
        const { version } = await deps.datasets.register(tx, run.who, {
          name: write.dataset,
          files: output.files,
          tags: {},
          reason: `written by step ${step.name} of ${run.project}/${run.pipeline} #${run.number}`,
          ...(write.time_column !== undefined && { time_column: write.time_column }),
          source: `step ${step.id}`,
          produced_by: { kind: 'step-run', id: step.id },
        })
        output.version = version.id
        output.dataset = write.dataset
        edges.push({
          from: { kind: 'step-run', id: step.id },
          to: { kind: 'dataset-version', id: version.id },
          relation: 'output',
        })
      }
    }
    if (step.tracking_run)
      await stepRuns.end(
        tx,
        run,
        step.tracking_run,
        outcome.state === 'done' ? 'FINISHED' : outcome.state === 'failed' ? 'FAILED' : 'KILLED',
      )
    await deps.endRunTokens(tx, run.workspace, step.id)
    await rows.updateStep(tx, run.workspace, step.id, {
      ...outcome.changes,
      outputs,
      state: outcome.state,
      reason: outcome.reason,
      ended_ms: clock.now(),
    })
    await events.record(tx, stepEnded, {
      who: run.who,
      subject: { kind: 'step-run', id: step.id },
      after: {
        step: step.id,
        name: step.name,
        run: run.id,
        state: outcome.state,
        reason: outcome.reason,
        tracking_run: outcome.changes.tracking_run ?? step.tracking_run,
      },
      edges,
    })
    if (outcome.state === 'failed') {
      const retries = run.spec.steps[step.name]?.retries ?? 0
      if (step.attempt <= retries && !isCancelled(run))
        await rows.insertStep(tx, {
          ...emptyStep(run, ids.next('step_run'), step.name),
          attempt: step.attempt + 1,
        })
      else await skipDependents(tx, run, step.name, `step ${step.name} failed`)
    }
    if (outcome.state === 'cancelled') await skipDependents(tx, run, step.name, `step ${step.name} was cancelled`)
    await advance(tx, run)
  }

  const skipDependents = async (tx: Tx, run: rows.PipelineRun, step: string, reason: string): Promise<void> => {
    const dependents = dependentsOf(run.spec, step)
    for (const other of await rows.stepsOf(tx, run.workspace, run.id)) {
      if (other.state === 'waiting' && dependents.includes(other.name))
        await rows.updateStep(tx, run.workspace, other.id, { state: 'skipped', reason, ended_ms: clock.now() })
    }
  }

  /** Takes the step, unless it was cancelled meanwhile. What a killed server had begun of it is ended first. */
  const begin = async (tx: Tx, workspace: string, id: string) => {
    const { run: run_id } = await needStep(tx, workspace, id)
    const run = await lockRun(tx, workspace, run_id)
    const step = await needStep(tx, workspace, id)
    if (run.state !== 'running' || !OPEN.includes(step.state)) return undefined
    if (step.tracking_run) await stepRuns.end(tx, run, step.tracking_run, 'KILLED')
    await deps.endRunTokens(tx, workspace, id)
    const started_ms = clock.now()
    // What the one before found out is found out anew.
    await rows.updateStep(tx, workspace, id, { state: 'running', started_ms, tracking_run: null, reason: null })
    return { run, step: { ...step, started_ms, tracking_run: null } }
  }

  jobs.define<{ step: string }, { state: string }>({
    kind: 'pipelines.step',
    attempts_max: 3,
    timeout_ms: JOB_TIMEOUT_MS,
    concurrency: settings.concurrency,
    async run(job, context) {
      const at = { workspace: job.workspace, step: job.input.step }
      const begun = await context.write((tx) => begin(tx, at.workspace, at.step))
      if (!begun) return { state: 'ended before it began' }
      const ended = await runner.run(begun.run, begun.step, context)
      if (ended.state === 'interrupted') {
        const { changes } = ended
        // A person ended it, or this server stops: then whoever takes the job next does the step from its beginning.
        await context.write(async (tx) => {
          const run = await lockRun(tx, at.workspace, begun.run.id)
          if (isCancelled(run)) return finishStep(tx, at, { state: 'cancelled', reason: run.reason, changes })
          const step = await needStep(tx, at.workspace, at.step)
          if (step.tracking_run) await stepRuns.end(tx, run, step.tracking_run, 'KILLED')
          await deps.endRunTokens(tx, at.workspace, at.step)
          await rows.updateStep(tx, at.workspace, at.step, { state: 'waiting', tracking_run: null, started_ms: null })
        })
        throw context.signal.reason
      }
      try {
        await context.write((tx) => finishStep(tx, at, ended))
      } catch (error) {
        // What it left behind cannot be a data version: the step failed, and the log and numbers of it are kept.
        if (!(error instanceof DomainError) || error.problem !== 'invalid') throw error
        const reason = [error.message, error.remedy].filter(Boolean).join('. ')
        await context.write((tx) =>
          finishStep(tx, at, { state: 'failed', reason, changes: { ...ended.changes, outputs: [] } }),
        )
      }
      if (ended.changes.log_digest) await logs.drop(at.step)
      return { state: ended.state }
    },
    async onGivenUp(tx, job) {
      const cancelled = job.cancel_asked
      await finishStep(
        tx,
        { workspace: job.workspace, step: job.input.step },
        {
          state: cancelled ? 'cancelled' : 'failed',
          reason: cancelled ? 'it was cancelled' : (job.error?.message ?? 'the server ended while it ran, too often'),
          changes: {},
        },
      )
    },
  })

  return {
    ...createStarts(deps, { needPipeline, lockRun, advance, fact }),

    async cancelRun(tx, who, id, reason) {
      const run = await lockRun(tx, who.workspace, id)
      if (run.state !== 'running' || isCancelled(run)) return
      const words = `${who.name} cancelled it${reason ? `: ${reason}` : ''}`
      await rows.updateRun(tx, who.workspace, id, { reason: words })
      for (const step of await rows.stepsOf(tx, who.workspace, id)) {
        if (step.state === 'waiting')
          await rows.updateStep(tx, who.workspace, step.id, {
            state: 'cancelled',
            reason: words,
            ended_ms: clock.now(),
          })
        if (OPEN.includes(step.state) && step.job) await jobs.cancel(tx, who.workspace, step.job)
      }
      await advance(tx, await needRun(tx, who.workspace, id))
    },

    getRun: needRun,
    getStep: needStep,
  }
}
