import { invalid } from '#kernel/errors.ts'
import type { SqlValue } from '#kernel/store/index.ts'
import { wrongFilter } from './lex.ts'
import type { Condition, Filter } from './parse.ts'

/** A piece of SQL with the values of its `?`, in order. */
export interface Fragment {
  text: string
  values: SqlValue[]
}

export const fragment = (text: string, values: SqlValue[] = []): Fragment => ({ text, values })

/** Longest LIKE pattern and most `%` in it: both databases match by trying, which many of them make slow. */
const PATTERN_CHARS_MAX = 5_000
const PATTERN_PERCENTS_MAX = 10

/** U+0001 as escape character: LIKE then knows `%` and `_` alone on both databases, as MLflow's users expect. */
const ESCAPE = '\u0001'

function pattern(value: string): string {
  if (value.length > PATTERN_CHARS_MAX || value.split('%').length - 1 > PATTERN_PERCENTS_MAX) {
    throw wrongFilter(
      `Invalid filter string: a LIKE pattern has at most ${PATTERN_CHARS_MAX} characters and ${PATTERN_PERCENTS_MAX} '%'`,
    )
  }
  return value.replaceAll(ESCAPE, ESCAPE + ESCAPE)
}

const asList = (value: Condition['value']): readonly string[] => (Array.isArray(value) ? value : [String(value)])

/** `column` compared as text. */
export function compareText(column: string, { operator, value }: Condition): Fragment {
  switch (operator) {
    case 'LIKE':
      return fragment(`${column} LIKE ? ESCAPE '${ESCAPE}'`, [pattern(String(value))])
    case 'ILIKE':
      return fragment(`lower(${column}) LIKE lower(?) ESCAPE '${ESCAPE}'`, [pattern(String(value))])
    case 'IN':
    case 'NOT IN': {
      const list = asList(value)
      return fragment(`${column} ${operator} (${list.map(() => '?').join(', ')})`, [...list])
    }
    default:
      return fragment(`${column} ${operator} ?`, [String(value)])
  }
}

/** `column` compared as a number; one that is no safe integer is compared as a double, also with integer columns. */
export function compareNumber(column: string, { operator, value }: Condition): Fragment {
  const number = Number(value)
  const place = Number.isSafeInteger(number) ? '?' : 'CAST(? AS REAL)'
  return fragment(`${column} ${operator} ${place}`, [number])
}

/** Infinities are stored as the greatest doubles, so a number beyond them compares as they do. */
export function compareMetric(value: string, is_nan: string, condition: Condition): Fragment {
  const { text, values } = compareNumber(value, condition)
  // NaN differs from every number and has no other relation to any.
  return condition.operator === '!='
    ? fragment(`(${text} OR ${is_nan} = 1)`, values)
    : fragment(`(${text} AND ${is_nan} = 0)`, values)
}

/** Presence is a row's being there; every other comparison is about the row. */
export function existsIn(rows: Fragment, condition: Condition, compare: () => Fragment): Fragment {
  if (condition.operator === 'IS NULL') return fragment(`NOT EXISTS (${rows.text})`, rows.values)
  if (condition.operator === 'IS NOT NULL') return fragment(`EXISTS (${rows.text})`, rows.values)
  const compared = compare()
  return fragment(`EXISTS (${rows.text} AND ${compared.text})`, [...rows.values, ...compared.values])
}

/** The whole tree; `one` words a condition. */
export function filterSql(filter: Filter, one: (condition: Condition) => Fragment): Fragment {
  switch (filter.kind) {
    case 'condition':
      return one(filter)
    case 'not': {
      const { text, values } = filterSql(filter.part, one)
      return fragment(`NOT (${text})`, values)
    }
    default: {
      const parts = filter.parts.map((part) => filterSql(part, one))
      return fragment(
        `(${parts.map(({ text }) => text).join(filter.kind === 'and' ? ' AND ' : ' OR ')})`,
        parts.flatMap(({ values }) => values),
      )
    }
  }
}

/** One column of an order. `nullable` columns sort missing values last in both directions. */
export interface Sort {
  column: string
  descending: boolean
  /** Where a row stands before its value is looked at: 0 has one; greater ones come after. */
  rank?: string
}

/** Where a page begins: the values of the sort columns of the row before it. */
export type Position = { order: string; at: (string | number | null)[] }

interface Part {
  column: string
  descending: boolean
}

const partsOf = (sorts: readonly Sort[]): Part[] =>
  sorts.flatMap(({ column, descending, rank }) => [
    ...(rank ? [{ column: rank, descending: false }] : []),
    { column, descending },
  ])

export const orderSql = (sorts: readonly Sort[]): string =>
  partsOf(sorts)
    .map(({ column, descending }) => `${column}${descending ? ' DESC' : ''}`)
    .join(', ')

/** Columns to select beside a row's own, from which `positionOf` makes the next page's beginning. */
export const positionColumns = (sorts: readonly Sort[]): string =>
  partsOf(sorts)
    .map(({ column }, index) => `${column} AS at_${index}`)
    .join(', ')

export function positionOf(sorts: readonly Sort[], order: string, row: object): Position {
  const values = row as Record<string, string | number | null>
  return { order, at: partsOf(sorts).map((_, index) => values[`at_${index}`] ?? null) }
}

/** Rows after the position. Throws invalid for a position of another order. */
export function afterSql(sorts: readonly Sort[], order: string, position: Position): Fragment {
  const parts = partsOf(sorts)
  if (position.order !== order || !Array.isArray(position.at) || position.at.length !== parts.length) {
    throw invalid('Invalid page token: it belongs to a search with another order', {
      field: 'page_token',
      remedy: 'Begin the search again without a page token.',
    })
  }
  const alternatives: string[] = []
  const values: SqlValue[] = []
  const equal: Fragment[] = []
  for (const [index, { column, descending }] of parts.entries()) {
    const value = position.at[index]!
    // A missing value has its rank before it, and nothing follows it within that rank.
    if (value === null) continue
    alternatives.push([...equal.map(({ text }) => text), `${column} ${descending ? '<' : '>'} ?`].join(' AND '))
    values.push(...equal.flatMap((each) => each.values), value)
    equal.push(fragment(`${column} = ?`, [value]))
  }
  return fragment(`(${alternatives.map((each) => `(${each})`).join(' OR ')})`, values)
}
