import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import Type from 'typebox'
import { type Cursors, PAGE_DEFAULT, type Routes } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import { experimentCounts } from '../experiment-rows.ts'
import { experimentReply } from '../replies.ts'
import { ExperimentPath, ExperimentRow } from '../schema.ts'
import type { Tracking } from '../tracking.ts'
import { csvHead } from './csv.ts'
import { listFolders } from './folders.ts'
import { TABLE_LIMITS } from './limits.ts'
import * as schema from './schema.ts'
import type { ColumnCount, TableAsk } from './table.ts'
import { changeView, createView, deleteView, getView, listViews } from './views.ts'

const API = '/api/slipway/v1'
/** Rows of an export that are read at once. */
const CSV_PAGE = 1000

/** JSON that was worded beside the database. */
const jsonText = (text: string, { reply }: { reply: FastifyReply }): string => {
  reply.type('application/json; charset=utf-8')
  return text
}

export interface TableRouteDeps {
  routes: Pick<Routes, 'route' | 'ids' | 'clock'>
  store: Pick<Store, 'query'>
  tracking: Tracking
  cursors: Cursors
}

export function tableRoutes(app: FastifyInstance, deps: TableRouteDeps): void {
  readRoutes(app, deps)
  moveRoutes(app, deps)
  viewRoutes(app, deps)
  folderRoutes(app, deps)
}

function readRoutes(app: FastifyInstance, { routes, store, cursors }: TableRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/runs/columns`,
    may: 'tracking.read',
    summary: 'Metric, param and tag keys of the runs of some experiments, with how many runs have each',
    query: schema.ColumnsQuery,
    reply: schema.Columns,
    ask: {
      name: 'tracking.runColumns',
      input: ({ who, query }) => ({
        workspace: who.workspace,
        experiments: query.experiment,
        limit: query.limit ?? PAGE_DEFAULT,
        ...(query.kind && { kind: query.kind }),
        ...(query.q && { q: query.q }),
        ...(query.cursor && { after: cursors.decode(query.cursor) }),
      }),
      answer: (found: ColumnCount[], { query }) => {
        const limit = query.limit ?? PAGE_DEFAULT
        const items = found.slice(0, limit)
        const last = items.at(-1)
        if (found.length <= limit || !last) return { items }
        return { items, next_cursor: cursors.encode({ kind: last.kind, key: last.key }) }
      },
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/runs/table`,
    may: 'tracking.read',
    summary: 'A page of the run table: chosen columns, any filter and order, or groups with mean, least and greatest',
    body: schema.TableBody,
    reply: schema.Table,
    ask: {
      name: 'tracking.tableText',
      input: ({ who, body }): TableAsk => ({
        ...body,
        workspace: who.workspace,
        limit: body.limit ?? PAGE_DEFAULT,
        offset: body.offset ?? 0,
      }),
      answer: jsonText,
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/runs/table.csv`,
    may: 'tracking.read',
    summary: 'The run table as CSV; cells that a spreadsheet would run are quoted with an apostrophe',
    reply: Type.String(),
    media_type: 'text/csv',
    body: schema.CsvBody,
    handle: async ({ who, body, reply }) => {
      const { limit = TABLE_LIMITS.csv_rows, offset = 0, group_by: _, ...rest } = body
      const { workspace } = who
      // Read before the answer begins, so that a wrong filter is an ordinary error.
      const keys = await store.query<Float64Array>('tracking.tableKeys', { ...rest, workspace, limit, offset })
      async function* lines() {
        yield csvHead(body.columns ?? [])
        for (let at = 0; at < keys.length; at += CSV_PAGE) {
          yield await store.query<string>('tracking.csvText', {
            workspace,
            experiments: body.experiments,
            run_keys: keys.slice(at, at + CSV_PAGE),
            ...(body.columns && { columns: body.columns }),
          })
        }
      }
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename=runs.csv')
        .send(Readable.from(lines()))
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/runs/compare`,
    may: 'tracking.read',
    summary: 'Params, latest metrics and tags of up to 500 runs side by side, with what differs',
    body: schema.CompareBody,
    reply: schema.Comparison,
    ask: {
      name: 'tracking.comparisonText',
      input: ({ who, body }) => ({ workspace: who.workspace, run_ids: body.run_ids }),
      answer: jsonText,
    },
  })
}

function moveRoutes(app: FastifyInstance, { routes, tracking }: TableRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'POST',
    path: `${API}/runs/move`,
    may: 'tracking.write',
    summary: 'Move runs to another experiment, all or none; their artifacts stay where they are',
    body: schema.MoveBody,
    reply: schema.Moved,
    change: ({ tx, who, body }) => tracking.moveRuns(tx, who, body),
  })
  route(app, {
    method: 'POST',
    path: `${API}/runs/copy`,
    may: 'tracking.write',
    summary: 'Copy runs with all that was logged to them into an experiment, all or none',
    body: schema.MoveBody,
    reply: schema.Copied,
    command: {
      name: 'tracking.copyRuns',
      input: ({ who, body }) => ({
        who,
        now_ms: routes.clock.now(),
        to_experiment: body.to_experiment,
        runs: [...new Set(body.run_ids)].map((from) => {
          const { run_id, event_id } = tracking.draw.run(who)
          return { from, run_id, event_id }
        }),
      }),
    },
  })
}

function viewRoutes(app: FastifyInstance, { routes }: TableRouteDeps): void {
  const { route, ids, clock } = routes
  route(app, {
    method: 'GET',
    path: `${API}/run-views`,
    may: 'tracking.read',
    summary: 'Saved views of the run table, by name',
    query: schema.ViewsQuery,
    reply: schema.Views,
    read: async ({ sql, who, query }) => ({ items: await listViews(sql, who.workspace, query.experiment) }),
  })
  route(app, {
    method: 'POST',
    path: `${API}/run-views`,
    may: 'tracking.write',
    summary: 'Save a view of the run table',
    body: schema.ViewBody,
    reply: schema.View_,
    status: 201,
    change: ({ tx, who, body }) => createView(tx, { who, id: `rvw_${ids.hex()}`, now_ms: clock.now(), given: body }),
  })
  route(app, {
    method: 'GET',
    path: `${API}/run-views/:view_id`,
    may: 'tracking.read',
    summary: 'A saved view of the run table',
    params: schema.ViewPath,
    reply: schema.View_,
    read: ({ sql, who, params }) => getView(sql, who.workspace, params.view_id),
  })
  route(app, {
    method: 'PUT',
    path: `${API}/run-views/:view_id`,
    may: 'tracking.write',
    summary: 'Change a saved view of the run table',
    params: schema.ViewPath,
    body: schema.ViewBody,
    reply: schema.View_,
    change: ({ tx, who, params, body }) =>
      changeView(tx, { who, id: params.view_id, now_ms: clock.now(), given: body }),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/run-views/:view_id`,
    may: 'tracking.write',
    summary: 'Delete a saved view of the run table',
    params: schema.ViewPath,
    reply: Type.Object({}),
    change: ({ tx, who, params }) => deleteView(tx, who.workspace, params.view_id),
  })
}

function folderRoutes(app: FastifyInstance, { routes, tracking }: TableRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/experiments/folders`,
    may: 'tracking.read',
    summary: 'Folders of experiments, with how many experiments each holds',
    reply: schema.Folders,
    read: async ({ sql, who }) => ({ items: await listFolders(sql, who.workspace) }),
  })
  route(app, {
    method: 'PATCH',
    path: `${API}/experiments/:experiment_id`,
    may: 'tracking.write',
    summary: 'Put an experiment into a folder, or take it out',
    params: ExperimentPath,
    body: schema.ExperimentPatch,
    reply: ExperimentRow,
    change: async ({ tx, who, params, body }) => {
      await tracking.setExperimentFolder(tx, who, params.experiment_id, body.folder)
      const found = await tracking.getExperiment(tx, who.workspace, params.experiment_id)
      const counts = await experimentCounts(tx, [Number(found.experiment_id)])
      return experimentReply(found, counts(Number(found.experiment_id)))
    },
  })
}
