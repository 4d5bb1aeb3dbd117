import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { manualClock, systemClock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import { systemWho, type Who } from '#kernel/http/who.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import type { Store } from '#kernel/store/index.ts'
import { createTelemetry } from '#kernel/telemetry.ts'
import { eachStore, type TestStore } from '#kit/store.ts'
import {
  createEvents,
  type EventRecord,
  type Events,
  event,
  eventCatalog,
  eventsMigrations,
  recordEvent,
} from './index.ts'

const aliasMoved = event<{ alias: string; to: number }>('registry.alias-moved', 'An alias names another version.')
const runEnded = event<{ status: string }>('tracking.run-ended', 'A run ended.')
const model = { kind: 'model', id: 'churn' } as const
const who = (workspace = 'w'): Who => ({ ...systemWho(workspace), kind: 'person', id: 'per_1', name: 'Ada' })
const moved = (to: number, more: object = {}) => ({
  who: who(),
  subject: model,
  after: { alias: 'champion', to },
  ...more,
})

const eventually = async (holds: () => boolean | Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

const cleanup: (() => Promise<void>)[] = []
eachStore('events', (open, database) => {
  let opened: TestStore
  beforeAll(async () => {
    opened = await open({ migrations: [eventsMigrations] })
    await opened.store.write((tx) => tx.run('CREATE TABLE note (text TEXT)'))
  })
  afterEach(async () => {
    for (const stop of cleanup.splice(0).reverse()) await stop()
    await opened.store.write(async (tx) => {
      for (const table of ['event', 'event_delivery', 'event_subscription', 'event_seal', 'lineage_edge', 'note'])
        await tx.run(`DELETE FROM ${table}`)
    })
  })
  afterAll(() => opened.close())
  const eventsOver = (store: Store, clock = manualClock(Date.UTC(2026, 1, 1))) => {
    const telemetry = createTelemetry()
    const events = createEvents({
      store,
      clock,
      ids: createIds(clock, seededRandom(1)),
      log: silentLog,
      random: seededRandom(2),
      telemetry,
    })
    cleanup.push(async () => {
      await events.stop()
      telemetry.stop()
    })
    return { events, clock, telemetry }
  }
  const waiting = (store: Store) =>
    store.read((sql) =>
      sql.all<{ seq: number; attempts: number; state: string }>(
        'SELECT seq, attempts, state FROM event_delivery ORDER BY seq',
      ),
    )

  test('an event is kept whole, with its edges, and found by every filter, newest first', async () => {
    const { store } = opened
    const { events, clock } = eventsOver(store)
    const behalf = { kind: 'person', id: 'per_2', name: 'Ben' } as const
    const first = await store.write((tx) =>
      events.record(tx, aliasMoved, {
        ...moved(2, { before: { alias: 'champion', to: 1 }, reason: 'better by 0.02' }),
        who: { ...who(), behalf },
        edges: [
          { from: { kind: 'run', id: 'r1' }, to: { kind: 'model-version', id: 'churn/2' }, relation: 'registered' },
        ],
      }),
    )
    clock.advance(1_000)
    const second = await store.write((tx) =>
      events.record(tx, runEnded, {
        who: { ...who(), id: 'per_9' },
        subject: { kind: 'run', id: 'r1' },
        after: { status: 'FINISHED' },
      }),
    )
    await store.write((tx) =>
      events.record(tx, runEnded, { who: who('other'), subject: model, after: { status: 'FAILED' } }),
    )

    const list = (filter: object) => store.read((sql) => events.list(sql, 'w', { limit: 10, ...filter }))
    expect(await list({})).toEqual([second, first])
    expect(first).toMatchObject({
      name: 'registry.alias-moved',
      workspace: 'w',
      at_ms: Date.UTC(2026, 1, 1),
      who: { kind: 'person', id: 'per_1', name: 'Ada', behalf },
      before: { alias: 'champion', to: 1 },
      after: { alias: 'champion', to: 2 },
      reason: 'better by 0.02',
    })
    expect(first.id).toMatch(/^evt_[0-9a-f]{32}$/)
    expect(second).toMatchObject({ before: null, reason: null })
    expect(await list({ id: first.id })).toEqual([first])
    expect(await list({ subject: model })).toEqual([first])
    expect(await list({ name_prefix: 'registry.' })).toEqual([first])
    expect(await list({ who_id: 'per_9' })).toEqual([second])
    expect(await list({ from_ms: clock.now() })).toEqual([second])
    expect(await list({ to_ms: clock.now() })).toEqual([first])
    expect(await list({ before_seq: second.seq })).toEqual([first])
    expect(await list({ limit: 1 })).toEqual([second])
    expect(await store.read((sql) => sql.all('SELECT * FROM lineage_edge'))).toEqual([
      {
        workspace: 'w',
        from_kind: 'run',
        from_id: 'r1',
        to_kind: 'model-version',
        to_id: 'churn/2',
        relation: 'registered',
        event_seq: first.seq,
        at_ms: first.at_ms,
      },
    ])
  })

  test('an event that cannot be written undoes the change; one too large is refused by name', async () => {
    const { store } = opened
    const { events } = eventsOver(store)
    const change = (input: object) =>
      store.write(async (tx) => {
        await events.record(tx, aliasMoved, moved(2))
        await events.record(tx, aliasMoved, moved(3, input))
      })
    await expect(change({ after: { alias: 'a'.repeat(1024 * 1024), to: 3 } })).rejects.toMatchObject({
      problem: 'too-large',
    })
    await expect(change({ reason: 'x'.repeat(4_001) })).rejects.toMatchObject({ problem: 'invalid', field: 'reason' })
    const edge = { from: model, to: model, relation: 'input' }
    await expect(change({ edges: Array.from({ length: 10_001 }, () => edge) })).rejects.toMatchObject({
      problem: 'too-large',
    })
    expect(await store.read((sql) => events.list(sql, 'w', { limit: 10 }))).toEqual([])
    await change({
      edges: Array.from({ length: 1_200 }, (_, n) => ({ ...edge, from: { kind: 'run', id: String(n % 1_100) } })),
    })
    expect(await store.read((sql) => sql.get('SELECT COUNT(*) AS count FROM lineage_edge'))).toEqual({ count: 1_100 })
  })

  test('each subscriber gets what it wants, in order, in a transaction with its mark', async () => {
    const { store } = opened
    const { events } = eventsOver(store)
    const seen: string[] = []
    events.on(aliasMoved, 'releases', ['registry.read'], async (tx, rule, e) => {
      seen.push(`releases ${e.after.to} by ${rule.name} in ${rule.workspace} may ${rule.rights}`)
      await tx.run('INSERT INTO note (text) VALUES (?)', [`moved to ${e.after.to}`])
    })
    events.onAny('webhooks', [], async (_tx, _who, e) => void seen.push(`webhooks ${e.name}`))
    await events.start()
    await store.write(async (tx) => {
      for (let to = 1; to <= 3; to++) await events.record(tx, aliasMoved, moved(to))
      await events.record(tx, runEnded, { who: who(), subject: model, after: { status: 'FINISHED' } })
    })
    await events.idle()
    expect(seen.filter((one) => one.startsWith('releases'))).toEqual(
      [1, 2, 3].map((to) => `releases ${to} by rule:releases in w may registry.read`),
    )
    expect(seen.filter((one) => one.startsWith('webhooks'))).toEqual([
      ...Array(3).fill('webhooks registry.alias-moved'),
      'webhooks tracking.run-ended',
    ])
    expect(await store.read((sql) => sql.all('SELECT text FROM note ORDER BY text'))).toHaveLength(3)
    expect(await waiting(store)).toEqual([])
    expect(events.describe()).toEqual([
      { name: 'registry.alias-moved', about: 'An alias names another version.', subscribers: ['releases', 'webhooks'] },
    ])
  })

  test('what a command recorded, which can wake nobody, is delivered and shown within 300 ms', async () => {
    const { store } = opened
    const { events } = eventsOver(store)
    const delivered: number[] = []
    const watched: EventRecord[] = []
    events.on(aliasMoved, 'releases', [], async (_tx, _who, e) => void delivered.push(e.after.to))
    await events.start()
    const stop = events.watch((e) => watched.push(e))
    // The best of three: the machine that runs the tests is busy with others.
    const took_ms: number[] = []
    for (let to = 1; to <= 3; to++) {
      const at = performance.now()
      await store.write((tx) => recordEvent(tx, aliasMoved, { ...moved(to), id: `evt_${to}`, at_ms: 5 }))
      await eventually(() => delivered.length === to && watched.length === to)
      took_ms.push(performance.now() - at)
    }
    expect(Math.min(...took_ms)).toBeLessThan(300)
    expect(watched[2]).toMatchObject({ id: 'evt_3', at_ms: 5, after: { to: 3 } })
    stop()
    await store.write((tx) => events.record(tx, aliasMoved, moved(8)))
    await events.idle()
    expect(watched).toHaveLength(3)
  })

  test('a failing handler is tried again later, undone whole, and delays neither others nor other workspaces', async () => {
    const { store } = opened
    const { events, clock } = eventsOver(store)
    const order: string[] = []
    let broken = true
    events.on(aliasMoved, 'first', [], async (tx, _who, e) => {
      await tx.run('INSERT INTO note (text) VALUES (?)', [`${e.workspace} ${e.after.to}`])
      if (broken && e.workspace === 'w' && e.after.to === 1) throw new Error('not today')
      order.push(`${e.workspace} ${e.after.to}`)
    })
    const others: number[] = []
    events.on(aliasMoved, 'second', [], async (_tx, _who, e) => void others.push(e.after.to))
    await events.start()
    await store.write(async (tx) => {
      await events.record(tx, aliasMoved, moved(1))
      await events.record(tx, aliasMoved, moved(2))
      await events.record(tx, aliasMoved, { ...moved(3), who: who('other') })
    })
    await eventually(() => others.length === 3 && order.length === 1)
    await eventually(async () => (await waiting(store)).some(({ attempts }) => attempts === 1))
    expect(order).toEqual(['other 3'])
    expect(await store.read((sql) => sql.all('SELECT text FROM note'))).toEqual([{ text: 'other 3' }])
    broken = false
    clock.advance(200)
    await events.idle()
    expect(order).toEqual(['other 3', 'w 1', 'w 2'])
  })

  test('after 20 failures a delivery is parked, loudly, and the order goes on; a person can try it again', async () => {
    const { store } = opened
    const { events, clock, telemetry } = eventsOver(store)
    let broken = true
    const done: number[] = []
    events.on(aliasMoved, 'releases', [], async (_tx, _who, e) => {
      if (broken && e.after.to === 1) throw new DomainError('conflict', 'never\0')
      done.push(e.after.to)
    })
    await events.start()
    await store.write(async (tx) => {
      await events.record(tx, aliasMoved, moved(1))
      await events.record(tx, aliasMoved, moved(2))
    })
    for (let failures = 1; failures < 20; failures++) {
      await eventually(async () => (await waiting(store))[0]!.attempts >= failures)
      clock.advance(60_000)
    }
    await events.idle()
    expect(done).toEqual([2])
    const [parked] = await store.read((sql) => events.dead(sql, 'w'))
    expect(parked).toMatchObject({
      subscriber: 'releases',
      name: 'registry.alias-moved',
      attempts: 20,
      last_error: 'never',
    })
    expect(await telemetry.text()).toContain('slipway_event_deliveries_dead_total{subscriber="releases"} 1')
    broken = false
    await store.write((tx) => events.retry(tx, 'w', 'releases', parked!.seq))
    await events.idle()
    expect(done).toEqual([2, 1])
    await expect(store.write((tx) => events.retry(tx, 'w', 'releases', parked!.seq))).rejects.toMatchObject({
      problem: 'not-found',
    })
  })

  test("trouble of the store is nobody's failure: the event waits unmarked and is delivered when the store is back", async () => {
    const { store } = opened
    let away = false
    let refused = 0
    const write: Store['write'] = (work) => {
      if (!away) return store.write(work)
      refused++
      return Promise.reject(new DomainError('unavailable', 'the store is away'))
    }
    const { events } = eventsOver({ ...store, can: store.can, read: (work) => store.read(work), write })
    const got: number[] = []
    events.on(aliasMoved, 'releases', [], async (_tx, _who, e) => void got.push(e.after.to))
    await events.start()
    away = true
    await store.write((tx) => events.record(tx, aliasMoved, moved(1)))
    await eventually(() => refused > 1)
    expect(await waiting(store)).toMatchObject([{ attempts: 0, state: 'waiting' }])
    away = false
    await events.idle()
    expect(got).toEqual([1])
  })

  test('what waited at a stop is delivered by the next start; a subscriber that is gone leaves nothing behind', async () => {
    const { store } = opened
    const before = eventsOver(store).events
    for (const name of ['kept', 'gone']) {
      before.on(aliasMoved, name, [], async () => {
        throw new Error('stopping')
      })
    }
    await before.start()
    await before.stop()
    await store.write((tx) => before.record(tx, aliasMoved, moved(1)))
    expect(await waiting(store)).toHaveLength(2)

    const { events } = eventsOver(store, manualClock(Date.UTC(2026, 1, 3)))
    const got: number[] = []
    events.on(aliasMoved, 'kept', [], async (_tx, _who, e) => void got.push(e.after.to))
    await events.start()
    await events.idle()
    expect(got).toEqual([1])
    expect(await waiting(store)).toEqual([])
  })

  test('two processes over one store deliver each event once, in order', async () => {
    const { store, again } = opened
    const stores = database === 'postgres' ? [store, await again()] : [store]
    const got: number[] = []
    const all: Events[] = []
    for (const one of stores) {
      const { events } = eventsOver(one, manualClock(Date.now()))
      events.on(aliasMoved, 'releases', [], async (tx, _who, e) => {
        await tx.get('SELECT 1 AS one')
        tx.afterCommit(() => got.push(e.after.to))
      })
      await events.start()
      all.push(events)
    }
    for (let to = 0; to < 60; to += 3) {
      await store.write(async (tx) => {
        for (let n = 0; n < 3; n++) await all[0]!.record(tx, aliasMoved, moved(to + n))
      })
    }
    for (const events of all) await events.idle()
    expect(got).toEqual(Array.from({ length: 60 }, (_, n) => n))
  })

  test('an idle server asks the store five times a second and no more', async () => {
    const { store } = opened
    let reads = 0
    const counting: Store = {
      ...store,
      can: store.can,
      write: (work) => store.write(work),
      read: (work) => {
        reads++
        return store.read(work)
      },
    }
    const { events } = eventsOver(counting, manualClock(Date.now()))
    events.onAny('webhooks', [], async () => {})
    await events.start()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(reads).toBeLessThanOrEqual(6)
  })
})

test('mistakes of wiring are told at once', async () => {
  const clock = systemClock
  const events = createEvents({
    store: undefined as unknown as Store,
    clock,
    ids: createIds(clock, seededRandom(1)),
    log: silentLog,
  })
  events.on(aliasMoved, 'releases', [], async () => {})
  expect(() => events.on(aliasMoved, 'releases', [], async () => {})).toThrow('twice')
  expect(() => eventCatalog([aliasMoved, event<never>('registry.alias-moved', 'Another.')])).toThrow('declared twice')
  expect(eventCatalog([runEnded, aliasMoved]).map(({ name }) => name)).toEqual([
    'registry.alias-moved',
    'tracking.run-ended',
  ])
})
