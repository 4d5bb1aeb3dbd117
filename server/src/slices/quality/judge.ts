/** From a check and a version's columns to SQL, and from what came back to a result. No I/O here. */
import { type Cell, identifier, literal } from '#kernel/analytics/index.ts'
import { readDuration, showDuration } from '#kernel/units.ts'
import { type Column, type DatasetVersion, kindOf } from '#slices/datasets'
import { timeOf } from './fields.ts'
import type { Between, Check, CheckResult, FailingRow, InSet, Regex } from './model.ts'

export const ROWS_SHOWN_MAX = 20
/** Columns of a failing row that are shown beside those of the check. */
const COLUMNS_BESIDE = 6
/** Groups of equal rows that failing rows are taken from. */
const GROUPS_SHOWN_MAX = 10
const ROW = identifier('slipway row')

/** How one check is made. */
export interface Judgement {
  check: Check
  /** SQL aggregates over `data`; `conclude` gets their values. A judgement without needs no data. */
  aggregates: readonly string[]
  /** Instead of aggregates: a whole statement whose first row `conclude` gets. */
  statement?: string
  conclude(values: readonly Cell[]): CheckResult
  /** The failing rows, to be asked when there are any. */
  rows?: {
    sql: string
    read(rows: readonly Cell[][], columns: readonly { name: string; type: string }[]): FailingRow[]
  }
}

/** Throws a plain Error that says why a check cannot be made of such data. */
class CannotJudge extends Error {}

export function judgementOf(check: Check, version: DatasetVersion, now_ms: number): Judgement {
  try {
    switch (check.check) {
      case 'not_null':
        return ofValues(check, version, (column) => ({ skip: 'false', bad: missing(column) }), 'a value')
      case 'between':
        return ofValues(
          check,
          version,
          (column) => ({ skip: missing(column), bad: outside(check, column) }),
          range(check),
        )
      case 'in_set':
        return ofValues(
          check,
          version,
          (column) => ({ skip: missing(column), bad: `NOT (${among(check, column)})` }),
          listed(check),
        )
      case 'regex':
        return ofValues(
          check,
          version,
          (column) => ({ skip: missing(column), bad: mismatch(check, column) }),
          `a match of ${check.pattern}`,
        )
      case 'unique':
        return unique(check, version)
      case 'row_count':
        return rowCount(check, version)
      case 'columns':
        return columns(check, version)
      case 'freshness':
        return freshness(check, version, now_ms)
    }
  } catch (error) {
    if (!(error instanceof CannotJudge)) throw error
    return { check, aggregates: [], conclude: () => notMade(check, error.message) }
  }
}

/** The result of a check that could not be made. */
export const notMade = (check: Check, error: string): CheckResult => ({
  ...head(check),
  passed: false,
  expected: '',
  observed: 'not checked',
  evaluated: null,
  unexpected: null,
  unexpected_share: null,
  missing: null,
  error,
  rows: [],
})

const head = ({ name, check, severity }: Check) => ({ name, check, severity })

function columnOf(version: DatasetVersion, name: string): Column {
  const have = version.schema ?? []
  const found = have.find((column) => column.name === name)
  if (found !== undefined) return found
  const names = have.map((column) => column.name)
  throw new CannotJudge(
    `there is no column '${name}'; there are ${names.slice(0, 30).join(', ')}${names.length > 30 ? ', …' : ''}`,
  )
}

/** NaN is how floating-point columns say that a value is missing. */
function missing({ name, type }: Column): string {
  const column = identifier(name)
  return type === 'FLOAT' || type === 'DOUBLE' ? `(${column} IS NULL OR isnan(${column}))` : `${column} IS NULL`
}

function ofValues(
  check: Exclude<Check, { check: 'unique' | 'row_count' | 'columns' | 'freshness' }>,
  version: DatasetVersion,
  words: (column: Column) => { skip: string; bad: string },
  wanted: string,
): Judgement {
  const column = columnOf(version, check.column)
  const { skip, bad } = words(column)
  const judged = check.check === 'not_null' ? 'true' : `NOT (${skip})`
  const failing = `${judged} AND (${bad})`
  return {
    check,
    aggregates: [
      `count(*) FILTER (WHERE ${judged})`,
      `count(*) FILTER (WHERE ${failing})`,
      `count(*) FILTER (WHERE ${missing(column)})`,
    ],
    conclude: ([evaluated, unexpected, absent]) =>
      counted(check, wanted, Number(evaluated), Number(unexpected), Number(absent)),
    rows: failingRows(version, [check.column], `SELECT *, row_number() OVER () AS ${ROW} FROM data`, failing),
  }
}

/** As Great Expectations counts: of nothing, everything is as expected. */
function counted(
  check: Check & { mostly: number },
  wanted: string,
  evaluated: number,
  unexpected: number,
  absent: number,
): CheckResult {
  const share = evaluated === 0 ? 0 : unexpected / evaluated
  const good = percent(1 - share)
  return {
    ...head(check),
    // A thousandth of a row of room: 0.9 of ten values is nine, whatever 1 - 0.9 is in binary.
    passed: unexpected <= (1 - check.mostly) * evaluated + 1e-3,
    expected: check.mostly === 1 ? wanted : `${wanted}, for at least ${percent(check.mostly)}`,
    observed:
      unexpected === 0 ? `all ${evaluated} as expected` : `${good} of ${evaluated} as expected, ${unexpected} not`,
    evaluated,
    unexpected,
    unexpected_share: share,
    missing: absent,
    error: null,
    rows: [],
  }
}

/** Rounded down where it would look like all. */
const percent = (share: number): string => `${Number((Math.floor(share * 100_000 + 1e-6) / 1000).toFixed(3))} %`

function outside(check: Between, column: Column): string {
  const value =
    column.type.startsWith('TIMESTAMP') || column.type === 'DATE'
      ? `${identifier(column.name)}::TIMESTAMP`
      : identifier(column.name)
  const { min, max, strict } = check
  const tests = [
    ...(min === undefined ? [] : [`${value} ${strict ? '<=' : '<'} ${bound(min, column)}`]),
    ...(max === undefined ? [] : [`${value} ${strict ? '>=' : '>'} ${bound(max, column)}`]),
  ]
  return tests.join(' OR ')
}

function bound(value: number | string, { name, type }: Column): string {
  const kind = kindOf(type)
  if (kind === 'number') {
    if (typeof value === 'number') return number(value)
    throw new CannotJudge(`column '${name}' is ${type}, its bounds must be numbers`)
  }
  if (kind === 'time') {
    const ms = typeof value === 'string' ? timeOf(value) : undefined
    if (ms !== undefined) return `make_timestamp_ms(${Math.round(ms)})`
    throw new CannotJudge(`column '${name}' is ${type}, its bounds must be times such as 2013-01-31T17:05:00Z`)
  }
  if (kind === 'text' && typeof value === 'string') return literal(value)
  throw new CannotJudge(`column '${name}' is ${type}, which cannot be compared with ${JSON.stringify(value)}`)
}

/** Whole numbers as such, so that large ones are compared exactly; the others as DOUBLE, as they were read. */
const number = (value: number): string => (Number.isSafeInteger(value) ? `(${value})` : `(${value})::DOUBLE`)

const range = ({ min, max, strict }: Between): string => {
  const ends = strict ? ', both ends left out' : ''
  if (min === undefined) return strict ? `less than ${max}` : `at most ${max}`
  if (max === undefined) return strict ? `more than ${min}` : `at least ${min}`
  return `between ${min} and ${max}${ends}`
}

function among({ values }: InSet, { name, type }: Column): string {
  const kind = kindOf(type)
  const list = values.map((value) => {
    if (kind === 'number') {
      if (typeof value === 'number') return number(value)
      throw new CannotJudge(`column '${name}' is ${type}, and ${JSON.stringify(value)} is no number`)
    }
    if (kind === 'boolean') {
      if (typeof value === 'boolean') return String(value)
      throw new CannotJudge(`column '${name}' is ${type}, and ${JSON.stringify(value)} is neither true nor false`)
    }
    return literal(String(value))
  })
  const column = kind === 'number' || kind === 'boolean' ? identifier(name) : `${identifier(name)}::VARCHAR`
  return `${column} IN (${list.join(', ')})`
}

const listed = ({ values }: InSet): string => {
  const shown = values.slice(0, 10).map((value) => JSON.stringify(value))
  return `one of ${shown.join(', ')}${values.length > 10 ? ` and ${values.length - 10} more` : ''}`
}

const mismatch = ({ pattern }: Regex, { name }: Column): string =>
  `NOT regexp_matches(${identifier(name)}::VARCHAR, ${literal(pattern)})`

function unique(check: Extract<Check, { check: 'unique' }>, version: DatasetVersion): Judgement {
  const columns = check.columns.map((name) => columnOf(version, name))
  const keys = columns.map(({ name }) => identifier(name)).join(', ')
  const empty = columns.map(missing).join(' AND ')
  const same = columns
    .map(({ name }) => `d.${identifier(name)} IS NOT DISTINCT FROM g.${identifier(name)}`)
    .join(' AND ')
  const numbered = `SELECT d.* FROM (SELECT *, row_number() OVER () AS ${ROW} FROM data) d
    SEMI JOIN (SELECT ${keys} FROM data WHERE NOT (${empty}) GROUP BY ${keys} HAVING count(*) > 1 ORDER BY ${keys} LIMIT ${GROUPS_SHOWN_MAX}) g ON ${same}`
  return {
    check,
    aggregates: [],
    statement: `SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE n > 1), 0), (SELECT count(*) FILTER (WHERE ${empty}) FROM data)
      FROM (SELECT count(*) AS n FROM data WHERE NOT (${empty}) GROUP BY ${keys})`,
    conclude: ([evaluated, unexpected, absent]) =>
      counted(
        check,
        check.columns.length === 1 ? 'each value once' : `each combination of ${check.columns.join(', ')} once`,
        Number(evaluated),
        Number(unexpected),
        Number(absent),
      ),
    rows: failingRows(version, check.columns, numbered, 'true'),
  }
}

function failingRows(
  version: DatasetVersion,
  checked: readonly string[],
  numbered: string,
  failing: string,
): NonNullable<Judgement['rows']> {
  const all = (version.schema ?? []).map(({ name }) => name)
  const first = version.time_column === null ? checked : [...checked, version.time_column]
  const shown = [...new Set([...first, ...all])]
    .filter((name) => all.includes(name))
    .slice(0, checked.length + COLUMNS_BESIDE)
  const list = shown.map((name) => {
    const type = version.schema!.find((column) => column.name === name)!.type
    const column = identifier(name)
    // Long texts are cut, and what is no plain value is shown as text.
    return kindOf(type) === 'text' || kindOf(type) === 'other' ? `left(${column}::VARCHAR, 100) AS ${column}` : column
  })
  return {
    sql: `SELECT ${[ROW, ...list].join(', ')} FROM (${numbered}) WHERE ${failing} ORDER BY ${ROW} LIMIT ${ROWS_SHOWN_MAX}`,
    read: (rows, columns) =>
      rows.map(([row, ...values]) => ({
        row: Number(row),
        values: Object.fromEntries(
          shown.map((name, at) => {
            const value = values[at] ?? null
            const isTime = columns[at + 1]?.type.startsWith('TIMESTAMP')
            return [name, isTime && typeof value === 'number' ? timeText(value) : value]
          }),
        ),
      })),
  }
}

const timeText = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms))

/** A check of the whole: nothing is counted, it holds or it does not. */
const whole = (check: Check, passed: boolean, expected: string, observed: string): CheckResult => ({
  ...notMade(check, ''),
  passed,
  expected,
  observed,
  error: null,
})

function rowCount(check: Extract<Check, { check: 'row_count' }>, version: DatasetVersion): Judgement {
  const rows = version.row_count ?? 0
  const { min, max } = check
  const passed = (min === undefined || rows >= min) && (max === undefined || rows <= max)
  const expected = range({ ...check, check: 'between', column: '', mostly: 1, strict: false })
  return { check, aggregates: [], conclude: () => whole(check, passed, `${expected} rows`, `${rows} rows`) }
}

function columns(check: Extract<Check, { check: 'columns' }>, version: DatasetVersion): Judgement {
  const have = (version.schema ?? []).map(({ name }) => name)
  const want = check.exactly ?? check.ordered ?? check.contains ?? []
  const lacking = want.filter((name) => !have.includes(name))
  const beyond = check.contains === undefined ? have.filter((name) => !want.includes(name)) : []
  const moved =
    check.ordered !== undefined && lacking.length + beyond.length === 0 && want.some((name, at) => name !== have[at])
  const found = [
    ...(lacking.length > 0 ? [`missing: ${some(lacking)}`] : []),
    ...(beyond.length > 0 ? [`not expected: ${some(beyond)}`] : []),
    ...(moved ? [`in another order: ${some(have)}`] : []),
  ]
  const how = check.contains !== undefined ? 'at least' : check.ordered !== undefined ? 'in this order' : 'exactly'
  return {
    check,
    aggregates: [],
    conclude: () =>
      whole(check, found.length === 0, `${how} ${some(want)}`, found.length === 0 ? 'as expected' : found.join('; ')),
  }
}

const some = (names: readonly string[]): string =>
  `${names.slice(0, 20).join(', ')}${names.length > 20 ? `, … (${names.length})` : ''}`

function freshness(check: Extract<Check, { check: 'freshness' }>, version: DatasetVersion, now_ms: number): Judgement {
  const name = check.column ?? version.time_column
  if (name === null) throw new CannotJudge('the dataset has no time column, and the check names none')
  const column = columnOf(version, name)
  if (kindOf(column.type) !== 'time') throw new CannotJudge(`column '${name}' is ${column.type}, not a time`)
  const value = identifier(name)
  const at_ms = check.at === undefined ? now_ms : timeOf(check.at)!
  const max_age_ms = readDuration(check.max_age)
  return {
    check,
    aggregates: [`max(epoch(${value}::TIMESTAMP) * 1000) FILTER (WHERE isfinite(${value}))`],
    conclude: ([newest]) => {
      const expected = `the newest row at most ${check.max_age} before ${new Date(at_ms).toISOString()}`
      if (typeof newest !== 'number') return whole(check, false, expected, 'no row has a time')
      const age_ms = at_ms - newest
      return whole(
        check,
        age_ms <= max_age_ms,
        expected,
        `${timeText(newest)}, ${age_ms < 0 ? 'after it' : `${showDuration(age_ms)} before`}`,
      )
    },
  }
}
