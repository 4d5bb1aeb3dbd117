import { join } from 'node:path'
import { conflict, invalid, notFound } from '#kernel/errors.ts'
import type { EventRecord } from '#kernel/events/index.ts'
import { type Actor, type Permission, ROLE_RIGHTS, ruleWho, type Who } from '#kernel/http/who.ts'
import type { MigrationSource, Sql, Tx } from '#kernel/store/index.ts'
import { type Code, createCode } from './code.ts'
import type { PipelinesDeps } from './deps.ts'
import { pipelineApplied, pipelineRemoved, pipelineRunEnded, pipelineRunStarted, stepEnded } from './events.ts'
import { dependentsOf, graphMistakes, needsOf } from './graph.ts'
import * as rows from './pipelines-store.ts'
import type { PipelineSpec, Scalar } from './schema.ts'
import { createRunner, type StepOutcome, stepEdges } from './step-job.ts'
import { createStepLogs, type StepLogs } from './step-log.ts'
import { createTriggers, type Triggers } from './triggers.ts'

export const pipelinesMigrations: MigrationSource = {
  owner: 'pipelines',
  dir: new URL('./migrations/', import.meta.url),
}

export interface StartInput {
  project: string
  pipeline: string
  params?: Readonly<Record<string, Scalar>>
  /** Dataset name to version reference, pinned for the whole run. */
  inputs?: Readonly<Record<string, string>>
  cache?: boolean
  cause: rows.Cause
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
  /** Registers the cron schedules of all pipelines. */
  startTriggers(): Promise<void>
}

interface StepInputJob {
  step: string
}

const RUN_RIGHTS: readonly Permission[] = ROLE_RIGHTS.editor

export function createPipelines(deps: PipelinesDeps): Pipelines {
  const { store, events, jobs, clock, ids, settings } = deps
  const code = createCode(deps)
  const logs = createStepLogs({ blobs: deps.blobs, dir: join(settings.dir, 'steps') })
  const runner = createRunner(deps, code, logs)

  const need = async (sql: Sql, workspace: string, project: string, name: string): Promise<rows.Pipeline> => {
    const pipeline = await rows.pipelineByName(sql, workspace, project, name)
    if (!pipeline)
      throw notFound(`no pipeline '${name}' in project '${project}'`, {
        field: 'pipeline',
        remedy: 'Declare it in slipway.yaml and apply.',
      })
    return pipeline
  }
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

  const enqueue = (tx: Tx, run: rows.PipelineRun, step: string) =>
    jobs.enqueue<StepInputJob>(tx, {
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

  /** Begins every step whose needs are done; ends the run when nothing is left to do. */
  const advance = async (tx: Tx, run: rows.PipelineRun): Promise<void> => {
    const steps = await rows.stepsOf(tx, run.workspace, run.id)
    const latest = new Map(steps.map((step) => [step.name, step]))
    const finished = (name: string) => ['done', 'cached'].includes(latest.get(name)?.state ?? '')
    for (const step of latest.values()) {
      if (step.state !== 'waiting' || step.job !== null) continue
      if (needsOf(run.spec, step.name).every(finished))
        await rows.updateStep(tx, run.workspace, step.id, { job: await enqueue(tx, run, step.id) })
    }
    const states = [...latest.values()].map(({ state }) => state)
    if (states.some((state) => state === 'waiting' || state === 'running')) return
    const state: rows.RunState = states.includes('failed')
      ? 'failed'
      : states.includes('cancelled')
        ? 'cancelled'
        : 'done'
    const failed = [...latest.values()].find((step) => step.state === 'failed')
    const reason = failed ? `step ${failed.name}: ${failed.reason}` : null
    await rows.updateRun(tx, run.workspace, run.id, { state, reason, ended_ms: clock.now() })
    await events.record(tx, pipelineRunEnded, {
      who: run.who,
      subject: { kind: 'pipeline-run', id: run.id },
      after: fact(run, state, reason),
    })
  }

  const finishStep = async (tx: Tx, run: rows.PipelineRun, step: rows.StepRun, outcome: StepOutcome): Promise<void> => {
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
        tracking_run: outcome.changes.tracking_run ?? null,
      },
      edges,
    })
    if (outcome.state === 'failed') {
      const retries = run.spec.steps[step.name]?.retries ?? 0
      if (step.attempt <= retries) {
        const again: rows.StepRun = { ...emptyStep(run, ids.next('step_run'), step.name), attempt: step.attempt + 1 }
        await rows.insertStep(tx, again)
      } else await skipDependents(tx, run, step.name, `step ${step.name} failed`)
    }
    if (outcome.state === 'cancelled') await skipDependents(tx, run, step.name, `step ${step.name} was cancelled`)
    await advance(tx, (await rows.runById(tx, run.workspace, run.id))!)
  }

  const skipDependents = async (tx: Tx, run: rows.PipelineRun, step: string, reason: string): Promise<void> => {
    const dependents = dependentsOf(run.spec, step)
    for (const other of await rows.stepsOf(tx, run.workspace, run.id)) {
      if (other.state === 'waiting' && dependents.includes(other.name))
        await rows.updateStep(tx, run.workspace, other.id, { state: 'skipped', reason, ended_ms: clock.now() })
    }
  }

  jobs.define<StepInputJob, { state: string }>({
    kind: 'pipelines.step',
    attempts_max: 3,
    timeout_ms: 24 * 60 * 60_000,
    concurrency: settings.concurrency,
    async run(job, context) {
      const { workspace } = job
      const [step, run] = await store.read(async (sql) => {
        const found = await needStep(sql, workspace, job.input.step)
        return [found, await needRun(sql, workspace, found.run)] as const
      })
      if (!['waiting', 'running'].includes(step.state)) return { state: step.state }
      await context.write((tx) =>
        rows.updateStep(tx, workspace, step.id, { state: 'running', started_ms: clock.now() }),
      )
      const outcome = await runner.run(run, step, run.who, context).catch(async (error: unknown) => {
        // A person asked it to end; anything else gives the job back, to be done by whoever takes it next.
        const fresh = await store.read((sql) => rows.runById(sql, workspace, run.id))
        if (!context.signal.aborted || fresh?.reason !== CANCELLED) throw error
        return { state: 'cancelled', reason: 'it was cancelled', changes: {} } satisfies StepOutcome
      })
      await context.write((tx) => finishStep(tx, run, step, outcome))
      return { state: outcome.state }
    },
    async onGivenUp(tx, job) {
      const step = await rows.stepById(tx, job.workspace, job.input.step)
      if (!step || !['waiting', 'running'].includes(step.state)) return
      const run = await needRun(tx, job.workspace, step.run)
      const cancelled = job.cancel_asked
      await finishStep(tx, run, step, {
        state: cancelled ? 'cancelled' : 'failed',
        reason: cancelled ? 'it was cancelled' : (job.error?.message ?? 'the server ended while it ran, too often'),
        changes: {},
      })
    },
  })

  const start: Pipelines['start'] = async (
    tx,
    who,
    { project, pipeline: name, params = {}, inputs = {}, cache = true, cause },
  ) => {
    const pipeline = await need(tx, who.workspace, project, name)
    const declared = { ...pipeline.spec.params }
    for (const key of Object.keys(params)) {
      if (!(key in declared))
        throw invalid(`pipeline '${name}' has no param '${key}'`, {
          field: `params.${key}`,
          remedy: Object.keys(declared).length ? `It has ${Object.keys(declared).join(', ')}.` : 'It has none.',
        })
    }
    const pinned: Record<string, string> = {}
    const read = new Set(
      Object.values(pipeline.spec.steps).flatMap((step) =>
        Object.values(step.reads ?? {}).flatMap((one) => ('dataset' in one ? [one.dataset] : [])),
      ),
    )
    for (const [dataset, reference] of Object.entries(inputs)) {
      if (!read.has(dataset))
        throw invalid(`no step of '${name}' reads dataset '${dataset}'`, {
          field: `inputs.${dataset}`,
          remedy: read.size ? `They read ${[...read].join(', ')}.` : 'They read none.',
        })
      const version = await deps.datasets.find(
        tx,
        who.workspace,
        reference.startsWith('dsv_') || reference.includes('@') ? reference : `${dataset}@${reference}`,
      )
      pinned[dataset] = version.id
    }
    const run: Omit<rows.PipelineRun, 'number'> = {
      workspace: who.workspace,
      id: ids.next('pipeline_run'),
      project,
      pipeline: name,
      spec: pipeline.spec,
      environments: pipeline.environments,
      code: pipeline.code,
      params: { ...declared, ...params },
      inputs: pinned,
      use_cache: cache ? 1 : 0,
      cause,
      who,
      state: 'running',
      reason: null,
      tracking_run: null,
      created_ms: clock.now(),
      ended_ms: null,
    }
    const number = await rows.insertRun(tx, run)
    const whole = { ...run, number }
    for (const step of Object.keys(pipeline.spec.steps))
      await rows.insertStep(tx, emptyStep(whole, ids.next('step_run'), step))
    await events.record(tx, pipelineRunStarted, {
      who,
      subject: { kind: 'pipeline-run', id: run.id },
      after: fact(whole, 'running'),
      edges: [
        {
          from: { kind: 'pipeline', id: `${project}/${name}` },
          to: { kind: 'pipeline-run', id: run.id },
          relation: 'caused',
        },
        { from: { kind: 'code', id: run.code }, to: { kind: 'pipeline-run', id: run.id }, relation: 'input' },
      ],
    })
    await advance(tx, whole)
    return whole
  }

  const triggers = createTriggers(deps, start)

  return {
    ...code,
    considerDataset: triggers.considerDataset,
    considerEvent: (tx: Tx, who: Who, event: EventRecord) => triggers.considerEvent(tx, who, event),
    startTriggers: triggers.startTriggers,

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
      tx.afterCommit(() => void triggers.startTriggers())
    },

    async removePipeline(tx, who, project, name) {
      await need(tx, who.workspace, project, name)
      await rows.dropPipeline(tx, who.workspace, project, name)
      await events.record(tx, pipelineRemoved, {
        who,
        subject: { kind: 'pipeline', id: `${project}/${name}` },
        after: { project, pipeline: name },
      })
      tx.afterCommit(() => void triggers.startTriggers())
    },

    getPipeline: need,
    listPipelines: rows.pipelinesOf,
    start,

    async cancelRun(tx, who, id, reason) {
      await tx.lock('pipelines.advance', who.workspace, id)
      const run = await needRun(tx, who.workspace, id)
      if (run.state !== 'running') return
      await rows.updateRun(tx, who.workspace, id, { reason: CANCELLED })
      for (const step of await rows.stepsOf(tx, who.workspace, id)) {
        if (step.state === 'waiting')
          await rows.updateStep(tx, who.workspace, step.id, {
            state: 'cancelled',
            reason: reason ?? `${who.name} cancelled the run`,
            ended_ms: clock.now(),
          })
        if ((step.state === 'running' || step.state === 'waiting') && step.job)
          await jobs.cancel(tx, who.workspace, step.job)
      }
      await advance(tx, { ...run, reason: CANCELLED })
    },

    async retryRun(tx, who, id) {
      const old = await needRun(tx, who.workspace, id)
      if (old.state === 'running') throw conflict(`run ${id} is still running`, { field: 'run' })
      const again: Omit<rows.PipelineRun, 'number'> = {
        ...old,
        id: ids.next('pipeline_run'),
        cause: { kind: 'retry', run: id },
        who: { ...who, rights: who.rights.filter((right) => RUN_RIGHTS.includes(right)) },
        state: 'running',
        reason: null,
        created_ms: clock.now(),
        ended_ms: null,
      }
      const number = await rows.insertRun(tx, again)
      const whole = { ...again, number }
      const finished = new Map(
        (await rows.stepsOf(tx, who.workspace, id))
          .filter((step) => step.state === 'done' || step.state === 'cached')
          .map((step) => [step.name, step]),
      )
      for (const name of Object.keys(old.spec.steps)) {
        const step = emptyStep(whole, ids.next('step_run'), name)
        const same = finished.get(name)
        await rows.insertStep(
          tx,
          same
            ? {
                ...same,
                id: step.id,
                run: whole.id,
                state: 'cached',
                job: null,
                cached_from: same.id,
                cache_words: `done in ${id}`,
                ended_ms: clock.now(),
              }
            : step,
        )
      }
      await events.record(tx, pipelineRunStarted, {
        who,
        subject: { kind: 'pipeline-run', id: whole.id },
        after: fact(whole, 'running'),
        edges: [{ from: { kind: 'pipeline-run', id }, to: { kind: 'pipeline-run', id: whole.id }, relation: 'caused' }],
      })
      await advance(tx, whole)
      return whole
    },

    getRun: needRun,
    listRuns: rows.runsOf,
    steps: rows.stepsOf,
    getStep: needStep,
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

/** Reason of a run that is being cancelled: tells a step that was aborted for this from one whose server stops. */
const CANCELLED = 'cancelled'

const emptyStep = (run: Pick<rows.PipelineRun, 'workspace' | 'id'>, id: string, name: string): rows.StepRun => ({
  workspace: run.workspace,
  id,
  run: run.id,
  name,
  attempt: 1,
  state: 'waiting',
  job: null,
  tracking_run: null,
  cache_key: null,
  cache_parts: {},
  cache_words: null,
  cached_from: null,
  inputs: [],
  outputs: [],
  environment: null,
  reason: null,
  exit_code: null,
  peak_bytes: null,
  log_digest: null,
  started_ms: null,
  ended_ms: null,
})

/** A rule that starts pipelines for the person who applied them. */
export const triggerWho = (workspace: string, name: string, by: Actor): Who =>
  ruleWho(workspace, `pipeline:${name}`, RUN_RIGHTS, by)
