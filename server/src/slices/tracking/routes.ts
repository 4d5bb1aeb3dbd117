import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Blobs } from '#kernel/blobs/index.ts'
import { Bytes, type Cursors, EventStream, liveReply, PAGE_DEFAULT, type Routes } from '#kernel/http/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Store } from '#kernel/store/index.ts'
import { sendArtifact } from './artifact-files.ts'
import { boardRoutes } from './boards/routes.ts'
import type { ChartAsk, ChartRange, ChartsAsk } from './charts.ts'
import { experimentCounts } from './experiment-rows.ts'
import { importRoutes } from './import/routes.ts'
import { createRunWatch } from './live.ts'
import type { LoggedModel, Run, SearchPage } from './model.ts'
import { recordRoutes } from './record/routes.ts'
import { experimentReply, modelReply, rowReply } from './replies.ts'
import { readRunDetail, runDetailReply } from './run-detail.ts'
import * as schema from './schema.ts'
import { searchExperiments } from './search/experiments.ts'
import { folderFilter } from './table/folders.ts'
import { tableRoutes } from './table/routes.ts'
import type { Tracking } from './tracking.ts'

const API = '/api/slipway/v1'

export interface TrackingRouteDeps {
  routes: Pick<Routes, 'route' | 'ids' | 'clock'>
  store: Pick<Store, 'read' | 'query' | 'command'>
  tracking: Tracking
  blobs: Pick<Blobs, 'read' | 'open'>
  cursors: Cursors
  log: Log
}

const pageReply = <T>(cursors: Cursors, page: SearchPage<T>, word: (item: T) => unknown) => ({
  items: page.items.map(word),
  ...(page.next !== undefined && { next_cursor: cursors.encode(page.next) }),
})

const searchOf = (
  cursors: Cursors,
  workspace: string,
  query: { filter?: string; order_by?: string[]; view?: string; limit?: number; cursor?: string },
) => ({
  workspace,
  filter: query.filter ?? '',
  order_by: query.order_by ?? [],
  view: (query.view ?? 'active') as 'active' | 'deleted' | 'all',
  limit: query.limit ?? PAGE_DEFAULT,
  ...(query.cursor && { position: cursors.decode(query.cursor) }),
})

const rangeOf = ({ x, from, to }: ChartRange): ChartRange => ({
  ...(x && { x }),
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
})

export function trackingRoutes(app: FastifyInstance, deps: TrackingRouteDeps): void {
  experimentRoutes(app, deps)
  tableRoutes(app, deps)
  runRoutes(app, deps)
  runFileRoutes(app, deps)
  modelRoutes(app, deps)
  boardRoutes(app, deps)
  recordRoutes(app, deps)
  importRoutes(app, deps)
}

function experimentRoutes(app: FastifyInstance, { routes, tracking, cursors }: TrackingRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/experiments`,
    may: 'tracking.read',
    summary: 'Experiments with their counts of runs, newest first',
    query: schema.ExperimentsQuery,
    reply: schema.page(schema.ExperimentRow),
    read: async ({ sql, who, query }) => {
      const search = searchOf(cursors, who.workspace, query)
      const filter = folderFilter(query.folder, search.filter)
      const page = await searchExperiments(sql, { ...search, filter })
      const counts = await experimentCounts(
        sql,
        page.items.map(({ experiment_id }) => Number(experiment_id)),
      )
      return pageReply(cursors, page, (each) => experimentReply(each, counts(Number(each.experiment_id))))
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/experiments/:experiment_id`,
    may: 'tracking.read',
    summary: 'An experiment',
    params: schema.ExperimentPath,
    reply: schema.ExperimentRow,
    read: async ({ sql, who, params }) => {
      const found = await tracking.getExperiment(sql, who.workspace, params.experiment_id)
      const counts = await experimentCounts(sql, [Number(found.experiment_id)])
      return experimentReply(found, counts(Number(found.experiment_id)))
    },
  })
}

function runRoutes(app: FastifyInstance, deps: TrackingRouteDeps): void {
  const { routes, store, tracking, blobs, cursors, log } = deps
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/runs`,
    may: 'tracking.read',
    summary: "Runs by MLflow's filter language, newest first",
    query: schema.SearchQuery,
    reply: schema.page(schema.RunRow),
    ask: {
      name: 'tracking.listRuns',
      input: ({ who, query }) => ({
        ...searchOf(cursors, who.workspace, query),
        experiment_ids: query.experiment ?? [],
      }),
      answer: (page: SearchPage<Run>) => pageReply(cursors, page, rowReply),
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id`,
    may: 'tracking.read',
    summary: 'A run with all that its page needs',
    params: schema.RunPath,
    reply: schema.RunDetail,
    handle: async ({ who, params }) => {
      const seen = await store.read((sql) => readRunDetail(tracking, sql, who.workspace, params.run_id))
      return await runDetailReply(seen, blobs)
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id/metrics`,
    may: 'tracking.read',
    summary: "A run's metric series for drawing, thinned out with every extreme kept",
    params: schema.RunPath,
    query: schema.ChartQuery,
    reply: schema.Chart,
    ask: {
      name: 'tracking.chart',
      input: ({ who, params, query }): ChartAsk => ({
        workspace: who.workspace,
        run_id: params.run_id,
        keys: query.keys ? query.keys.split(',') : [],
        points: query.points ?? 1000,
        ...rangeOf(query),
      }),
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/runs/charts`,
    may: 'tracking.read',
    summary:
      'Metric series of several runs for drawing, a part of the axis at a time, thinned out with every extreme kept',
    body: schema.ChartsBody,
    reply: schema.Charts,
    ask: {
      name: 'tracking.charts',
      input: ({ who, body }): ChartsAsk => ({
        workspace: who.workspace,
        run_ids: body.run_ids,
        keys: body.keys,
        points: body.points ?? 1000,
        ...rangeOf(body),
      }),
    },
  })

  const { refuseIfFull, watch, stop } = createRunWatch({ store, log })
  app.addHook('onClose', async () => stop())
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id/live`,
    may: 'tracking.read',
    summary: 'Server-sent events of a run: ready, metrics with new points, run when its status changes',
    reply: EventStream,
    media_type: 'text/event-stream',
    params: schema.RunPath,
    handle: async ({ who, params, reply }) => {
      await store.read((sql) => tracking.getRun(sql, who.workspace, params.run_id))
      refuseIfFull(who.workspace, params.run_id)
      return liveReply(reply, (send) => watch(who.workspace, params.run_id, send))
    },
  })

  route(app, {
    method: 'DELETE',
    path: `${API}/runs/:run_id`,
    may: 'tracking.write',
    summary: 'Delete a run; it can be restored',
    params: schema.RunPath,
    reply: Type.Object({}),
    change: ({ tx, who, params }) => tracking.deleteRun(tx, who, params.run_id),
  })
  route(app, {
    method: 'POST',
    path: `${API}/runs/:run_id/restore`,
    may: 'tracking.write',
    summary: 'Bring a deleted run back',
    params: schema.RunPath,
    reply: Type.Object({}),
    change: ({ tx, who, params }) => tracking.restoreRun(tx, who, params.run_id),
  })
}

function runFileRoutes(app: FastifyInstance, { routes, store, tracking, blobs }: TrackingRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id/artifacts`,
    may: 'tracking.read',
    summary: "One folder of a run's artifacts",
    params: schema.RunPath,
    query: schema.ArtifactQuery,
    reply: Type.Object({ items: Type.Array(schema.ArtifactEntry) }),
    read: async ({ sql, who, params, query }) => {
      const { artifact_uri } = await tracking.getRun(sql, who.workspace, params.run_id)
      return { items: await tracking.listUnder(sql, who.workspace, artifact_uri, query.path ?? '') }
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id/artifacts/file`,
    may: 'tracking.read',
    summary: "The bytes of one of a run's artifacts, always as a download",
    reply: Bytes,
    media_type: '*/*',
    params: schema.RunPath,
    query: schema.FileQuery,
    handle: async ({ who, params, query, request, reply }) => {
      const ref = await store.read(async (sql) => {
        const { artifact_uri } = await tracking.getRun(sql, who.workspace, params.run_id)
        return await tracking.fileUnder(sql, who.workspace, artifact_uri, query.path)
      })
      return await sendArtifact(blobs, request, reply, query.path, ref)
    },
  })
}

function modelRoutes(app: FastifyInstance, { routes, tracking, cursors }: TrackingRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/logged-models`,
    may: 'tracking.read',
    summary: "Logged models by MLflow's filter language, newest first",
    query: schema.ModelsQuery,
    reply: schema.page(schema.Model),
    ask: {
      name: 'tracking.listLoggedModels',
      input: ({ who, query }) => ({
        ...searchOf(cursors, who.workspace, query),
        order_by: [],
        experiment_ids: query.experiment ?? [],
      }),
      answer: (page: SearchPage<LoggedModel>) => pageReply(cursors, page, modelReply),
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/logged-models/:model_id`,
    may: 'tracking.read',
    summary: 'A logged model with its files',
    params: schema.ModelPath,
    query: schema.ArtifactQuery,
    reply: Type.Object({ ...schema.Model.properties, files: Type.Array(schema.ArtifactEntry) }),
    read: async ({ sql, who, params, query }) => {
      const model = await tracking.getLoggedModel(sql, who.workspace, params.model_id)
      const files = await tracking.listUnder(sql, who.workspace, model.artifact_uri, query.path ?? '')
      return { ...modelReply(model), files }
    },
  })
}
