import { createHash } from 'node:crypto'
import { invalid } from '../errors.ts'

const LOCK_BYTES_MAX = 1024 * 1024
const LOCK_LINES_MAX = 2000
const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'
const PINNED = new RegExp(
  `^(${NAME})\\s*(\\[[A-Za-z0-9._,\\s-]*\\])?\\s*===?\\s*([A-Za-z0-9.!+_-]+)\\s*(;[^#]*?)?((?:\\s+--hash[=\\s]\\S+)*)$`,
)

export interface Requirement {
  /** As PEP 503 writes it: lower case, runs of `-_.` as one `-`. */
  name: string
  version: string
  /** The line in its one normal form. */
  text: string
}

export const normalName = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-')

/**
 * Reads a requirements file in which every line pins one package, in an order of its own. Comments and line
 * continuations are understood. Throws invalid with the line's number and the remedy.
 */
export function readLock(text: string, field = 'lock'): Requirement[] {
  if (Buffer.byteLength(text) > LOCK_BYTES_MAX)
    throw invalid(`${field} is larger than ${LOCK_BYTES_MAX} bytes`, { field })
  const requirements: Requirement[] = []
  for (const { line, number } of logicalLines(text)) {
    const requirement = readRequirement(line)
    if (requirement === undefined) throw badLine(line, number, field)
    requirements.push(requirement)
    if (requirements.length > LOCK_LINES_MAX)
      throw invalid(`${field} names more than ${LOCK_LINES_MAX} packages`, { field })
  }
  return requirements.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
}

/** `name==version`, or undefined when the line is anything else. */
export function readRequirement(line: string): Requirement | undefined {
  const match = PINNED.exec(line.trim())
  if (!match) return undefined
  const [, name, extras, version, marker, hashes] = match
  const normal = normalName(name!)
  const parts = extras
    ? `[${extras
        .slice(1, -1)
        .split(',')
        .map((part) => normalName(part.trim()))
        .sort()
        .join(',')}]`
    : ''
  const condition = marker ? ` ; ${marker.slice(1).trim()}` : ''
  const checks = (hashes ?? '')
    .trim()
    .split(/\s+(?=--hash)/)
    .filter(Boolean)
    .sort()
    .map((hash) => ` ${hash.replace(/\s+/, '=')}`)
  return { name: normal, version: version!, text: `${normal}${parts}==${version}${condition}${checks.join('')}` }
}

function* logicalLines(text: string): Generator<{ line: string; number: number }> {
  let held = ''
  let start = 0
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const bare = raw.replace(/(^|\s)#.*$/, '').trimEnd()
    if (held === '') start = index + 1
    if (bare.endsWith('\\')) {
      held += `${bare.slice(0, -1).trim()} `
      continue
    }
    const line = (held + bare).trim()
    held = ''
    if (line !== '') yield { line, number: start }
  }
  if (held.trim() !== '') yield { line: held.trim(), number: start }
}

function badLine(line: string, number: number, field: string) {
  const shown = line.length > 120 ? `${line.slice(0, 120)}…` : line
  const why = /^-/.test(line)
    ? 'is an option; a lock holds packages only'
    : /:\/\/| @ |^\.|^\/|^file:/.test(line)
      ? 'is a path or an address; a lock names packages of the index only'
      : 'does not pin one version with =='
  return invalid(`${field} line ${number} ${why}: ${shown}`, {
    field,
    remedy: 'Write every line as name==version, for example by `uv pip compile requirements.in` or `pip freeze`.',
  })
}

export interface KeyParts {
  python_version: string
  platform: string
  lock: readonly string[]
  extras: readonly string[]
}

/** The key of an environment: equal parts, equal key, on every machine of one platform. */
export function environmentKey({ python_version, platform, lock, extras }: KeyParts): string {
  const parts = JSON.stringify({ format: 1, python_version, platform, lock, extras })
  return createHash('sha256').update(parts).digest('hex').slice(0, 32)
}

/** The extras that a lock leaves open: where it names the package, whatever version, the lock has the word. */
export function openExtras(lock: readonly Requirement[], extras: readonly string[]): Requirement[] {
  const named = new Set(lock.map(({ name }) => name))
  return readLock(extras.join('\n'), 'extras').filter(({ name }) => !named.has(name))
}
