import type { Clock } from '#kernel/clock.ts'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Events, Subject } from '#kernel/events/index.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Outbound } from '#kernel/outbound/index.ts'
import type { Random } from '#kernel/random.ts'
import type { MigrationSource, Sql, Store, Tx } from '#kernel/store/index.ts'
import { createDelivery, type Sent } from './delivery.ts'
import { webhookChanged, webhookCreated, webhookDeleted } from './events.ts'
import { createSealing } from './sealing.ts'
import * as db from './webhook-store.ts'

export const collaborationMigrations: MigrationSource = {
  owner: 'collaboration',
  dir: new URL('./migrations/', import.meta.url),
}

const WEBHOOKS_MAX = 100
const LIMITS = { url: 2_000, description: 1_000, secret: 1_000, topics: 100 }
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/

/** What happened, for those who asked to be told of it. */
export interface Fact {
  /** `model_version`, `prompt_alias`, … */
  entity: string
  /** `created`, `set`, `deleted`. */
  action: string
  data: Record<string, unknown>
}

export type Webhook = Omit<db.Webhook, 'sealed_secret'>

export interface NewWebhook {
  name: string
  url: string
  topics: readonly string[]
  description?: string
  /** Written only: no answer carries it. */
  secret?: string
  active?: boolean
}

export interface Collaboration {
  /** Throws invalid for an address that may not be called; asked before a webhook is written, as it looks the host up. */
  checkAddress(url: string): Promise<void>
  createWebhook(tx: Tx, who: Who, input: NewWebhook): Promise<Webhook>
  /** Only what is given changes; an empty secret takes it away. */
  updateWebhook(tx: Tx, who: Who, id: string, change: Partial<NewWebhook>): Promise<Webhook>
  deleteWebhook(tx: Tx, who: Who, id: string): Promise<void>
  getWebhook(sql: Sql, workspace: string, id: string): Promise<Webhook>
  /** In the order in which they were made, after the one named. */
  listWebhooks(sql: Sql, workspace: string, limit: number, after?: string): Promise<Webhook[]>
  /** What was sent of late, newest first. */
  messages(sql: Sql, workspace: string, id: string): Promise<db.Message[]>
  /** Queues a message for every active webhook that listens; `fact` is asked for only when there is one. */
  tell(tx: Tx, who: Who, fact: () => Promise<Fact | undefined>): Promise<void>
  /** Sends one message now, once, whatever the webhook's state. */
  testWebhook(workspace: string, id: string, fact: Fact): Promise<Sent>
}

export function createCollaboration(deps: {
  store: Pick<Store, 'read'>
  events: Pick<Events, 'record'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  outbound: Outbound
  clock: Clock
  ids: Ids
  random: Random
  /** Root under which webhooks' secrets are sealed; never leaves. */
  secret: Uint8Array
}): Collaboration {
  const { store, events, outbound, clock, ids } = deps
  const sealing = createSealing(deps.secret, deps.random)
  const delivery = createDelivery({ ...deps, sealing })

  const find = async (sql: Sql, workspace: string, id: string): Promise<db.Webhook> => {
    const found = await db.find(sql, workspace, id)
    if (!found) throw notFound(`Webhook with ID ${id.slice(0, 100)} not found.`, { field: 'webhook_id' })
    return found
  }
  const bodyOf = (workspace: string, { entity, action, data }: Fact) =>
    JSON.stringify({ entity, action, timestamp: new Date(clock.now()).toISOString(), data, workspace })

  return {
    async checkAddress(url) {
      try {
        await outbound.check(url)
      } catch (error) {
        // A host that cannot be found just now may be there later; deliveries say what became of them.
        if (!(error instanceof DomainError) || error.problem === 'unavailable') return
        throw invalid(`Invalid webhook URL: ${error.message}${error.remedy ? `; ${error.remedy}` : ''}`, {
          field: 'url',
        })
      }
    },

    async createWebhook(tx, who, input) {
      check(input)
      if (input.topics.length === 0) throw noTopics()
      await tx.lock('webhooks', who.workspace)
      if ((await db.list(tx, who.workspace, WEBHOOKS_MAX)).length >= WEBHOOKS_MAX) {
        throw new DomainError('too-many', `a workspace has at most ${WEBHOOKS_MAX} webhooks`, {
          remedy: 'Delete those that are no longer used.',
        })
      }
      const now = clock.now()
      const hook: db.Webhook = {
        id: asUuid(ids.hex()),
        name: input.name,
        description: input.description ?? null,
        url: input.url,
        topics: [...new Set(input.topics)],
        active: input.active ?? true,
        sealed_secret: input.secret ? sealing.seal(input.secret) : null,
        created_ms: now,
        updated_ms: now,
      }
      await db.put(tx, who.workspace, hook)
      await events.record(tx, webhookCreated, { who, subject: subjectOf(hook), after: told(hook) })
      return shown(hook)
    },

    async updateWebhook(tx, who, id, change) {
      check(change)
      if (change.topics?.length === 0) throw noTopics()
      await tx.lock('webhooks', who.workspace)
      const before = await find(tx, who.workspace, id)
      const { secret, topics, ...rest } = change
      const after: db.Webhook = {
        ...before,
        ...rest,
        ...(topics && { topics: [...new Set(topics)] }),
        ...(secret !== undefined && { sealed_secret: secret === '' ? null : sealing.seal(secret) }),
        updated_ms: clock.now(),
      }
      await db.put(tx, who.workspace, after)
      await events.record(tx, webhookChanged, {
        who,
        subject: subjectOf(after),
        before: told(before),
        after: told(after),
      })
      return shown(after)
    },

    async deleteWebhook(tx, who, id) {
      await tx.lock('webhooks', who.workspace)
      const before = await find(tx, who.workspace, id)
      await db.remove(tx, who.workspace, id)
      await events.record(tx, webhookDeleted, { who, subject: subjectOf(before), before: told(before), after: null })
    },

    getWebhook: async (sql, workspace, id) => shown(await find(sql, workspace, id)),
    listWebhooks: async (sql, workspace, limit, after) => (await db.list(sql, workspace, limit, after)).map(shown),
    async messages(sql, workspace, id) {
      await find(sql, workspace, id)
      return db.messages(sql, workspace, id, db.MESSAGES_KEPT)
    },

    async tell(tx, who, ask) {
      const listening = (await db.list(tx, who.workspace, WEBHOOKS_MAX)).filter(({ active }) => active)
      if (listening.length === 0) return
      const fact = await ask()
      if (!fact) return
      const topic = `${fact.entity}.${fact.action}`
      const body = bodyOf(who.workspace, fact)
      const now = clock.now()
      for (const hook of listening.filter(({ topics }) => topics.includes(topic))) {
        const id = asUuid(ids.hex())
        const message = {
          id,
          webhook: hook.id,
          topic,
          state: 'waiting',
          attempts: 0,
          status: null,
          words: null,
        } as const
        await db.addMessage(tx, who.workspace, { ...message, made_ms: now, updated_ms: now })
        await delivery.enqueue(tx, who, { webhook: hook.id, message: id, body })
      }
    },

    async testWebhook(workspace, id, fact) {
      const hook = await store.read((sql) => find(sql, workspace, id))
      return delivery.send(hook, asUuid(ids.hex()), bodyOf(workspace, fact))
    },
  }
}

const shown = ({ sealed_secret: _, ...hook }: db.Webhook): Webhook => hook
const told = ({ id, name, url, topics, active, sealed_secret }: db.Webhook) => ({
  id,
  name,
  url,
  topics,
  active,
  signed: sealed_secret !== null,
})
const subjectOf = ({ id }: Pick<db.Webhook, 'id'>): Subject => ({ kind: 'webhook', id })
const asUuid = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
const noTopics = () =>
  invalid('Webhook events must be a non-empty list of WebhookEvent objects: [].', { field: 'events' })

function check({ name, url, description, secret, topics }: Partial<NewWebhook>): void {
  if (name !== undefined && !NAME.test(name)) {
    throw invalid(
      `Webhook name '${name.slice(0, 100)}' is invalid. It must start and end with a letter or digit, be at most 63 characters long and contain only letters, digits, underscores, hyphens and dots.`,
      { field: 'name' },
    )
  }
  for (const [field, text] of Object.entries({ url, description, secret })) {
    const most = LIMITS[field as keyof typeof LIMITS]
    if (text !== undefined && text.length > most) {
      throw invalid(`'${field}' exceeds the maximum length of ${most} characters`, { field })
    }
    // PostgreSQL's text holds none.
    if (text?.includes('\0')) throw invalid(`'${field}' may not contain a null character`, { field })
  }
  if ((topics?.length ?? 0) > LIMITS.topics) {
    throw invalid(`a webhook listens to at most ${LIMITS.topics} kinds of events`, { field: 'events' })
  }
}
