import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { conflict, DomainError } from '../errors.ts'
import type { Log } from '../log.ts'
import { json, type Store, type Tx } from '../store/index.ts'
import type { AnyKind, Endings } from './endings.ts'
import type { JobContext, JobState } from './index.ts'
import { endJob, getJob, type Held, type JobRow, renewLease, toJob, writeProgress } from './job-store.ts'

/** A worker that is silent for this long has lost its job. */
export const LEASE_MS = 15_000
export const RESULT_BYTES_MAX = 256 * 1024
const TIMEOUT_MS = 60 * 60_000
const PROGRESS_EVERY_MS = 1_000
const NOTE_LENGTH_MAX = 500
/** How long a job may take to heed its signal before it is left behind. */
const HEED_MS = 10_000
/** Tries to write how a job ended; past them its lease runs out and it is taken again. */
const END_TRIES = 5

export type StopReason = 'cancelled' | 'timed-out' | 'stopping' | 'lost'

export interface Running {
  held: Held
  kind: string
  /** Aborts the job's signal; the first reason counts. */
  stop(reason: StopReason, heed_ms?: number): void
  ended: Promise<void>
}

interface Deps {
  store: Store
  clock: Clock
  log: Log
  endings: Endings
  onEnded(kind: string, state: JobState): void
}

type Outcome = { result: unknown } | { error: unknown }

const WHY: Record<StopReason, string> = {
  cancelled: 'the job was cancelled',
  'timed-out': 'the job ran over its time',
  stopping: 'the server is stopping',
  lost: 'another worker has taken the job',
}

/** Runs one taken job to its end. `ended` never rejects. */
export function runJob(row: JobRow, kind: AnyKind, { store, clock, log: parent, endings, onEnded }: Deps): Running {
  const held: Held = { workspace: row.workspace, id: row.id, lease: row.lease }
  const log = parent.child({ job: row.id, kind: row.kind, workspace: row.workspace })
  const controller = new AbortController()
  const abandoned = Promise.withResolvers<Outcome>()
  const timeout_ms = kind.timeout_ms ?? TIMEOUT_MS
  let stopped: StopReason | undefined
  let over = false

  const leave = () => abandoned.resolve({ error: controller.signal.reason })
  const stop: Running['stop'] = (reason, heed_ms = HEED_MS) => {
    if (over) return
    if (!stopped) {
      stopped = reason
      controller.abort(new DomainError('unavailable', WHY[reason]))
    }
    setTimeout(leave, heed_ms).unref()
  }

  const lease_until_ms = () => clock.now() + LEASE_MS
  const mine = async (tx: Tx) => {
    if (await renewLease(tx, held, lease_until_ms())) return true
    stop('lost')
    return false
  }

  const progress = createProgress(async (share, note) => {
    await store.write(async (tx) => {
      if (await mine(tx)) await writeProgress(tx, held, share, note)
    })
  }, log)

  const context: JobContext = {
    signal: controller.signal,
    log,
    progress: progress.report,
    write: (work) =>
      store.write(async (tx) => {
        if (await mine(tx)) return work(tx)
        throw conflict(`job ${row.id} was taken by another worker; nothing was changed`)
      }),
  }

  const attempt = async (): Promise<Outcome> => {
    try {
      controller.signal.throwIfAborted()
      return { result: await kind.run(toJob(row), context) }
    } catch (error) {
      return { error }
    }
  }

  const writeEnd = async (outcome: Outcome): Promise<void> => {
    await store.write(async (tx) => {
      if (!(await mine(tx))) return
      const now = (await getJob(tx, row.workspace, row.id))!
      if ('result' in outcome) return writeDone(tx, now, outcome.result)
      if (stopped === 'cancelled') return endings.giveUp(tx, now, 'cancelled')
      if (stopped === 'stopping') return endings.returned(tx, now)
      if (stopped === 'timed-out')
        return endings.failed(tx, now, new DomainError('unavailable', `the job ran longer than ${timeout_ms} ms`))
      return endings.failed(tx, now, outcome.error)
    })
  }

  const writeDone = async (tx: Tx, now: JobRow, value: unknown): Promise<void> => {
    const result = json(value)
    const bytes = Buffer.byteLength(result)
    if (bytes > RESULT_BYTES_MAX) {
      const message = `the job's result has ${bytes} bytes; at most ${RESULT_BYTES_MAX} are kept`
      return endings.giveUp(tx, now, 'failed', { problem: 'too-large', message })
    }
    await endJob(tx, now, { state: 'done', result, now_ms: clock.now() })
    tx.afterCommit(() => onEnded(row.kind, 'done'))
  }

  const live = async (): Promise<void> => {
    const timer = setTimeout(() => stop('timed-out'), timeout_ms)
    const outcome = await Promise.race([attempt(), abandoned.promise])
    over = true
    clearTimeout(timer)
    await progress.end()
    for (let tries = 1; stopped !== 'lost'; tries++) {
      try {
        return await writeEnd(outcome)
      } catch (error) {
        log.error({ err: error, tries }, 'the end of a job could not be written')
        if (tries === END_TRIES || stopped === 'stopping') return
        await sleep(200 * 2 ** tries)
      }
    }
  }

  if (row.cancel_asked) stop('cancelled')
  return { held, kind: row.kind, stop, ended: live() }
}

/** Progress is told often and written at most once a second; the newest wins. */
function createProgress(write: (share: number | null, note: string | null) => Promise<void>, log: Log) {
  let share: number | null = null
  let note: string | null = null
  let written_at = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let ended = false

  const flush = () => {
    timer = undefined
    written_at = performance.now()
    writing = write(share, note).catch((error) => log.warn({ err: error }, 'progress could not be written'))
  }

  return {
    report(next: number | null, text?: string): void {
      if (ended) return
      share = next === null || Number.isNaN(next) ? null : Math.min(1, Math.max(0, next))
      if (text !== undefined) note = text.replaceAll('\0', '').slice(0, NOTE_LENGTH_MAX)
      timer ??= setTimeout(flush, Math.max(0, written_at + PROGRESS_EVERY_MS - performance.now()))
    },
    /** Writes what was told last, so that a job that ends at once still shows its last word. */
    async end(): Promise<void> {
      ended = true
      if (timer) {
        clearTimeout(timer)
        flush()
      }
      await writing
    },
  }
}
