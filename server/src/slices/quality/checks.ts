import { createHash } from 'node:crypto'
import { invalid } from '#kernel/errors.ts'
import { type Reader, reader, show, suggest, TEXT_CHARS_MAX } from './fields.ts'
import { CHECK_KINDS, type Check, type CheckKind } from './model.ts'

export const CHECKS_MAX = 200

/** A mistake in what a person wrote: where, what, and what to do. */
export interface Mistake {
  /** `checks[2].colum` */
  path: string
  /** The same from the list on, for callers that look up its line: `[2, 'colum']`. */
  at: (string | number)[]
  message: string
  remedy: string
}

const KEYS: Record<CheckKind, readonly string[]> = {
  not_null: ['column', 'mostly'],
  between: ['column', 'min', 'max', 'strict', 'mostly'],
  in_set: ['column', 'values', 'mostly'],
  unique: ['column', 'columns', 'mostly'],
  regex: ['column', 'pattern', 'mostly'],
  row_count: ['min', 'max'],
  columns: ['exactly', 'ordered', 'contains'],
  freshness: ['column', 'max_age', 'at'],
}
const COMMON = ['check', 'name', 'severity']

/** Checks as people write them, in one form; or all mistakes in them. `path` is where they stand in the caller's document. */
export function readChecks(value: unknown, path = 'checks'): { checks: Check[]; mistakes: Mistake[] } {
  const mistakes: Mistake[] = []
  if (!Array.isArray(value)) {
    mistakes.push({
      path,
      at: [],
      message: 'is no list',
      remedy: 'Write a list of checks: - { check: not_null, column: id }',
    })
    return { checks: [], mistakes }
  }
  if (value.length > CHECKS_MAX)
    mistakes.push({ path, at: [], message: `has ${value.length} checks`, remedy: `State at most ${CHECKS_MAX}.` })
  const checks = value.slice(0, CHECKS_MAX).flatMap((one, at) => readCheck(one, path, at, mistakes) ?? [])
  if (mistakes.length === 0) mistakes.push(...sameNames(checks, path))
  return { checks: mistakes.length === 0 ? checks : [], mistakes }
}

function sameNames(checks: readonly Check[], path: string): Mistake[] {
  const names = checks.map(({ name }) => name)
  return names.flatMap((name, at) =>
    names.indexOf(name) === at
      ? []
      : [
          {
            path: `${path}[${at}].name`,
            at: [at, 'name'],
            message: `there are two checks named '${name}'`,
            remedy: 'Give one of them another name.',
          },
        ],
  )
}

/** The same, for callers that want the checks or an error. */
export function mustReadChecks(value: unknown, path = 'checks'): Check[] {
  const { checks, mistakes } = readChecks(value, path)
  const [first] = mistakes
  if (first !== undefined)
    throw invalid(`${first.path} ${first.message}`, {
      field: first.path,
      remedy: first.remedy,
      facts: { mistakes: mistakes.slice(0, 50) },
    })
  return checks
}

export const digestOfChecks = (checks: readonly Check[]): string =>
  `sha256:${createHash('sha256').update(JSON.stringify(checks)).digest('hex')}`

function readCheck(value: unknown, list: string, index: number, mistakes: Mistake[]): Check | undefined {
  const before = mistakes.length
  const wrong = (key: string, message: string, remedy: string) => {
    const path = `${list}[${index}]${key === '' ? '' : `.${key}`}`
    mistakes.push({ path, at: key === '' ? [index] : [index, key], message, remedy })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    wrong('', 'is no check', 'Write { check: not_null, column: id }.')
    return undefined
  }
  const stated = value as Record<string, unknown>
  const kind = stated.check as CheckKind
  if (!CHECK_KINDS.includes(kind)) {
    wrong('check', `is ${show(stated.check)}, not a kind of check`, suggest(String(stated.check ?? ''), CHECK_KINDS))
    return undefined
  }
  const allowed = [...COMMON, ...KEYS[kind]]
  for (const key of Object.keys(stated))
    if (!allowed.includes(key)) wrong(key, `is not known to ${kind}`, suggest(key, allowed))

  const read = reader(stated, wrong)
  const check = KINDS[kind](read)
  const severity = read.oneOf('severity', ['error', 'warn'] as const) ?? 'error'
  const name = read.text('name', 120) ?? defaultName(kind, check)
  return mistakes.length > before ? undefined : ({ check: kind, name, severity, ...check } as Check)
}

/** What each kind holds beside its name and severity. Mistakes are told to the reader; what is answered then is thrown away. */
const KINDS: Record<CheckKind, (read: Reader) => Record<string, unknown>> = {
  not_null: (read) => ({ column: read.column(), mostly: read.mostly() }),
  between(read) {
    const [min, max] = [read.bound('min'), read.bound('max')]
    if (!read.has('min') && !read.has('max')) read.wrong('min', 'is not stated, nor is max', 'State min, max or both.')
    if (min !== undefined && max !== undefined && typeof min === typeof max && min > max)
      read.wrong('min', `is greater than max`, 'State min below max.')
    if (min !== undefined && max !== undefined && typeof min !== typeof max)
      read.wrong('max', 'is not of the type of min', 'State both as numbers, or both as text.')
    return {
      column: read.column(),
      ...given({ min, max }),
      strict: read.flag('strict') ?? false,
      mostly: read.mostly(),
    }
  },
  in_set: (read) => ({ column: read.column(), values: read.values(), mostly: read.mostly() }),
  regex: (read) => ({ column: read.column(), pattern: read.pattern(), mostly: read.mostly() }),
  unique(read) {
    const columns = read.texts('columns')
    const column = read.text('column', TEXT_CHARS_MAX)
    if ((columns === undefined) === (column === undefined))
      read.wrong(
        'columns',
        columns === undefined ? 'is not stated' : 'stands beside column',
        'State column, or columns as a list.',
      )
    return { columns: columns ?? [column], mostly: read.mostly() }
  },
  row_count(read) {
    const [min, max] = [read.count('min'), read.count('max')]
    if (!read.has('min') && !read.has('max')) read.wrong('min', 'is not stated, nor is max', 'State min, max or both.')
    if (min !== undefined && max !== undefined && min > max)
      read.wrong('min', 'is greater than max', 'State min below max.')
    return given({ min, max })
  },
  columns(read) {
    const ways = given({
      exactly: read.texts('exactly'),
      ordered: read.texts('ordered'),
      contains: read.texts('contains'),
    })
    if (Object.keys(ways).length !== 1)
      read.wrong(
        'contains',
        'must be the only one of exactly, ordered and contains',
        'State one of the three as a list of names.',
      )
    return ways
  },
  freshness: (read) => ({
    ...given({ column: read.text('column', TEXT_CHARS_MAX) }),
    max_age: read.age(),
    ...given({ at: read.moment('at') }),
  }),
}

const given = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

function defaultName(kind: CheckKind, check: Record<string, unknown>): string {
  const about = kind === 'unique' ? (check.columns as string[]).join(', ') : check.column
  return about === undefined ? kind : `${kind}(${about})`.slice(0, 120)
}
