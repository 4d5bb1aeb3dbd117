import type { Clock } from '../clock.ts'
import { assert, isPassing } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log.ts'
import { createPulse } from '../pulse.ts'
import { type Random, systemRandom } from '../random.ts'
import type { MigrationSource, Store, Tx } from '../store/index.ts'
import type { Telemetry } from '../telemetry.ts'
import { createDelivery, type Delivery, type Reaction } from './delivery.ts'
import type { EventRecord, Events, EventType } from './index.ts'
import { recordEvent } from './record.ts'
import { EVENT_COLUMNS, type EventRow, listEvents, toEvent } from './rows.ts'
import { sealBatch } from './seal.ts'
import { deadDeliveries, hasSubscriptions, refreshSubscriptions, retryDelivery } from './subscriptions.ts'

export const eventsMigrations: MigrationSource = { owner: 'events', dir: new URL('./migrations/', import.meta.url) }

export const deliveryRetried: EventType<{ subscriber: string; seq: number }> = {
  name: 'events.delivery-retried',
  about: 'A person had an event delivered again that was parked after too many failures.',
}

/** How often the store is asked when nobody woke us: commands and other processes cannot. */
const POLL_MS = 200
const FEED_PAGE = 200
/** Sealing waits this long for company, so that a busy second is a few transactions. */
const SEAL_EVERY_MS = 400
/** Longest wait while the store refuses. */
const TROUBLE_MS_MAX = 10_000
const REFRESH_MS = 60 * 60_000

export interface EventsDeps {
  store: Store
  clock: Clock
  ids: Ids
  log: Log
  random?: Random
  telemetry?: Telemetry
}

export function createEvents({ store, clock, ids, log, random = systemRandom, telemetry }: EventsDeps): Events {
  const reactions = new Map<string, Reaction[]>()
  const known = new Map<string, string>()
  const listeners = new Set<(event: EventRecord) => void>()
  const deliveries = new Map<string, Delivery>()
  const underWay = new Map<string, Promise<void>>()
  const troubles = new Map<string, { failures: number; retry_at: number }>()
  const dead = telemetry?.counter({
    name: 'event_deliveries_dead_total',
    help: 'Deliveries parked after too many failures',
    labels: ['subscriber'],
  })
  let started = false
  let fed_seq = 0
  let sealed_at = 0
  let refreshed_at = Number.NEGATIVE_INFINITY

  const subscribe = (type: string, subscriber: string, rights: Reaction['rights'], handler: Reaction['handler']) => {
    assert(!started, `${subscriber} subscribes to ${type} after events.start()`)
    const mine = reactions.get(subscriber) ?? []
    assert(!mine.some((one) => one.type === type), `${subscriber} subscribes to ${type} twice`)
    reactions.set(subscriber, [...mine, { type, rights, handler }])
  }

  /** Runs `work` unless it is running. It fails when the store does (away, full): then it is tried again, ever less often. */
  const runOnce = (name: string, work: () => Promise<void>) => {
    if (underWay.has(name)) return
    const troubled = troubles.get(name)
    if (troubled && troubled.retry_at > performance.now()) return
    const running = work().then(
      () => {
        underWay.delete(name)
        troubles.delete(name)
        pulse.wake()
      },
      (error) => {
        underWay.delete(name)
        const failures = (troubled?.failures ?? 0) + 1
        troubles.set(name, {
          failures,
          retry_at: performance.now() + Math.min(POLL_MS * 2 ** failures, TROUBLE_MS_MAX),
        })
        log.error({ err: error, loop: `events ${name}`, failures }, 'an event loop failed and is tried again')
      },
    )
    underWay.set(name, running)
  }

  const feed = async (head: number) => {
    if (listeners.size === 0) {
      fed_seq = head
      return
    }
    while (fed_seq < head && started) {
      const rows = await store.read((sql) =>
        sql.all<EventRow>(`SELECT ${EVENT_COLUMNS} FROM event e WHERE e.seq > ? ORDER BY e.seq LIMIT ${FEED_PAGE}`, [
          fed_seq,
        ]),
      )
      if (rows.length === 0) return
      fed_seq = rows.at(-1)!.seq
      for (const row of rows) for (const listener of listeners) tell(listener, toEvent(row))
    }
  }

  const tell = (listener: (event: EventRecord) => void, event: EventRecord) => {
    try {
      listener(event)
    } catch (error) {
      log.error({ err: error, event: event.name }, 'a listener of the live feed failed')
    }
  }

  const seal = async () => {
    sealed_at = performance.now()
    const rows = await store.read((sql) =>
      sql.all<{ workspace: string }>('SELECT DISTINCT workspace FROM event WHERE sealed = 0'),
    )
    for (const { workspace } of rows) {
      while (started && (await store.write((tx) => sealBatch(tx, workspace))) > 0);
    }
  }

  /** One statement asks for everything, so that an idle server costs five small reads a second. */
  const look = () =>
    store.read((sql) =>
      sql.all<{ what: string; name: string | null; value: number }>(
        `SELECT 'head' AS what, NULL AS name, COALESCE(MAX(seq), 0) AS value FROM event
         UNION ALL SELECT 'waiting', s.subscriber,
           (SELECT COUNT(*) FROM (SELECT 1 FROM event_delivery d WHERE d.subscriber = s.subscriber AND d.state = 'waiting' LIMIT 1) AS one)
           FROM (SELECT DISTINCT subscriber FROM event_subscription) AS s
         UNION ALL SELECT 'unsealed', NULL, COUNT(*) FROM (SELECT 1 FROM event WHERE sealed = 0 LIMIT 1) AS one`,
      ),
    )

  const beat = async () => {
    for (const { what, name, value } of await look()) {
      if (what === 'head') await feed(value)
      else if (what === 'unsealed' && value > 0 && performance.now() - sealed_at >= SEAL_EVERY_MS) runOnce('seal', seal)
      else if (what === 'waiting' && value > 0) {
        const delivery = deliveries.get(name!)
        if (delivery && (delivery.blockedUntil() ?? 0) <= clock.now()) runOnce(name!, () => delivery.run(() => started))
      }
    }
    if (performance.now() - refreshed_at > REFRESH_MS) runOnce('subscriptions', refresh)
    return false
  }

  const pulse = createPulse({ name: 'events', every_ms: POLL_MS, beat, log })

  const wanted = () => [...reactions].flatMap(([subscriber, mine]) => mine.map(({ type }) => ({ subscriber, type })))

  const refresh = async () => {
    await store.write((tx) => refreshSubscriptions(tx, wanted(), clock.now(), store.can.manyWriters))
    refreshed_at = performance.now()
  }

  /** On a full disk a server starts with the subscriptions that are there, if none of ours is missing: it would miss events. */
  const firstRefresh = async () => {
    try {
      await refresh()
    } catch (error) {
      if (!isPassing(error) || !(await store.read((sql) => hasSubscriptions(sql, wanted())))) throw error
      log.warn({ err: error }, 'subscriptions could not be confirmed; that is done later')
    }
  }

  return {
    async record(tx, type, input) {
      const record = await recordEvent(tx, type, { ...input, id: ids.next('event'), at_ms: clock.now() })
      if (started) (tx as Partial<Tx>).afterCommit?.(() => pulse.wake())
      return record
    },

    on(type, subscriber, rights, handler) {
      known.set(type.name, type.about)
      subscribe(type.name, subscriber, rights, handler as Reaction['handler'])
    },

    onAny(subscriber, rights, handler) {
      subscribe('*', subscriber, rights, handler)
    },

    describe() {
      const wanting = (name: string) =>
        [...reactions]
          .filter(([, mine]) => mine.some(({ type }) => type === name || type === '*'))
          .map(([subscriber]) => subscriber)
      return [...known].map(([name, about]) => ({ name, about, subscribers: wanting(name).sort() })).sort(byName)
    },

    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    list: listEvents,
    async undelivered(sql, workspace) {
      const row = await sql.get<{ count: number }>(
        "SELECT count(*) AS count FROM event_delivery WHERE workspace = ? AND state = 'waiting'",
        [workspace],
      )
      return row?.count ?? 0
    },
    dead: deadDeliveries,
    retry: retryDelivery,

    async start() {
      assert(!started, 'events are started twice')
      for (const [subscriber, mine] of reactions) {
        const onDead = () => dead?.add({ subscriber })
        deliveries.set(subscriber, createDelivery(subscriber, mine, { store, clock, random, log, onDead }))
      }
      await firstRefresh()
      fed_seq = (await look()).find(({ what }) => what === 'head')!.value
      started = true
      pulse.start()
    },

    async idle() {
      assert(started, 'events.idle() before events.start()')
      for (;;) {
        pulse.wake()
        const names = (await look())
          .filter(({ what, value }) => what === 'waiting' && value > 0)
          .map(({ name }) => name!)
        const running = [...underWay.keys()].some((name) => name !== 'seal')
        if (!started || (!running && !names.some((name) => deliveries.has(name)))) return
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },

    async stop() {
      started = false
      await pulse.stop()
      await Promise.all(underWay.values())
    },
  }
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

/** Every type that a program knows, for the event table of ARCHITECTURE.md; two types of one name are a mistake. */
export function eventCatalog(
  types: readonly Pick<EventType<unknown>, 'name' | 'about'>[],
): { name: string; about: string }[] {
  const names = new Set<string>()
  for (const { name } of types) {
    assert(!names.has(name), `event type ${name} is declared twice`)
    names.add(name)
  }
  return types.map(({ name, about }) => ({ name, about })).sort(byName)
}
