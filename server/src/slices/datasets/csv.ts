import { createGunzip } from 'node:zlib'
import type { Blobs } from '#kernel/blobs/index.ts'
import { invalid } from '#kernel/errors.ts'
import type { CsvDialect, DatasetFile } from './model.ts'

const DELIMITERS = [',', ';', '\t', '|']
/** The header must end within this many bytes. */
const HEADER_BYTES_MAX = 256 * 1024

export interface CsvHeader {
  dialect: CsvDialect
  names: string[]
}

/**
 * The form of a CSV file by its header line. DuckDB would guess it from the rows too, and then a broken row can change the guess
 * instead of being an error: with the form stated, a row that does not fit is one.
 */
export async function readHeader(blobs: Pick<Blobs, 'open'>, file: DatasetFile): Promise<CsvHeader> {
  const gzip = /\.gz$/i.test(file.path)
  const line = await firstLine(blobs, file, gzip)
  const delimiter = /\.tsv(\.gz)?$/i.test(file.path) ? '\t' : bestDelimiter(line)
  const names = split(line, delimiter)
  const problem = (text: string) =>
    invalid(`'${file.path}' ${text}`, {
      field: 'files',
      remedy: 'Begin the file with one line that names each column once.',
    })
  if (line.trim() === '') throw problem('has no header line')
  const seen = new Set<string>()
  for (const name of names) {
    if (name.trim() === '') throw problem('has a column without a name')
    // DuckDB takes names without regard to case, and would rename the second.
    if (seen.has(name.toLowerCase())) throw problem(`names column '${name.slice(0, 100)}' twice`)
    seen.add(name.toLowerCase())
  }
  return { dialect: { delimiter, ...(gzip && { compression: 'gzip' as const }) }, names }
}

async function firstLine(blobs: Pick<Blobs, 'open'>, file: DatasetFile, gzip: boolean): Promise<string> {
  if (file.size_bytes === 0) throw invalid(`'${file.path}' is empty`, { field: 'files' })
  const { stream } = await blobs.open(file.digest, { start: 0, end: Math.min(file.size_bytes, HEADER_BYTES_MAX) - 1 })
  const text = gzip ? stream.pipe(createGunzip()) : stream
  // A file cut off for its header's sake ends in an error of the unzipper, after what is wanted has come.
  stream.on('error', (error) => text.destroy(error))
  let bytes = Buffer.alloc(0)
  try {
    for await (const chunk of text) {
      bytes = Buffer.concat([bytes, chunk as Buffer])
      if (lineEnd(bytes) >= 0 || bytes.length > HEADER_BYTES_MAX) break
    }
  } catch (error) {
    if (lineEnd(bytes) < 0)
      throw invalid(`'${file.path}' cannot be read: ${(error as Error).message}`, { field: 'files', cause: error })
  } finally {
    stream.destroy()
    text.destroy()
  }
  const end = lineEnd(bytes)
  if (end < 0 && bytes.length > HEADER_BYTES_MAX)
    throw invalid(`the header line of '${file.path}' is longer than ${HEADER_BYTES_MAX} bytes`, { field: 'files' })
  if (bytes.subarray(0, 4096).includes(0))
    throw invalid(`'${file.path}' is no CSV text: it holds zero bytes`, {
      field: 'files',
      remedy: 'Write it as UTF-8, or name it for what it is.',
    })
  return bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .replace(/\r$/, '')
}

/** Where the first line ends: the first line feed outside quotes; -1 when not in these bytes. */
function lineEnd(bytes: Buffer): number {
  let quoted = false
  for (const [at, byte] of bytes.entries()) {
    if (byte === 0x22) quoted = !quoted
    else if (!quoted && (byte === 0x0a || byte === 0x0d)) return at
  }
  return -1
}

const bestDelimiter = (line: string): string =>
  DELIMITERS.map((delimiter) => ({ delimiter, fields: split(line, delimiter).length })).reduce((best, one) =>
    one.fields > best.fields ? one : best,
  ).delimiter

/** Fields of one line, quotes taken off. */
function split(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at]!
    if (char === '"') {
      if (quoted && line[at + 1] === '"') {
        field += '"'
        at += 1
      } else quoted = !quoted
    } else if (char === delimiter && !quoted) {
      fields.push(field)
      field = ''
    } else field += char
  }
  fields.push(field)
  return fields
}
