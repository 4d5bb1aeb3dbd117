import { types } from 'pg'
import type { SqlValue } from '../index.ts'
import { checkValue, fromInteger } from '../parameters.ts'

const { builtins } = types

const integer = (text: string) => fromInteger(BigInt(text))
const decimal = (text: string) => (/^-?\d+$/.test(text) ? integer(text) : Number(text))

/** What SQLite would give for the same column: numbers as numbers, 64-bit integers exact, truth as 0 and 1, the rest text. */
const PARSERS = new Map<number, (text: string) => SqlValue>([
  [builtins.BOOL, (text) => (text === 't' ? 1 : 0)],
  [builtins.INT2, Number],
  [builtins.INT4, Number],
  [builtins.INT8, integer],
  [builtins.NUMERIC, decimal],
  [builtins.FLOAT4, Number],
  [builtins.FLOAT8, Number],
  [builtins.BYTEA, (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))],
])

const asText = (text: string) => text

/** For `pg`: the same value types as SQLite gives. */
export const postgresTypes = {
  getTypeParser: (oid: number) => PARSERS.get(oid) ?? asText,
}

/** Text of every number, so that nothing is rounded on the way; -0 loses its sign, as on SQLite. */
export function postgresValue(value: SqlValue): string | Buffer | null {
  checkValue(value)
  if (value === null || typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
