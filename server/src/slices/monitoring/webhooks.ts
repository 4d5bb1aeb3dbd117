/** Alerts to people's own systems, signed as Standard Webhooks says, so that its libraries verify them. */
import { createHmac } from 'node:crypto'
import type { Clock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Outbound } from '#kernel/outbound/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import * as rows from './alert-store.ts'

const TIMEOUT_MS = 10_000
/** With waits that double from 2 s: about ten minutes. */
const ATTEMPTS_MAX = 9
const BACKOFF_MS = 2000

interface Delivery {
  url: string
  alert: string
  delivery: string
  /** The body, letter for letter: every attempt sends the same. */
  body: string
}

export interface Webhooks {
  /** Queues one delivery in the transaction of what it tells. */
  send(tx: Tx, who: Who, message: { url: string; alert: string; type: string; data: unknown }): Promise<void>
  /** `whsec_…`: with this a receiver verifies what comes from the workspace. */
  secretOf(workspace: string): string
}

export function createWebhooks(deps: {
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  outbound: Pick<Outbound, 'send'>
  clock: Clock
  ids: Ids
  /** Root of the workspaces' secrets; never leaves. */
  secret: Uint8Array
}): Webhooks {
  const { jobs, clock, ids } = deps
  const keyOf = (workspace: string) => createHmac('sha256', deps.secret).update(`webhooks/${workspace}`).digest()

  jobs.define<Delivery, { status: number }>({
    kind: 'monitoring.webhook',
    attempts_max: ATTEMPTS_MAX,
    backoff_ms: BACKOFF_MS,
    timeout_ms: 60_000,
    async run({ workspace, input }, context) {
      const { url, alert, delivery, body } = input
      const note = (state: 'delivered' | 'failed', status: number | null, words: string) =>
        context.write((tx) =>
          rows.noteDelivery(tx, workspace, { id: delivery, alert, url, state, status, words, at_ms: clock.now() }),
        )
      const at = Math.floor(clock.now() / 1000)
      const signature = createHmac('sha256', keyOf(workspace)).update(`${delivery}.${at}.${body}`).digest('base64')
      const answer = await deps.outbound
        .send({
          url,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'webhook-id': delivery,
            'webhook-timestamp': String(at),
            'webhook-signature': `v1,${signature}`,
          },
          body,
          timeout_ms: TIMEOUT_MS,
          signal: context.signal,
        })
        .catch(async (error: unknown) => {
          if (!context.signal.aborted) await note('failed', null, (error as Error).message)
          throw error
        })
      const done = answer.status >= 200 && answer.status < 300
      const words = done ? 'delivered' : `the receiver answered ${answer.status}`
      await note(done ? 'delivered' : 'failed', answer.status, words)
      if (!done) throw new DomainError('unavailable', words)
      return { status: answer.status }
    },
  })

  return {
    secretOf: (workspace) => `whsec_${keyOf(workspace).toString('base64')}`,
    async send(tx, who, { url, alert, type, data }) {
      const body = JSON.stringify({ type, timestamp: new Date(clock.now()).toISOString(), data })
      await jobs.enqueue<Delivery>(tx, {
        kind: 'monitoring.webhook',
        workspace: who.workspace,
        who,
        input: { url, alert, delivery: ids.next('alert').replace('alt_', 'whd_'), body },
        subject: { kind: 'alert', id: alert },
      })
    },
  }
}
