import type { Clock } from '../clock.ts'
import { conflict, DomainError } from '../errors.ts'
import type { Subject } from '../events/index.ts'
import { type MigrationSource, placeholders, type Sql, type Tx } from '../store/index.ts'
import type { Hold, Holds } from './index.ts'

export const holdsMigrations: MigrationSource = { owner: 'holds', dir: new URL('./migrations/', import.meta.url) }

/** Holders that one refusal names; more are counted. */
const HOLDERS_NAMED_MAX = 5
/** Holders that one listing answers. A subject with more is held all the same. */
const HOLDERS_MAX = 1_000

/** Subjects of one change: each is a lock of its own on PostgreSQL, whose lock table is bounded. */
const SUBJECTS_MAX = 1_000
const IDS_IN_ONE_STATEMENT = 200

const COLUMNS = 'workspace, subject_kind, subject_id, by_kind, by_id, reason, placed_ms'

interface HoldRow {
  workspace: string
  subject_kind: Subject['kind']
  subject_id: string
  by_kind: Subject['kind']
  by_id: string
  reason: string
  placed_ms: number
}

const toHold = (row: HoldRow): Hold => ({
  workspace: row.workspace,
  subject: { kind: row.subject_kind, id: row.subject_id },
  by: { kind: row.by_kind, id: row.by_id },
  reason: row.reason,
  placed_ms: row.placed_ms,
})

const lockSubject = (tx: Tx, workspace: string, subject: Subject) =>
  tx.lock('hold', workspace, subject.kind, subject.id)

/** One order for everybody, so that two deletes over the same subjects never wait for each other. */
const inLockOrder = (subjects: readonly Subject[]): Subject[] =>
  [...new Map(subjects.map((subject) => [`${subject.kind}\n${subject.id}`, subject]))]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, subject]) => subject)

export function createHolds({ clock }: { clock: Clock }): Holds {
  const on = async (sql: Sql, workspace: string, subject: Subject): Promise<Hold[]> => {
    const rows = await sql.all<HoldRow>(
      `SELECT ${COLUMNS} FROM hold
       WHERE workspace = ? AND subject_kind = ? AND subject_id = ?
       ORDER BY placed_ms, by_kind, by_id LIMIT ${HOLDERS_MAX}`,
      [workspace, subject.kind, subject.id],
    )
    return rows.map(toHold)
  }

  const heldAmong = async (sql: Sql, workspace: string, subjects: readonly Subject[]): Promise<Hold[]> => {
    const rows: HoldRow[] = []
    for (const kind of new Set(subjects.map((subject) => subject.kind))) {
      const ids = subjects.filter((subject) => subject.kind === kind).map((subject) => subject.id)
      for (let from = 0; from < ids.length; from += IDS_IN_ONE_STATEMENT) {
        const some = ids.slice(from, from + IDS_IN_ONE_STATEMENT)
        rows.push(
          ...(await sql.all<HoldRow>(
            `SELECT ${COLUMNS} FROM hold WHERE workspace = ? AND subject_kind = ? AND subject_id IN ${placeholders(some)}
             ORDER BY placed_ms, by_kind, by_id LIMIT ${HOLDERS_MAX}`,
            [workspace, kind, ...some],
          )),
        )
      }
    }
    return rows.map(toHold)
  }

  return {
    async place(tx, workspace, subject, by, reason) {
      await lockSubject(tx, workspace, subject)
      await tx.run(
        `INSERT INTO hold (workspace, subject_kind, subject_id, by_kind, by_id, reason, placed_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        [workspace, subject.kind, subject.id, by.kind, by.id, reason, clock.now()],
      )
    },

    async release(tx, workspace, by) {
      await tx.run('DELETE FROM hold WHERE workspace = ? AND by_kind = ? AND by_id = ?', [workspace, by.kind, by.id])
    },

    on,

    async refuseIfHeld(tx, workspace, subjects, what) {
      const ordered = inLockOrder(subjects)
      if (ordered.length > SUBJECTS_MAX) {
        throw new DomainError(
          'too-large',
          `cannot ${what}: it would check ${ordered.length} things for holders at once`,
          {
            remedy: `change at most ${SUBJECTS_MAX} things in one call`,
          },
        )
      }
      for (const subject of ordered) await lockSubject(tx, workspace, subject)
      const holds = await heldAmong(tx, workspace, ordered)
      if (holds.length === 0) return
      const named = [...new Set(holds.map((hold) => hold.reason))]
      const rest = named.length - HOLDERS_NAMED_MAX
      const because = named.slice(0, HOLDERS_NAMED_MAX).join('; ') + (rest > 0 ? `; and ${rest} more` : '')
      throw conflict(`cannot ${what}: ${because}`, {
        remedy: 'let the holders go first: roll back or supersede the release that stands on it',
        facts: {
          holders: holds.slice(0, 20).map(({ subject, by, reason }) => ({ subject, by, reason })),
          holders_count: holds.length,
        },
      })
    },
  }
}
