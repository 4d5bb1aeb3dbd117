import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import type { Store } from '#kernel/store/index.ts'
import { eachStore, type TestStore } from '#kit/store.ts'
import { createJobs, jobsMigrations, nextDue } from './index.ts'

const MINUTE = 60_000
const MIDNIGHT = Date.UTC(2026, 1, 1)

const cleanup: (() => Promise<void>)[] = []
test('cron expressions are read in UTC unless a zone is said; mistakes name the remedy', () => {
  expect(nextDue('0 3 * * *', MIDNIGHT)).toBe(MIDNIGHT + 3 * 60 * MINUTE)
  expect(nextDue('TZ=Europe/Berlin 0 3 * * *', MIDNIGHT)).toBe(MIDNIGHT + 2 * 60 * MINUTE)
  expect(nextDue('*/5 * * * *', MIDNIGHT)).toBe(MIDNIGHT + 5 * MINUTE)
  for (const bad of ['', 'daily', '* * * * * *', '61 * * * *', 'TZ=Mars/Base 0 3 * * *', '0 0 30 2 *']) {
    expect(() => nextDue(bad, MIDNIGHT), bad).toThrow(expect.objectContaining({ problem: 'invalid', field: 'cron' }))
  }
})

eachStore('schedules', (open, database) => {
  let opened: TestStore
  beforeAll(async () => {
    opened = await open({ migrations: [jobsMigrations] })
    await opened.store.write((tx) => tx.run('CREATE TABLE note (text TEXT)'))
  })
  afterEach(async () => {
    for (const stop of cleanup.splice(0).reverse()) await stop()
    await opened.store.write(async (tx) => {
      for (const table of ['schedule', 'note']) await tx.run(`DELETE FROM ${table}`)
    })
  })
  afterAll(() => opened.close())
  const over = (store: Store, clock: ReturnType<typeof manualClock>) => {
    const jobs = createJobs({ store, clock, ids: createIds(clock, seededRandom(1)), log: silentLog })
    cleanup.push(() => jobs.stop(100))
    return jobs
  }
  const next = async (store: Store) =>
    (await store.read((sql) => sql.get<{ next_ms: number }>("SELECT next_ms FROM schedule WHERE name = 'nightly'")))
      ?.next_ms

  const known = async (store: Store, at_ms: number | undefined) => {
    while ((await next(store)) !== at_ms) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  test('each due moment fires once; moments missed while nobody ran fire once in all', async () => {
    const { store } = opened
    const clock = manualClock(MIDNIGHT)
    const fired: number[] = []
    const first = over(store, clock)
    first.schedule('nightly', '0 * * * *', async (_tx, due_ms) => void fired.push((due_ms - MIDNIGHT) / MINUTE))
    await first.start()
    await known(store, MIDNIGHT + 60 * MINUTE)
    clock.advance(60 * MINUTE)
    await first.idle()
    expect(fired).toEqual([60])
    await first.stop()

    clock.advance(200 * MINUTE)
    const second = over(store, clock)
    second.schedule('nightly', '0 * * * *', async (_tx, due_ms) => void fired.push((due_ms - MIDNIGHT) / MINUTE))
    await second.start()
    await second.idle()
    expect(fired).toEqual([60, 120])
    expect(await next(store)).toBe(MIDNIGHT + 300 * MINUTE)

    second.schedule('nightly', '30 * * * *', async () => {})
    await known(store, MIDNIGHT + 270 * MINUTE)
    second.unschedule('nightly')
    await known(store, undefined)
  })

  test('a firing that fails leaves the moment due and nothing half-done', async () => {
    const { store } = opened
    const clock = manualClock(MIDNIGHT)
    const jobs = over(store, clock)
    let tries = 0
    jobs.schedule('nightly', '0 * * * *', async (tx) => {
      tries++
      await tx.run("INSERT INTO note (text) VALUES ('fired')")
      throw new Error('not now')
    })
    await jobs.start()
    await known(store, MIDNIGHT + 60 * MINUTE)
    clock.advance(60 * MINUTE)
    await jobs.idle()
    expect(tries).toBe(1)
    expect(await next(store)).toBe(MIDNIGHT + 60 * MINUTE)
    expect(await store.read((sql) => sql.all('SELECT text FROM note'))).toEqual([])
  })

  test('two processes fire a moment once', async () => {
    const { store, again } = opened
    const clock = manualClock(MIDNIGHT)
    const stores = database === 'postgres' ? [store, await again()] : [store]
    const fired: number[] = []
    const all = stores.map((one) => over(one, clock))
    for (const jobs of all) {
      jobs.schedule('nightly', '0 * * * *', async (tx, due_ms) => tx.afterCommit(() => fired.push(due_ms)))
      await jobs.start()
    }
    await known(store, MIDNIGHT + 60 * MINUTE)
    clock.advance(60 * MINUTE)
    await Promise.all(all.map((jobs) => jobs.idle()))
    expect(fired).toEqual([MIDNIGHT + 60 * MINUTE])
  })

  test('when nothing is left to do, what firing told after its commit has been told', async () => {
    const { store } = opened
    const clock = manualClock(MIDNIGHT)
    const fired: number[] = []
    // Between the commit, which any reader sees, and the callbacks after it lies a while.
    const slow: Store = {
      ...store,
      can: store.can,
      write: async (work) => {
        const after: (() => void)[] = []
        const value = await store.write((tx) => work({ ...tx, afterCommit: (callback) => void after.push(callback) }))
        await new Promise((resolve) => setTimeout(resolve, 60))
        for (const callback of after) callback()
        return value
      },
    }
    const jobs = over(slow, clock)
    jobs.schedule('nightly', '0 * * * *', async (tx, due_ms) => tx.afterCommit(() => fired.push(due_ms)))
    await jobs.start()
    await known(store, MIDNIGHT + 60 * MINUTE)
    clock.advance(60 * MINUTE)
    await jobs.idle()
    expect(fired).toEqual([MIDNIGHT + 60 * MINUTE])
  })
})
