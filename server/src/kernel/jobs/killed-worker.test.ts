import { expect, test } from 'vitest'
import { systemClock } from '#kernel/clock.ts'
import { eachStore } from '#kit/store.ts'
import { jobsMigrations } from './index.ts'
import { killAndTakeOver } from './killed-worker.ts'

eachStore('a killed worker', (open, database) => {
  test('its job is taken again once its lease has run out', async () => {
    const { store, url, close } = await open({ migrations: [jobsMigrations] })
    // PostgreSQL: the lease of 15 s has run out by the taker's clock. SQLite: one process at a time, so there is nothing to wait for.
    const clock = database === 'postgres' ? { now: () => Date.now() + 16_000 } : systemClock
    expect(await killAndTakeOver(store, url, clock)).toBeLessThan(5_000)
    await close()
  })
})
