import type { Clock } from '../clock.ts'
import { type Permission, ruleWho } from '../http/who.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import { placeholders, type Store } from '../store/index.ts'
import type { EventRecord, Handler } from './index.ts'
import { EVENT_COLUMNS, type EventRow, toEvent } from './rows.ts'

/** After this many failures a delivery is parked as dead and the order goes on: one bad event must not stop a subscriber for ever. */
export const FAILURES_MAX = 20
const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 60_000
const BATCH = 50
const ERROR_LENGTH_MAX = 1_000
/** Workspaces that one query leaves out while they back off. */
const BLOCKED_NAMED_MAX = 200

export interface Reaction {
  type: string
  rights: readonly Permission[]
  handler: Handler<unknown>
}

interface DeliveryRow extends EventRow {
  due_ms: number
  attempts: number
}

export interface DeliveryDeps {
  store: Store
  clock: Clock
  random: Random
  log: Log
  onDead(subscriber: string): void
}

/**
 * Delivers one subscriber's events, in order within each workspace. The delivery row goes in the handler's own transaction, so what
 * a handler writes happens exactly once. A failing event delays its subscriber in its workspace alone.
 */
export function createDelivery(subscriber: string, reactions: readonly Reaction[], deps: DeliveryDeps) {
  const { store, clock, random, log } = deps
  const blocked = new Map<string, number>()

  const batch = (workspaces: readonly string[]) =>
    store.read((sql) =>
      sql.all<DeliveryRow>(
        `SELECT ${EVENT_COLUMNS}, d.due_ms, d.attempts FROM event_delivery d JOIN event e ON e.seq = d.seq
         WHERE d.subscriber = ? AND d.state = 'waiting' ${workspaces.length ? `AND d.workspace NOT IN ${placeholders(workspaces)}` : ''}
         ORDER BY d.seq LIMIT ${BATCH}`,
        [subscriber, ...workspaces],
      ),
    )

  const fail = async (row: DeliveryRow, error: unknown): Promise<void> => {
    const attempts = row.attempts + 1
    const dead = attempts >= FAILURES_MAX
    const wait_ms = Math.min(BACKOFF_MS_MIN * 2 ** (attempts - 1), BACKOFF_MS_MAX) * (0.5 + random.next() / 2)
    const due_ms = Math.ceil(clock.now() + wait_ms)
    const what = { err: error, subscriber, event: row.name, seq: row.seq, workspace: row.workspace, attempts }
    const text = (error instanceof Error ? error.message : String(error))
      .replaceAll('\0', '')
      .slice(0, ERROR_LENGTH_MAX)
    await store.write(async (tx) => {
      await tx.run(
        `UPDATE event_delivery SET attempts = ?, due_ms = ?, last_error = ?, state = ?
         WHERE workspace = ? AND subscriber = ? AND seq = ? AND attempts = ?`,
        [attempts, due_ms, text, dead ? 'dead' : 'waiting', row.workspace, subscriber, row.seq, row.attempts],
      )
    })
    if (dead) {
      log.error(what, `event ${row.name} could not be delivered to ${subscriber} and is parked; later events go on`)
      deps.onDead(subscriber)
    } else {
      log.warn(what, `event ${row.name} failed at ${subscriber} and is tried again`)
      blocked.set(row.workspace, due_ms)
    }
  }

  const deliver = async (row: DeliveryRow): Promise<boolean> => {
    const event: EventRecord = toEvent(row)
    const wanted = reactions.filter(({ type }) => type === '*' || type === row.name)
    let thrown: { error: unknown } | undefined
    try {
      return await store.write(async (tx) => {
        thrown = undefined
        // One process at a time on PostgreSQL; another may have delivered it, or met a failure, since it was read.
        await tx.lock('event-delivery', subscriber, row.workspace)
        const { changes } = await tx.run(
          `DELETE FROM event_delivery WHERE workspace = ? AND subscriber = ? AND seq = ? AND state = 'waiting' AND attempts = ?`,
          [row.workspace, subscriber, row.seq, row.attempts],
        )
        if (changes === 0) return false
        try {
          for (const { handler, rights } of wanted) await handler(tx, ruleWho(row.workspace, subscriber, rights), event)
        } catch (error) {
          thrown = { error }
          throw error
        }
        return true
      })
    } catch (error) {
      // The store's own trouble (away, full) is nobody's failure: the event waits without a mark against it.
      if (!thrown) throw error
      await fail(row, thrown.error)
      return true
    }
  }

  return {
    /** Works off what waits and is due; `going()` turns false to stop between two events. */
    async run(going: () => boolean): Promise<void> {
      for (;;) {
        const now = clock.now()
        for (const [workspace, until] of blocked) if (until <= now) blocked.delete(workspace)
        const rows = await batch([...blocked.keys()].slice(0, BLOCKED_NAMED_MAX))
        let moved = false
        const skip = new Set<string>()
        for (const row of rows) {
          if (!going()) return
          if (blocked.has(row.workspace) || skip.has(row.workspace)) continue
          if (row.due_ms > clock.now()) blocked.set(row.workspace, row.due_ms)
          else if (await deliver(row)) moved = true
          // Another process changed it under us: look again before going past it.
          else skip.add(row.workspace)
        }
        if (!moved && skip.size === 0) return
      }
    },
    /** Nothing is due before this time; undefined when nothing is held back. */
    blockedUntil: (): number | undefined => (blocked.size === 0 ? undefined : Math.min(...blocked.values())),
  }
}

export type Delivery = ReturnType<typeof createDelivery>
