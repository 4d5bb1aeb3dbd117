/** Offline scoring by the same form that would serve: for gates, replays and batch jobs. */
import { DomainError } from '#kernel/errors.ts'
import type { ServingDeps } from './deps.ts'
import type { Loader } from './loader.ts'
import { labelOf, scoreOf } from './outcome.ts'
import type { Runtime } from './runtimes/runtime.ts'
import type { EndpointSpec } from './schema.ts'
import * as rows from './serving-store.ts'
import { type Cell, readRow } from './signature.ts'

const BATCH_ROWS = 500
const BATCH_MS_MAX = 60_000

export interface Scored {
  outputs: unknown[]
  scores: (number | null)[]
  labels: unknown[]
  /** Rows that the model refused or failed on, with its words; their score is null. At most 20 are told. */
  failures: { row: number; error: string }[]
  failed: number
}

export interface Scorer {
  form: 'onnx' | 'python'
  /** Scores named rows; features that the signature does not name are left out. A failing row does not end the batch. */
  score(
    rows: readonly Record<string, unknown>[],
    options?: { signal?: AbortSignal; onProgress?(share: number): void },
  ): Promise<Scored>
  /** Milliseconds that single rows took, one after another. */
  time(rows: readonly Record<string, unknown>[]): Promise<number[]>
  close(): Promise<void>
}

export interface Scoring {
  /** Loads the version as it would be served; close it. Throws conflict while it is not prepared. */
  openScorer(
    workspace: string,
    model: string,
    version: number,
    spec: Pick<EndpointSpec, 'score' | 'task' | 'threshold' | 'positive'>,
  ): Promise<Scorer>
}

export function createScoring(deps: ServingDeps, loader: Loader): Scoring {
  return {
    async openScorer(workspace, model, version, spec) {
      const [preparation, files] = await deps.store.read(
        async (sql) =>
          [
            await rows.preparationOfVersion(sql, workspace, model, version),
            await deps.versionFiles(sql, workspace, model, version),
          ] as const,
      )
      if (!files) throw new DomainError('not-found', `no version ${version} of model '${model}'`)
      if (preparation?.state !== 'done')
        throw new DomainError(
          'conflict',
          `version ${model}/${version} is not prepared${preparation ? `: ${preparation.reason}` : ''}`,
        )
      const runtime = await loader.load(workspace, files, preparation)
      return scorerOf(runtime, spec)
    },
  }
}

function scorerOf(runtime: Runtime, spec: Pick<EndpointSpec, 'score' | 'task' | 'threshold' | 'positive'>): Scorer {
  const { features } = runtime
  const cellsOf = (row: Record<string, unknown>, at: number): Cell[] =>
    features
      ? readRow(features, Object.fromEntries(features.map(({ name }) => [name, row[name]])), () => `rows[${at}]`)
      : []

  /** Nothing waits for a hanging model for ever. */
  const within = (signal: AbortSignal | undefined) =>
    AbortSignal.any([AbortSignal.timeout(BATCH_MS_MAX), ...(signal ? [signal] : [])])

  const one = async (row: Record<string, unknown>, at: number, signal?: AbortSignal): Promise<unknown> => {
    const answer = await runtime.predict(
      features
        ? { rows: [cellsOf(row, at)], params: {} }
        : { rows: [], raw: { kind: 'dataframe_records', payload: [row] }, params: {} },
      within(signal),
    )
    return answer.outputs[0]
  }

  return {
    form: runtime.form,
    async score(given, { signal, onProgress } = {}) {
      const outputs: unknown[] = new Array(given.length).fill(null)
      const failures: Scored['failures'] = []
      let failed = 0
      const fail = (row: number, error: unknown) => {
        failed++
        if (failures.length < 20) failures.push({ row, error: (error as Error).message.slice(0, 300) })
      }
      for (let from = 0; from < given.length; from += BATCH_ROWS) {
        signal?.throwIfAborted()
        const batch = given.slice(from, from + BATCH_ROWS)
        try {
          const answer = await runtime.predict(
            features
              ? { rows: batch.map((row, at) => cellsOf(row, from + at)), params: {} }
              : { rows: [], raw: { kind: 'dataframe_records', payload: batch }, params: {} },
            within(signal),
          )
          for (let at = 0; at < batch.length; at++) outputs[from + at] = answer.outputs[at]
        } catch {
          signal?.throwIfAborted()
          // Some row of the batch is at fault: find out which, one by one.
          for (let at = 0; at < batch.length; at++) {
            signal?.throwIfAborted()
            try {
              outputs[from + at] = await one(batch[at]!, from + at, signal)
            } catch (error) {
              fail(from + at, error)
            }
          }
        }
        onProgress?.(Math.min(1, (from + BATCH_ROWS) / given.length))
        // Let requests through between batches.
        await new Promise((resolve) => setImmediate(resolve))
      }
      const scores = outputs.map((output) => (output === null ? null : scoreOf(spec, output)))
      return {
        outputs,
        scores,
        labels: outputs.map((output, at) => (output === null ? null : labelOf(spec, output, scores[at]!))),
        failures,
        failed,
      }
    },
    async time(given) {
      const times: number[] = []
      for (const [at, row] of given.entries()) {
        const started = performance.now()
        await one(row, at).catch(() => undefined)
        times.push(performance.now() - started)
      }
      return times
    },
    close: () => runtime.close(),
  }
}
