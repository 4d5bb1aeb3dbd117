import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { deliveryRetried, type Events } from '#kernel/events/index.ts'
import type { Route } from '#kernel/http/index.ts'

const Parked = Type.Object({
  subscriber: Type.String({ description: 'The part that could not take it.' }),
  seq: Type.Integer({ description: 'The event, by its order in the audit.' }),
  name: Type.String({ description: 'What happened.' }),
  attempts: Type.Integer(),
  last_error: Type.Union([Type.String(), Type.Null()]),
})

/** Events that a part failed to take twenty times wait here for a person: what should follow from them has not happened. */
export function deliveryRoutes(
  app: FastifyInstance,
  { route, events }: { route: Route; events: Pick<Events, 'dead' | 'retry' | 'record'> },
): void {
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/deliveries/parked',
    may: 'audit.admin',
    summary: 'Events that could not be delivered and wait for a person, newest first, at most 200',
    reply: Type.Object({ items: Type.Array(Parked) }),
    read: async ({ sql, who }) => ({ items: await events.dead(sql, who.workspace) }),
  })
  route(app, {
    method: 'POST',
    path: '/api/slipway/v1/deliveries/parked/:subscriber/:seq/retry',
    may: 'audit.admin',
    summary: 'Try a parked delivery again, up to twenty times as at first',
    params: Type.Object({ subscriber: Type.String({ maxLength: 100 }), seq: Type.Integer({ minimum: 1 }) }),
    reply: Type.Object({}),
    change: async ({ tx, who, params: { subscriber, seq } }) => {
      await events.retry(tx, who.workspace, subscriber, seq)
      await events.record(tx, deliveryRetried, {
        who,
        subject: { kind: 'workspace', id: who.workspace },
        after: { subscriber, seq },
      })
    },
  })
}
