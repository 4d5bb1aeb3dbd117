import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { type Cursors, PAGE_DEFAULT, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import type { Job, Jobs } from '#kernel/jobs/index.ts'
import { JobsReply } from './replies.ts'

const State = Type.Union(['waiting', 'running', 'done', 'failed', 'cancelled'].map((state) => Type.Literal(state)))

/** What works beside requests. Inputs and results stay inside: they are of the slice that made the job. */
export function jobRoutes(
  app: FastifyInstance,
  { route, jobs, cursors }: { route: Route; jobs: Pick<Jobs, 'list'>; cursors: Cursors },
): void {
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/jobs',
    may: 'insight.read',
    summary: 'Jobs of the workspace, newest first',
    reply: JobsReply,
    query: Type.Object({
      ...PageQuery,
      state: Type.Optional(State),
      kind: Type.Optional(Type.String({ maxLength: 100 })),
    }),
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const before_id = cursors.decode<string>(query.cursor)
      const found = await jobs.list(sql, who.workspace, {
        limit: limit + 1,
        ...(before_id !== undefined && { before_id }),
        ...(query.state !== undefined && { state: query.state as Job['state'] }),
        ...(query.kind !== undefined && { kind: query.kind }),
      })
      return pageOf(found.map(wireJob), limit, cursors, (last) => last.id)
    },
  })
}

const wireJob = ({ input: _, result: __, workspace: ___, who, ...job }: Job) => ({
  ...job,
  who: { kind: who.kind, id: who.id, name: who.name },
})
