import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { MigrationSource } from './index.ts'

export interface StoreOptions extends Partial<StoreLimits> {
  /** `sqlite:/path/to/dir/slipway.db` or `postgres://…`. */
  url: string
  /** Owners in the order in which they are migrated. */
  migrations: readonly MigrationSource[]
  /** A module that exports `commands` and `queries`: loaded beside the database on SQLite, in this process on PostgreSQL. */
  catalog?: URL
  log: Log
  clock?: Clock
}

/** Every bound of the store in one place. */
export interface StoreLimits {
  /** SQLite: writes are refused with 'storage-full' while the disk has less room than this. */
  disk_reserve_bytes: number
  /** Writes that wait or run; more are refused with 'unavailable'. */
  queue_max: number
  /** Bytes of command input that wait; more are refused with 'unavailable'. */
  queue_bytes_max: number
  /** Longest a callback of `write` may hold the store before it is rolled back. */
  callback_ms_max: number
  /** Reads and queries that wait or run. */
  reads_max: number
  /** Longest a query may take before its caller is answered 'unavailable'. */
  query_ms_max: number
  /** Longest a callback of `read` may hold its snapshot. */
  read_ms_max: number
  /** SQLite: reader threads. */
  readers: number
  /** SQLite: JavaScript memory of each thread beside the database, MiB. */
  thread_heap_mb: number
  /** SQLite: items and time in one group commit. */
  group_items_max: number
  group_ms_max: number
  /** SQLite: WAL pages after which the writer moves them into the database file. */
  checkpoint_pages: number
  /** PostgreSQL: longest a statement of a write may take, waiting for locks included. */
  statement_ms_max: number
  /** PostgreSQL: connections. */
  connections_max: number
  /** PostgreSQL: longest wait for a connection. */
  connect_ms_max: number
}

export const STORE_LIMITS: StoreLimits = {
  disk_reserve_bytes: 256 * 1024 * 1024,
  queue_max: 10_000,
  queue_bytes_max: 256 * 1024 * 1024,
  callback_ms_max: 1_000,
  reads_max: 1_000,
  query_ms_max: 30_000,
  read_ms_max: 10_000,
  readers: 2,
  thread_heap_mb: 512,
  group_items_max: 512,
  group_ms_max: 10,
  checkpoint_pages: 4_000,
  statement_ms_max: 10_000,
  connections_max: 10,
  connect_ms_max: 3_000,
}

export function limitsOf(options: Partial<StoreLimits>): StoreLimits {
  const limits = { ...STORE_LIMITS }
  for (const name of Object.keys(limits) as (keyof StoreLimits)[]) limits[name] = options[name] ?? limits[name]
  return limits
}
