/** How runs begin: anew, or again from the steps that failed. */
import { conflict, invalid } from '#kernel/errors.ts'
import { type Permission, ROLE_RIGHTS, type Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { PipelinesDeps } from './deps.ts'
import { type PipelineRunFact, pipelineRunStarted } from './events.ts'
import * as rows from './pipelines-store.ts'
import type { Scalar } from './schema.ts'

const RUN_RIGHTS: readonly Permission[] = ROLE_RIGHTS.editor

export interface StartInput {
  project: string
  pipeline: string
  params?: Readonly<Record<string, Scalar>>
  /** Dataset name to version reference, pinned for the whole run. */
  inputs?: Readonly<Record<string, string>>
  cache?: boolean
  cause: rows.Cause
}

export interface Starts {
  start(tx: Tx, who: Who, input: StartInput): Promise<rows.PipelineRun>
  retryRun(tx: Tx, who: Who, run: string): Promise<rows.PipelineRun>
}

export function createStarts(
  deps: Pick<PipelinesDeps, 'datasets' | 'events' | 'ids' | 'clock'>,
  {
    needPipeline,
    lockRun,
    advance,
    fact,
  }: {
    needPipeline(sql: Sql, workspace: string, project: string, name: string): Promise<rows.Pipeline>
    lockRun(tx: Tx, workspace: string, id: string): Promise<rows.PipelineRun>
    advance(tx: Tx, run: rows.PipelineRun): Promise<void>
    fact(run: rows.PipelineRun, state: string): PipelineRunFact
  },
): Starts {
  const { events, ids, clock } = deps
  const start: Starts['start'] = async (
    tx,
    who,
    { project, pipeline: name, params = {}, inputs = {}, cache = true, cause },
  ) => {
    const pipeline = await needPipeline(tx, who.workspace, project, name)
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
      source: await sourceOf(tx, who.workspace, pipeline.code),
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

  return {
    start,
    async retryRun(tx, who, id) {
      const old = await lockRun(tx, who.workspace, id)
      if (old.state === 'running') throw conflict(`run ${id} is still running`, { field: 'run' })
      if (old.state === 'done')
        throw conflict(`run ${id} is done: nothing of it failed`, { field: 'run', remedy: 'Start the pipeline anew.' })
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
                cached_from: same.cached_from ?? same.id,
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
  }
}

/** What is said of a snapshot now. */
async function sourceOf(sql: Sql, workspace: string, digest: string): Promise<rows.CodeSource> {
  const code = await rows.codeByDigest(sql, workspace, digest)
  return {
    commit: code?.commit_id ?? null,
    branch: code?.branch ?? null,
    dirty: code?.dirty === 1,
    diff: code?.diff_digest ?? null,
  }
}

export const emptyStep = (run: Pick<rows.PipelineRun, 'workspace' | 'id'>, id: string, name: string): rows.StepRun => ({
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
