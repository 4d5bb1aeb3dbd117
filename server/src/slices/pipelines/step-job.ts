/** One step: waits for its inputs, looks into the cache, runs the command, takes what it left behind. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment, ProcessEnd } from '#kernel/environments/index.ts'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Edge, Subject } from '#kernel/events/index.ts'
import type { Permission } from '#kernel/http/who.ts'
import type { JobContext } from '#kernel/jobs/index.ts'
import { readBytes, readDuration, showDuration } from '#kernel/units.ts'
import { cacheKey, cacheParts, missWords } from './cache.ts'
import type { Code } from './code.ts'
import { type PipelinesDeps, STEP_RIGHTS } from './deps.ts'
import { captureOutputs } from './outputs.ts'
import * as rows from './pipelines-store.ts'
import type { Scalar, StepSpec } from './schema.ts'
import type { StepLog, StepLogs } from './step-log.ts'
import type { StepRuns } from './step-tracking.ts'

export const STEP_TIMEOUT_MS = 60 * 60_000
/** How often a pending input is looked at. */
const LOOK_MS = 200

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

  /** Pins the version of each dataset that the step reads, waiting for one that is still being checked. */
  const resolveInputs = async (
    run: rows.PipelineRun,
    spec: StepSpec,
    context: JobContext,
    deadline: number,
  ): Promise<rows.StepInput[]> => {
    const inputs: rows.StepInput[] = []
    for (const [name, read] of Object.entries(spec.reads ?? {})) {
      if ('step' in read) {
        const from = (await store.read((sql) => rows.stepsOf(sql, run.workspace, run.id)))
          .filter((one) => one.name === read.step && (one.state === 'done' || one.state === 'cached'))
          .at(-1)
        const output = from?.outputs.find((one) => one.name === read.output)
        if (!output) throw invalid(`step '${read.step}' left no output '${read.output}'`)
        inputs.push({ name, digest: output.digest, from_step: from!.id })
        continue
      }
      inputs.push({ name, ...(await datasetInput(run, read.dataset, context, deadline)) })
    }
    return inputs
  }

  const datasetInput = async (
    run: rows.PipelineRun,
    dataset: string,
    context: JobContext,
    deadline: number,
  ): Promise<Omit<rows.StepInput, 'name'>> => {
    for (;;) {
      context.signal.throwIfAborted()
      const found = await store.read(async (sql) => {
        const fresh = (await rows.runById(sql, run.workspace, run.id))!
        const pinned = fresh.inputs[dataset]
        if (pinned) {
          const version = await deps.datasets.find(sql, run.workspace, pinned)
          return { version, input: await deps.inputState(sql, run.workspace, version.id) }
        }
        // The newest that may be an input; newer ones that still wait for their verdict are waited for.
        for (const version of await deps.datasets.versions(sql, run.workspace, dataset, { limit: 50 })) {
          const input = await deps.inputState(sql, run.workspace, version.id)
          if (input.state !== 'refused') return { version, input }
        }
        return undefined
      })
      if (!found)
        throw invalid(`dataset '${dataset}' has no version that may be an input`, {
          remedy: `Register one: slipway data add ${dataset} <file>.`,
        })
      const { version, input } = found
      if (input.state === 'refused')
        throw invalid(`version ${version.number} of dataset '${dataset}' may not be an input: ${input.reason}`, {
          remedy: 'Mend the data, or accept the version with a reason.',
        })
      if (input.state === 'ready') {
        const pinned = await context.write(async (tx) => {
          await tx.lock('pipelines.advance', run.workspace, run.id)
          const fresh = (await rows.runById(tx, run.workspace, run.id))!
          const id = fresh.inputs[dataset] ?? version.id
          await rows.updateRun(tx, run.workspace, run.id, { inputs: { ...fresh.inputs, [dataset]: id } })
          return id
        })
        // Another step of the run pinned one meanwhile: all steps read the same.
        if (pinned !== version.id) continue
        return { digest: version.digest, dataset, version: version.id, number: version.number }
      }
      if (Date.now() > deadline)
        throw invalid(
          `version ${version.number} of dataset '${dataset}' was still being checked when the step's time was over`,
        )
      context.progress(null, `waiting for the checks of ${dataset}@${version.number}`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  const materialiseInputs = async (
    run: rows.PipelineRun,
    inputs: readonly rows.StepInput[],
    dir: string,
  ): Promise<Record<string, string>> => {
    const env: Record<string, string> = {}
    for (const input of inputs) {
      const to = join(dir, input.name)
      await mkdir(to, { recursive: true })
      let paths: string[]
      if (input.version) {
        const version = await store.read((sql) => deps.datasets.version(sql, run.workspace, input.version!))
        await deps.datasets.materialise(version, to)
        paths = await plainFiles(to)
      } else {
        const from = (await store.read((sql) => rows.stepById(sql, run.workspace, input.from_step!)))!
        const output = from.outputs.find((one) => one.digest === input.digest)!
        for (const file of output.files) {
          const path = join(to, ...file.path.split('/'))
          await mkdir(join(path, '..'), { recursive: true })
          await blobs.materialise(file.digest, path)
        }
        paths = output.files.map((file) => join(to, ...file.path.split('/')))
      }
      // A single file is named itself; several, their folder.
      env[`SLIPWAY_INPUT_${envWord(input.name)}`] = paths.length === 1 ? paths[0]! : to
    }
    return env
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
    const inputs = await resolveInputs(run, spec, context, Date.now() + timeout_ms)
    changes.inputs = inputs
    const named = spec.environment === undefined ? undefined : run.environments[spec.environment]
    changes.cache_parts = cacheParts(spec, {
      code: run.code,
      environment: named ? `${named.python ?? 'any'} ${named.lock}` : null,
      inputs,
      params,
    })
    changes.cache_key = cacheKey(changes.cache_parts)
    if (run.use_cache === 1 && spec.cache !== false) {
      const equal = await store.read((sql) => rows.stepByKey(sql, run.workspace, changes.cache_key!))
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
    const snapshot = await store.read((sql) => code.getCode(sql, run.workspace, run.code))
    const cwd = join(scratch, 'code')
    await mkdir(cwd, { recursive: true })
    await code.materialiseCode(snapshot, cwd)
    const inputEnv = await materialiseInputs(run, inputs, join(scratch, 'inputs'))

    const { run_id, experiment_id, token } = await context.write(async (tx) => {
      const started = await stepRuns.start(tx, run, step, { inputs, params, snapshot, environment, lock: named?.lock })
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
      onLine: ({ text }) => log.line(text),
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

const envWord = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')

async function plainFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
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
