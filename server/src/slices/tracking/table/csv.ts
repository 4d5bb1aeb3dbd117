import type { Cell, TableRow } from './rows.ts'

/** What spreadsheets would run as a formula. A number may begin with a sign. */
const FORMULA = /^[=+\-@\t\r]/
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** One cell of RFC 4180, harmless to a spreadsheet that opens it. */
export function csvCell(value: Cell): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const line = (cells: readonly Cell[]) => `${cells.map(csvCell).join(',')}\r\n`

export const CSV_INFO = ['run_id', 'experiment_id', 'name', 'status', 'user', 'start_time', 'end_time', 'lifecycle']

export const csvHead = (columns: readonly string[]): string => line([...CSV_INFO, ...columns])

export const csvRow = (row: TableRow): string =>
  line([
    row.run_id,
    row.experiment_id,
    row.name,
    row.status,
    row.user,
    row.start_time,
    row.end_time,
    row.lifecycle,
    ...row.values,
  ])
