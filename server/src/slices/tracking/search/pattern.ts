/** What a filter's patterns match, in JavaScript alone: so that both databases answer alike, in bounded time. */
import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'
import { wrongFilter } from './lex.ts'

/** Longest regular expression, and how many of a server's are kept compiled. */
const PATTERN_CHARS_MAX = 500
const COMPILED_MAX = 100
/** Longest LIKE pattern and most `%` in it. */
const LIKE_CHARS_MAX = 5_000
const LIKE_PERCENTS_MAX = 10
/** Repetitions in all: each is compiled as often as it may repeat. */
const REPEAT_MAX = 200

export type Matches = (text: string) => boolean

const compiled = new Map<string, Matches>()
let engine: typeof RE2JS | undefined

/** Loaded when the first regular expression comes: most servers never see one. */
function load(): typeof RE2JS {
  engine ??= (createRequire(import.meta.url)('re2js') as { RE2JS: typeof RE2JS }).RE2JS
  return engine
}

/**
 * A regular expression in RE2's syntax that may match anywhere in a text; its time grows with the text alone.
 * Throws invalid, with the place in the filter, for one that cannot be read or is too large.
 */
export function compilePattern(pattern: string, field = 'filter', at?: number): Matches {
  const known = compiled.get(pattern)
  if (known) return known
  if (pattern.length > PATTERN_CHARS_MAX) {
    throw wrongFilter(
      `Invalid filter string: a regular expression has at most ${PATTERN_CHARS_MAX} characters`,
      field,
      at,
    )
  }
  // A class of Unicode is a few hundred ranges.
  let repeats = (pattern.match(/\\p/gi)?.length ?? 0) * 5
  for (const [, least, most] of pattern.matchAll(/\{(\d{1,9})(?:,(\d{0,9}))?\}/g)) {
    repeats += Math.max(Number(least), Number(most || 0))
  }
  if (repeats > REPEAT_MAX) {
    throw wrongFilter(
      `Invalid filter string: repetitions in a regular expression go up to ${REPEAT_MAX} in all`,
      field,
      at,
    )
  }
  let expression: RE2JS
  try {
    expression = load().compile(pattern)
  } catch (error) {
    const why = (error as Error).message.replace(/^error parsing regexp: /, '').slice(0, 200)
    throw wrongFilter(`Invalid filter string: the regular expression cannot be read: ${why}`, field, at)
  }
  const matches: Matches = (text) => expression.test(text)
  if (compiled.size >= COMPILED_MAX) compiled.delete(compiled.keys().next().value!)
  compiled.set(pattern, matches)
  return matches
}

/** Throws invalid for a LIKE pattern that is too long. */
export function checkLike(pattern: string): void {
  if (pattern.length > LIKE_CHARS_MAX || pattern.split('%').length - 1 > LIKE_PERCENTS_MAX) {
    throw wrongFilter(
      `Invalid filter string: a LIKE pattern has at most ${LIKE_CHARS_MAX} characters and ${LIKE_PERCENTS_MAX} '%'`,
    )
  }
}

/** Letters alone that have another case, as SQL's lower() knows them: the ASCII ones. */
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** LIKE: `%` is any text, `_` any one character, everything else itself. */
export function likePattern(pattern: string, ignore_case: boolean): Matches {
  checkLike(pattern)
  const fold = ignore_case ? lower : (text: string) => text
  const parts = fold(pattern).split('%')
  if (parts.length === 1 && !pattern.includes('_')) return (text) => fold(text) === parts[0]
  if (parts.every((part) => !part.includes('_'))) return plainLike(parts, fold)
  const pieces = parts.map((part) => [...part])
  return (text) => slowLike(pieces, [...fold(text)])
}

/** Without `_`: what stands before, between and after the `%` is looked for from left to right. */
function plainLike(parts: readonly string[], fold: (text: string) => string): Matches {
  const first = parts[0]!
  const last = parts.at(-1)!
  const middle = parts.slice(1, -1).filter((part) => part !== '')
  return (given) => {
    const text = fold(given)
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at <= text.length - last.length
  }
}

const fits = (text: readonly string[], at: number, piece: readonly string[]): boolean => {
  if (at + piece.length > text.length) return false
  for (let i = 0; i < piece.length; i++) if (piece[i] !== '_' && piece[i] !== text[at + i]) return false
  return true
}

function slowLike(pieces: readonly (readonly string[])[], text: readonly string[]): boolean {
  const first = pieces[0]!
  const last = pieces.at(-1)!
  if (pieces.length === 1) return text.length === first.length && fits(text, 0, first)
  if (text.length < first.length + last.length || !fits(text, 0, first)) return false
  const end = text.length - last.length
  if (!fits(text, end, last)) return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    while (at + piece.length <= end && !fits(text, at, piece)) at++
    if (at + piece.length > end) return false
    at += piece.length
  }
  return true
}

const NUMBER = /^[ \t]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[ \t]*$/

/** The number that a param or tag is, or undefined. */
export function numberIn(text: string): number | undefined {
  if (text.length > 64 || !NUMBER.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}
