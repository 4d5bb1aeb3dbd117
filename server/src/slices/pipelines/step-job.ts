/** One step: waits for its inputs, looks into the cache, runs the command, takes what it left behind. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment, ProcessEnd } from '#kernel/environments/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Edge, Subject } from '#kernel/events/index.ts'
import type { Permission } from '#kernel/http/who.ts'
import type { JobContext } from '#kernel/jobs/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import { readBytes, readDuration, showDuration } from '#kernel/units.ts'
import { cacheKey, cacheParts, codeDigest, missWords, PROJECT_FILE } from './cache.ts'
import type { Code } from './code.ts'
import { type PipelinesDeps, STEP_RIGHTS } from './deps.ts'
import { envWord } from './graph.ts'
import { captureOutputs } from './outputs.ts'
import * as rows from './pipelines-store.ts'
import type { Scalar, StepSpec } from './schema.ts'
import { createStepInputs } from './step-inputs.ts'
import type { StepLog, StepLogs } from './step-log.ts'
import type { StepRuns } from './step-tracking.ts'

export const STEP_TIMEOUT_MS = 60 * 60_000
const TOKEN_MASK = '[token of this step]'

export interface StepOutcome {
  state: 'done' | 'cached' | 'failed' | 'cancelled'
  reason: string | null
  changes: Partial<rows.StepRun>
}

/** Its signal ended it before it ended itself: whether that was a person or this server's end, the caller knows. */
export interface Interrupted {
  state: 'interrupted'
  changes: Partial<rows.StepRun>
}

export interface Runner {
  /** Runs the step to its end; does not throw for what the step did. */
  run(run: rows.PipelineRun, step: rows.StepRun, context: JobContext): Promise<StepOutcome | Interrupted>
  /** Takes away what a server that was killed left behind. */
  sweep(): Promise<void>
}

export function createRunner(deps: PipelinesDeps, code: Code, logs: StepLogs, stepRuns: StepRuns): Runner {
  const { store, blobs, clock, settings } = deps
  const scratches = join(settings.dir, 'scratch')
  const stepInputs = createStepInputs(deps)

  /** Whether the data versions that a step wrote are still there: one that was deleted is to be made again. */
  const areThere = async (sql: Sql, workspace: string, outputs: readonly rows.StepOutput[]): Promise<boolean> => {
    for (const { version } of outputs) {
      if (version === undefined) continue
      try {
        await deps.datasets.version(sql, workspace, version)
      } catch (error) {
        if (error instanceof DomainError && error.problem === 'not-found') return false
        throw error
      }
    }
    return true
  }

  /** The step in its scratch folder, from its inputs to its outputs. `changes` grows as facts become known. */
  const work = async (
    run: rows.PipelineRun,
    step: rows.StepRun,
    context: JobContext,
    { scratch, log, changes }: { scratch: string; log: StepLog; changes: Partial<rows.StepRun> },
  ): Promise<Pick<StepOutcome, 'state' | 'reason'> | 'interrupted'> => {
    const { who } = run
    const spec = run.spec.steps[step.name]!
    const timeout_ms = spec.timeout ? readDuration(spec.timeout) : STEP_TIMEOUT_MS
    const params: Record<string, Scalar> = { ...run.params, ...spec.params }
    const inputs = await stepInputs.resolve(run, spec, context, Date.now() + timeout_ms)
    changes.inputs = inputs
    const named = spec.environment === undefined ? undefined : run.environments[spec.environment]
    const snapshot = await store.read((sql) => code.getCode(sql, run.workspace, run.code))
    changes.cache_parts = cacheParts(spec, {
      code: codeDigest((await code.manifestOf(snapshot)).files),
      environment: named ? `${named.python ?? 'any'} ${named.lock}` : null,
      inputs,
      params,
    })
    changes.cache_key = cacheKey(changes.cache_parts)
    if (run.use_cache === 1 && spec.cache !== false) {
      const equal = await store.read(async (sql) => {
        const found = await rows.stepByKey(sql, run.workspace, changes.cache_key!)
        return found && (await areThere(sql, run.workspace, found.outputs)) ? found : undefined
      })
      if (equal) {
        log.line(
          `same command, code, environment, params and inputs as ${equal.id}: its outputs are taken; nothing ran, so nothing was logged or registered anew`,
        )
        Object.assign(changes, {
          outputs: equal.outputs,
          cached_from: equal.id,
          cache_words: `same as ${equal.id}`,
          tracking_run: equal.tracking_run,
        })
        return { state: 'cached', reason: null }
      }
      const earlier = await store.read((sql) =>
        rows.earlierStep(sql, run.workspace, run.project, run.pipeline, step.name, step.id),
      )
      changes.cache_words = missWords(changes.cache_parts, earlier?.cache_parts)
    } else changes.cache_words = 'the cache is off for this step'
    log.line(`not from the cache: ${changes.cache_words}`)

    let environment: Environment | undefined
    if (named) {
      context.progress(null, 'making the environment')
      const lock = Buffer.from(await blobs.read(named.lock)).toString()
      environment = await deps.environments.ensure(
        { lock, ...(named.python !== undefined && { python: named.python }) },
        { signal: context.signal, onProgress: ({ words }) => log.line(`environment: ${words}`) },
      )
      changes.environment = environment.key
    }
    const cwd = join(scratch, 'code')
    await mkdir(cwd, { recursive: true })
    await code.materialiseCode(snapshot, cwd)
    // It is no part of the cache's key, so that no step may read it: what of it concerns a step is in the key by itself.
    await rm(join(cwd, PROJECT_FILE), { force: true })
    const inputEnv = await stepInputs.materialise(run, inputs, join(scratch, 'inputs'))

    const { run_id, experiment_id, token } = await context.write(async (tx) => {
      const started = await stepRuns.start(tx, run, step, { inputs, params, environment, lock: named?.lock })
      await rows.updateStep(tx, run.workspace, step.id, { ...changes, tracking_run: started.run_id })
      const secret = await deps.issueRunToken(tx, {
        workspace: run.workspace,
        run: step.id,
        rights: STEP_RIGHTS.filter((right: Permission) => who.rights.includes(right)),
        expires_ms: clock.now() + timeout_ms + 60_000,
        behalf: { kind: who.kind, id: who.id, name: who.name },
      })
      return { ...started, token: secret }
    })
    changes.tracking_run = run_id
    context.progress(null, 'running')
    const started = Date.now()
    const process = await deps.startProcess({
      args: ['sh', '-c', spec.run],
      cwd,
      env: {
        ...inputEnv,
        ...Object.fromEntries(
          Object.entries(params).map(([name, value]) => [`SLIPWAY_PARAM_${envWord(name)}`, String(value)]),
        ),
        SLIPWAY_PARAMS: JSON.stringify(params),
        SLIPWAY_URL: deps.url(),
        SLIPWAY_TOKEN: token,
        SLIPWAY_WORKSPACE: run.workspace,
        SLIPWAY_PIPELINE_RUN: run.id,
        SLIPWAY_STEP_RUN: step.id,
        MLFLOW_TRACKING_URI: deps.url(),
        MLFLOW_TRACKING_TOKEN: token,
        MLFLOW_EXPERIMENT_ID: experiment_id,
        MLFLOW_RUN_ID: run_id,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: 'true',
        GIT_PYTHON_REFRESH: 'quiet',
      },
      ...(environment && { environment }),
      limits: {
        memory_bytes: spec.memory ? readBytes(spec.memory) : settings.memory_bytes,
        // Waiting for data and making the environment is not the code's fault.
        wall_ms: timeout_ms,
      },
      signal: context.signal,
      // `env` and `set -x` print it, and every viewer may read the log while the token still holds.
      onLine: ({ text }) => log.line(text.replaceAll(token, TOKEN_MASK)),
    })
    const end = await process.ended
    changes.exit_code = end.code
    changes.peak_bytes = end.peak_bytes
    const words = endWords(end, spec, settings.memory_bytes, timeout_ms)
    log.line(`ended after ${showDuration(Date.now() - started)}: ${words}`)
    if (end.reason === 'cancelled') return 'interrupted'
    if (end.reason !== 'exit' || end.code !== 0) return { state: 'failed', reason: words }
    changes.outputs = await captureOutputs(blobs, cwd, spec.writes, context.signal)
    return { state: 'done', reason: null }
  }

  return {
    async run(run, step, context) {
      const log = await logs.open(step.id)
      const changes: Partial<rows.StepRun> = {}
      let scratch: string | undefined
      let ended: Pick<StepOutcome, 'state' | 'reason'> | 'interrupted'
      try {
        await mkdir(scratches, { recursive: true, mode: 0o700 })
        scratch = await mkdtemp(join(scratches, `${step.id}-`))
        ended = await work(run, step, context, { scratch, log, changes })
      } catch (error) {
        if (context.signal.aborted) ended = 'interrupted'
        else {
          const words = (error as Error).message
          log.line(words)
          const remedy = error instanceof DomainError && error.remedy ? ` ${error.remedy}` : ''
          ended = { state: 'failed', reason: `${words}${remedy}`.slice(0, 2000) }
        }
      } finally {
        if (scratch) await rm(scratch, { recursive: true, force: true }).catch(() => undefined)
      }
      if (ended === 'interrupted') log.line('interrupted')
      changes.log_digest = await log.finish().catch(() => null)
      return ended === 'interrupted' ? { state: ended, changes } : { ...ended, changes }
    },

    sweep: () => rm(scratches, { recursive: true, force: true }),
  }
}

/** Edges of a step that ended: what it read, what it wrote, under which tracking run. */
export function stepEdges(step: Pick<rows.StepRun, 'id' | 'run'>, outcome: StepOutcome): Edge[] {
  const me: Subject = { kind: 'step-run', id: step.id }
  const edges: Edge[] = [{ from: me, to: { kind: 'pipeline-run', id: step.run }, relation: 'part-of' }]
  const run = outcome.changes.tracking_run
  for (const input of outcome.changes.inputs ?? []) {
    if (!input.version) continue
    edges.push({ from: { kind: 'dataset-version', id: input.version }, to: me, relation: 'input' })
    if (run && outcome.state !== 'cached')
      edges.push({
        from: { kind: 'dataset-version', id: input.version },
        to: { kind: 'run', id: run },
        relation: 'input',
      })
  }
  if (run && outcome.state !== 'cached') edges.push({ from: { kind: 'run', id: run }, to: me, relation: 'part-of' })
  return edges
}

/** How it ended, and what to do about it. */
export function endWords(
  end: ProcessEnd,
  spec: Pick<StepSpec, 'memory'>,
  memory_bytes: number,
  timeout_ms: number,
): string {
  switch (end.reason) {
    case 'memory':
      return `it was ended because it took more than ${spec.memory ?? `${Math.round(memory_bytes / 1e9)}GB`} of memory. Give the step more with \`memory:\`, or let it read less at once.`
    case 'timeout':
      return `it was ended because it took longer than ${showDuration(timeout_ms)}. Give the step more with \`timeout:\`.`
    case 'cancelled':
      return 'it was cancelled.'
    case 'signal':
      return `a signal (${end.signal}) ended it.`
    default:
      return end.code === 0
        ? 'done'
        : `its command answered ${end.code}${end.code === 127 ? ': the program was not found' : ''}. The last lines of its log say why.`
  }
}
