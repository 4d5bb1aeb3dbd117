import { event } from '#kernel/events/index.ts'

/** Never with the secret; `signed` says whether there is one. */
export interface WebhookFact {
  id: string
  name: string
  url: string
  topics: readonly string[]
  active: boolean
  signed: boolean
}

export const webhookCreated = event<WebhookFact>('collaboration.webhook-created', 'Another system asked to be told.')
export const webhookChanged = event<WebhookFact>(
  'collaboration.webhook-changed',
  'A webhook got another address, other topics, another secret or state.',
)
export const webhookDeleted = event<null>('collaboration.webhook-deleted', 'A webhook was deleted with its log.')
