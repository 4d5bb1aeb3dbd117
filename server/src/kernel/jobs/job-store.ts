import type { Subject } from '../events/index.ts'
import type { Who } from '../http/who.ts'
import { isTrue, json, parseJson, type Row, type Sql, type SqlValue, type Tx } from '../store/index.ts'
import type { Enqueue, Job, JobState } from './index.ts'

/** SQL of jobs, and nothing else: no rule about when a job is tried again or given up. */
export interface JobRow extends Row {
  workspace: string
  id: string
  kind: string
  input: string
  who: string
  subject_kind: string | null
  subject_id: string | null
  state: string
  attempt: number
  attempts_max: number
  losses: number
  cancel_asked: number
  lease: number
  lease_until_ms: number
  progress: number | null
  note: string | null
  result: string | null
  error: string | null
  created_ms: number
  run_at_ms: number
  started_ms: number | null
  ended_ms: number | null
}

const COLUMNS =
  'workspace, id, kind, input, who, subject_kind, subject_id, state, attempt, attempts_max, losses, cancel_asked, lease, lease_until_ms, progress, note, result, error, created_ms, run_at_ms, started_ms, ended_ms'

export const LIST_MAX = 1_000

export const toJob = (row: JobRow): Job => ({
  id: row.id,
  workspace: row.workspace,
  kind: row.kind,
  input: JSON.parse(row.input),
  state: row.state as JobState,
  subject: row.subject_kind === null ? null : { kind: row.subject_kind as Subject['kind'], id: row.subject_id! },
  who: JSON.parse(row.who) as Who,
  attempt: row.attempt,
  attempts_max: row.attempts_max,
  cancel_asked: isTrue(row.cancel_asked),
  progress: row.progress,
  note: row.note,
  result: parseJson<unknown>(row.result, null),
  error: parseJson<Job['error']>(row.error, null),
  created_ms: row.created_ms,
  started_ms: row.started_ms,
  ended_ms: row.ended_ms,
  run_at_ms: row.run_at_ms,
})

export const openJobWithKey = async (
  tx: Tx,
  { workspace, kind, key }: { workspace: string; kind: string; key: string },
) => {
  await tx.lock('job-key', workspace, kind, key)
  const row = await tx.get<{ id: string }>('SELECT id FROM job WHERE workspace = ? AND kind = ? AND open_key = ?', [
    workspace,
    kind,
    key,
  ])
  return row?.id
}

export const insertJob = (
  tx: Tx,
  id: string,
  job: Enqueue<unknown>,
  input: string,
  attempts_max: number,
  now_ms: number,
) =>
  tx.run(
    `INSERT INTO job (workspace, id, kind, input, who, subject_kind, subject_id, open_key, state, attempts_max, created_ms, run_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)`,
    [
      job.workspace,
      id,
      job.kind,
      input,
      json(job.who),
      job.subject?.kind ?? null,
      job.subject?.id ?? null,
      job.key ?? null,
      attempts_max,
      now_ms,
      job.run_at_ms ?? now_ms,
    ],
  )

export const getJob = (sql: Sql, workspace: string, id: string) =>
  sql.get<JobRow>(`SELECT ${COLUMNS} FROM job WHERE workspace = ? AND id = ?`, [workspace, id])

/** The row as others last committed it, kept from them until the transaction ends where several processes write. */
export const lockJob = (tx: Tx, workspace: string, id: string, many_writers: boolean): Promise<JobRow | undefined> =>
  tx.get<JobRow>(`SELECT ${COLUMNS} FROM job WHERE workspace = ? AND id = ?${many_writers ? ' FOR UPDATE' : ''}`, [
    workspace,
    id,
  ])

export async function listJobs(
  sql: Sql,
  workspace: string,
  filter: { kind?: string; state?: JobState; subject?: Subject; limit: number; before_id?: string },
): Promise<JobRow[]> {
  const where = ['workspace = ?']
  const params: SqlValue[] = [workspace]
  const add = (condition: string, ...values: SqlValue[]) => {
    where.push(condition)
    params.push(...values)
  }
  if (filter.kind !== undefined) add('kind = ?', filter.kind)
  if (filter.state !== undefined) add('state = ?', filter.state)
  if (filter.subject) add('subject_kind = ? AND subject_id = ?', filter.subject.kind, filter.subject.id)
  if (filter.before_id !== undefined) add('id < ?', filter.before_id)
  const limit = Math.max(1, Math.min(filter.limit, LIST_MAX))
  return sql.all<JobRow>(`SELECT ${COLUMNS} FROM job WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ?`, [
    ...params,
    limit,
  ])
}

/** What a look at the queue finds: kinds with due work, lost and cancelled jobs, due schedules. One statement, so that idling costs little. */
export interface Found {
  what: 'due' | 'lost' | 'cancelled' | 'schedule'
  name: string
  workspace: string | null
}

export const lookAtQueue = (sql: Sql, now_ms: number) =>
  sql.all<Row & Found>(
    `SELECT 'due' AS what, kind AS name, NULL AS workspace FROM job WHERE state = 'waiting' AND run_at_ms <= ? GROUP BY kind
     UNION ALL SELECT 'lost', id, workspace FROM job WHERE state = 'running' AND lease_until_ms < ?
     UNION ALL SELECT 'cancelled', id, workspace FROM job WHERE state = 'running' AND cancel_asked = 1
     UNION ALL SELECT 'schedule', name, NULL FROM schedule WHERE next_ms <= ?`,
    [now_ms, now_ms, now_ms],
  )

/** Marks up to `count` due jobs of a kind as running, oldest first, and answers them. */
export async function takeJobs(
  tx: Tx,
  kind: string,
  count: number,
  times: { now_ms: number; lease_until_ms: number },
  skip_locked: boolean,
): Promise<JobRow[]> {
  const rows = await tx.all<JobRow>(
    `SELECT ${COLUMNS} FROM job WHERE kind = ? AND state = 'waiting' AND run_at_ms <= ?
     ORDER BY run_at_ms, id LIMIT ?${skip_locked ? ' FOR UPDATE SKIP LOCKED' : ''}`,
    [kind, times.now_ms, count],
  )
  const taken: JobRow[] = []
  for (const row of rows) {
    const next = {
      state: 'running',
      attempt: row.attempt + 1,
      lease: row.lease + 1,
      lease_until_ms: times.lease_until_ms,
      started_ms: times.now_ms,
    }
    const { changes } = await tx.run(
      `UPDATE job SET state = 'running', attempt = ?, lease = ?, lease_until_ms = ?, started_ms = ?, progress = NULL, note = NULL
       WHERE workspace = ? AND id = ? AND state = 'waiting' AND lease = ?`,
      [next.attempt, next.lease, next.lease_until_ms, next.started_ms, row.workspace, row.id, row.lease],
    )
    if (changes === 1) taken.push({ ...row, ...next, progress: null, note: null })
  }
  return taken
}

export interface Held {
  workspace: string
  id: string
  lease: number
}

/** Renews a lease. False when it is not ours any more; true locks the row until the transaction ends. */
export const renewLease = async (tx: Tx, held: Held, lease_until_ms: number): Promise<boolean> => {
  const { changes } = await tx.run(
    `UPDATE job SET lease_until_ms = ? WHERE workspace = ? AND id = ? AND lease = ? AND state = 'running'`,
    [lease_until_ms, held.workspace, held.id, held.lease],
  )
  return changes === 1
}

export const writeProgress = (tx: Tx, held: Held, share: number | null, note: string | null) =>
  tx.run('UPDATE job SET progress = ?, note = ? WHERE workspace = ? AND id = ? AND lease = ?', [
    share,
    note,
    held.workspace,
    held.id,
    held.lease,
  ])

/** A job in the state in which somebody read it: what follows from that holds for no other. */
export type Seen = Held & { state: string }

/** Ends a job for good. The key is free again. False when others changed the job since it was read. */
export const endJob = async (
  tx: Tx,
  seen: Seen,
  end: { state: JobState; result?: string; error?: Job['error']; now_ms: number },
): Promise<boolean> => {
  const { changes } = await tx.run(
    `UPDATE job SET state = ?, result = ?, error = COALESCE(?, error), ended_ms = ?, open_key = NULL, lease = lease + 1
     WHERE workspace = ? AND id = ? AND lease = ? AND state = ?`,
    [
      end.state,
      end.result ?? null,
      end.error ? json(end.error) : null,
      end.now_ms,
      seen.workspace,
      seen.id,
      seen.lease,
      seen.state,
    ],
  )
  return changes === 1
}

/** Puts a job back into the queue under a new lease number; nothing when others changed it since it was read. */
export const putBack = (
  tx: Tx,
  row: JobRow,
  back: { attempt: number; losses: number; run_at_ms: number; error?: Job['error'] },
) =>
  tx.run(
    `UPDATE job SET state = 'waiting', attempt = ?, losses = ?, run_at_ms = ?, error = COALESCE(?, error), lease = lease + 1
     WHERE workspace = ? AND id = ? AND lease = ? AND state = ?`,
    [
      back.attempt,
      back.losses,
      back.run_at_ms,
      back.error ? json(back.error) : null,
      row.workspace,
      row.id,
      row.lease,
      row.state,
    ],
  )
