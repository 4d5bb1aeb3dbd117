import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Store, Tx } from '../store/index.ts'
import { nextDue } from './cron.ts'

/** After a schedule's `fire` failed, it is left alone this long; the moment stays due. */
const RETRY_MS = 30_000

interface Entry {
  cron: string
  fire: (tx: Tx, due_ms: number) => Promise<void>
  /** Its row is written and agrees with `cron`. */
  known: boolean
  /** By the process's own timer. */
  retry_at: number
}

interface ScheduleRow {
  cron: string
  next_ms: number
}

/** Cron schedules whose next moment stands in the store: one that fell due while nobody ran fires once, late. */
export function createSchedules({ store, clock, log }: { store: Store; clock: Clock; log: Log }) {
  const entries = new Map<string, Entry>()
  const dropped = new Set<string>()

  const read = (tx: Tx, name: string) =>
    tx.get<ScheduleRow>('SELECT cron, next_ms FROM schedule WHERE name = ?', [name])

  const write = async (name: string, { cron }: Entry) =>
    store.write(async (tx) => {
      await tx.lock('schedule', name)
      const row = await read(tx, name)
      if (row?.cron === cron) return
      await tx.run(
        `INSERT INTO schedule (name, cron, next_ms) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, next_ms = excluded.next_ms`,
        [name, cron, nextDue(cron, clock.now())],
      )
    })

  const fireDue = (name: string, entry: Entry) =>
    store.write(async (tx) => {
      await tx.lock('schedule', name)
      const row = await read(tx, name)
      const now = clock.now()
      if (!row || row.next_ms > now || row.cron !== entry.cron) return
      await tx.run('UPDATE schedule SET last_ms = ?, next_ms = ? WHERE name = ?', [
        row.next_ms,
        nextDue(entry.cron, now),
        name,
      ])
      await entry.fire(tx, row.next_ms)
    })

  return {
    /** Throws invalid for a cron expression that is none. */
    add(name: string, cron: string, fire: Entry['fire']): void {
      nextDue(cron, clock.now())
      dropped.delete(name)
      entries.set(name, { cron, fire, known: false, retry_at: 0 })
    },

    remove(name: string): void {
      entries.delete(name)
      dropped.add(name)
    },

    /** Brings the rows in line with what was added and removed. */
    async settle(): Promise<void> {
      for (const name of dropped) {
        await store.write((tx) => tx.run('DELETE FROM schedule WHERE name = ?', [name]))
        dropped.delete(name)
      }
      for (const [name, entry] of entries) {
        if (entry.known) continue
        await write(name, entry)
        entry.known = true
      }
    },

    async fire(name: string): Promise<void> {
      const entry = entries.get(name)
      if (!entry || entry.retry_at > performance.now()) return
      try {
        await fireDue(name, entry)
      } catch (error) {
        entry.retry_at = performance.now() + RETRY_MS
        log.error({ err: error, schedule: name }, `schedule ${name} failed and is tried again in ${RETRY_MS / 1000} s`)
      }
    },

    /** Due and not waiting for a second try. */
    ready: (name: string): boolean => {
      const entry = entries.get(name)
      return entry !== undefined && entry.retry_at <= performance.now()
    },
  }
}
