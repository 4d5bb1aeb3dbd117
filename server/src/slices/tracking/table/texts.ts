/** Answers that may have hundreds of thousands of cells: worded beside the database, passed on as they are. */
import type { Sql } from '#kernel/store/index.ts'
import { compareRuns } from './compare.ts'
import { csvRow } from './csv.ts'
import { type RowsAsk, runTable, type TableAsk, tableRows } from './table.ts'

export const tableText = async (sql: Sql, ask: TableAsk): Promise<string> => JSON.stringify(await runTable(sql, ask))

export const csvText = async (sql: Sql, ask: RowsAsk): Promise<string> =>
  (await tableRows(sql, ask)).map(csvRow).join('')

export const comparisonText = async (sql: Sql, ask: Parameters<typeof compareRuns>[1]): Promise<string> =>
  JSON.stringify(await compareRuns(sql, ask))
