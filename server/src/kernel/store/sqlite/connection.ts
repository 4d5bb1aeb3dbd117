import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { DomainError } from '../../errors.ts'
import type { Row, SqlValue } from '../index.ts'
import { checkCount, checkValue, fromInteger, toInteger } from '../parameters.ts'
import { inspectSql, type SqlText, shorten } from '../sql-text.ts'

const STATEMENTS_MAX = 400

interface Prepared extends SqlText {
  statement: StatementSync
  /** Integers come as bigint: set where a second run would change something a second time. */
  wide: boolean
}

export type Method = 'all' | 'get' | 'run'

/** One SQLite connection with its prepared statements. Everything here runs at once and blocks the calling thread. */
export interface Connection {
  readonly database: DatabaseSync
  execute(method: Method, sql: string, params: readonly SqlValue[]): Row[] | Row | undefined | { changes: number }
  /** Several statements without parameters. */
  script(sql: string): void
  /** Something may have been written by `execute` since the last call of `takeChanged`. */
  takeChanged(): boolean
  close(): void
}

const primary = (error: unknown): number | undefined => (error as { errcode?: number }).errcode
/** SQLITE_FULL; SQLITE_IOERR_WRITE, which is what a quota or a file size limit gives. */
const NO_ROOM = [13, 778]
const SQLITE_BUSY = 5
const SQLITE_CONSTRAINT_FOREIGNKEY = 787
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555
const SQLITE_CONSTRAINT_UNIQUE = 2067
const SQLITE_CONSTRAINT_ROWID = 2579
/** SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC. */
const FAILED_SYNC = [1034, 1290]

export const isFull = (error: unknown) => NO_ROOM.includes(primary(error) ?? 0)
export const isFailedSync = (error: unknown) => FAILED_SYNC.includes(primary(error) ?? 0)

/** SQLite's error as ours where a caller can do something about it. */
function translate(error: unknown, sql: string): unknown {
  const code = primary(error)
  if (code === undefined) return error
  const text = (error as Error).message
  switch (code) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
      return new DomainError('already-exists', 'a row with this key already exists', {
        facts: { constraint: text },
        cause: error,
      })
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return new DomainError('conflict', 'a row that this one stands on is missing, or one stands on it', {
        cause: error,
      })
    case SQLITE_BUSY:
      return new DomainError('unavailable', 'another program holds the database file', {
        remedy: 'Close it and try again.',
        cause: error,
      })
    default:
      return Object.assign(error as Error, { message: `${text}: ${shorten(sql)}` })
  }
}

const narrow = (row: Record<string, unknown>): Row => {
  for (const name in row) if (typeof row[name] === 'bigint') row[name] = fromInteger(row[name])
  return row as Row
}

/** `cache_kib` bounds the page cache. Readers see a file that the writer has already put into WAL mode. */
export function openConnection(path: string, options: { readonly: boolean; cache_kib: number }): Connection {
  const database = new DatabaseSync(path, {
    readOnly: options.readonly,
    timeout: 5_000,
    enableForeignKeyConstraints: true,
  })
  database.exec(`PRAGMA cache_size = -${options.cache_kib}; PRAGMA mmap_size = 0; PRAGMA case_sensitive_like = ON`)
  if (options.readonly) database.exec('PRAGMA query_only = ON')
  const prepared = new Map<string, Prepared>()
  let changed = false

  const prepare = (sql: string): Prepared => {
    const known = prepared.get(sql)
    if (known) {
      prepared.delete(sql)
      prepared.set(sql, known)
      return known
    }
    const text = inspectSql(sql)
    const statement = database.prepare(sql)
    if (!text.reads_only) statement.setReadBigInts(true)
    const fresh = { ...text, statement, wide: !text.reads_only }
    prepared.set(sql, fresh)
    if (prepared.size > STATEMENTS_MAX) prepared.delete(prepared.keys().next().value!)
    return fresh
  }

  const once = (method: Method, { statement, wide }: Prepared, bound: SQLInputValue[]) => {
    if (method === 'run') return { changes: Number(statement.run(...bound).changes) }
    if (method === 'get') {
      const row = statement.get(...bound)
      return row && wide ? narrow(row) : (row as Row | undefined)
    }
    const rows = statement.all(...bound)
    if (wide) for (const row of rows) narrow(row)
    return rows as Row[]
  }

  return {
    database,
    execute(method, sql, params) {
      try {
        const entry = prepare(sql)
        checkCount(sql, entry.parameters, params.length)
        const bound = params as SQLInputValue[]
        const values: SQLInputValue[] = new Array(bound.length)
        for (let i = 0; i < values.length; i++) {
          const value = params[i]!
          checkValue(value)
          values[i] = typeof value === 'number' ? toInteger(value) : value
        }
        if (!entry.reads_only) changed = true
        try {
          return once(method, entry, values)
        } catch (error) {
          // An integer beyond 2^53 in a plain read: read again, wide, and from now on.
          if ((error as { code?: string }).code !== 'ERR_OUT_OF_RANGE' || entry.wide) throw error
          entry.statement.setReadBigInts(true)
          entry.wide = true
          return once(method, entry, values)
        }
      } catch (error) {
        throw translate(error, sql)
      }
    },
    script(sql) {
      database.exec(sql)
    },
    takeChanged() {
      const was = changed
      changed = false
      return was
    },
    close() {
      prepared.clear()
      database.close()
    },
  }
}
