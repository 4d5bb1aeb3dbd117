import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#kernel/clock.ts'
import { DomainError, notFound } from '#kernel/errors.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import type { MigrationSource, Sql, Store, Tx } from '#kernel/store/index.ts'
import type { Serving } from '#slices/serving'
import { versionExplained } from './events.ts'
import * as rows from './explain-store.ts'
import { createExplainWorkers, type Explained } from './workers.ts'

export const explainMigrations: MigrationSource = { owner: 'explain', dir: new URL('./migrations/', import.meta.url) }

/** Rows that the importance of a version is computed from. */
const ROWS_MAX = 500
const TIMEOUT_MS = 10 * 60_000
const MEMORY_BYTES = 4 * 1024 ** 3
const REPORT_BYTES_MAX = 4 * 1024 ** 2
/** How far attributions may be from adding up, relative to the output. */
const ADDS_UP = 1e-6

export interface ExplainDeps {
  store: Store
  events: Pick<Events, 'record'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  serving: Pick<Serving, 'openPython' | 'findPrediction' | 'getEndpoint'>
  clock: Clock
  log: Log
  /** How long a process stays warm; 2 min when left out. */
  idle_ms?: number
}

export interface Explain {
  /** Asks for the importance of a version; asking while one is computed answers that one. */
  explainVersion(tx: Tx, who: Who, model: string, version: number): Promise<void>
  explanation(sql: Sql, workspace: string, model: string, version: number): Promise<rows.Explanation | undefined>
  /**
   * Attributions of one prediction row (`prd_…` means row 0): what is stored, else computed now by the version that answered.
   * Throws not-found, conflict when it cannot be explained, too-many, unavailable.
   */
  explainPrediction(workspace: string, prediction: string): Promise<rows.Attribution>
  attributions(sql: Sql, workspace: string, prediction: string): Promise<rows.Attribution | undefined>
  /** Python processes that are warm. */
  warm(): number
  stop(): Promise<void>
}

interface GlobalReport {
  method: rows.Importance['method']
  reason: string | null
  space: rows.Space
  class: unknown
  rows: number
  source_rows: number
  base_value: number
  features: { feature: string; mean_abs: number }[]
  beeswarm: { features: string[]; rows: { value: unknown; attribution: number }[][] }
}

const rowId = (prediction: string): string => (prediction.includes('.') ? prediction : `${prediction}.0`)

export function createExplain(deps: ExplainDeps): Explain {
  const { store, events, jobs, serving, clock } = deps
  const workers = createExplainWorkers(deps)
  const underway = new Map<string, Promise<rows.Attribution>>()

  const finish = async (
    tx: Tx,
    who: Who,
    known: rows.Explanation,
    outcome: Pick<rows.Explanation, 'state' | 'reason' | 'report'>,
  ): Promise<void> => {
    await rows.putExplanation(tx, who.workspace, { ...known, ...outcome, ended_ms: clock.now() })
    await events.record(tx, versionExplained, {
      who,
      subject: { kind: 'model-version', id: `${known.model}/${known.version}` },
      after: {
        model: known.model,
        version: known.version,
        ok: outcome.state === 'done',
        reason: outcome.reason,
      },
    })
  }

  jobs.define<{ model: string; version: number }, { rows: number }>({
    kind: 'explain.version',
    attempts_max: 2,
    timeout_ms: TIMEOUT_MS,
    concurrency: 1,
    async run({ workspace, who, input: { model, version } }, context) {
      const known = await store.read((sql) => rows.explanationOf(sql, workspace, model, version))
      if (known?.state !== 'waiting') return { rows: 0 }
      const fail = async (reason: string) => {
        await context.write((tx) => finish(tx, who, known, { state: 'failed', reason, report: null }))
        return { rows: 0 }
      }
      const home = await serving.openPython(workspace, model, version, context.signal)
      try {
        if (home.rows === undefined)
          return await fail('no training data of this version is here; attach rows to have it explained')
        const out = join(home.scratch, 'global.json')
        const { process, tail } = await home.start({
          module: 'slipway.explain',
          args: [
            'global',
            '--model',
            home.model_dir,
            '--rows',
            home.rows,
            '--max-rows',
            String(ROWS_MAX),
            '--out',
            out,
          ],
          limits: { memory_bytes: MEMORY_BYTES, wall_ms: TIMEOUT_MS, cpu: 1 },
          nice: true,
          signal: context.signal,
        })
        const end = await process.ended
        if (end.reason === 'cancelled') throw new DomainError('unavailable', 'the explanation was stopped')
        const report = end.code === 0 ? await readReport(out) : undefined
        if (!report) return await fail(`it could not be explained (${end.reason}): ${tail()}`)
        await context.write((tx) => finish(tx, who, known, { state: 'done', reason: null, report }))
        return { rows: report.rows }
      } finally {
        await home.done()
      }
    },
    async onGivenUp(tx, { workspace, who, input: { model, version }, error }) {
      const known = await rows.explanationOf(tx, workspace, model, version)
      if (known?.state === 'waiting')
        await finish(tx, who, known, { state: 'failed', reason: error?.message ?? 'it was given up', report: null })
    },
  })

  const compute = async (workspace: string, id: string): Promise<rows.Attribution> => {
    const started = performance.now()
    const found = await serving.findPrediction(workspace, id)
    if (!found)
      throw notFound(`no prediction '${id}' in the log`, {
        field: 'prediction',
        remedy: 'It may have been lost with a crash before it was written, or be of another workspace.',
      })
    if (Object.keys(found.features).length === 0)
      throw new DomainError('conflict', 'the model names no features, so nothing can be attributed to them', {
        field: 'prediction',
        remedy: 'Log the model with a signature.',
      })
    if (found.status === 'error')
      throw new DomainError('conflict', 'the model failed on this row: there is no answer to explain', {
        field: 'prediction',
      })
    const model = found.model ?? (await store.read((sql) => serving.getEndpoint(sql, workspace, found.endpoint))).model
    const version = found.answered_version
    const one = await workers.explain({ workspace, model, version }, found.features)
    const attribution: rows.Attribution = {
      prediction: id,
      endpoint: found.endpoint,
      model,
      version,
      ...factsOf(one),
      took_ms: Math.round(performance.now() - started),
      made_ms: clock.now(),
    }
    await store.write((tx) => rows.putAttribution(tx, workspace, attribution))
    return attribution
  }

  return {
    async explainVersion(tx, who, model, version) {
      const known = await rows.explanationOf(tx, who.workspace, model, version)
      const job = await jobs.enqueue(tx, {
        kind: 'explain.version',
        workspace: who.workspace,
        who,
        input: { model, version },
        key: `explain:${model}/${version}`,
        subject: { kind: 'model-version', id: `${model}/${version}` },
      })
      await rows.putExplanation(tx, who.workspace, {
        model,
        version,
        state: 'waiting',
        reason: null,
        report: null,
        job,
        created_ms: known?.created_ms ?? clock.now(),
        ended_ms: null,
      })
    },
    explanation: rows.explanationOf,

    async explainPrediction(workspace, prediction) {
      const id = rowId(prediction)
      const stored = await store.read((sql) => rows.attributionOf(sql, workspace, id))
      if (stored) return stored
      const key = `${workspace}/${id}`
      let work = underway.get(key)
      if (!work) {
        work = compute(workspace, id).finally(() => underway.delete(key))
        underway.set(key, work)
      }
      return work
    },
    attributions: (sql, workspace, prediction) => rows.attributionOf(sql, workspace, rowId(prediction)),
    warm: () => workers.count,
    stop: () => workers.stop(),
  }
}

/** What Python told, checked: shares that do not add up explain nothing. */
function factsOf(one: Explained): rows.AttributionFacts {
  const sum = one.attributions.reduce((total, each) => total + each.attribution, one.base_value)
  if (!(Math.abs(sum - one.prediction) <= ADDS_UP * Math.max(1, Math.abs(one.prediction))))
    throw new DomainError('conflict', 'the attributions do not add up to the prediction')
  return {
    method: one.method,
    space: one.space as rows.Space,
    class: one.class ?? null,
    base_value: one.base_value,
    output: one.prediction,
    attributions: one.attributions
      .map(({ feature, value, attribution }) => ({ feature, value: attribution, input: value }))
      .sort((a, b) => Math.abs(b.value) - Math.abs(a.value)),
  }
}

async function readReport(path: string): Promise<rows.Importance | undefined> {
  const facts = await stat(path).catch(() => undefined)
  if (!facts || facts.size > REPORT_BYTES_MAX) return undefined
  const told = JSON.parse(await readFile(path, 'utf8')) as GlobalReport
  return {
    method: told.method,
    method_reason: told.reason,
    space: told.space,
    class: told.class,
    rows: told.rows,
    source_rows: told.source_rows,
    base_value: told.base_value,
    importance: told.features.map(({ feature, mean_abs }) => ({ feature, value: mean_abs })),
    beeswarm: {
      features: told.beeswarm.features,
      inputs: told.beeswarm.rows.map((row) => row.map(({ value }) => value)),
      attributions: told.beeswarm.rows.map((row) => row.map(({ attribution }) => Number(attribution.toPrecision(6)))),
    },
  }
}
