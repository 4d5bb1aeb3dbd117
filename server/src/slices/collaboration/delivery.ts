/** Messages on their way: signed as MLflow signs them, so that receivers written for MLflow verify ours. */
import { createHmac } from 'node:crypto'
import type { Clock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Jobs } from '#kernel/jobs/index.ts'
import type { Outbound } from '#kernel/outbound/index.ts'
import type { Random } from '#kernel/random.ts'
import type { Store, Tx } from '#kernel/store/index.ts'
import type { Sealing } from './sealing.ts'
import * as db from './webhook-store.ts'

const TIMEOUT_MS = 30_000
/** The first and three more, as MLflow tries. */
const ATTEMPTS_MAX = 4
const RETRIED: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])
const BACKOFF_MS = 1_000
const WAIT_MS_MAX = 60_000
/** Of the receiver's answer, for the one who tests. */
const ANSWER_CHARS_MAX = 2_000

interface Input {
  webhook: string
  message: string
  /** Letter for letter: every attempt sends and signs the same. */
  body: string
  attempt: number
}

export interface Sent {
  /** Null when nobody answered. */
  status: number | null
  text: string
  /** Why nobody answered. */
  error?: string
  /** Whether another attempt may do better, and after how long when the receiver said so. */
  again: boolean
  retry_after_ms?: number
}

export interface DeliveryDeps {
  store: Pick<Store, 'read'>
  jobs: Pick<Jobs, 'define' | 'enqueue'>
  outbound: Pick<Outbound, 'send'>
  clock: Clock
  random: Pick<Random, 'next'>
  sealing: Sealing
}

export function createDelivery({ store, jobs, outbound, clock, random, sealing }: DeliveryDeps) {
  const send = async (
    hook: Pick<db.Webhook, 'url' | 'sealed_secret'>,
    message: string,
    body: string,
    signal?: AbortSignal,
  ): Promise<Sent> => {
    const at = String(Math.floor(clock.now() / 1000))
    try {
      const secret = hook.sealed_secret === null ? undefined : sealing.open(hook.sealed_secret)
      const answer = await outbound.send({
        url: hook.url,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-mlflow-delivery-id': message,
          'x-mlflow-timestamp': at,
          ...(secret !== undefined && {
            'x-mlflow-signature': `v1,${createHmac('sha256', secret).update(`${message}.${at}.${body}`).digest('base64')}`,
          }),
        },
        body,
        timeout_ms: TIMEOUT_MS,
        ...(signal && { signal }),
      })
      const seconds = Number(answer.headers['retry-after'] ?? Number.NaN)
      return {
        status: answer.status,
        text: Buffer.from(answer.body).toString('utf8').replaceAll('\0', '').slice(0, ANSWER_CHARS_MAX),
        again: RETRIED.has(answer.status),
        ...(seconds >= 0 && { retry_after_ms: seconds * 1000 }),
      }
    } catch (error) {
      if (signal?.aborted || !(error instanceof DomainError)) throw error
      return { status: null, text: '', error: error.message, again: error.problem === 'unavailable' }
    }
  }

  const enqueue = (tx: Tx, who: Who, input: Input, run_at_ms?: number) =>
    jobs.enqueue<Input>(tx, {
      kind: 'collaboration.webhook',
      workspace: who.workspace,
      who,
      input,
      subject: { kind: 'webhook', id: input.webhook },
      ...(run_at_ms !== undefined && { run_at_ms }),
    })

  jobs.define<Input, { status: number | null }>({
    kind: 'collaboration.webhook',
    timeout_ms: 2 * TIMEOUT_MS,
    concurrency: 4,
    async run({ workspace, who, input }, context) {
      const { webhook, message, body, attempt } = input
      const hook = await store.read((sql) => db.find(sql, workspace, webhook))
      if (!hook?.active) {
        await context.write((tx) =>
          db.noteMessage(tx, workspace, {
            id: message,
            state: 'failed',
            attempts: attempt - 1,
            status: null,
            words: 'the webhook was disabled before it was told',
            updated_ms: clock.now(),
          }),
        )
        return { status: null }
      }
      const sent = await send(hook, message, body, context.signal)
      const good = sent.status !== null && sent.status >= 200 && sent.status < 300
      const more = !good && sent.again && attempt < ATTEMPTS_MAX
      const wait_ms = sent.retry_after_ms ?? BACKOFF_MS * 2 ** (attempt - 1) + random.next() * BACKOFF_MS
      await context.write(async (tx) => {
        await db.noteMessage(tx, workspace, {
          id: message,
          state: good ? 'delivered' : more ? 'waiting' : 'failed',
          attempts: attempt,
          status: sent.status,
          words: good ? null : (sent.error ?? `the receiver answered ${sent.status}`),
          updated_ms: clock.now(),
        })
        if (more)
          await enqueue(
            tx,
            who,
            { ...input, attempt: attempt + 1 },
            Math.ceil(clock.now() + Math.min(wait_ms, WAIT_MS_MAX)),
          )
      })
      return { status: sent.status }
    },
  })

  return {
    send,
    enqueue: (tx: Tx, who: Who, input: Omit<Input, 'attempt'>) => enqueue(tx, who, { ...input, attempt: 1 }),
  }
}
