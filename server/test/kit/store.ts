import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openStore, type Store, type StoreOptions } from '#kernel/store/index.ts'
import { freshDatabase, postgresIsHere } from './postgres.ts'

export type TestStoreOptions = Partial<Omit<StoreOptions, 'url'>>

export interface TestStore {
  store: Store
  url: string
  /** A second store over the same database: another process, as far as PostgreSQL can tell. */
  again(options?: TestStoreOptions): Promise<Store>
  /** Closes the stores and removes what they stood on. */
  close(): Promise<void>
}

export type OpenTestStore = (options?: TestStoreOptions) => Promise<TestStore>
export type DatabaseName = 'sqlite' | 'postgres'

/** A store on SQLite in a folder of its own, which `close` removes. */
export async function testStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-store-'))
  return opened(`sqlite:${join(dir, 'slipway.db')}`, options, async () => {
    rmSync(dir, { recursive: true, force: true })
  })
}

/** A store on a database of its own in the tests' PostgreSQL server. */
export async function testPostgresStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const { url, drop } = await freshDatabase()
  return opened(url, options, drop)
}

async function opened(url: string, options: TestStoreOptions, remove: () => Promise<void>): Promise<TestStore> {
  const stores: Store[] = []
  const again = async (more: TestStoreOptions = {}) => {
    const store = await openStore({ migrations: [], log: silentLog, disk_reserve_bytes: 0, ...options, ...more, url })
    stores.push(store)
    return store
  }
  const close = async () => {
    for (const store of stores.splice(0)) await store.close()
    await remove()
  }
  try {
    return { store: await again(), url, again, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * The same tests on every database, for real: `open` makes a fresh store, which the test closes.
 *
 *     eachStore('holds', (open) => {
 *       test('…', async () => {
 *         const { store, close } = await open({ migrations: [holdsMigrations] })
 */
export function eachStore(name: string, tests: (open: OpenTestStore, database: DatabaseName) => void): void {
  describe(`${name} on SQLite`, () => tests(testStore, 'sqlite'))
  describe.skipIf(!postgresIsHere())(`${name} on PostgreSQL`, () => tests(testPostgresStore, 'postgres'))
}
