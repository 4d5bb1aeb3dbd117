import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { SubjectKind } from '#kernel/events/index.ts'
import type { Route } from '#kernel/http/index.ts'
import { DEPTH_MAX, type Direction, type Lineage, NODES_MAX } from './lineage.ts'

/** Not a closed list here: a kind that nobody speaks of has no edges. */
const Kind = Type.Unsafe<SubjectKind>(Type.String({ pattern: '^[a-z][a-z-]{0,39}$' }))
const Thing = Type.Object({ kind: Kind, id: Type.String() })
const Node = Type.Object({
  kind: Kind,
  id: Type.String(),
  label: Type.String(),
  state: Type.Optional(Type.String()),
  distance: Type.Integer({ description: 'Negative upstream, positive downstream.' }),
  cut: Type.Boolean({ description: 'Its further neighbours were left out.' }),
})
const Start = { kind: Kind, id: Type.String({ minLength: 1, maxLength: 600 }) }

export function lineageRoutes(app: FastifyInstance, { route, lineage }: { route: Route; lineage: Lineage }): void {
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/lineage',
    may: 'lineage.read',
    summary: 'Where a thing comes from, and what became of it',
    query: Type.Object({
      ...Start,
      direction: Type.Optional(Type.Unsafe<Direction>(Type.String({ enum: ['up', 'down', 'both'], default: 'both' }))),
      depth: Type.Optional(Type.Integer({ minimum: 1, maximum: DEPTH_MAX, default: 10 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: NODES_MAX, default: NODES_MAX })),
    }),
    reply: Type.Object({
      nodes: Type.Array(Node),
      edges: Type.Array(
        Type.Object({ from: Thing, to: Thing, relation: Type.String(), at: Type.String({ format: 'date-time' }) }),
      ),
      truncated: Type.Boolean(),
    }),
    read: async ({ sql, who, query }) => {
      const { kind, id, direction = 'both', depth = 10, limit = NODES_MAX } = query
      const graph = await lineage.walk(sql, who.workspace, { start: { kind, id }, direction, depth, limit })
      return {
        ...graph,
        edges: graph.edges.map(({ at_ms, ...edge }) => ({ ...edge, at: new Date(at_ms).toISOString() })),
      }
    },
  })
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/lineage/blast-radius',
    may: 'lineage.read',
    summary: 'What stands on a thing: counted, and those of it that serve',
    query: Type.Object(Start),
    reply: Type.Object({
      counts: Type.Record(Type.String(), Type.Integer()),
      serving: Type.Array(Node),
      truncated: Type.Boolean(),
    }),
    read: ({ sql, who, query }) => lineage.blastRadius(sql, who.workspace, query),
  })
}
