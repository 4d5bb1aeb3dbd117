import { LIMITS } from '../limits.ts'
import {
  type Attribute,
  type Entity,
  type Grammar,
  ID_OPERATORS,
  NUMBER_OPERATORS,
  type Operator,
  RICH_NUMBER_OPERATORS,
  RICH_TEXT_OPERATORS,
  TEXT_OPERATORS,
} from './grammar.ts'
import { lex, type Token, wrongFilter } from './lex.ts'
import { compilePattern } from './pattern.ts'

export interface Key {
  entity: Entity
  /** The canonical name of an attribute, else the key as the caller wrote it. */
  key: string
}

export interface Condition extends Key {
  kind: 'condition'
  operator: Operator
  /** A number beside a param or tag: compared as numbers where the stored text is one. */
  value: string | number | readonly string[] | readonly number[] | null
}

export type Filter = Condition | { kind: 'and' | 'or'; parts: Filter[] } | { kind: 'not'; part: Filter }

export interface OrderKey extends Key {
  descending: boolean
}

/**
 * MLflow's filter language, with OR, NOT and brackets on top. Undefined for an empty filter.
 * Throws invalid, never anything else, for whatever does not parse.
 */
export function parseFilter(text: string, grammar: Grammar): Filter | undefined {
  if (text.trim() === '') return undefined
  if (text.length > LIMITS.filter_chars) {
    throw wrongFilter(
      `Invalid filter string: it has ${text.length} characters; at most ${LIMITS.filter_chars} are read`,
    )
  }
  return new Parser(lex(text), grammar).filter()
}

export function parseOrder(orders: readonly string[], grammar: Grammar): OrderKey[] {
  if (orders.length > LIMITS.order_keys)
    throw wrongFilter(`at most ${LIMITS.order_keys} order keys are read`, 'order_by')
  const keys = orders.map((order) => {
    if (order.length > LIMITS.filter_chars) throw wrongFilter('Invalid order_by clause: it is too long', 'order_by')
    return new Parser(lex(order, 'order_by'), grammar, 'order_by').order(order)
  })
  const seen = new Set(keys.map(({ entity, key }) => `${entity} ${key}`))
  if (seen.size < keys.length) {
    throw wrongFilter(`\`order_by\` contains duplicate fields: ${JSON.stringify(orders).slice(0, 500)}`, 'order_by')
  }
  return keys
}

/** As MLflow words it, which its users' scripts look for. */
const VALUES_OF: Record<Entity, string> = {
  metric: "metric (e.g. 'my-value').",
  param: "parameter (e.g. 'my-value').",
  tag: "tag (e.g. 'my-value').",
  attribute: 'attributes.',
  dataset: 'dataset attributes.',
}

const isWord = (token: Token | undefined, word: string): boolean =>
  token?.kind === 'name' && !token.quoted && token.value.toUpperCase() === word

class Parser {
  readonly #tokens: Token[]
  readonly #grammar: Grammar
  readonly #field: string
  #at = 0
  #conditions = 0

  constructor(tokens: Token[], grammar: Grammar, field = 'filter') {
    this.#tokens = tokens
    this.#grammar = grammar
    this.#field = field
  }

  filter(): Filter {
    const filter = this.#or(0)
    const left = this.#peek()
    if (left) throw this.#wrong(`Invalid clause(s) in filter string: '${show(left)}'`, left)
    return filter
  }

  order(text: string): OrderKey {
    const key = this.#key(true)
    const direction = this.#next()
    if (this.#peek() || (direction && !isWord(direction, 'ASC') && !isWord(direction, 'DESC'))) {
      throw this.#wrong(`Invalid order_by clause '${text.slice(0, 300)}'.`)
    }
    if (!this.#grammar.order.entities.includes(key.entity)) {
      throw this.#wrong(`Invalid order_by entity: ${key.entity}`)
    }
    if (key.entity === 'attribute' && !this.#grammar.order.attributes.includes(key.key)) {
      throw this.#wrong(`Invalid order_by attribute: '${key.key}'`)
    }
    return { ...key, descending: isWord(direction, 'DESC') }
  }

  #peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead]
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at++]
  }

  /** With the place of the token that was read last, or the end. */
  #wrong(message: string, token = this.#tokens[this.#at - 1]) {
    return wrongFilter(message, this.#field, (token ?? this.#tokens.at(-1))?.at)
  }

  #takeWord(word: string): boolean {
    if (!isWord(this.#peek(), word)) return false
    this.#at++
    return true
  }

  #takeSign(sign: string): boolean {
    const token = this.#peek()
    if (token?.kind !== 'sign' || token.value !== sign) return false
    this.#at++
    return true
  }

  #or(depth: number): Filter {
    const parts = [this.#and(depth)]
    while (this.#takeWord('OR')) parts.push(this.#and(depth))
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }

  #and(depth: number): Filter {
    const parts = [this.#not(depth)]
    while (this.#takeWord('AND')) parts.push(this.#not(depth))
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  }

  #not(depth: number): Filter {
    if (depth > LIMITS.filter_depth) {
      throw this.#wrong(`Invalid filter string: brackets go deeper than ${LIMITS.filter_depth}`)
    }
    if (this.#takeWord('NOT')) return { kind: 'not', part: this.#not(depth + 1) }
    if (this.#takeSign('(')) {
      const inner = this.#or(depth + 1)
      if (!this.#takeSign(')')) throw this.#wrong(`Invalid clause(s) in filter string: a bracket is not closed`)
      return inner
    }
    return this.#condition()
  }

  #condition(): Condition {
    if (++this.#conditions > LIMITS.filter_conditions) {
      throw this.#wrong(`Invalid filter string: at most ${LIMITS.filter_conditions} conditions are read`)
    }
    const key = this.#key(false)
    const operator = this.#operator()
    this.#refuseOperator(key, operator)
    if (operator === 'IS NULL' || operator === 'IS NOT NULL')
      return { kind: 'condition', ...key, operator, value: null }
    return { kind: 'condition', ...key, operator, value: this.#value(key, operator) }
  }

  #key(forOrder: boolean): Key {
    const first = this.#next()
    if (first?.kind !== 'name' && !(first?.kind === 'text' && first.quote === '"')) {
      throw this.#wrong(
        `Invalid ${forOrder ? 'order_by' : 'comparison'} clause. Expected an identifier, found '${first ? show(first) : 'the end'}'`,
      )
    }
    if (this.#takeSign('.')) {
      const second = this.#next()
      if (second?.kind !== 'name' && second?.kind !== 'text') {
        throw this.#wrong(`Invalid identifier '${first.value.slice(0, 200)}.'. Expected a key after the period.`)
      }
      return this.#known(first.value, second.value)
    }
    // `Run name = 'x'`: the one attribute that old clients write with a space.
    const second = this.#peek()
    if (/^run$/i.test(first.value) && second?.kind === 'name' && /^name$/i.test(second.value)) {
      this.#at++
      return this.#known(undefined, `${first.value} ${second.value}`)
    }
    return this.#known(undefined, first.value)
  }

  #known(word: string | undefined, key: string): Key {
    const { entities, attributes } = this.#grammar
    const entity =
      word === undefined
        ? 'attribute'
        : (Object.keys(entities) as Entity[]).find((each) => entities[each]!.includes(word))
    if (!entity) {
      throw this.#wrong(
        `Invalid entity type '${word!.slice(0, 200)}'. Valid values are [${Object.keys(entities)
          .map((each) => `'${each === 'param' ? 'parameter' : each}'`)
          .join(', ')}]`,
      )
    }
    if (entity === 'attribute') {
      const attribute = Object.hasOwn(attributes, key) ? attributes[key] : undefined
      if (attribute) return { entity, key: attribute.name }
      throw this.#wrong(
        `Invalid attribute key '${key.slice(0, 200)}' specified. Valid keys are '${Object.keys(attributes).join(', ')}'`,
      )
    }
    if (entity === 'dataset' && !['name', 'digest', 'context'].includes(key)) {
      throw this.#wrong(`Invalid dataset key '${key.slice(0, 200)}' specified. Valid keys are 'name, digest, context'`)
    }
    return { entity, key }
  }

  #operator(): Operator {
    const token = this.#next()
    if (token?.kind === 'operator') {
      if ((NUMBER_OPERATORS as readonly string[]).includes(token.value)) return token.value as Operator
      if (token.value === '~') return 'MATCHES'
      if (token.value === '!~') return 'NOT MATCHES'
    }
    const plain = this.#wordOperator(token)
    if (plain) return plain
    if (isWord(token, 'NOT')) {
      const denied = this.#wordOperator(this.#next())
      if (denied) return `NOT ${denied}`
    } else if (isWord(token, 'IS')) {
      if (this.#takeWord('NULL')) return 'IS NULL'
      if (this.#takeWord('NOT') && this.#takeWord('NULL')) return 'IS NOT NULL'
    }
    throw this.#wrong(`Invalid comparison clause. Expected a comparison, found '${token ? show(token) : 'the end'}'`)
  }

  /** Those that NOT may stand before. RLIKE is what MLflow calls a regular expression elsewhere. */
  #wordOperator(token: Token | undefined): 'LIKE' | 'ILIKE' | 'IN' | 'MATCHES' | undefined {
    for (const word of ['LIKE', 'ILIKE', 'IN', 'MATCHES'] as const) if (isWord(token, word)) return word
    return isWord(token, 'RLIKE') ? 'MATCHES' : undefined
  }

  #attribute(key: string): Attribute {
    return Object.values(this.#grammar.attributes).find((attribute) => attribute.name === key)!
  }

  #isNumber({ entity, key }: Key): boolean {
    return entity === 'metric' || (entity === 'attribute' && this.#attribute(key).type === 'number')
  }

  #allowed(of: Key): readonly Operator[] {
    const { entity, key } = of
    if (this.#grammar.rich) return this.#isNumber(of) ? RICH_NUMBER_OPERATORS : RICH_TEXT_OPERATORS
    if (entity === 'metric') return NUMBER_OPERATORS
    if (entity === 'param' || entity === 'tag') return this.#grammar.text_operators
    if (entity === 'dataset') return TEXT_OPERATORS
    const { type, list } = this.#attribute(key)
    if (type === 'number') return NUMBER_OPERATORS
    if (type === 'id') return ID_OPERATORS
    return list ? TEXT_OPERATORS : TEXT_OPERATORS.filter((each) => !each.endsWith('IN'))
  }

  #refuseOperator(key: Key, operator: Operator): void {
    const allowed = this.#allowed(key)
    if (allowed.includes(operator) || this.#comparesNumbers(key, operator)) return
    throw this.#wrong(
      `Invalid comparator '${operator}' not one of '${allowed.join(', ')}' for ${key.entity} '${key.key.slice(0, 200)}'`,
    )
  }

  /** `params.lr > 0.01`: a number without quotes after a param or tag. */
  #comparesNumbers({ entity }: Key, operator: Operator): boolean {
    return (
      this.#grammar.rich === true &&
      (entity === 'param' || entity === 'tag') &&
      this.#peek()?.kind === 'number' &&
      NUMBER_OPERATORS.includes(operator)
    )
  }

  #value(of: Key, operator: Operator): Condition['value'] {
    const { entity, key } = of
    if (operator === 'IN' || operator === 'NOT IN') return this.#list(of)
    const token = this.#next()
    const found = token ? show(token) : 'the end'
    if (this.#isNumber(of)) {
      if (token?.kind === 'number' && Number.isFinite(token.value)) return token.value
      throw this.#wrong(
        `Expected numeric value type for ${entity === 'metric' ? 'metric' : `numeric attribute: ${key}`}. Found ${found}`,
      )
    }
    if (token?.kind === 'text') {
      if (operator === 'MATCHES' || operator === 'NOT MATCHES') compilePattern(token.value, this.#field, token.at)
      return token.value
    }
    if (token?.kind === 'number') {
      const isId = entity === 'attribute' && this.#attribute(key).type === 'id'
      if (this.#grammar.bare_text || isId) return token.raw
      this.#at--
      const compares = this.#comparesNumbers(of, operator)
      this.#at++
      if (compares && Number.isFinite(token.value)) return token.value
    }
    if (this.#grammar.bare_text && token?.kind === 'name') return token.value
    if (token?.kind === 'name') {
      throw this.#wrong(
        `Parameter value is either not quoted or unidentified quote types used for string value ${found}. Use either single or double quotes.`,
      )
    }
    throw this.#wrong(`Expected a quoted string value for ${VALUES_OF[entity]} Got value ${found}`)
  }

  /** Texts, or numbers: all of one kind. */
  #list(of: Key): string[] | number[] {
    const texts: string[] = []
    const numbers: number[] = []
    const wantsNumbers = this.#isNumber(of)
    const mayBeNumbers = wantsNumbers || (this.#grammar.rich === true && (of.entity === 'param' || of.entity === 'tag'))
    if (!this.#takeSign('(')) throw this.#wrong('Invalid comparison clause. Expected a list in brackets after IN')
    do {
      const token = this.#next()
      if (token?.kind === 'number' && mayBeNumbers && Number.isFinite(token.value)) numbers.push(token.value)
      else if (token?.kind === 'text' && !wantsNumbers) texts.push(token.value)
      else {
        throw this.#wrong(
          `While parsing a list in the query, expected ${wantsNumbers ? 'number' : 'string'} value, punctuation, or whitespace, but got different type in list: ${token ? show(token) : 'the end'}`,
        )
      }
      if (texts.length > 0 && numbers.length > 0) {
        throw this.#wrong('Invalid comparison clause. A list after IN is all text or all numbers')
      }
    } while (this.#takeSign(','))
    if (!this.#takeSign(')')) throw this.#wrong('Invalid comparison clause. The list after IN is not closed')
    return numbers.length > 0 ? numbers : texts
  }
}

const show = (token: Token): string =>
  (token.kind === 'number'
    ? token.raw
    : token.kind === 'text'
      ? `${token.quote}${token.value}${token.quote}`
      : token.value
  ).slice(0, 100)
