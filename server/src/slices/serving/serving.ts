import { join } from 'node:path'
import { DomainError, notFound } from '#kernel/errors.ts'
import type { MigrationSource, Sql } from '#kernel/store/index.ts'
import type { RevisionStats } from './counters.ts'
import type { ServingDeps } from './deps.ts'
import { createEndpoints, type Endpoints } from './endpoints.ts'
import { createLoader } from './loader.ts'
import { createNode, type ServingNode } from './node.ts'
import { createPredictionLog, type PredictionLog } from './prediction-log/log.ts'
import type { PredictionRecord } from './prediction-log/record.ts'
import { createPredictor, type PredictAnswer, type PredictRequest } from './predictor.ts'
import { createPreparations, type Preparations } from './preparation.ts'
import { createPythonHomes, type PythonHomes } from './python-home.ts'
import { createScoring, type Scoring } from './score.ts'
import * as rows from './serving-store.ts'

export const servingMigrations: MigrationSource = { owner: 'serving', dir: new URL('./migrations/', import.meta.url) }

/** How often watermarks that moved are written to the store. */
const WATERMARK_MS = 250

export interface Serving extends Endpoints, Preparations, Scoring, PythonHomes {
  predict(request: PredictRequest): Promise<PredictAnswer>
  /** Counts since this process loaded the revision; undefined while it is not loaded here. */
  stats(revision: string): RevisionStats | undefined
  /** What to read for a span of event time, of the endpoint as it is now, not of an earlier one of its name: the one way to the prediction log. */
  predictions: PredictionLog['files']
  /** The row with this id, and the model whose version answered; undefined where the row is not there. */
  findPrediction(
    workspace: string,
    id: string,
  ): Promise<(PredictionRecord & { endpoint: string; model?: string }) | undefined>
  recentPredictions: PredictionLog['recent']
  /** Predictions that could not be logged since the start. */
  dropped(): number
  listPreparations(sql: Sql, workspace: string, model: string | undefined, limit: number): Promise<rows.Preparation[]>
  revisions(
    sql: Sql,
    workspace: string,
    endpoint: string,
  ): Promise<(rows.Revision & { reports: rows.RevisionReport[]; stats: RevisionStats | null })[]>
  revisionOfVersion(sql: Sql, workspace: string, endpoint: string, version: number): Promise<rows.Revision | undefined>
  /** Throws not-found, and unavailable when no loaded revision answers for the endpoint. */
  mustAnswer(workspace: string, endpoint: string): void
  /** Writes watermarks that moved; resolves when they are in the store. */
  flushWatermarks(): Promise<void>
  node: Pick<ServingNode, 'settle' | 'wake' | 'id' | 'loaded'>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Makes the slice. Nothing runs before `start`. `toolPins` are exact requirements of the tools that compile and explain. */
export async function createServing(deps: ServingDeps, toolPins: readonly string[]): Promise<Serving> {
  const { store, log } = deps
  const loader = createLoader(deps)
  const node = createNode(deps, loader)
  const endpoints = createEndpoints(deps, node.wake)
  const preparations = createPreparations(deps, loader, node.wake, toolPins)
  const dropped = deps.telemetry.counter({
    name: 'prediction_log_dropped_total',
    help: 'Predictions that were served but could not be logged.',
  })
  const predictions = await createPredictionLog({
    dir: join(deps.settings.dir, 'predictions'),
    interval_ms: deps.settings.log_interval_ms,
    store,
    blobs: deps.blobs,
    analytics: deps.analytics,
    clock: deps.clock,
    ids: deps.ids,
    log,
    onDrop: (count) => dropped.add({}, count),
  })
  const predictor = createPredictor(deps, node, () => predictions)
  let timer: NodeJS.Timeout | undefined

  const flushWatermarks = async () => {
    const moved = predictor.watermarks.take()
    if (moved.length === 0) return
    await store
      .write(async (tx) => {
        for (const mark of moved) await rows.putWatermark(tx, mark)
      })
      .catch((error: unknown) => {
        predictor.watermarks.giveBack(moved)
        throw error
      })
  }

  const since = async (workspace: string, name: string): Promise<{ since_ms?: number }> => {
    const endpoint = await store.read((sql) => rows.endpointByName(sql, workspace, name))
    return endpoint ? { since_ms: endpoint.created_ms } : {}
  }

  return {
    ...endpoints,
    ...preparations,
    ...createScoring(deps, loader),
    ...createPythonHomes(deps, loader, toolPins),
    predict: predictor.predict,
    stats: node.stats,
    predictions: async (workspace, endpoint, range) =>
      predictions.files(workspace, endpoint, { ...range, ...(await since(workspace, endpoint)) }),
    async findPrediction(workspace, id) {
      const found = await predictions.find(workspace, id)
      if (!found) return undefined
      const revision = await store.read((sql) => rows.revisionById(sql, workspace, found.answered_by))
      return { ...found, ...(revision && { model: revision.model }) }
    },
    recentPredictions: async (workspace, endpoint, limit) =>
      predictions.recent(workspace, endpoint, limit, await since(workspace, endpoint)),
    dropped: () => predictions.writer.dropped,
    listPreparations: rows.preparationsOf,
    async revisions(sql, workspace, endpoint) {
      const all = await rows.revisionsOf(sql, workspace, endpoint)
      const reports = await rows.reportsOf(
        sql,
        workspace,
        all.map(({ id }) => id),
      )
      return all.map((revision) => ({
        ...revision,
        reports: reports.filter((report) => report.revision === revision.id),
        stats: node.stats(revision.id) ?? null,
      }))
    },
    revisionOfVersion: async (sql, workspace, endpoint, version) =>
      (await rows.revisionsOf(sql, workspace, endpoint, 1000)).find((revision) => revision.version === version),
    mustAnswer(workspace, endpoint) {
      const live = node.endpoint(workspace, endpoint)
      if (!live) throw notFound(`no endpoint '${endpoint}' in workspace ${workspace}`, { field: 'endpoint' })
      if (live.routes.length === 0) throw new DomainError('unavailable', `endpoint '${endpoint}' has no release yet`)
      if (!live.routes.some((route) => node.loaded(route.revision)?.runtime))
        throw new DomainError('unavailable', `endpoint '${endpoint}' is loading its model`)
    },
    flushWatermarks,
    node,
    async start() {
      await loader.tidy()
      for (const endpoint of await store.read((sql) => rows.allEndpoints(sql))) {
        const mark = await store.read((sql) => rows.watermarkOf(sql, endpoint.workspace, endpoint.name))
        if (!mark) continue
        const { workspace, name, created_ms } = endpoint
        predictor.watermarks.set({ workspace, endpoint: name, created_ms, greatest_event_ms: mark.greatest_event_ms })
      }
      await predictions.start()
      await node.start()
      timer = setInterval(() => {
        flushWatermarks().catch((error: unknown) =>
          log.warn({ err: error }, 'watermarks could not be written; they are written with the next'),
        )
      }, WATERMARK_MS)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      await flushWatermarks().catch(() => undefined)
      await node.stop()
      await predictions.stop()
      await loader.close()
    },
  }
}
