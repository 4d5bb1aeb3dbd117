import { isAbsolute } from 'node:path'
import { DomainError } from '../../errors.ts'
import { callSite, type Execute, runCallback } from '../callback.ts'
import type { Store, Tx } from '../index.ts'
import { limitsOf, type StoreOptions } from '../options.ts'
import type { ReaderData, WriterData } from './protocol.ts'
import { createReaders } from './readers.ts'
import { startThread } from './thread.ts'

const RESTART_MS = 50
const RESTART_MS_MAX = 10_000

/** The store over one SQLite file. The folder must be there. */
export async function openSqlite(path: string, options: StoreOptions): Promise<Store> {
  if (!isAbsolute(path)) throw new Error(`the store's path must be absolute: ${path}`)
  const limits = limitsOf(options)
  const { log } = options
  const catalog = options.catalog?.href
  const data: WriterData = {
    path,
    migrations: options.migrations.map(({ owner, dir }) => ({ owner, dir: dir.href })),
    catalog,
    limits,
    now_ms: options.clock?.now() ?? Date.now(),
  }
  let closed = false
  const start = async () => {
    const thread = await startThread({
      entry: new URL('./writer-thread.ts', import.meta.url),
      name: 'store-writer',
      data,
      heap_mb: limits.thread_heap_mb,
      log,
    })
    void thread.lost.then(restart)
    return thread
  }
  /** Until another thread runs, writes are answered 'unavailable' at once. What the lost one had committed is synced by the new one's start. */
  const restart = async (error: Error) => {
    for (let wait_ms = RESTART_MS; !closed; wait_ms = Math.min(wait_ms * 2, RESTART_MS_MAX)) {
      log.error({ err: error, wait_ms }, 'the writer thread of the store ended; starting another')
      await new Promise((resolve) => setTimeout(resolve, wait_ms))
      try {
        writer = await start()
        return
      } catch (again) {
        error = again as Error
      }
    }
  }
  let writer = await start()
  const readers = createReaders({ data: { path, catalog, limits } satisfies ReaderData, limits, log })

  let next_id = 1
  let waiting_bytes = 0
  /** Writes that have not been answered. */
  let open = 0
  const callbacks: (() => Promise<void>)[] = []
  let callback_runs = false

  const admit = (bytes: number) => {
    if (closed) throw new DomainError('unavailable', 'the store is closed')
    if (open >= limits.queue_max || waiting_bytes + bytes > limits.queue_bytes_max)
      throw new DomainError('unavailable', `${open} writes are waiting already`, { remedy: 'Try again in a moment.' })
    open++
    waiting_bytes += bytes
    return () => {
      open--
      waiting_bytes -= bytes
    }
  }

  const nextCallback = async () => {
    if (callback_runs) return
    callback_runs = true
    for (let next = callbacks.shift(); next; next = callbacks.shift()) await next()
    callback_runs = false
  }

  /** One callback: its statements go to the writer as they come. `ended` resolves when the next callback may begin. */
  const runWrite = async <T>(work: (tx: Tx) => Promise<T>, site: () => string, ended: () => void): Promise<T> => {
    const id = next_id++
    // A callback stays with the thread that it began with.
    const thread = writer
    let seq = 0
    let done: Promise<unknown> | undefined
    /** Set when the writer gave the write up by itself: nothing more is sent for it. */
    let given_up: unknown
    const execute: Execute = (method, sql, params) => {
      if (given_up !== undefined) return Promise.reject(given_up)
      const answer = thread.statement({ kind: 'statement', id, seq: seq++, method, sql, params })
      if (!done) {
        done = thread.expect(id)
        done.catch((error) => {
          given_up = error
        })
      }
      return answer
    }
    const finish = async (keep: boolean) => {
      if (done) thread.tell({ kind: 'end', id, keep })
      ended()
      await done
    }
    let result: { value: T; afterCommit: (() => void)[] }
    try {
      result = await runCallback(work, { execute, lock: async () => {}, strict: site })
    } catch (error) {
      await finish(false).catch(() => {})
      throw named(error, site)
    }
    await finish(true).catch((error) => {
      throw named(error, site)
    })
    for (const callback of result.afterCommit)
      try {
        callback()
      } catch (error) {
        log.error({ err: error }, 'what should run after a commit failed')
      }
    return result.value
  }

  const write = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const leave = admit(0)
    const site = callSite(write)
    return new Promise<T>((resolve, reject) => {
      callbacks.push(() => new Promise((ended) => runWrite(work, site, ended).then(resolve, reject).finally(leave)))
      void nextCallback()
    })
  }

  return {
    can: { manyWriters: false, skipLocked: false },
    write,
    async command<T>(name: string, input: unknown) {
      const leave = admit(bytesOf(input))
      try {
        return (await writer.ask({ kind: 'call', id: next_id++, name, input })) as T
      } finally {
        leave()
      }
    },
    read: (work) => readers.read(work),
    query: (name, input) => readers.query(name, input),
    async barrier() {
      // Every commit that is not yet durable belongs to a write that is not yet answered.
      if (open > 0) await writer.ask({ kind: 'barrier', id: next_id++ })
    },
    async stats() {
      const value = (await writer.ask({ kind: 'stats', id: next_id++ })) as Record<string, number>
      return { kind: 'sqlite', ...value, open_writes: open, waiting_bytes, ...readers.stats() }
    },
    async close() {
      if (closed) return
      closed = true
      while (open > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await readers.stop()
      await writer.stop()
    },
  }
}

/** The writer knows that a write was open for too long; only this side knows whose it was. */
const named = (error: unknown, site: () => string) =>
  error instanceof DomainError && error.facts?.open_ms_max !== undefined
    ? new DomainError('unavailable', `${site()} was ${error.message}`, {
        remedy: 'Try again; if it happens again, make the change in smaller parts.',
        cause: error,
      })
    : error

/** Raw bodies count; small plain data does not. */
function bytesOf(input: unknown): number {
  if (input instanceof Uint8Array) return input.byteLength
  let bytes = 0
  if (typeof input === 'object' && input !== null)
    for (const value of Object.values(input)) if (value instanceof Uint8Array) bytes += value.byteLength
  return bytes
}
