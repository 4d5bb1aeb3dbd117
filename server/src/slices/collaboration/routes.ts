import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Route } from '#kernel/http/index.ts'
import type { Collaboration } from './webhooks.ts'

const API = '/api/slipway/v1'
const LISTED_MAX = 100
const time = (ms: number) => new Date(ms).toISOString()

const Hook = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  url: Type.String(),
  topics: Type.Array(Type.String({ description: '`<entity>.<action>`: `model_version.created`.' })),
  active: Type.Boolean(),
  created_at: Type.String(),
  updated_at: Type.String(),
})

const Message = Type.Object({
  id: Type.String({ description: 'As the receiver read it in `X-MLflow-Delivery-Id`.' }),
  topic: Type.String(),
  state: Type.Union([Type.Literal('waiting'), Type.Literal('delivered'), Type.Literal('failed')]),
  attempts: Type.Integer(),
  status: Type.Union([Type.Integer(), Type.Null()], { description: 'HTTP status of the last answer.' }),
  words: Type.Union([Type.String(), Type.Null()]),
  made_at: Type.String(),
  updated_at: Type.String(),
})

/** Webhooks are made by MLflow's API; here is what became of them. */
export function collaborationRoutes(
  app: FastifyInstance,
  { route, collaboration }: { route: Route; collaboration: Collaboration },
): void {
  route(app, {
    method: 'GET',
    path: `${API}/webhooks`,
    may: 'collaboration.admin',
    summary: 'Webhooks of the workspace, in the order in which they were made; never their secrets',
    reply: Type.Object({ items: Type.Array(Hook) }),
    read: async ({ sql, who }) => ({
      items: (await collaboration.listWebhooks(sql, who.workspace, LISTED_MAX)).map(
        ({ created_ms, updated_ms, ...hook }) => ({
          ...hook,
          created_at: time(created_ms),
          updated_at: time(updated_ms),
        }),
      ),
    }),
  })
  route(app, {
    method: 'GET',
    path: `${API}/webhooks/:webhook/messages`,
    may: 'collaboration.admin',
    summary: 'What was sent to one webhook of late, newest first, at most 200',
    params: Type.Object({ webhook: Type.String({ maxLength: 100 }) }),
    reply: Type.Object({ items: Type.Array(Message) }),
    read: async ({ sql, who, params }) => ({
      items: (await collaboration.messages(sql, who.workspace, params.webhook)).map(
        ({ made_ms, updated_ms, webhook: _, ...message }) => ({
          ...message,
          made_at: time(made_ms),
          updated_at: time(updated_ms),
        }),
      ),
    }),
  })
}
