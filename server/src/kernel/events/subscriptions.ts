import { notFound } from '../errors.ts'
import type { Sql, Tx } from '../store/index.ts'

/** Where several processes share the store, a subscription that none has confirmed for this long is of a version that is gone. */
const FORGOTTEN_AFTER_MS = 24 * 60 * 60_000
const DEAD_LISTED_MAX = 200

/** A delivery that failed too often and waits for a person. */
export interface DeadDelivery {
  subscriber: string
  seq: number
  name: string
  attempts: number
  last_error: string | null
}

/** Writes who wants which type; takes out what nobody wants any more, with what waited for it. */
export async function refreshSubscriptions(
  tx: Tx,
  wanted: readonly { subscriber: string; type: string }[],
  now_ms: number,
  shared: boolean,
): Promise<void> {
  await tx.lock('event-subscriptions')
  for (const { subscriber, type } of wanted) {
    await tx.run(
      `INSERT INTO event_subscription (subscriber, type, seen_ms) VALUES (?, ?, ?)
       ON CONFLICT (type, subscriber) DO UPDATE SET seen_ms = excluded.seen_ms`,
      [subscriber, type, now_ms],
    )
  }
  const rows = await tx.all<{ subscriber: string; type: string; seen_ms: number }>(
    'SELECT subscriber, type, seen_ms FROM event_subscription',
  )
  const isWanted = new Set(wanted.map(({ subscriber, type }) => `${subscriber}\n${type}`))
  const stale = rows.filter(
    ({ subscriber, type, seen_ms }) =>
      !isWanted.has(`${subscriber}\n${type}`) && (!shared || seen_ms < now_ms - FORGOTTEN_AFTER_MS),
  )
  for (const { subscriber, type } of stale) {
    await tx.run('DELETE FROM event_subscription WHERE subscriber = ? AND type = ?', [subscriber, type])
  }
  await tx.run('DELETE FROM event_delivery WHERE subscriber NOT IN (SELECT subscriber FROM event_subscription)')
}

/** Whether all of these are written already. */
export async function hasSubscriptions(
  sql: Sql,
  wanted: readonly { subscriber: string; type: string }[],
): Promise<boolean> {
  const rows = await sql.all<{ subscriber: string; type: string }>('SELECT subscriber, type FROM event_subscription')
  const there = new Set(rows.map(({ subscriber, type }) => `${subscriber}\n${type}`))
  return wanted.every(({ subscriber, type }) => there.has(`${subscriber}\n${type}`))
}

/** Deliveries that were parked, newest first. */
export const deadDeliveries = (sql: Sql, workspace: string): Promise<DeadDelivery[]> =>
  sql.all<DeadDelivery>(
    `SELECT d.subscriber, d.seq, e.name, d.attempts, d.last_error FROM event_delivery d JOIN event e ON e.seq = d.seq
     WHERE d.workspace = ? AND d.state = 'dead' ORDER BY d.seq DESC LIMIT ${DEAD_LISTED_MAX}`,
    [workspace],
  )

/** Gives a parked delivery a fresh set of tries. Throws not-found when it is not parked. */
export async function retryDelivery(tx: Tx, workspace: string, subscriber: string, seq: number): Promise<void> {
  const { changes } = await tx.run(
    `UPDATE event_delivery SET state = 'waiting', attempts = 0, due_ms = 0
     WHERE workspace = ? AND subscriber = ? AND seq = ? AND state = 'dead'`,
    [workspace, subscriber, seq],
  )
  if (changes === 0) throw notFound(`no parked delivery of event ${seq} to ${subscriber}`)
}
