import { randomUUID } from 'node:crypto'
import { link, lstat, mkdir, rm, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { DomainError, invalid } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Answer, type Child, ProcessEnded, startChild, type Work } from './child.ts'
import type { Analytics, AnalyticsOptions, Statement } from './index.ts'
import { checkCall, TIMEOUT_DEFAULT_MS } from './limits.ts'
import { ROWS_DEFAULT } from './protocol.ts'

export interface AnalyticsSettings {
  /** For what does not fit in memory; emptied at the start and at each new process. Must be ours alone. */
  temp_dir: string
  log: Log
  /** For all calls together. 1 GiB or a quarter of the machine's, whichever is smaller. */
  memory_bytes?: number
  threads?: number
  /** Most that one call may spill to `temp_dir`. */
  temp_bytes_max?: number
  /** The process is stopped after this long without a call. */
  idle_ms?: number
  /** Calls that run at the same time; each has its share of the memory. */
  concurrency?: number
  /** Calls that wait; past that, `unavailable`. */
  waiting_max?: number
}

/** After a cancelled query has not ended in this time, the process is killed. */
const INTERRUPT_MS_MAX = 2000

interface Queued {
  work: Work
  timeout_ms: number
  signal: AbortSignal | undefined
  /** Ran beside another when the process ended: runs by itself now, so that the one at fault is known. */
  alone: boolean
  resolve(answer: Answer): void
  reject(error: unknown): void
}

export function createAnalytics(settings: AnalyticsSettings): Analytics {
  const { log, temp_dir } = settings
  const idle_ms = settings.idle_ms ?? 60_000
  const concurrency = settings.concurrency ?? 2
  const waiting_max = settings.waiting_max ?? 256
  const limits = {
    memory_bytes: Math.floor((settings.memory_bytes ?? Math.min(2 ** 30, totalmem() / 4)) / concurrency),
    threads: settings.threads ?? 2,
    temp_dir,
    temp_bytes_max: settings.temp_bytes_max ?? 8 * 2 ** 30,
  }

  const queue: Queued[] = []
  const running = new Set<Queued>()
  let child: Child | undefined
  let starting: Promise<Child> | undefined
  let idle: NodeJS.Timeout | undefined
  let stopped = false

  const start = async (): Promise<Child> => {
    await rm(temp_dir, { recursive: true, force: true })
    await mkdir(temp_dir, { recursive: true, mode: 0o700 })
    const made = await startChild(limits, log)
    child = made
    log.debug({ pid: made.pid }, 'analytics process started')
    void made.ended.then(() => {
      if (child === made) child = undefined
    })
    return made
  }

  const process = async (): Promise<Child> => {
    if (child?.alive) return child
    starting ??= start().finally(() => {
      starting = undefined
    })
    return starting
  }

  const pump = () => {
    clearTimeout(idle)
    while (queue.length > 0 && running.size < concurrency) {
      const next = queue[0]!
      if ((next.alone && running.size > 0) || [...running].some((one) => one.alone)) break
      queue.shift()
      running.add(next)
      void run(next).finally(() => {
        running.delete(next)
        pump()
      })
    }
    if (running.size === 0 && queue.length === 0 && child !== undefined) {
      idle = setTimeout(() => child?.kill(), idle_ms)
      idle.unref()
    }
  }

  const run = async (call: Queued): Promise<void> => {
    let stop: DomainError | undefined
    let ending: NodeJS.Timeout | undefined
    let timer: NodeJS.Timeout | undefined
    let cancel = (_reason: DomainError) => {}
    const onAbort = () => cancel(cancelled(call.signal))
    let beside = false
    try {
      if (call.signal?.aborted) throw cancelled(call.signal)
      const worker = await process()
      if (stopped) throw goingDown()
      beside = running.size > 1
      const { id, answer } = worker.run(call.work)
      cancel = (reason) => {
        if (stop !== undefined) return
        stop = reason
        worker.cancel(id)
        ending = setTimeout(() => worker.kill(), INTERRUPT_MS_MAX)
      }
      timer = setTimeout(
        () =>
          cancel(
            new DomainError('unavailable', `the query did not end within ${call.timeout_ms} ms`, {
              remedy: 'Ask for less at once, or allow more time.',
            }),
          ),
        call.timeout_ms,
      )
      call.signal?.addEventListener('abort', onAbort, { once: true })
      if (call.signal?.aborted) onAbort()
      call.resolve(await answer)
    } catch (error) {
      if (stop !== undefined) call.reject(stop)
      else if (!(error instanceof ProcessEnded)) call.reject(error)
      else if (stopped) call.reject(goingDown())
      else if (call.alone || !(beside || running.size > 1)) call.reject(crashed(error, call.work))
      else queue.unshift({ ...call, alone: true })
    } finally {
      clearTimeout(timer)
      clearTimeout(ending)
      call.signal?.removeEventListener('abort', onAbort)
    }
  }

  const enqueue = (
    options: AnalyticsOptions,
    statements: readonly Statement[],
    copy_to: string | null,
  ): Promise<Answer> => {
    checkCall(options, statements)
    if (stopped) throw goingDown()
    if (queue.length >= waiting_max)
      throw new DomainError('unavailable', `${queue.length} analytics queries wait already`, {
        remedy: 'Try again in a while.',
      })
    return new Promise((resolve, reject) => {
      const work: Work = {
        files: options.files ?? {},
        tables: options.tables ?? {},
        statements,
        rows_max: options.rows_max ?? ROWS_DEFAULT,
        copy_to,
      }
      const call: Queued = {
        work,
        timeout_ms: options.timeout_ms ?? TIMEOUT_DEFAULT_MS,
        signal: options.signal,
        alone: false,
        resolve,
        reject,
      }
      queue.push(call)
      // One that still waits is let go at once; one that runs is stopped by run().
      options.signal?.addEventListener(
        'abort',
        () => {
          const at = queue.findIndex((queued) => queued.resolve === resolve)
          if (at >= 0) queue.splice(at, 1)[0]!.reject(cancelled(options.signal))
        },
        { once: true },
      )
      pump()
    })
  }

  return {
    get pid() {
      return child?.pid
    },

    async query(call) {
      const { results } = await enqueue(call, [{ sql: call.sql, params: call.params ?? [] }], null)
      return results[0]!
    },

    async queries(call) {
      return (await enqueue(call, call.statements, null)).results
    },

    async copyTo(call) {
      const taken = () => new DomainError('already-exists', `'${call.to}' exists already`, { field: 'to' })
      if (await lstat(call.to).catch(() => undefined)) throw taken()
      const partial = `${call.to}.${randomUUID()}.partial`
      try {
        const { copied } = await enqueue(call, [{ sql: call.sql, params: call.params ?? [] }], partial)
        const { size } = await stat(partial)
        // Unlike a rename this never puts itself in the place of another.
        await link(partial, call.to).catch((error) => {
          throw error.code === 'EEXIST' ? taken() : error
        })
        return { rows: copied, size_bytes: size }
      } finally {
        await rm(partial, { force: true })
      }
    },

    async stop() {
      stopped = true
      clearTimeout(idle)
      for (const call of queue.splice(0)) call.reject(goingDown())
      const last = child ?? (await starting?.catch(() => undefined))
      last?.kill()
      await last?.ended
      await rm(temp_dir, { recursive: true, force: true })
    },
  }
}

const goingDown = () => new DomainError('unavailable', 'analytics is stopped')

const cancelled = (signal: AbortSignal | undefined) =>
  new DomainError('unavailable', 'the query was cancelled', { cause: signal?.reason })

/** The call that ended the process by itself. Killed from outside is most often the kernel, short of memory. */
function crashed(error: ProcessEnded, work: Work): DomainError {
  const files = Object.values(work.files).flatMap((source) => source.files)
  if (error.signal === 'SIGKILL')
    return new DomainError('unavailable', `${error.message} in the middle of this query`, {
      remedy: 'Most often the machine was out of memory: ask for less at once, or lower analytics.memory.',
    })
  return invalid(
    `this query ended the analytics process (${error.signal ?? 'exit'})${files.length > 0 ? `, reading ${some(files)}` : ''}`,
    {
      field: files.length > 0 ? 'files' : 'sql',
      remedy:
        files.length > 0
          ? 'Check that the files open where they were made, and write them again.'
          : 'Word the query in another way.',
      facts: { files: files.slice(0, 10), ...(files.length === 1 && { file: files[0] }) },
    },
  )
}

const some = (files: readonly string[]) =>
  files.length <= 3 ? files.map((file) => `'${file}'`).join(', ') : `'${files[0]}' and ${files.length - 1} more`
