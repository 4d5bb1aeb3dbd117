/** Durable work: what needs disk, network, a process or more than 20 ms, written as a row in the transaction that wants it. */
import type { Subject } from '../events/index.ts'
import type { Who } from '../http/who.ts'
import type { Log } from '../log.ts'
import type { Sql, Tx } from '../store/index.ts'

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

export interface Job<I = unknown> {
  id: string
  workspace: string
  kind: string
  input: I
  state: JobState
  /** What it is about, for pages and for finding it again. */
  subject: Subject | null
  who: Who
  attempt: number
  attempts_max: number
  /** Set when a person or a rule asked it to stop. */
  cancel_asked: boolean
  /** 0..1 and a sentence, as last reported. */
  progress: number | null
  note: string | null
  result: unknown
  error: { problem: string; message: string } | null
  created_ms: number
  started_ms: number | null
  ended_ms: number | null
  run_at_ms: number
}

export interface JobContext {
  /** Aborted on cancellation, lost lease, timeout and shut-down. */
  signal: AbortSignal
  log: Log
  /** Keeps the lease and tells people; called as often as you like, written at most once a second. */
  progress(share: number | null, note?: string): void
  /** The job's own door: checks the lease number first, so that a worker that lost its lease changes nothing. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}

export interface JobKind<I, R> {
  kind: string
  /**
   * Works outside any transaction; what it answers is kept as the result (256 kB as JSON at most). It may run more than once.
   * Errors are tried again, except DomainErrors that time does not mend (invalid, forbidden, not-found, …).
   */
  run(job: Job<I>, context: JobContext): Promise<R>
  /** Called in the transaction that ends a job for good without success, so that what waited for it learns of it. */
  onGivenUp?(tx: Tx, job: Job<I>): Promise<void>
  /** Default 3. A worker that dies does not count; five such deaths end the job. */
  attempts_max?: number
  /** Wall time of one attempt. Default one hour. */
  timeout_ms?: number
  /** How many run at once in this process. Default 2. */
  concurrency?: number
  /** First wait after a failure; doubles, with jitter, up to 5 min. Default 1 s. */
  backoff_ms?: number
}

export interface Enqueue<I> {
  kind: string
  workspace: string
  input: I
  who: Who
  subject?: Subject
  /** While a job with this key waits or runs, another is not made: its id is answered. */
  key?: string
  run_at_ms?: number
}

export interface Jobs {
  define<I, R>(kind: JobKind<I, R>): void
  enqueue<I>(tx: Tx, job: Enqueue<I>): Promise<string>
  get(sql: Sql, workspace: string, id: string): Promise<Job | undefined>
  list(
    sql: Sql,
    workspace: string,
    filter: { kind?: string; state?: JobState; subject?: Subject; limit: number; before_id?: string },
  ): Promise<Job[]>
  /** Asks it to stop: a waiting one ends at once, a running one gets its signal. */
  cancel(tx: Tx, workspace: string, id: string): Promise<void>
  /** Cron schedules (UTC unless `TZ=Europe/Berlin ` stands before the five fields), kept in the store; throws invalid for a bad one; `fire` runs once per due moment in one transaction with the mark. */
  schedule(name: string, cron: string, fire: (tx: Tx, due_ms: number) => Promise<void>): void
  unschedule(name: string): void
  start(): Promise<void>
  /** Resolves when nothing waits that is due, and nothing runs; for tests. */
  idle(): Promise<void>
  /** Stops taking, aborts what runs (it is taken again by the next start), waits up to `grace_ms`. */
  stop(grace_ms?: number): Promise<void>
}

export { nextDue } from './cron.ts'
export { createJobs, type JobsDeps, jobsMigrations } from './jobs.ts'
