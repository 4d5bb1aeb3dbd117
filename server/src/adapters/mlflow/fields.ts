import { DomainError, invalid } from '#kernel/errors.ts'
import { refuseHalfLetters } from '#kernel/http/index.ts'
import type { Integer } from '#slices/tracking'

/** An integer of so many digits that a double may bend it; the digits of a fraction are none. Reading by a function takes eight times as long. */
const WIDE_INTEGER = /(?:^|[:,[\s-])\d{16}/

/** Integers beyond 2^53 come as bigint, so that a step or timestamp of 64 bits survives. */
export function parseJson(text: string): unknown {
  if (!WIDE_INTEGER.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    return context?.source && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
  })
}

/** The JSON object of a request's body; `{}` for none. Old clients send JSON text that holds JSON text. */
export function parseBody(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  let body: unknown
  try {
    body = parseJson(text)
    if (typeof body === 'string') body = parseJson(body)
  } catch {
    throw invalid('Bad Request. The body is no valid JSON.', { field: 'body' })
  }
  refuseHalfLetters(text, body)
  if (body === null) return {}
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw invalid('Bad Request. The body must be a JSON object.', { field: 'body' })
  }
  return body as Record<string, unknown>
}

const DOCS = 'See the API docs for more information about request parameters.'

function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  const names: Record<string, string> = { string: 'str', boolean: 'bool', bigint: 'int', object: 'dict' }
  return names[typeof value]!
}

/** Deeper ones of a value are not shown. */
const LEVELS_SHOWN = 10

/** Compact JSON with sorted keys, cut when it is long or deep. */
function shown(value: unknown): string {
  const sorted = (each: unknown, level = 0): unknown => {
    if (typeof each === 'bigint') return each.toString()
    if (each === null || typeof each !== 'object') return each ?? null
    if (level === LEVELS_SHOWN) return '…'
    if (Array.isArray(each)) return each.slice(0, 100).map((item) => sorted(item, level + 1))
    const entries = Object.entries(each)
      .slice(0, 100)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item, level + 1)]))
  }
  const text = JSON.stringify(sorted(value))
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}

const wrong = (path: string, value: unknown) =>
  invalid(
    `Invalid value ${shown(value)} for parameter '${path}' supplied:  Hint: Value was of type '${pythonType(value)}'. ${DOCS}`,
    { field: path },
  )

const missing = (path: string) => invalid(`Missing value for required parameter '${path}'. ${DOCS}`, { field: path })

const INT64_MAX = 2n ** 63n - 1n

const camels = new Map<string, string>()
/** Of names that stand in our code: a bounded number. */
function camel(name: string): string {
  let other = camels.get(name)
  if (other === undefined) {
    other = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    camels.set(name, other)
  }
  return other
}

/**
 * Reads a request the way MLflow's server reads its messages: names in snake_case or lowerCamelCase but not both,
 * integers as number or text, enumerations by name or number, null as absent, unknown fields passed over.
 */
export class Fields {
  readonly #values: Record<string, unknown>
  readonly #path: string
  /** From a query string: everything is text, and what was repeated a list of it. */
  readonly #isQuery: boolean

  constructor(values: unknown, path = '', isQuery = false) {
    if (values === null || typeof values !== 'object' || Array.isArray(values)) throw wrong(path || 'body', values)
    this.#values = values as Record<string, unknown>
    this.#path = path
    this.#isQuery = isQuery
  }

  path(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  has(name: string): boolean {
    return this.#raw(name) !== undefined
  }

  #raw(name: string): unknown {
    const other = camel(name)
    const here = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined
    if (other === name || !Object.hasOwn(this.#values, other)) return here ?? undefined
    if (Object.hasOwn(this.#values, name)) {
      throw invalid(`Request specifies both '${name}' and '${other}'; provide only one of them.`, { field: name })
    }
    return this.#values[other] ?? undefined
  }

  /** As `#raw`; of a query parameter that was repeated, the first. */
  #one(name: string): unknown {
    const value = this.#raw(name)
    return this.#isQuery && Array.isArray(value) ? value[0] : value
  }

  optionalText(name: string): string | undefined {
    const value = this.#one(name)
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw wrong(this.path(name), value)
    return value
  }

  /** Absent and empty are the same to MLflow's messages: both are missing. */
  text(name: string): string {
    const value = this.optionalText(name)
    if (value === undefined || value === '') throw missing(this.path(name))
    return value
  }

  /** `run_id`, or `run_uuid` as the oldest clients call it. */
  runId(): string {
    const id = this.optionalText('run_id') || this.optionalText('run_uuid')
    if (!id) throw missing(this.path('run_id'))
    return id
  }

  optionalInteger(name: string): Integer | undefined {
    const value = this.#one(name)
    if (value === undefined || value === '') return undefined
    let integer: Integer
    if (typeof value === 'number' && Number.isInteger(value)) integer = value
    else if (typeof value === 'bigint') integer = value
    else if (typeof value === 'string' && /^\s*[+-]?\d{1,20}\s*$/.test(value))
      integer = BigInt(value.trim().replace(/^\+/, ''))
    else throw wrong(this.path(name), value)
    if (typeof integer === 'bigint') {
      if (integer > INT64_MAX || integer < -INT64_MAX - 1n) throw wrong(this.path(name), value)
      const number = Number(integer)
      return Number.isSafeInteger(number) ? number : integer
    }
    if (!Number.isSafeInteger(integer)) throw wrong(this.path(name), value)
    return integer
  }

  integer(name: string): Integer {
    const value = this.optionalInteger(name)
    if (value === undefined) throw missing(this.path(name))
    return value
  }

  /** An integer that stays exact as a number: counts, milliseconds. */
  optionalCount(name: string): number | undefined {
    const value = this.optionalInteger(name)
    if (typeof value === 'bigint') throw wrong(this.path(name), value)
    return value
  }

  /** A double; the texts NaN, Infinity and -Infinity are what they say. */
  double(name: string): number {
    const value = this.#one(name)
    if (value === undefined || value === '') throw missing(this.path(name))
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    if (typeof value === 'string') {
      const text = value.trim()
      if (/^[+-]?(?:nan)$/i.test(text)) return Number.NaN
      const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text)
      if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
      if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text)
    }
    throw wrong(this.path(name), value)
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#one(name)
    if (value === undefined) return undefined
    if (typeof value === 'boolean') return value
    if (typeof value === 'string' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true'
    throw invalid(`Invalid boolean value: ${shown(value)}, must be 'true' or 'false'.`, { field: this.path(name) })
  }

  /** One of the names, by name or by its number; `names` maps them to what is meant. */
  optionalChoice<T>(name: string, names: Readonly<Record<string, T>>, numbers: readonly string[]): T | undefined {
    const value = this.#one(name)
    if (value === undefined || value === '') return undefined
    const byNumber =
      typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))
        ? numbers[Number(value)]
        : undefined
    const key = byNumber ?? (typeof value === 'string' ? value : undefined)
    if (key !== undefined && Object.hasOwn(names, key)) return names[key]
    throw wrong(this.path(name), value)
  }

  texts(name: string): string[] {
    const value = this.#raw(name)
    if (value === undefined) return []
    // A query parameter that occurs once comes as text alone.
    if (typeof value === 'string' && this.#isQuery) return [value]
    if (!Array.isArray(value) || value.some((each) => typeof each !== 'string')) throw wrong(this.path(name), value)
    return value as string[]
  }

  /** The messages of a repeated field, each with its path (`metrics[3]`) for what is wrong in it. */
  list<T>(name: string, read: (entry: Fields) => T): T[] {
    const value = this.#raw(name)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw wrong(this.path(name), value)
    return value.map((entry, index) => read(new Fields(entry, `${this.path(name)}[${index}]`)))
  }

  /** The messages of a repeated field as they came, for whoever checks them by itself. */
  entries(name: string): readonly unknown[] {
    const value = this.#raw(name)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw wrong(this.path(name), value)
    return value
  }

  one(name: string): Fields | undefined {
    const value = this.#raw(name)
    return value === undefined ? undefined : new Fields(value, this.path(name))
  }
}

/** A page size within its bounds. */
export function pageSize(fields: Fields, otherwise: number, most: number): number {
  const asked = fields.optionalCount('max_results') ?? otherwise
  if (asked <= 0) {
    throw invalid(`Invalid value for max_results. It must be a positive integer, but got ${asked}`, {
      field: 'max_results',
    })
  }
  if (asked > most) {
    throw invalid(`Invalid value for max_results. It must be at most ${most}, but got ${asked}`, {
      field: 'max_results',
    })
  }
  return asked
}

export const notImplemented = (what: string) =>
  new DomainError('not-implemented', `${what} is not supported by this server`)
