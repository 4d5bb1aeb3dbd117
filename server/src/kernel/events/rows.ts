import { parseJson, type Row, type Sql, type SqlValue } from '../store/index.ts'
import type { EventFilter, EventRecord, Subject } from './index.ts'

export const EVENT_COLUMNS =
  'e.seq, e.workspace, e.id, e.name, e.at_ms, e.who_kind, e.who_id, e.who_name, e.behalf, e.subject_kind, e.subject_id, e.before_json, e.after_json, e.reason'

export interface EventRow extends Row {
  seq: number
  workspace: string
  id: string
  name: string
  at_ms: number
  who_kind: string
  who_id: string
  who_name: string
  behalf: string | null
  subject_kind: string
  subject_id: string
  before_json: string
  after_json: string
  reason: string | null
}

export const toEvent = (row: EventRow): EventRecord => {
  const behalf = parseJson<NonNullable<EventRecord['who']['behalf']> | null>(row.behalf, null)
  return {
    seq: row.seq,
    id: row.id,
    name: row.name,
    workspace: row.workspace,
    at_ms: row.at_ms,
    who: { kind: row.who_kind, id: row.who_id, name: row.who_name, ...(behalf && { behalf }) },
    subject: { kind: row.subject_kind as Subject['kind'], id: row.subject_id },
    before: JSON.parse(row.before_json),
    after: JSON.parse(row.after_json),
    reason: row.reason,
  }
}

export const LIST_MAX = 1_000

/** Newest first; every filter has an index that begins with the workspace. */
export async function listEvents(sql: Sql, workspace: string, filter: EventFilter): Promise<EventRecord[]> {
  const where = ['e.workspace = ?']
  const params: SqlValue[] = [workspace]
  const add = (condition: string, ...values: SqlValue[]) => {
    where.push(condition)
    params.push(...values)
  }
  if (filter.id !== undefined) add('e.id = ?', filter.id)
  if (filter.subject) add('e.subject_kind = ? AND e.subject_id = ?', filter.subject.kind, filter.subject.id)
  if (filter.name_prefix) add('e.name >= ? AND e.name < ?', filter.name_prefix, `${filter.name_prefix}\u{10ffff}`)
  if (filter.who_id !== undefined) add('e.who_id = ?', filter.who_id)
  if (filter.from_ms !== undefined) add('e.at_ms >= ?', filter.from_ms)
  if (filter.to_ms !== undefined) add('e.at_ms < ?', filter.to_ms)
  if (filter.before_seq !== undefined) add('e.seq < ?', filter.before_seq)
  const limit = Math.max(1, Math.min(filter.limit, LIST_MAX))
  const rows = await sql.all<EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM event e WHERE ${where.join(' AND ')} ORDER BY e.seq DESC LIMIT ?`,
    [...params, limit],
  )
  return rows.map(toEvent)
}
