import type { Sql, Tx } from '#kernel/store/index.ts'
import { insertMany } from '../lists.ts'
import type { Mark } from './model.ts'

/** Marks of a source whose item begins with `prefix`, by item. */
export async function readMarks(
  sql: Sql,
  ask: { workspace: string; source: string; prefix: string; after?: string; limit: number },
): Promise<Mark[]> {
  // The last character of all sorts behind whatever follows the prefix.
  return await sql.all<Mark>(
    `SELECT item, mark FROM import_mark WHERE workspace = ? AND source = ? AND item > ? AND item < ?
     ORDER BY item LIMIT ?`,
    [ask.workspace, ask.source, ask.after ?? ask.prefix, `${ask.prefix}\u{10ffff}`, ask.limit],
  )
}

export async function readMark(sql: Sql, workspace: string, source: string, item: string): Promise<string | undefined> {
  const found = await sql.get<{ mark: string }>(
    'SELECT mark FROM import_mark WHERE workspace = ? AND source = ? AND item = ?',
    [workspace, source, item],
  )
  return found?.mark
}

export async function putMarks(
  tx: Tx,
  { workspace, source, marks }: { workspace: string; source: string; marks: readonly Mark[] },
): Promise<void> {
  const last = new Map(marks.map((mark) => [mark.item, mark]))
  await insertMany(
    tx,
    'import_mark (workspace, source, item, mark)',
    [...last.values()].map(({ item, mark }) => [workspace, source, item, mark]),
    'ON CONFLICT (workspace, source, item) DO UPDATE SET mark = excluded.mark',
  )
}
