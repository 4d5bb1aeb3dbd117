import { invalid } from '../errors.ts'
import type { SqlValue } from './index.ts'

/**
 * Throws DomainError 'invalid' for what one of the databases would bend silently: NaN (SQLite keeps it as NULL),
 * `\u0000` in text (PostgreSQL refuses it), integers beyond 64 bits. Throws an Error (our mistake) for any other type.
 */
export function checkValue(value: SqlValue): void {
  switch (typeof value) {
    case 'string':
      if (value.includes('\u0000'))
        throw invalid('text with the character U+0000 cannot be stored', {
          remedy: 'Remove the character U+0000 from the text.',
        })
      return
    case 'number':
      if (Number.isNaN(value))
        throw invalid('NaN cannot be stored in a number column', {
          remedy: 'Mark it in a column of its own (see splitNan).',
        })
      return
    case 'bigint':
      if (value !== BigInt.asIntN(64, value))
        throw invalid('an integer outside 64 bits cannot be stored', {
          remedy: 'Send a number from -2^63 to 2^63 - 1.',
        })
      return
    default:
      if (value === null || value instanceof Uint8Array) return
      throw new Error(`a parameter must be null, text, a number, a bigint or bytes, not ${typeof value}`)
  }
}

/** Whole numbers as integers (so that `? / 2` and `LIMIT ?` mean the same on both) and -0 as 0 (SQLite drops its sign). */
export const toInteger = (value: number): bigint | number => (Number.isSafeInteger(value) ? BigInt(value) : value)

export function checkCount(text: string, wanted: number, given: number): void {
  if (wanted !== given) throw new Error(`${given} parameters for ${wanted} places: ${text.slice(0, 200)}`)
}

/** A number while it is exact as one, else a bigint. */
export const fromInteger = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
