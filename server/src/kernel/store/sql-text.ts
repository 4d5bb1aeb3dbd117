/**
 * Looks into SQL text as far as both databases need it: where parameters stand, what is quoted or a comment, and which
 * words PostgreSQL spells differently. One pass over the text, remembered per text by the callers.
 */
export interface SqlText {
  /** The text for SQLite, as written. */
  text: string
  parameters: number
  /** Cannot change anything: begins with SELECT, VALUES or EXPLAIN. `WITH` counts as changing. */
  reads_only: boolean
}

type Piece = { kind: 'code' | 'opaque' | 'parameter' | 'end'; text: string }

const PIECES =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|\?|;|[^'"\-/$?;]+|[\s\S]/g

/** Splits text into code, opaque pieces (quoted text and comments), `?` and `;`. */
export function* pieces(text: string): Generator<Piece> {
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece === '?') yield { kind: 'parameter', text: piece }
    else if (piece === ';') yield { kind: 'end', text: piece }
    else if (piece.length > 1 && /^(?:'|"|--|\/\*|\$)/.test(piece)) yield { kind: 'opaque', text: piece }
    else yield { kind: 'code', text: piece }
  }
}

const isComment = (text: string) => text.startsWith('--') || text.startsWith('/*')

/** Throws an Error (our mistake) when the text holds several statements: neither database would run the rest. */
export function inspectSql(text: string): SqlText {
  let parameters = 0
  let ended = false
  let first = ''
  for (const piece of pieces(text)) {
    const blank = piece.kind === 'opaque' ? isComment(piece.text) : piece.text.trim() === ''
    if (ended && !blank && piece.kind !== 'end') throw new Error(`one statement at a time: ${shorten(text)}`)
    if (piece.kind === 'end') ended = true
    if (piece.kind === 'parameter') parameters++
    if (first === '' && piece.kind === 'code' && !blank)
      first = /^[\s(]*(\w*)/.exec(piece.text)?.[1]?.toLowerCase() ?? ''
  }
  return { text, parameters, reads_only: first === 'select' || first === 'values' || first === 'explain' }
}

/**
 * The same statement for PostgreSQL: `?` becomes `$1`, `$2`, …; INTEGER is 64 bits wide, REAL is double precision and
 * BLOB is BYTEA, as they are on SQLite. Quoted text and comments stay as they are.
 */
export function postgresSql(text: string): string {
  let count = 0
  let out = ''
  for (const piece of pieces(text)) {
    if (piece.kind === 'parameter') out += `$${++count}`
    else if (piece.kind === 'code') out += postgresWords(piece.text)
    else out += piece.text
  }
  return out
}

const WORDS: Record<string, string> = { INTEGER: 'BIGINT', REAL: 'DOUBLE PRECISION', BLOB: 'BYTEA' }

/** Leaves marked words (`:real:`) to the migrations. */
export const postgresWords = (code: string): string =>
  code.replace(/(?<![:\w])(?:INTEGER|REAL|BLOB)(?![:\w])/gi, (word) => WORDS[word.toUpperCase()] ?? word)

/** SQL as it may stand in a message: one line, at most 200 characters. */
export const shorten = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
