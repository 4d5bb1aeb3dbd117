import type { Sql, SqlValue } from './index.ts'

/** `(?, ?, ?)` for an IN list; an empty list becomes `(NULL)`, which nothing equals. */
export const placeholders = (values: readonly unknown[]): string =>
  values.length === 0 ? '(NULL)' : `(${values.map(() => '?').join(', ')})`

/** Booleans are stored as 0 and 1 on both databases. */
export const isTrue = (value: SqlValue | undefined): boolean => value === 1 || value === 1n

/** JSON is stored as TEXT on both databases, so that it comes back letter for letter. */
export const json = (value: unknown): string => JSON.stringify(value ?? null)

export const parseJson = <T>(value: SqlValue | undefined, fallback: T): T =>
  typeof value === 'string' ? (JSON.parse(value) as T) : fallback

/**
 * A double for two columns, `value :real: NOT NULL` and `is_nan :bool: NOT NULL`: SQLite would keep NaN as NULL. ±Infinity
 * need no marker: both databases keep them.
 */
export const splitNan = (value: number): [value: number, is_nan: 0 | 1] => (Number.isNaN(value) ? [0, 1] : [value, 0])

export const joinNan = (value: SqlValue | undefined, is_nan: SqlValue | undefined): number =>
  isTrue(is_nan) ? Number.NaN : Number(value)

/** Parameters in one statement of insertRows: far below both databases' limits (32,766 and 65,535). */
const PARAMETERS_MAX = 4_000

/**
 * Inserts rows by few statements: `insertRows(tx, 'point (series, step, value)', rows, 'ON CONFLICT DO NOTHING')`. Answers how
 * many rows changed. The row counts of a statement are powers of two, so that few texts are prepared.
 */
export async function insertRows(
  sql: Sql,
  into: string,
  rows: readonly (readonly SqlValue[])[],
  conflict = '',
): Promise<number> {
  let changes = 0
  for (let at = 0; at < rows.length; ) {
    const width = rows[at]!.length
    const room = Math.min(rows.length - at, Math.floor(PARAMETERS_MAX / width))
    const count = 2 ** Math.floor(Math.log2(room))
    const values = new Array(count).fill(`(${new Array(width).fill('?').join(', ')})`).join(', ')
    const part = rows.slice(at, at + count).flat()
    changes += (await sql.run(`INSERT INTO ${into} VALUES ${values} ${conflict}`, part)).changes
    at += count
  }
  return changes
}
