import type { Row, Sql, SqlValue } from '#kernel/store/index.ts'

/** Keys in one statement. Few sizes, so that the prepared statements stay few. */
const SIZES = [1, 8, 64, 512] as const

/**
 * Reads rows for many keys: `sql` ends in ` IN ` and what follows the list is `tail`. The list is filled up to one of
 * a few sizes by repeating its last key, which changes nothing for IN.
 */
export async function allIn<R = Row>(
  sql: Sql,
  text: string,
  before: readonly SqlValue[],
  keys: readonly SqlValue[],
  tail = '',
): Promise<R[]> {
  const rows: R[] = []
  for (let first = 0; first < keys.length; first += 512) {
    const some = keys.slice(first, first + 512)
    const size = SIZES.find((most) => most >= some.length)!
    const filled = [...some, ...Array<SqlValue>(size - some.length).fill(some.at(-1)!)]
    rows.push(...(await sql.all<R>(`${text} (${filled.map(() => '?').join(', ')})${tail}`, [...before, ...filled])))
  }
  return rows
}

/** Inserts many rows with few statements: groups of 64, 32, 16 … and single ones. `tail` is the conflict clause. */
export async function insertMany(
  tx: Sql,
  into: string,
  rows: readonly (readonly SqlValue[])[],
  tail = '',
): Promise<void> {
  let first = 0
  while (first < rows.length) {
    const size = groupSize(rows.length - first)
    const some = rows.slice(first, first + size)
    const one = `(${some[0]!.map(() => '?').join(', ')})`
    await tx.run(`INSERT INTO ${into} VALUES ${Array(size).fill(one).join(', ')} ${tail}`, some.flat())
    first += size
  }
}

/** The greatest power of two that is at most `left` and 64: so that prepared statements stay few. */
export const groupSize = (left: number): number => 2 ** Math.min(6, 31 - Math.clz32(left))

/** Puts rows into a map from their key to their list. */
export function groupBy<R, K>(rows: readonly R[], keyOf: (row: R) => K): Map<K, R[]> {
  const groups = new Map<K, R[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return groups
}
