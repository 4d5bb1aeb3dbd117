import { expect, test } from 'vitest'
import { eachStore } from '#kit/store.ts'
import { raceHoldsAgainstDeletes } from './holds-race.ts'
import { holdsMigrations } from './index.ts'

eachStore('holds against deletes, 1,000 races', (open, database) => {
  test('never both happen', async () => {
    const { store, close } = await open({ migrations: [holdsMigrations] })
    const { placed, deleted } = await raceHoldsAgainstDeletes(store, 1_000)
    expect(placed + deleted).toBe(1_000)
    // On PostgreSQL both sides win some: the race is a real one.
    if (database === 'postgres') expect(Math.min(placed, deleted)).toBeGreaterThan(0)
    await close()
  })
})
