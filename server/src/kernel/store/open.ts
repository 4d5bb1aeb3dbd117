import { dirname } from 'node:path'
import { makeFolder } from './folder.ts'
import type { Store } from './index.ts'
import type { StoreOptions } from './options.ts'

export type { StoreLimits, StoreOptions } from './options.ts'

/**
 * Opens, migrates and starts the store that `options.url` names. Throws DomainError 'conflict' for a schema that does not fit,
 * 'unavailable' when the database cannot be reached.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.url.startsWith('sqlite:')) {
    const path = options.url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
    makeFolder(dirname(path))
    const { openSqlite } = await import('./sqlite/store.ts')
    return openSqlite(path, options)
  }
  if (/^postgres(?:ql)?:\/\//.test(options.url)) {
    const { openPostgres } = await import('./postgres/store.ts')
    return openPostgres(options)
  }
  throw new Error(`a store is named by sqlite:/path or postgres://…, not ${options.url.replace(/\/\/.*@/, '//…@')}`)
}
