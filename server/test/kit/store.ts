import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openStore, type Store, type StoreOptions } from '#kernel/store/index.ts'

export type TestStoreOptions = Partial<Omit<StoreOptions, 'url'>>

export interface TestStore {
  store: Store
  url: string
  /** Closes the store and removes what it stood on. */
  close(): Promise<void>
}

/** A store of its own on SQLite, in a folder that `close` removes. */
export async function testStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-store-'))
  const url = `sqlite:${join(dir, 'slipway.db')}`
  const store = await openStore({ migrations: [], log: silentLog, ...options, url })
  return {
    store,
    url,
    async close() {
      await store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/**
 * The same tests on every database, for real: `open` makes a fresh store, which the test closes.
 *
 *     eachStore('holds', (open) => {
 *       test('…', async () => {
 *         const { store, close } = await open({ migrations: [holdsMigrations] })
 */
export function eachStore(
  name: string,
  tests: (open: (options?: TestStoreOptions) => Promise<TestStore>, database: 'sqlite' | 'postgres') => void,
): void {
  describe(`${name} on SQLite`, () => tests(testStore, 'sqlite'))
}
