import { resolve } from 'node:path'
import { invalid } from '../errors.ts'
import type { AnalyticsOptions, Statement } from './index.ts'
import { FILES_MAX, ROWS_MAX, SQL_CHARS_MAX, STATEMENTS_MAX, TABLE_ROWS_MAX } from './protocol.ts'

export const TIMEOUT_DEFAULT_MS = 60_000
export const TIMEOUT_MAX_MS = 30 * 60_000

/** What a call must keep to before it is handed to the process. Throws invalid or too-large naming the field. */
export function checkCall(options: AnalyticsOptions, statements: readonly Statement[]): void {
  if (statements.length === 0 || statements.length > STATEMENTS_MAX)
    throw invalid(`a call takes 1 to ${STATEMENTS_MAX} statements`, { field: 'statements' })
  if (statements.reduce((sum, { sql }) => sum + sql.length, 0) > SQL_CHARS_MAX)
    throw invalid(`the statements of a call take at most ${SQL_CHARS_MAX} characters`, { field: 'sql' })
  const { rows_max, timeout_ms } = options
  if (rows_max !== undefined && !(Number.isInteger(rows_max) && rows_max >= 0 && rows_max <= ROWS_MAX))
    throw invalid(`rows_max is a whole number from 0 to ${ROWS_MAX}`, { field: 'rows_max' })
  if (timeout_ms !== undefined && !(timeout_ms > 0 && timeout_ms <= TIMEOUT_MAX_MS))
    throw invalid(`timeout_ms is more than 0 and at most ${TIMEOUT_MAX_MS}`, { field: 'timeout_ms' })
  checkFiles(options)
  checkTables(options)
}

function checkFiles({ files }: AnalyticsOptions): void {
  let count = 0
  for (const [name, source] of Object.entries(files ?? {})) {
    const field = `files.${name}`
    count += source.files.length
    if (source.files.length === 0) throw invalid(`table ${name} has no files`, { field })
    for (const path of source.files) {
      // DuckDB reads `*?[` as a pattern and `:` before a slash as a protocol; anything not absolute hangs on the process's folder.
      if (resolve(path) !== path || /[*?[\0]/.test(path))
        throw invalid(`'${path}' is not an absolute path free of the characters * ? [`, {
          field,
          remedy: 'Keep data, and the data folder of Slipway, under a path without these characters.',
        })
    }
  }
  if (count > FILES_MAX) throw invalid(`a call reads at most ${FILES_MAX} files`, { field: 'files' })
}

function checkTables({ tables }: AnalyticsOptions): void {
  let total = 0
  for (const [name, table] of Object.entries(tables ?? {})) {
    const field = `tables.${name}`
    const columns = Object.entries(table.columns)
    const [first] = columns
    if (first === undefined) throw invalid(`table ${name} has no columns`, { field })
    for (const [column, { values }] of columns) {
      if (values.length !== first[1].values.length)
        throw invalid(
          `column ${column} of table ${name} has ${values.length} values, ${first[0]} has ${first[1].values.length}`,
          { field },
        )
    }
    total += first[1].values.length
  }
  if (total > TABLE_ROWS_MAX)
    throw invalid(`the tables of a call have at most ${TABLE_ROWS_MAX} rows in all`, {
      field: 'tables',
      remedy: 'Write them to a file and name it.',
    })
}
