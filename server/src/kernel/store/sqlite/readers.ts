import { DomainError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { runCallback } from '../callback.ts'
import type { Sql } from '../index.ts'
import type { StoreLimits } from '../options.ts'
import type { ReaderData, Request } from './protocol.ts'
import { startThread, type Thread } from './thread.ts'

export interface Readers {
  read<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  query<T>(name: string, input: unknown): Promise<T>
  stats(): Record<string, number>
  stop(): Promise<void>
}

interface Reader {
  thread: Promise<Thread>
  /** Queries and snapshots under way. */
  busy: number
  /** Queries alone: they hold the thread. */
  queries: number
  idle: NodeJS.Timeout | undefined
  /** A statement was given up there. SQLite cannot be interrupted from here, so nothing more is sent. */
  stuck: boolean
}

const IDLE_MS = 30_000

/** Reader threads, started when first needed: the second one when a query holds the first. */
export function createReaders({ data, limits, log }: { data: ReaderData; limits: StoreLimits; log: Log }): Readers {
  const readers: Reader[] = []
  let next_id = 1
  let reading = 0
  let stopped = false

  const start = () => {
    const reader: Reader = {
      thread: startThread({
        entry: new URL('./reader-thread.ts', import.meta.url),
        name: 'store-reader',
        data,
        heap_mb: limits.thread_heap_mb,
        log,
      }),
      busy: 0,
      queries: 0,
      idle: undefined,
      stuck: false,
    }
    reader.thread.then(
      async (thread) => {
        log.error({ err: await thread.lost }, 'a reader thread of the store ended; the next read starts another')
        remove(reader)
      },
      () => remove(reader),
    )
    readers.push(reader)
    return reader
  }

  const remove = (reader: Reader) => {
    clearTimeout(reader.idle)
    const at = readers.indexOf(reader)
    if (at >= 0) readers.splice(at, 1)
  }

  const end = (reader: Reader) => {
    remove(reader)
    reader.thread
      .then((thread) => thread.stop())
      .catch((error) => log.error({ err: error }, 'a reader thread of the store did not stop'))
  }

  /** A stuck thread ends when its statement does; a second one that nobody has needed for a while gives its memory back. */
  const rest = (reader: Reader) => {
    if (reader.busy > 0 || stopped) return
    if (reader.stuck) return end(reader)
    reader.idle = setTimeout(() => {
      if (reader.busy === 0 && readers.length > 1) end(reader)
    }, IDLE_MS).unref()
  }

  /** Snapshots share a thread well; behind a query nobody knows how long it takes, so a new thread is started instead. */
  const pick = () => {
    const free = readers.filter((reader) => !reader.stuck)
    const load = (reader: Reader) => reader.queries * 1_000 + reader.busy
    const best = free.reduce<Reader | undefined>((a, b) => (a && load(a) <= load(b) ? a : b), undefined)
    if (best && (best.queries === 0 || free.length >= limits.readers)) return best
    if (!best && readers.length >= limits.readers * 2) throw busy('the readers are held by queries that take too long')
    return start()
  }

  const busy = (why: string) =>
    new DomainError('unavailable', why, { remedy: 'Try again in a moment, or ask for less.' })

  const within = async <T>(queries: 0 | 1, use: (reader: Reader, thread: Thread) => Promise<T>): Promise<T> => {
    if (stopped) throw new DomainError('unavailable', 'the store is closed')
    if (reading >= limits.reads_max) throw busy(`${reading} reads are waiting already`)
    const reader = pick()
    reading++
    reader.busy++
    reader.queries += queries
    clearTimeout(reader.idle)
    try {
      return await use(reader, await reader.thread)
    } finally {
      reading--
      reader.busy--
      reader.queries -= queries
      rest(reader)
    }
  }

  const timed = async <T>(work: Promise<T>, limit_ms: number, late: () => Error): Promise<T> => {
    let timer: NodeJS.Timeout | undefined
    try {
      return await Promise.race([
        work,
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(late()), limit_ms)
        }),
      ])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    read: (work) =>
      within(0, async (reader, thread) => {
        const id = next_id++
        let seq = 0
        let under_way = 0
        let over = false
        const running = runCallback(work, {
          execute: (method, sql, params) => {
            if (over) return Promise.reject(new Error('the read has ended'))
            under_way++
            return thread
              .statement({ kind: 'statement', id, seq: seq++, method, sql, params } satisfies Request)
              .finally(() => under_way--)
          },
          lock: async () => {},
        })
        try {
          const { value } = await timed(running, limits.read_ms_max, () => {
            reader.stuck ||= under_way > 0
            return busy(`a read was open for more than ${limits.read_ms_max} ms`)
          })
          return value
        } finally {
          over = true
          thread.forget(id)
          if (seq > 0) thread.tell({ kind: 'end', id })
        }
      }),
    query: <T>(name: string, input: unknown) =>
      within(1, async (reader, thread) => {
        const asked = thread.ask({ kind: 'call', id: next_id++, name, input }) as Promise<T>
        return timed(asked, limits.query_ms_max, () => {
          reader.stuck = true
          return busy(`query ${name} took more than ${limits.query_ms_max} ms`)
        })
      }),
    stats: () => ({ readers: readers.length, reads: reading }),
    async stop() {
      stopped = true
      await Promise.all(readers.map(async ({ thread }) => (await thread).stop()))
    },
  }
}
