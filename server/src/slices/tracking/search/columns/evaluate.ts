/** A filter over the columns of a block: which places it holds at. */
import { invalid } from '#kernel/errors.ts'
import type { LifecycleView } from '../../model.ts'
import type { Condition, Filter } from '../parse.ts'
import { compilePattern, likePattern, numberIn } from '../pattern.ts'
import { type ColumnName, MISSING, type NumberColumn, type TextColumn } from './column.ts'
import { type Block, lists, numbers, texts } from './frame.ts'

const LETTERS = { metric: 'm', param: 'p', tag: 't', attribute: 'a', dataset: 'd' } as const

export const columnOf = ({ entity, key }: Pick<Condition, 'entity' | 'key'>): ColumnName => `${LETTERS[entity]}${key}`

export function columnsIn(filter: Filter | undefined, into = new Set<ColumnName>()): Set<ColumnName> {
  if (filter?.kind === 'condition') into.add(columnOf(filter))
  else if (filter?.kind === 'not') columnsIn(filter.part, into)
  else for (const part of filter?.parts ?? []) columnsIn(part, into)
  return into
}

/** 1 at each place of a run that the filter holds of, in the asked part of its life. */
export function maskOf(block: Block, filter: Filter | undefined, view: LifecycleView): Uint8Array {
  const mask = filter ? evaluate(block, filter) : new Uint8Array(block.n).fill(1)
  if (view !== 'all')
    keep(
      mask,
      byText(texts(block, 'alifecycle'), (text) => text === view),
    )
  if (block.alive) keep(mask, block.alive)
  return mask
}

function keep(mask: Uint8Array, other: Uint8Array): void {
  for (let at = 0; at < mask.length; at++) mask[at]! &= other[at]!
}

function evaluate(block: Block, filter: Filter): Uint8Array {
  switch (filter.kind) {
    case 'condition':
      return holds(block, filter)
    case 'not': {
      const mask = evaluate(block, filter.part)
      for (let at = 0; at < mask.length; at++) mask[at]! ^= 1
      return mask
    }
    case 'and':
      return filter.parts
        .map((part) => evaluate(block, part))
        .reduce((mask, other) => {
          keep(mask, other)
          return mask
        })
    case 'or':
      return filter.parts
        .map((part) => evaluate(block, part))
        .reduce((mask, other) => {
          for (let at = 0; at < mask.length; at++) mask[at]! |= other[at]!
          return mask
        })
  }
}

/** A condition on what a run does not have is false, `!=` and NOT IN included; NOT in front of it turns that round. */
function holds(block: Block, condition: Condition): Uint8Array {
  const name = columnOf(condition)
  const { operator } = condition
  const column = block.column(name)
  if (operator === 'IS NULL' || operator === 'IS NOT NULL') {
    const there = present(block, name)
    if (operator === 'IS NULL') for (let at = 0; at < there.length; at++) there[at]! ^= 1
    return there
  }
  if (column.kind === 'number') return byNumber(numbers(block, name), numberTest(condition))
  if (column.kind === 'text') {
    const text = texts(block, name)
    refuseLongTexts(text, condition)
    if (!comparesNumbers(condition)) return byText(text, textTest(condition))
    const test = numberTest(condition)
    const own = numbersIn(text)
    const mask = new Uint8Array(block.n)
    for (let at = 0; at < mask.length; at++) {
      const code = text.codes[at]!
      if (code < 0) continue
      const value = own[code]!
      if (!Number.isNaN(value) && test(value)) mask[at] = 1
    }
    return mask
  }
  const test = textTest(condition)
  const mask = new Uint8Array(block.n)
  for (const [at, list] of lists(block, name).lists.entries()) if (list?.some(test)) mask[at] = 1
  return mask
}

const comparesNumbers = ({ value }: Condition): boolean =>
  typeof value === 'number' || (Array.isArray(value) && typeof value[0] === 'number')

export function present(block: Block, name: ColumnName): Uint8Array {
  const column = block.column(name)
  const mask = new Uint8Array(block.n)
  if (column.kind === 'number') for (let at = 0; at < mask.length; at++) mask[at] = column.state[at] === MISSING ? 0 : 1
  else if (column.kind === 'text') for (let at = 0; at < mask.length; at++) mask[at] = column.codes[at]! < 0 ? 0 : 1
  else for (let at = 0; at < mask.length; at++) mask[at] = column.lists[at] ? 1 : 0
  return mask
}

const parsed = new WeakMap<TextColumn, { of: number; numbers: Float64Array }>()

/** The number that each of the texts is; NaN for those that are none. */
export function numbersIn(column: TextColumn): Float64Array {
  const known = parsed.get(column)
  if (known?.of === column.texts.length) return known.numbers
  const own = Float64Array.from(column.texts, (text) => numberIn(text) ?? Number.NaN)
  parsed.set(column, { of: column.texts.length, numbers: own })
  return own
}

/** What the condition says of a number; NaN differs from every number and has no other relation to any. */
function numberTest({ operator, value }: Condition): (found: number) => boolean {
  if (operator === 'IN' || operator === 'NOT IN') {
    const wanted = new Set(value as readonly number[])
    return operator === 'IN' ? (found) => wanted.has(found) : (found) => !wanted.has(found)
  }
  const wanted = Number(value)
  switch (operator) {
    case '=':
      return (found) => found === wanted
    case '!=':
      return (found) => found !== wanted
    case '<':
      return (found) => found < wanted
    case '<=':
      return (found) => found <= wanted
    case '>':
      return (found) => found > wanted
    case '>=':
      return (found) => found >= wanted
    default:
      throw new Error(`a number has no ${operator}`)
  }
}

function byNumber({ values, state }: NumberColumn, test: (found: number) => boolean): Uint8Array {
  const mask = new Uint8Array(values.length)
  // Where there is no number the value is NaN.
  for (let at = 0; at < mask.length; at++) if (state[at] !== MISSING && test(values[at]!)) mask[at] = 1
  return mask
}

function textTest({ operator, value }: Condition): (found: string) => boolean {
  switch (operator) {
    case '=':
      return (found) => found === value
    case '!=':
      return (found) => found !== value
    case 'LIKE':
      return likePattern(String(value), false)
    case 'ILIKE':
      return likePattern(String(value), true)
    case 'MATCHES':
      return compilePattern(String(value))
    case 'IN': {
      const wanted = new Set(value as readonly string[])
      return (found) => wanted.has(found)
    }
    case 'NOT LIKE':
    case 'NOT ILIKE':
    case 'NOT MATCHES':
    case 'NOT IN': {
      const plain = textTest({ operator: operator.slice(4), value } as Condition)
      return (found) => !plain(found)
    }
    default:
      throw new Error(`text has no ${operator}`)
  }
}

/** Characters that one regular expression looks at: about half a second's work. */
const MATCHED_CHARS_MAX = 16_000_000

function refuseLongTexts({ texts }: TextColumn, { operator, key }: Condition): void {
  if (operator !== 'MATCHES' && operator !== 'NOT MATCHES') return
  let chars = 0
  for (const text of texts) chars += text.length
  if (chars <= MATCHED_CHARS_MAX) return
  throw invalid(`the texts of '${key}' are too long for a regular expression: ${chars} characters together`, {
    field: 'filter',
    remedy: 'Use LIKE, or search fewer experiments.',
  })
}

/** Each of the texts is looked at once, however many runs have it. */
function byText({ codes, texts }: TextColumn, test: (found: string) => boolean): Uint8Array {
  const mask = new Uint8Array(codes.length)
  if (texts.length > codes.length) {
    for (let at = 0; at < mask.length; at++) if (codes[at]! >= 0 && test(texts[codes[at]!]!)) mask[at] = 1
    return mask
  }
  const own = Uint8Array.from(texts, (text) => (test(text) ? 1 : 0))
  for (let at = 0; at < mask.length; at++) if (codes[at]! >= 0) mask[at] = own[codes[at]!]!
  return mask
}
