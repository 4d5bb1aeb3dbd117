import { setTimeout as wait } from 'node:timers/promises'
import { Pool, type PoolClient } from 'pg'
import { DomainError } from '../../errors.ts'
import { callSite, runCallback } from '../callback.ts'
import type { Catalog, Command, Query, Sql, SqlValue, Store, Tx } from '../index.ts'
import { limitsOf, type StoreOptions } from '../options.ts'
import { checkCount } from '../parameters.ts'
import { inspectSql, postgresSql } from '../sql-text.ts'
import { isAway, isLost, isWorthRetrying, storeAway, translate } from './errors.ts'
import { lockNumber } from './lock.ts'
import { migratePostgres } from './migrate.ts'
import { postgresTypes, postgresValue } from './values.ts'

/** Texts that are kept prepared on each connection; rarer ones are sent whole. */
const PREPARED_MAX = 300
const TEXTS_MAX = 2_000
const RETRIES = 3

const busy = (waiting: number, cause?: unknown) =>
  new DomainError('unavailable', `${waiting} reads and writes are waiting for the store already`, {
    remedy: 'Try again in a moment.',
    cause,
  })
/** The same on both databases: on SQLite a command runs in another thread. */
const notInCommands = () => {
  throw new Error('a command cannot wait for its commit: it runs beside the database')
}
const closedStore = () => new DomainError('unavailable', 'the store is closed')

interface Text {
  text: string
  parameters: number
  name: string | undefined
}

/**
 * The store over PostgreSQL. Writes run READ COMMITTED: a statement after `tx.lock` sees what the lock's last holder
 * committed, which no snapshot taken before the wait could.
 */
export async function openPostgres(options: StoreOptions): Promise<Store> {
  const limits = limitsOf(options)
  const { log } = options
  const pool = new Pool({
    connectionString: options.url,
    max: limits.connections_max,
    connectionTimeoutMillis: limits.connect_ms_max,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'slipway',
    statement_timeout: limits.query_ms_max,
    // For a server that hangs: it cannot time its statements.
    query_timeout: limits.query_ms_max + 1_000,
    idle_in_transaction_session_timeout: limits.query_ms_max,
    types: postgresTypes as never,
  })
  // A connection that dies while idle is replaced by the next that is needed.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection to the store was lost'))

  const connect = async (): Promise<PoolClient> => {
    try {
      const client = await pool.connect()
      // Without a listener a connection that dies between two statements would end the process.
      if (client.listenerCount('error') === 0) client.on('error', () => {})
      return client
    } catch (error) {
      if (!isAway(error)) throw error
      throw pool.totalCount < limits.connections_max ? storeAway(error) : busy(pool.waitingCount, error)
    }
  }

  let begin_write = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${limits.statement_ms_max}`
  const begin_read = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'
  let catalog: Catalog = { commands: {}, queries: {} }
  try {
    const client = await connect()
    try {
      await migratePostgres(client, options.migrations, options.clock?.now() ?? Date.now())
      const { rows } = await client.query<{ commits: string; fsync: string }>(
        `SELECT current_setting('synchronous_commit') AS commits, current_setting('fsync') AS fsync`,
      )
      if (rows[0]?.commits === 'off') begin_write += '; SET LOCAL synchronous_commit = on'
      if (rows[0]?.fsync === 'off')
        log.warn('the database server runs with fsync = off: what it acknowledges may be lost in a power cut')
    } finally {
      client.release()
    }
    if (options.catalog) catalog = (await import(options.catalog.href)) as Catalog
  } catch (error) {
    await pool.end()
    throw error
  }

  const texts = new Map<string, Text>()
  let prepared = 0
  const textOf = (sql: string): Text => {
    let known = texts.get(sql)
    if (!known) {
      const name = prepared < PREPARED_MAX ? `s${++prepared}` : undefined
      known = { text: postgresSql(sql), parameters: inspectSql(sql).parameters, name }
      if (texts.size >= TEXTS_MAX) for (const [old, text] of texts) if (text.name === undefined) texts.delete(old)
      texts.set(sql, known)
    }
    return known
  }

  let open = 0
  let reading = 0
  let closed = false
  const counts = { commits: 0, retries: 0, failed: 0 }

  const execute = async (
    client: PoolClient,
    method: 'all' | 'get' | 'run',
    sql: string,
    params: readonly SqlValue[],
  ) => {
    const { text, parameters, name } = textOf(sql)
    checkCount(sql, parameters, params.length)
    const values = params.map(postgresValue)
    try {
      const result = await client.query({ text, values, ...(name !== undefined && { name }) })
      if (method === 'run') return { changes: result.rowCount ?? 0 }
      return method === 'get' ? result.rows[0] : result.rows
    } catch (error) {
      throw translate(error, sql)
    }
  }

  /** One attempt: everything of `work` or nothing. */
  const transaction = async <T>(begin: string, site: (() => string) | undefined, work: (tx: Tx) => Promise<T>) => {
    const client = await connect()
    let failed: unknown
    let lost = false
    let committing = false
    try {
      await client.query(begin).catch((error) => {
        throw translate(error, begin)
      })
      const result = await runCallback(work, {
        ...(site && { strict: site }),
        async execute(method, sql, params) {
          if (failed !== undefined)
            throw new Error('an earlier statement of this write failed, so it can only be undone', { cause: failed })
          try {
            return await execute(client, method, sql, params)
          } catch (error) {
            failed = error
            throw error
          }
        },
        async lock(parts) {
          await execute(client, 'get', 'SELECT pg_advisory_xact_lock(?)', [lockNumber(parts)])
        },
      })
      if (failed !== undefined) throw failed
      committing = true
      // Of a transaction that cannot be kept PostgreSQL says ROLLBACK, and no error.
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new Error(`the database answered ${command} to a commit: nothing was changed`)
      return result
    } catch (error) {
      const cause = failed !== undefined && isWorthRetrying(failed) ? failed : error
      lost = isLost(failed) || isLost(cause)
      if (!lost)
        await client.query('ROLLBACK').catch(() => {
          lost = true
        })
      throw committing && isLost(cause) ? storeAway(cause, true) : cause
    } finally {
      client.release(lost)
    }
  }

  const write = async <T>(work: (tx: Tx) => Promise<T>, site = callSite(write)): Promise<T> => {
    if (closed) throw closedStore()
    if (open >= limits.queue_max) throw busy(open)
    open++
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          const { value, afterCommit } = await transaction(begin_write, site, work)
          counts.commits++
          for (const callback of afterCommit)
            try {
              callback()
            } catch (error) {
              log.error({ err: error }, 'what should run after a commit failed')
            }
          return value
        } catch (error) {
          if (!isWorthRetrying(error)) throw error
          if (attempt === RETRIES)
            throw new DomainError('unavailable', 'others were changing the same things, again and again', {
              remedy: 'Try again in a moment.',
              cause: error,
            })
          counts.retries++
          await wait(Math.random() * 10 * 2 ** attempt)
        }
      }
    } catch (error) {
      counts.failed++
      throw error
    } finally {
      open--
    }
  }

  const read = async <T>(work: (sql: Sql) => Promise<T>, site?: () => string): Promise<T> => {
    if (closed) throw closedStore()
    if (reading >= limits.reads_max) throw busy(reading)
    reading++
    try {
      return (await transaction(begin_read, site, work)).value
    } finally {
      reading--
    }
  }

  return {
    can: { manyWriters: true, skipLocked: true },
    write,
    read,
    async command<T>(name: string, input: unknown) {
      const command = catalog.commands[name] as Command<unknown, T> | undefined
      if (!command) throw new Error(`no command ${name}`)
      return write(
        (tx) => command({ ...tx, afterCommit: notInCommands }, input),
        () => `command ${name}`,
      )
    },
    async query<T>(name: string, input: unknown) {
      const query = catalog.queries[name] as Query<unknown, T> | undefined
      if (!query) throw new Error(`no query ${name}`)
      return read(
        (sql) => query(sql, input),
        () => `query ${name}`,
      )
    },
    // A commit is seen by others only after it is durable.
    async barrier() {},
    async stats() {
      return {
        kind: 'postgres',
        ...counts,
        open_writes: open,
        reads: reading,
        connections: pool.totalCount,
        waiting: pool.waitingCount,
      }
    },
    async close() {
      if (closed) return
      closed = true
      await pool.end()
    },
  }
}
