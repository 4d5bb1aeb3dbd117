import type { Clock } from '../clock.ts'
import { DomainError, type Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { Tx } from '../store/index.ts'
import type { Job, JobKind, JobState } from './index.ts'
import { endJob, type JobRow, putBack, toJob } from './job-store.ts'

const BACKOFF_MS_MAX = 5 * 60_000
/** Times that a worker may die over a job before the job is held to be the cause. */
export const LOSSES_MAX = 5
const ERROR_LENGTH_MAX = 4_000

/** Trying again may help against these, and against errors that nobody foresaw; never against the other problems. */
const PASSING: readonly Problem[] = ['internal', 'unavailable', 'too-many', 'storage-full', 'conflict']

export type AnyKind = JobKind<unknown, unknown>

export interface EndingDeps {
  kinds: ReadonlyMap<string, AnyKind>
  clock: Clock
  random: Random
  log: Log
  onEnded(kind: string, state: JobState): void
}

export const toError = (error: unknown): { problem: string; message: string } => ({
  problem: error instanceof DomainError ? error.problem : 'internal',
  message: (error instanceof Error ? error.message : String(error)).replaceAll('\0', '').slice(0, ERROR_LENGTH_MAX),
})

/** What becomes of a job that did not succeed. Every function works in the caller's transaction, which holds the job. */
export function createEndings({ kinds, clock, random, log, onEnded }: EndingDeps) {
  const giveUp = async (tx: Tx, row: JobRow, state: 'failed' | 'cancelled', error?: Job['error']): Promise<void> => {
    const now_ms = clock.now()
    if (!(await endJob(tx, row, { state, now_ms, ...(error && { error }) }))) return
    const job = toJob({ ...row, state, ended_ms: now_ms, error: error ? JSON.stringify(error) : row.error })
    await kinds.get(row.kind)?.onGivenUp?.(tx, job)
    tx.afterCommit(() => {
      onEnded(row.kind, state)
      log.warn(
        { job: row.id, kind: row.kind, workspace: row.workspace, attempt: row.attempt, error },
        `job ${row.kind} ${state}`,
      )
    })
  }

  return {
    giveUp,

    async failed(tx: Tx, row: JobRow, error: unknown): Promise<void> {
      const final = error instanceof DomainError && !PASSING.includes(error.problem)
      if (final || row.attempt >= row.attempts_max) return giveUp(tx, row, 'failed', toError(error))
      const base_ms = kinds.get(row.kind)?.backoff_ms ?? 1_000
      const wait_ms = Math.min(base_ms * 2 ** (row.attempt - 1), BACKOFF_MS_MAX) * (0.5 + random.next() / 2)
      await putBack(tx, row, { ...row, run_at_ms: Math.ceil(clock.now() + wait_ms), error: toError(error) })
      tx.afterCommit(() =>
        log.warn(
          { err: error, job: row.id, kind: row.kind, workspace: row.workspace, attempt: row.attempt },
          `job ${row.kind} failed and is tried again`,
        ),
      )
    },

    /** Its worker died or was cut off: not counted as an attempt, yet not for ever. It keeps its place in the queue. */
    async lost(tx: Tx, row: JobRow): Promise<void> {
      const losses = row.losses + 1
      if (row.cancel_asked) return giveUp(tx, row, 'cancelled')
      if (losses >= LOSSES_MAX) {
        const message = `the process that ran it ended ${losses} times before the job did`
        return giveUp(tx, row, 'failed', { problem: 'unavailable', message })
      }
      await putBack(tx, row, { attempt: row.attempt - 1, losses, run_at_ms: row.run_at_ms })
    },

    /** Given back by a worker that stops: as if it had not been taken. */
    async returned(tx: Tx, row: JobRow): Promise<void> {
      if (row.cancel_asked) return giveUp(tx, row, 'cancelled')
      await putBack(tx, row, { attempt: row.attempt - 1, losses: row.losses, run_at_ms: row.run_at_ms })
    },
  }
}

export type Endings = ReturnType<typeof createEndings>
