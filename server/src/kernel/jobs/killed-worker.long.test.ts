import { expect, test } from 'vitest'
import { eachStore } from '#kit/store.ts'
import { jobsMigrations } from './index.ts'
import { killAndTakeOver } from './killed-worker.ts'

eachStore('a killed worker, by the real clock', (open) => {
  test('its job is done by another process within 30 s', async () => {
    const { store, url, close } = await open({ migrations: [jobsMigrations] })
    expect(await killAndTakeOver(store, url)).toBeLessThan(30_000)
    await close()
  })
})
