import Type from 'typebox'
import type { Described } from './described.ts'
import { Webhook } from './shapes.ts'

const text = Type.String()
const status = Type.Union([Type.Literal('ACTIVE'), Type.Literal('DISABLED')])
const event = Type.Object({ entity: text, action: text })
const one = { webhook: Webhook }

/** Webhooks of the registry's changes, by method and path below `/api/2.0/mlflow`. */
export const WEBHOOK_CALLS: Readonly<Record<string, Described>> = {
  'POST /webhooks': {
    summary: 'Make a webhook',
    fields: { 'name!': text, 'url!': text, 'events!': Type.Array(event), description: text, secret: text, status },
    answer: one,
  },
  'GET /webhooks': {
    summary: 'Webhooks',
    fields: { max_results: Type.Integer({ minimum: 1 }), page_token: text },
    answer: { webhooks: Type.Array(Webhook), next_page_token: Type.Optional(text) },
  },
  'GET /webhooks/:webhook_id': { summary: 'A webhook', answer: one },
  'PATCH /webhooks/:webhook_id': {
    summary: 'Change a webhook',
    fields: { name: text, url: text, events: Type.Array(event), description: text, secret: text, status },
    answer: one,
  },
  'DELETE /webhooks/:webhook_id': { summary: 'Delete a webhook', answer: {} },
  'POST /webhooks/:webhook_id/test': {
    summary: 'Send a sample to a webhook, and tell what its receiver answered',
    fields: { event },
    answer: {
      result: Type.Object({
        success: Type.Boolean(),
        response_status: Type.Optional(Type.Integer()),
        response_body: Type.Optional(text),
        error_message: Type.Optional(text),
      }),
    },
  },
}
