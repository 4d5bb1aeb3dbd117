import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  SQLNULL,
  VARCHAR,
} from '@duckdb/node-api'
import type { Cell, Params } from './index.ts'

export const COLUMN_TYPES = { BIGINT, DOUBLE, VARCHAR, BOOLEAN } as const

/** A DuckDB value as plain data that crosses processes and JSON without loss of meaning; see AnalyticsResult.rows. */
export function cell(value: DuckDBValue): Cell {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return whole(value)
  }
  if (value instanceof DuckDBDecimalValue) return value.width <= 15 ? value.toDouble() : value.toString()
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return value.isFinite ? scaled(value.micros, 1000) : endless(value.micros)
  if (value instanceof DuckDBTimestampMillisecondsValue)
    return value.isFinite ? whole(value.millis) : endless(value.millis)
  if (value instanceof DuckDBTimestampSecondsValue)
    return value.isFinite ? whole(value.seconds * 1000n) : endless(value.seconds)
  if (value instanceof DuckDBTimestampNanosecondsValue)
    return value.isFinite ? scaled(value.nanos, 1_000_000) : endless(value.nanos)
  if (value instanceof DuckDBDateValue) return value.isFinite ? value.toString() : endless(BigInt(value.days))
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64')
  if (
    value instanceof DuckDBListValue ||
    value instanceof DuckDBArrayValue ||
    value instanceof DuckDBStructValue ||
    value instanceof DuckDBMapValue
  )
    return JSON.stringify(nested(value))
  return String(value)
}

/** Lists, structs and maps as JSON would have them; maps as a list of pairs, for their keys may be anything. */
function nested(value: DuckDBValue): unknown {
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(nested)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, nested(item)]))
  if (value instanceof DuckDBMapValue) return value.entries.map((entry) => [nested(entry.key), nested(entry.value)])
  return cell(value)
}

const whole = (value: bigint): number | string =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)

/** Fractions of a millisecond are kept: a double holds microseconds for the next two centuries. */
const scaled = (value: bigint, unit: number): number => Number(value) / unit

const endless = (value: bigint): string => (value > 0n ? 'Infinity' : '-Infinity')

type Bound = boolean | number | bigint | string | null

/** Parameters with their types: DuckDB would take every number as DOUBLE, which LIMIT and integer keys do not like. */
export function bindings(params: Params): {
  values: Bound[] | Record<string, Bound>
  types: DuckDBType[] | Record<string, DuckDBType>
} {
  if (isList(params)) return { values: params.map(bound), types: params.map(typeOf) }
  const named = Object.entries(params)
  return {
    values: Object.fromEntries(named.map(([name, value]) => [name, bound(value)])),
    types: Object.fromEntries(named.map(([name, value]) => [name, typeOf(value)])),
  }
}

const isList = (params: Params): params is readonly Cell[] => Array.isArray(params)

const isWhole = (value: Cell): value is number => Number.isSafeInteger(value) && !Object.is(value, -0)

const bound = (value: Cell): Bound => (isWhole(value) ? BigInt(value) : value)

const typeOf = (value: Cell): DuckDBType => {
  if (value === null) return SQLNULL
  if (typeof value === 'boolean') return BOOLEAN
  if (typeof value === 'string') return VARCHAR
  return isWhole(value) ? BIGINT : DOUBLE
}

/** Values of a small table as its column's type wants them. Throws a plain Error that finishes the sentence "column x …". */
export function columnValues(type: keyof typeof COLUMN_TYPES, values: readonly Cell[]): DuckDBValue[] {
  return values.map((value) => {
    if (value === null) return null
    if (type === 'BIGINT') {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
      if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return BigInt(value)
    } else if (type === 'DOUBLE') {
      if (typeof value === 'number') return value
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
    } else if (type === 'VARCHAR') {
      if (typeof value === 'string') return value
    } else if (typeof value === 'boolean') {
      return value
    }
    throw new Error(`holds ${JSON.stringify(value)}, which is no ${type}`)
  })
}
