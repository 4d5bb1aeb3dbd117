import type { Row, Sql, SqlValue, Tx } from '../index.ts'
import type { Connection, Method } from './connection.ts'

/** SQL that runs at once on a connection of this thread, for commands and queries. */
export interface ThreadSql {
  tx: Tx
  /** The first statement that failed: after it the whole piece of work can only fail. */
  readonly failed: unknown
  close(): void
}

const AFTER_FAILURE = 'an earlier statement of this write failed, so it can only be undone'
export const USED_AFTER_END = 'tx was used after its work had ended'

export function threadSql(connection: Connection): ThreadSql {
  let failed: unknown
  let open = true
  const run = async <T>(method: Method, sql: string, params: readonly SqlValue[] = []): Promise<T> => {
    if (!open) throw new Error(USED_AFTER_END)
    if (failed !== undefined) throw new Error(AFTER_FAILURE, { cause: failed })
    try {
      return connection.execute(method, sql, params) as T
    } catch (error) {
      failed = error
      throw error
    }
  }
  const tx: Tx = {
    all: <R = Row>(sql: string, params?: readonly SqlValue[]) => run<R[]>('all', sql, params),
    get: <R = Row>(sql: string, params?: readonly SqlValue[]) => run<R | undefined>('get', sql, params),
    run: (sql, params) => run<{ changes: number }>('run', sql, params),
    lock: async () => {},
    afterCommit() {
      throw new Error('a command cannot wait for its commit: it runs beside the database')
    },
  }
  return {
    tx,
    get failed() {
      return failed
    },
    close() {
      open = false
    },
  }
}

export const afterFailure = (failed: unknown) => new Error(AFTER_FAILURE, { cause: failed })

/**
 * Awaits work that may await nothing but its `tx`, whose methods resolve at once: such work ends within the microtasks of
 * this turn, so whatever is still open when the turn is over awaits something else.
 */
export const settle = <T>(work: Promise<T>, name: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = setImmediate(() => reject(new Error(`${name} awaits something other than its tx`)))
    work.then(
      (value) => {
        clearImmediate(late)
        resolve(value)
      },
      (error) => {
        clearImmediate(late)
        reject(error)
      },
    )
  })

export type AnyWork = (sql: Sql, input: unknown) => Promise<unknown>
