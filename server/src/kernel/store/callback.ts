import type { Row, SqlValue, Tx } from './index.ts'

// Taken when loaded: a test that puts fake timers in place must not stop the store.
const soon = setImmediate

export type Execute = (method: 'all' | 'get' | 'run', sql: string, params: readonly SqlValue[]) => Promise<unknown>

interface CallbackOptions {
  execute: Execute
  lock(parts: readonly string[]): Promise<void>
  /** Names the work that awaits anything but `tx`, which then fails; for writes, which hold up others. */
  strict?: () => string
}

/** Whose write it is, by who called `below`: `the write of folder/file.ts:12`. Reads the stack only when asked. */
export function callSite(below: (...args: never[]) => unknown): () => string {
  const at: { stack?: string } = {}
  Error.captureStackTrace(at, below)
  return () => `the write of ${/([^/\s(]+\/[^/\s]+:\d+):\d+\)?$/m.exec(at.stack ?? '')?.[1] ?? 'an unknown place'}`
}

/**
 * Runs one callback over `tx`. Resolves when the work and all its statements have ended; `tx` is useless afterwards. With `strict` the work must
 * always have a statement under way: when a turn of the event loop is over and none is, it awaits something else
 * (a timer, the network, another write), which would hold up everybody behind it, so it fails.
 */
export async function runCallback<T>(
  work: (tx: Tx) => Promise<T>,
  { execute, lock, strict }: CallbackOptions,
): Promise<{ value: T; afterCommit: (() => void)[] }> {
  let open = true
  let under_way = 0
  const statements = new Set<Promise<unknown>>()
  const afterCommit: (() => void)[] = []
  const foreign = Promise.withResolvers<never>()
  const check = () => {
    if (!strict) return
    soon(() => {
      if (open && under_way === 0)
        foreign.reject(
          new Error(`${strict()} awaits something other than its tx: do that before it, after it, or in a job`),
        )
    })
  }
  const counted = async <R>(run: () => Promise<unknown>): Promise<R> => {
    if (!open) throw new Error('tx was used after its work had ended')
    under_way++
    const statement = run()
    statements.add(statement)
    try {
      return (await statement) as R
    } finally {
      statements.delete(statement)
      under_way--
      check()
    }
  }
  const tx: Tx = {
    all: <R = Row>(sql: string, params: readonly SqlValue[] = []) => counted<R[]>(() => execute('all', sql, params)),
    get: <R = Row>(sql: string, params: readonly SqlValue[] = []) =>
      counted<R | undefined>(() => execute('get', sql, params)),
    run: (sql, params = []) => counted<{ changes: number }>(() => execute('run', sql, params)),
    lock: (...parts) => counted<void>(() => lock(parts)),
    afterCommit(callback) {
      if (!open) throw new Error('tx was used after its work had ended')
      afterCommit.push(callback)
    },
  }
  check()
  try {
    const value = await Promise.race([work(tx), foreign.promise])
    open = false
    // What the work did not wait for decides too whether all of it can be kept.
    await Promise.allSettled(statements)
    return { value, afterCommit }
  } finally {
    open = false
  }
}
