import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { type Cursors, PAGE_DEFAULT, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import type { Datasets } from '#slices/datasets'
import type { Quality } from './quality.ts'
import * as schema from './schema.ts'

const API = '/api/slipway/v1'
const VERSION = `${API}/datasets/:name/versions/:version`

export interface QualityRouteDeps {
  route: Route
  quality: Quality
  datasets: Pick<Datasets, 'find'>
  cursors: Cursors
}

export function qualityRoutes(app: FastifyInstance, { route, quality, datasets, cursors }: QualityRouteDeps): void {
  const find = (sql: Sql, workspace: string, params: { name: string; version: string }) =>
    datasets.find(sql, workspace, `${params.name}@${params.version}`)

  route(app, {
    method: 'GET',
    path: `${API}/datasets/:name/checks`,
    may: 'quality.read',
    summary: 'The checks of a dataset',
    params: schema.NamePath,
    reply: schema.ChecksReply,
    read: async ({ sql, who, params }) => schema.wireChecks(await quality.checks(sql, who.workspace, params.name)),
  })
  route(app, {
    method: 'PUT',
    path: `${API}/datasets/:name/checks`,
    may: 'quality.write',
    summary: 'State the checks of a dataset; its latest version is judged again',
    params: schema.NamePath,
    body: schema.NewChecks,
    reply: schema.ChecksReply,
    change: async ({ tx, who, params, body }) =>
      schema.wireChecks(await quality.setChecks(tx, who, params.name, body.checks)),
  })
  route(app, {
    method: 'GET',
    path: `${API}/quality/verdicts`,
    may: 'quality.read',
    summary: 'Verdicts, newest first',
    query: Type.Object({
      ...PageQuery,
      dataset: Type.Optional(Type.String({ maxLength: 120 })),
      version: Type.Optional(Type.String({ maxLength: 100, description: 'Id of a dataset version.' })),
    }),
    reply: schema.pageReply(schema.VerdictSummaryReply),
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const { dataset, version } = query
      const before = cursors.decode<string>(query.cursor)
      const found = await quality.verdicts(sql, who.workspace, { dataset, version, before, limit: limit + 1 })
      return pageOf(found.map(schema.wireSummary), limit, cursors, (last) => last.id)
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/quality/verdicts/:id`,
    may: 'quality.read',
    summary: 'One verdict: what each check found, with failing rows',
    params: schema.VerdictPath,
    reply: schema.VerdictReply,
    read: async ({ sql, who, params }) => schema.wireVerdict(await quality.verdict(sql, who.workspace, params.id)),
  })
  route(app, {
    method: 'GET',
    path: `${VERSION}/verdict`,
    may: 'quality.read',
    summary: 'Whether a version may be an input, and the verdict that says so',
    params: schema.VersionPath,
    reply: schema.AdmissionReply,
    read: async ({ sql, who, params }) => {
      const { id } = await find(sql, who.workspace, params)
      const verdict = await quality.latestVerdict(sql, who.workspace, id)
      const admission = await quality.mayBeInput(sql, who.workspace, id)
      return { ...admission, verdict: verdict === undefined ? null : schema.wireVerdict(verdict) }
    },
  })
  route(app, {
    method: 'POST',
    path: `${VERSION}/verify`,
    may: 'quality.write',
    summary: 'Make the checks of a version again',
    params: schema.VersionPath,
    status: 202,
    reply: Type.Object({ verdict: Type.String() }),
    change: async ({ tx, who, params }) => {
      const { id } = await find(tx, who.workspace, params)
      return { verdict: (await quality.verifyAgain(tx, who, id)).verdict }
    },
  })
  route(app, {
    method: 'POST',
    path: `${VERSION}/override`,
    may: 'quality.write',
    summary: 'Accept a failing version as an input, with a reason',
    params: schema.VersionPath,
    body: schema.NewOverride,
    reply: schema.VerdictReply,
    change: async ({ tx, who, params, body }) => {
      const { id } = await find(tx, who.workspace, params)
      return schema.wireVerdict(await quality.override(tx, who, id, body.reason))
    },
  })
}
