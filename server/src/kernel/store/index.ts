/**
 * The one store: durable writes through two doors, reads through two windows. See README.md beside this file.
 * SQL is plain text in the common subset of SQLite and PostgreSQL, `?` for parameters; the same function over `Sql`
 * runs in a callback, in a command and in a query.
 */
export type SqlValue = null | string | number | bigint | Uint8Array

export type Row = Record<string, SqlValue>

/** What every piece of SQL is handed. Never kept beyond the call that got it. */
export interface Sql {
  all<R = Row>(sql: string, params?: readonly SqlValue[]): Promise<R[]>
  /** The first row, or undefined. */
  get<R = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | undefined>
  run(sql: string, params?: readonly SqlValue[]): Promise<{ changes: number }>
  /** In queries on SQLite: two reads of one thread with equal versions see the same data. */
  version?(): number
}

/** A write in progress. Callbacks await nothing but the methods of `tx`. */
export interface Tx extends Sql {
  /**
   * Whoever reads to decide locks first. On SQLite there is one writer and this is free; on PostgreSQL it is a
   * transaction-level advisory lock on the parts, taken in sorted order by callers that need several.
   */
  lock(...parts: readonly string[]): Promise<void>
  /** Runs once, in this process, after the write is durable: to wake a loop, never to carry state. Not in commands. */
  afterCommit(callback: () => void): void
}

/** Plain data in, plain data out; stands in a slice's commands.ts or queries.ts and runs beside the database. */
export type Command<I = never, O = unknown> = (tx: Tx, input: I) => Promise<O>
export type Query<I = never, O = unknown> = (sql: Sql, input: I) => Promise<O>

/** What `app/store-thread.ts` exports: all commands and queries by name, `<slice>.<verb>`. */
export interface Catalog {
  commands: Record<string, Command<never, unknown>>
  queries: Record<string, Query<never, unknown>>
}

export interface Store {
  /**
   * Runs `work` as one transaction and resolves when it is durable. An error thrown inside undoes all of it.
   * On PostgreSQL it may run up to 4 times (40001, 40P01), so it has no effect outside `tx`.
   * Throws DomainError 'storage-full' below the disk reserve, 'unavailable' when the queue is full or the store away.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Runs the named command beside the database; resolves when durable. */
  command<T = unknown>(name: string, input: unknown): Promise<T>
  /** A consistent snapshot over several statements. */
  read<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Runs the named query beside the database, off the main thread on SQLite. */
  query<T = unknown>(name: string, input: unknown): Promise<T>
  /** Resolves when everything committed before the call is durable. */
  barrier(): Promise<void>
  readonly can: {
    /** Several processes may write at the same time. */
    manyWriters: boolean
    skipLocked: boolean
  }
  /** For `slipway doctor` and /metrics. */
  stats(): Promise<Record<string, number | string>>
  close(): Promise<void>
}

/** One owner's numbered SQL files. Owners are migrated in the order given. */
export interface MigrationSource {
  owner: string
  dir: URL
}

export { openStore, type StoreLimits, type StoreOptions } from './open.ts'
export { insertRows, isTrue, joinNan, json, parseJson, placeholders, splitNan } from './values.ts'
