import { DomainError, invalid } from '../errors.ts'
import type { FileSource } from './index.ts'

const MESSAGE_CHARS_MAX = 500

/** What DuckDB said, without its drawings and advice: `Binder Error: …` up to the first empty line. */
export function sayingOf(error: unknown): { kind: string; text: string; whole: string } {
  const whole = String(error instanceof Error ? error.message : error).replace(/^Failed to extract statements:\s*/, '')
  const first = whole.split('\n\n')[0]!.split(/\nPossible (?:fixes|solutions):/)[0]!
  const text = first.replace(/\s*\n\s*/g, '; ').slice(0, MESSAGE_CHARS_MAX)
  const kind = /^([A-Za-z][A-Za-z -]*?) ?Error:/i.exec(text)?.[1]?.toLowerCase() ?? ''
  return { kind, text, whole }
}

const MISTAKES = new Set(['parser', 'binder', 'catalog', 'syntax', 'parameter not resolved', 'not implemented'])

/** A failed statement as the caller's problem. `undefined` where a file may be at fault and nothing names it yet. */
export function problemOf(error: unknown, files: Record<string, FileSource>): DomainError | undefined {
  if (error instanceof DomainError) return error
  const { kind, text, whole } = sayingOf(error)
  if (kind === 'out of memory')
    return new DomainError('too-large', `the query needs more memory than analytics may use: ${text}`, {
      field: 'sql',
      remedy: 'Ask for fewer rows or columns at once, or raise analytics.memory.',
    })
  if (/no space left on device|disk quota exceeded/i.test(whole))
    return new DomainError('storage-full', `the disk is full: ${text}`, {
      remedy: 'Make room where Slipway keeps its data.',
    })
  // What follows the first empty line echoes the statement, which names every file; only CSV's own `file = …` is worth reading there.
  const said = `${text}\n${/^ *file = .*$/m.exec(whole)?.[0] ?? ''}`
  const named = pathsOf(files).find((path) => said.includes(path))
  // A path that may be read and yet is refused is one that is not there.
  if (named !== undefined) return fileProblem(named, kind === 'permission' ? 'there is no such file' : text)
  if (kind === 'permission')
    return new DomainError('forbidden', `a query reads only the files it was given: ${text}`, { field: 'sql' })
  if (MISTAKES.has(kind)) return invalid(text, { field: 'sql' })
  return undefined
}

export const fileProblem = (path: string, text: string): DomainError =>
  invalid(`'${path}' cannot be read: ${text}`, {
    field: 'files',
    remedy: 'Write the file again and check that it opens where it was made.',
    facts: { file: path },
  })

/** Kinds that come of decoding a file, whatever the statement: Thrift's of a Parquet footer, the disk's. */
const OF_FILES = new Set(['invalid', 'io', 'serialization'])

/** Where no file could be found at fault: the statement met data that it cannot work with, or DuckDB has a fault of its own. */
export function lastProblemOf(error: unknown, files: Record<string, FileSource> = {}): DomainError {
  const { kind, text } = sayingOf(error)
  const paths = pathsOf(files)
  if (OF_FILES.has(kind) && paths.length === 1) return fileProblem(paths[0]!, text)
  if (OF_FILES.has(kind) && paths.length > 1)
    return invalid(`one of ${paths.length} files cannot be read: ${text}`, {
      field: 'files',
      facts: { files: paths.slice(0, 10) },
    })
  return kind === 'internal' || kind === 'fatal' || kind === ''
    ? new DomainError('internal', `DuckDB failed: ${text}`, { cause: error })
    : invalid(text, { field: 'sql' })
}

export const pathsOf = (files: Record<string, FileSource>): string[] =>
  Object.values(files).flatMap((source) => source.files)
