import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Route } from '#kernel/http/index.ts'
import type { Compatibility } from './compatibility.ts'

const Item = Type.Object({
  client: Type.String({ description: 'As it calls itself: `mlflow-python-client`, `browser`, …' }),
  version: Type.String({ description: 'Empty when it does not say.' }),
  method: Type.String(),
  endpoint: Type.String({ description: 'The route, or the family of paths when nothing answers there.' }),
  supported: Type.Boolean(),
  count: Type.Integer(),
  last_seen: Type.String({ description: 'RFC 3339.' }),
  note: Type.Union([Type.String(), Type.Null()], { description: 'What it means that it is not supported.' }),
})

/** What MLflow's clients asked for in this workspace, for the page Compatibility. */
export function compatibilityRoutes(
  app: FastifyInstance,
  { route, compatibility }: { route: Route; compatibility: Compatibility },
): void {
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/compatibility',
    may: 'insight.read',
    summary:
      "Which versions of MLflow's clients called what, what is not supported first; at most 2,000 kinds of calls",
    reply: Type.Object({ items: Type.Array(Item) }),
    read: async ({ sql, who }) => ({
      items: (await compatibility.items(sql, who.workspace)).map(({ last_ms, ...call }) => ({
        ...call,
        last_seen: new Date(last_ms).toISOString(),
      })),
    }),
  })
}
