import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Route } from '#kernel/http/index.ts'
import type { Insight } from './insight.ts'
import { BusyReply, OverviewReply, SearchReply, WhyReply } from './replies.ts'

const API = '/api/slipway/v1'

export function insightRoutes(app: FastifyInstance, { route, insight }: { route: Route; insight: Insight }): void {
  route(app, {
    method: 'GET',
    path: `${API}/overview`,
    may: 'insight.read',
    summary: 'The loop of each project: every stage with its state, every endpoint with what it serves',
    reply: OverviewReply,
    read: async ({ sql, who }) => ({ projects: await insight.overview(sql, who.workspace) }),
  })
  route(app, {
    method: 'GET',
    path: `${API}/busy`,
    may: 'insight.read',
    summary: 'What is under way now; a replay holds while something is',
    reply: BusyReply,
    handle: ({ who }) => insight.busy(who.workspace),
  })
  route(app, {
    method: 'GET',
    path: `${API}/why/:prediction`,
    may: 'insight.read',
    summary: 'Why this prediction: request, features, version, release, run, code, data, label',
    reply: WhyReply,
    params: Type.Object({ prediction: Type.String({ pattern: '^prd_[0-9a-f]{32}(\\.\\d{1,6})?$' }) }),
    handle: ({ who, params }) => insight.why(who.workspace, params.prediction),
  })
  route(app, {
    method: 'GET',
    path: `${API}/search`,
    may: 'insight.read',
    summary: 'Find things by name or id',
    reply: SearchReply,
    query: Type.Object({ q: Type.String({ minLength: 1, maxLength: 200 }) }),
    read: async ({ sql, who, query }) => ({ items: await insight.search(sql, who.workspace, query.q) }),
  })
}
