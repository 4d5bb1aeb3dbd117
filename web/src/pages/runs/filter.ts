/**
 * The language of filters as a tree, so that conditions can be shown and changed one by one, and back as text. The server
 * has the last word on what a filter may say; what is not understood here stays text.
 */

export type Value = string | number | null | readonly (string | number)[]

export interface Condition {
  kind: 'condition'
  /** `metrics`, `params`, `tags`, `attributes`, `datasets`. */
  entity: Entity
  key: string
  operator: Operator
  value: Value
}
export interface Junction {
  kind: 'and' | 'or'
  parts: readonly Filter[]
}
export type Filter = Condition | Junction | { kind: 'not'; part: Filter }

export const ENTITIES = ['metrics', 'params', 'tags', 'attributes', 'datasets'] as const
export type Entity = (typeof ENTITIES)[number]
export const OPERATORS = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'LIKE',
  'NOT LIKE',
  'ILIKE',
  'NOT ILIKE',
  'MATCHES',
  'NOT MATCHES',
  'IN',
  'NOT IN',
  'IS NULL',
  'IS NOT NULL',
] as const
export type Operator = (typeof OPERATORS)[number]

const ENTITY_WORDS: Record<string, Entity> = {
  metric: 'metrics',
  metrics: 'metrics',
  param: 'params',
  params: 'params',
  parameter: 'params',
  parameters: 'params',
  tag: 'tags',
  tags: 'tags',
  attribute: 'attributes',
  attributes: 'attributes',
  attr: 'attributes',
  run: 'attributes',
  dataset: 'datasets',
  datasets: 'datasets',
}
const SIGNS: Record<string, Operator> = { '~': 'MATCHES', '!~': 'NOT MATCHES' }
const DEPTH_MAX = 50

type Token = { kind: 'text' | 'key' | 'name' | 'sign'; value: string } | { kind: 'number'; value: number }

const SPACE = /\s+/y
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/uy
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy
const SIGN = /!=|!~|<=|>=|[=<>~().,]/y
const KEY = /[\p{L}\p{N}_](?:[\p{L}\p{N}_.\-/:]*[\p{L}\p{N}_])?/uy
const WHOLE_KEY = new RegExp(`^(?:${KEY.source})$`, 'u')

class Unread extends Error {}

function lex(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const quotedText = (): string => {
    const quote = text[at++]!
    let value = ''
    for (; at < text.length; at++) {
      const letter = text[at]!
      const isDoubled = text[at + 1] === quote && (letter === quote || (letter === '\\' && quote !== '`'))
      if (isDoubled) {
        value += quote
        at++
      } else if (letter === quote) {
        at++
        return value
      } else value += letter
    }
    throw new Unread()
  }
  while (at < text.length) {
    if (take(SPACE)) continue
    const letter = text[at]!
    const last = tokens.at(-1)
    if (last?.kind === 'sign' && last.value === '.' && !'"`\''.includes(letter)) {
      const key = take(KEY)
      if (key === undefined) throw new Unread()
      tokens.push({ kind: 'key', value: key })
      continue
    }
    if (letter === '`') tokens.push({ kind: 'key', value: quotedText() })
    else if (letter === "'" || letter === '"') tokens.push({ kind: 'text', value: quotedText() })
    else {
      const number = take(NUMBER)
      const name = number === undefined ? take(NAME) : undefined
      const sign = number === undefined && name === undefined ? take(SIGN) : undefined
      if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) })
      else if (name !== undefined) tokens.push({ kind: 'name', value: name })
      else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign })
      else throw new Unread()
    }
  }
  return tokens
}

/** Undefined for an empty filter; `null` for one that is not understood. */
export function parseFilter(text: string): Filter | undefined | null {
  if (text.trim() === '') return undefined
  try {
    const reader = new Reader(lex(text))
    const filter = reader.or(0)
    return reader.isOver ? filter : null
  } catch (error) {
    if (error instanceof Unread) return null
    throw error
  }
}

class Reader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isOver(): boolean {
    return this.#at === this.#tokens.length
  }

  or(depth: number): Filter {
    const parts = [this.#and(depth)]
    while (this.#word('OR')) parts.push(this.#and(depth))
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }

  #and(depth: number): Filter {
    const parts = [this.#not(depth)]
    while (this.#word('AND')) parts.push(this.#not(depth))
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  }

  #not(depth: number): Filter {
    if (depth > DEPTH_MAX) throw new Unread()
    if (this.#word('NOT')) return { kind: 'not', part: this.#not(depth + 1) }
    if (!this.#sign('(')) return this.#condition()
    const inner = this.or(depth + 1)
    if (!this.#sign(')')) throw new Unread()
    return inner
  }

  #condition(): Condition {
    const of = this.#key()
    const operator = this.#operator()
    if (operator === 'IS NULL' || operator === 'IS NOT NULL') return { kind: 'condition', ...of, operator, value: null }
    const value = operator === 'IN' || operator === 'NOT IN' ? this.#list() : this.#value()
    return { kind: 'condition', ...of, operator, value }
  }

  #key(): Pick<Condition, 'entity' | 'key'> {
    const first = this.#next()
    if (first.kind !== 'name' && first.kind !== 'key') throw new Unread()
    if (!this.#sign('.')) return { entity: 'attributes', key: first.value }
    const entity = ENTITY_WORDS[first.value.toLowerCase()]
    const second = this.#next()
    if (!entity || (second.kind !== 'key' && second.kind !== 'text')) throw new Unread()
    return { entity, key: second.value }
  }

  #operator(): Operator {
    const token = this.#next()
    if (token.kind === 'sign') {
      const found = SIGNS[token.value] ?? OPERATORS.find((each) => each === token.value)
      if (found) return found
    }
    if (token.kind !== 'name') throw new Unread()
    const word = token.value.toUpperCase().replace('RLIKE', 'MATCHES')
    if (word === 'IS') {
      if (this.#word('NULL')) return 'IS NULL'
      if (this.#word('NOT') && this.#word('NULL')) return 'IS NOT NULL'
    }
    const second = word === 'NOT' ? this.#next() : undefined
    const whole = second ? `NOT ${String(second.value).toUpperCase().replace('RLIKE', 'MATCHES')}` : word
    const found = OPERATORS.find((each) => each === whole)
    if (!found || found === 'IS NULL') throw new Unread()
    return found
  }

  #value(): string | number {
    const token = this.#next()
    if (token.kind === 'text' || token.kind === 'number') return token.value
    throw new Unread()
  }

  #list(): (string | number)[] {
    const values: (string | number)[] = []
    if (!this.#sign('(')) throw new Unread()
    do values.push(this.#value())
    while (this.#sign(','))
    if (!this.#sign(')')) throw new Unread()
    return values
  }

  #next(): Token {
    const token = this.#tokens[this.#at++]
    if (!token) throw new Unread()
    return token
  }

  #take(fits: (token: Token) => boolean): boolean {
    const token = this.#tokens[this.#at]
    if (!token || !fits(token)) return false
    this.#at++
    return true
  }

  #word = (word: string) => this.#take((token) => token.kind === 'name' && token.value.toUpperCase() === word)
  #sign = (sign: string) => this.#take((token) => token.kind === 'sign' && token.value === sign)
}

/** A key as the language takes it: as it is, or in backticks. `.1` would be a number. */
export const keyText = (key: string): string =>
  WHOLE_KEY.test(key) && !/^\p{N}/u.test(key) ? key : `\`${key.replaceAll('`', '``')}\``

/** A backslash before a quote takes it as it is; so text with both goes into the other quotes. */
function valueText(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const quote = value.includes("\\'") ? '"' : "'"
  return quote + value.replaceAll(quote, quote + quote) + quote
}

const fieldText = ({ entity, key }: Pick<Condition, 'entity' | 'key'>): string => `${entity}.${keyText(key)}`

/** What stands after the field: `> 0.7`, `IN ('a', 'b')`. */
export function comparisonText({ operator, value }: Pick<Condition, 'operator' | 'value'>): string {
  if (value === null) return operator
  if (typeof value === 'object') return `${operator} (${value.map(valueText).join(', ')})`
  return `${operator} ${valueText(value)}`
}

/** Text that parses to the same tree. */
export function printFilter(filter: Filter | undefined): string {
  if (!filter) return ''
  if (filter.kind === 'condition') return `${fieldText(filter)} ${comparisonText(filter)}`
  if (filter.kind === 'not') return `NOT (${printFilter(filter.part)})`
  const own = filter.kind
  return filter.parts
    .map((part) => (part.kind === 'and' || part.kind === 'or' ? `(${printFilter(part)})` : printFilter(part)))
    .join(own === 'and' ? ' AND ' : ' OR ')
}

/** Where a part of the tree is: the numbers of parts from the top; 0 leads into a NOT. */
export type Place = readonly number[]

/** The tree with the part at a place replaced, or without it; a group of one part becomes that part. */
export function replaceAt(
  filter: Filter,
  place: Place,
  next: (part: Filter) => Filter | undefined,
): Filter | undefined {
  const [at, ...rest] = place
  if (at === undefined) return next(filter)
  if (filter.kind === 'not') {
    const part = replaceAt(filter.part, rest, next)
    return part && { kind: 'not', part }
  }
  if (filter.kind === 'condition') return filter
  const parts = filter.parts.flatMap((part, index) => {
    const own = index === at ? replaceAt(part, rest, next) : part
    return own ? [own] : []
  })
  return parts.length > 1 ? { kind: filter.kind, parts } : parts[0]
}

/** The tree and one more condition: beside the others where they are all to hold, else around what is there. */
export function also(filter: Filter | undefined, more: Filter): Filter {
  if (!filter) return more
  return filter.kind === 'and'
    ? { kind: 'and', parts: [...filter.parts, more] }
    : { kind: 'and', parts: [filter, more] }
}
