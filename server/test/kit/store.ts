import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openStore, type Store, type StoreOptions } from '#kernel/store/index.ts'
import { loadMigrations } from '#kernel/store/migrations.ts'
import { freshDatabase, postgresIsHere, type Template } from './postgres.ts'

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

/** Fewer files are applied faster than a template is made. */
const TEMPLATE_FILES_MIN = 5

/** A store on a database of its own in the tests' PostgreSQL server; a clone when there is much to migrate. */
export async function testPostgresStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const migrations = options.migrations ?? []
  const files = loadMigrations(migrations, 'postgres')
  const digest = createHash('sha256').update(files.map((file) => `${file.owner} ${file.digest}`).join())
  const template: Template = {
    name: `store_${digest.digest('hex').slice(0, 16)}`,
    prepare: async (url) => (await openStore({ migrations, log: silentLog, url })).close(),
  }
  const { url, drop } = await freshDatabase(files.length < TEMPLATE_FILES_MIN ? {} : { template })
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
