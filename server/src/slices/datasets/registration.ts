import { createHash } from 'node:crypto'
import { invalid } from '#kernel/errors.ts'
import type { Subject } from '#kernel/events/index.ts'
import type { DatasetFile, Format } from './model.ts'

export const FILES_MAX = 2000
export const TAGS_MAX = 50
const PATH_CHARS_MAX = 500
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
/** Words that stand in the place of a name in our paths. */
const RESERVED = new Set(['uploads'])

export interface Registration {
  name: string
  /** Already in the blob store. */
  files: readonly DatasetFile[]
  tags?: Readonly<Record<string, string>>
  reason?: string
  time_column?: string
  /** Where it came from, in words. */
  source?: string
  /** The run or step that wrote it: becomes a lineage edge. */
  produced_by?: Subject
}

/** Checked and put into one form: files sorted by path, the format and the digest of the content known. */
export interface Checked {
  name: string
  files: DatasetFile[]
  format: Format
  digest: string
  size_bytes: number
  tags: Record<string, string>
  reason: string | null
  time_column: string | null
  source: string
  produced_by: Subject | undefined
}

export function checkName(name: string, field = 'name'): string {
  if (!NAME.test(name) || RESERVED.has(name))
    throw invalid(`'${name.slice(0, 130)}' is no name for a dataset`, {
      field,
      remedy: 'Use letters, digits, dot, dash and underscore, at most 120, beginning with a letter or digit.',
    })
  return name
}

export function checkRegistration(input: Registration): Checked {
  checkName(input.name)
  const { files } = input
  if (files.length === 0 || files.length > FILES_MAX)
    throw invalid(`a version has 1 to ${FILES_MAX} files, this one has ${files.length}`, {
      field: 'files',
      remedy: files.length === 0 ? 'Name at least one CSV or Parquet file.' : 'Join small files into larger ones.',
    })
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  for (const [at, file] of sorted.entries()) {
    checkPath(file.path)
    if (file.path === sorted[at - 1]?.path) throw invalid(`'${file.path}' is named twice`, { field: 'files' })
    if (!DIGEST.test(file.digest))
      throw invalid(`'${file.digest.slice(0, 80)}' is no digest`, {
        field: 'files',
        remedy: 'Write sha256: and 64 hex digits.',
      })
  }
  return {
    name: input.name,
    files: sorted.map(({ path, digest, size_bytes }) => ({ path, digest, size_bytes })),
    format: formatOf(sorted.map(({ path }) => path)),
    digest: contentDigest(sorted),
    size_bytes: sorted.reduce((sum, file) => sum + file.size_bytes, 0),
    tags: checkTags(input.tags ?? {}),
    reason: shortText(input.reason, 'reason', 1000),
    time_column: shortText(input.time_column, 'time_column', 200),
    source: shortText(input.source, 'source', 500) ?? 'upload',
    produced_by: input.produced_by,
  }
}

/** A path that stays inside the version, on every system. */
export function checkPath(path: string): void {
  const parts = path.split('/')
  const bad = parts.some((part) => part === '' || part === '.' || part === '..')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (bad || path.length > PATH_CHARS_MAX || /[\u0000-\u001f\u007f\\]/.test(path))
    throw invalid(`'${path.slice(0, 100)}' is no path within a dataset version`, {
      field: 'files',
      remedy: `Use a relative path with / between folders, at most ${PATH_CHARS_MAX} characters.`,
    })
}

export function checkTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(tags)
  if (entries.length > TAGS_MAX) throw invalid(`a version has at most ${TAGS_MAX} tags`, { field: 'tags' })
  for (const [key, value] of entries) {
    if (key === '' || key.length > 120) throw invalid('the name of a tag has 1 to 120 characters', { field: 'tags' })
    if (typeof value !== 'string' || value.length > 1000)
      throw invalid(`tag '${key}' has a text of at most 1000 characters`, { field: `tags.${key}` })
  }
  return Object.fromEntries(entries)
}

/** One format for all files of a version, by their names. */
export function formatOf(paths: readonly string[]): Format {
  const formats = paths.map((path) => {
    if (/\.parquet$/i.test(path)) return 'parquet'
    if (/\.(csv|tsv)$/i.test(path)) return 'csv'
    if (/\.(csv|tsv)\.gz$/i.test(path)) return 'csv.gz'
    throw invalid(`'${path}' is neither CSV nor Parquet`, {
      field: 'files',
      remedy: 'Name files .csv, .tsv, .csv.gz, .tsv.gz or .parquet, and leave others out.',
    })
  })
  const other = formats.findIndex((format) => format !== formats[0])
  if (other > 0)
    throw invalid(`'${paths[0]}' and '${paths[other]}' are of different formats`, {
      field: 'files',
      remedy: 'Register each format under a name of its own.',
    })
  return formats[0] === 'parquet' ? 'parquet' : 'csv'
}

/** The same for the same files under the same paths, wherever and in whatever order they were listed. */
export function contentDigest(sorted: readonly Pick<DatasetFile, 'path' | 'digest'>[]): string {
  const hash = createHash('sha256')
  for (const { path, digest } of sorted) hash.update(`${path}\0${digest}\n`)
  return `sha256:${hash.digest('hex')}`
}

function shortText(text: string | undefined, field: string, chars_max: number): string | null {
  const trimmed = text?.trim() ?? ''
  if (trimmed.length > chars_max) throw invalid(`${field} has at most ${chars_max} characters`, { field })
  return trimmed === '' ? null : trimmed
}
