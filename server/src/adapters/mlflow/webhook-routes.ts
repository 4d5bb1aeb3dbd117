import { invalid } from '#kernel/errors.ts'
import type { NewWebhook, Webhook } from '#slices/collaboration'
import { type Asked, type Group, positionIn } from './api.ts'
import { type Fields, pageSize } from './fields.ts'
import { SAMPLES } from './webhook-events.ts'

const ENTITIES = [
  'ENTITY_UNSPECIFIED',
  'REGISTERED_MODEL',
  'MODEL_VERSION',
  'MODEL_VERSION_TAG',
  'MODEL_VERSION_ALIAS',
  'PROMPT',
  'PROMPT_VERSION',
  'PROMPT_TAG',
  'PROMPT_VERSION_TAG',
  'PROMPT_ALIAS',
  'BUDGET_POLICY',
]
const ACTIONS = ['ACTION_UNSPECIFIED', 'CREATED', 'UPDATED', 'DELETED', 'SET', 'EXCEEDED']
const STATES = ['', 'ACTIVE', 'DISABLED']
const itself = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]))
const ENTITY_NAMES = itself(ENTITIES)
const ACTION_NAMES = itself(ACTIONS)

const may = 'collaboration.admin'

/** Webhooks: who is told of the registry's changes. Only admins: an address may be a secret in itself. */
export const webhooks: Group = (api, { collaboration, cursors, store }) => {
  if (!collaboration) return
  const one = (hook: Webhook) => ({ webhook: word(hook) })
  const idIn = ({ params }: Pick<Asked, 'params'>) => params.webhook_id!

  api.add('POST', '/webhooks', {
    may,
    handle: async ({ who, fields }) => {
      const input = { ...readChange(fields), name: fields.text('name'), url: fields.text('url') }
      if (!fields.has('events')) throw missingEvents()
      await collaboration.checkAddress(input.url)
      return one(await store.write((tx) => collaboration.createWebhook(tx, who, { topics: [], ...input })))
    },
  })
  api.add('GET', '/webhooks', {
    may,
    read: async ({ sql, who, fields }) => {
      const limit = pageSize(fields, 100, 1000)
      const { position = '' } = positionIn(cursors, fields)
      const found = await collaboration.listWebhooks(sql, who.workspace, limit + 1, position as string)
      const page = found.slice(0, limit)
      return {
        webhooks: page.map(word),
        ...(found.length > limit && { next_page_token: cursors.encode(page.at(-1)!.id) }),
      }
    },
  })
  api.add('GET', '/webhooks/:webhook_id', {
    may,
    read: async ({ sql, who, params }) => one(await collaboration.getWebhook(sql, who.workspace, idIn({ params }))),
  })
  api.add('PATCH', '/webhooks/:webhook_id', {
    may,
    handle: async ({ who, fields, params }) => {
      const change = readChange(fields)
      if (change.url !== undefined) await collaboration.checkAddress(change.url)
      return one(await store.write((tx) => collaboration.updateWebhook(tx, who, idIn({ params }), change)))
    },
  })
  api.add('DELETE', '/webhooks/:webhook_id', {
    may,
    change: ({ tx, who, params }) => collaboration.deleteWebhook(tx, who, idIn({ params })),
  })
  api.add('POST', '/webhooks/:webhook_id/test', {
    may,
    handle: async ({ who, fields, params }) => {
      const id = idIn({ params })
      const asked = fields.one('event')
      const hook = await store.read((sql) => collaboration.getWebhook(sql, who.workspace, id))
      const topic = asked ? readTopic(asked) : hook.topics[0]!
      const [entity, action] = topic.split('.') as [string, string]
      const sent = await collaboration.testWebhook(who.workspace, id, { entity, action, data: SAMPLES[topic]! })
      return {
        result: {
          success: sent.status !== null && sent.status >= 200 && sent.status < 300,
          ...(sent.status !== null && { response_status: sent.status, response_body: sent.text }),
          ...(sent.error !== undefined && { error_message: sent.error }),
        },
      }
    },
  })
}

const missingEvents = () =>
  invalid(
    "Missing value for required parameter 'events'. See the API docs for more information about request parameters.",
    { field: 'events' },
  )

/** What was given; an empty name or address counts as none, as MLflow reads it. */
function readChange(fields: Fields): Partial<NewWebhook> {
  const name = fields.optionalText('name')
  const url = fields.optionalText('url')
  const description = fields.optionalText('description')
  const secret = fields.optionalText('secret')
  const state = fields.optionalChoice('status', itself(STATES.slice(1)), STATES)
  const topics = fields.list('events', readTopic)
  return {
    ...(name && { name }),
    ...(url && { url }),
    ...(description !== undefined && { description }),
    ...(secret !== undefined && { secret }),
    ...(state && { active: state === 'ACTIVE' }),
    ...(topics.length > 0 && { topics }),
  }
}

function readTopic(event: Fields): string {
  const entity = event.optionalChoice('entity', ENTITY_NAMES, ENTITIES) ?? event.text('entity')
  const action = event.optionalChoice('action', ACTION_NAMES, ACTIONS) ?? event.text('action')
  const topic = `${entity}.${action}`.toLowerCase()
  if (!Object.hasOwn(SAMPLES, topic)) {
    throw invalid(`Invalid action '${action.toLowerCase()}' for entity '${entity.toLowerCase()}'.`, {
      field: event.path('action'),
    })
  }
  return topic
}

/** Never with the secret. */
const word = (hook: Webhook) => ({
  webhook_id: hook.id,
  name: hook.name,
  ...(hook.description !== null && { description: hook.description }),
  url: hook.url,
  events: hook.topics.map((topic) => {
    const [entity, action] = topic.toUpperCase().split('.')
    return { entity, action }
  }),
  status: hook.active ? 'ACTIVE' : 'DISABLED',
  creation_timestamp: hook.created_ms,
  last_updated_timestamp: hook.updated_ms,
})
