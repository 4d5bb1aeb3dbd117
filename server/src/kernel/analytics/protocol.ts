import type { DomainError } from '../errors.ts'
import type { Cell, FileSource, Statement, TableSource } from './index.ts'

/** Cells in one message between the processes: a few hundred kilobytes, so that neither side's loop is held. */
export const PART_CELLS_MAX = 10_000
/** Characters in one message, where texts are long. */
export const PART_CHARS_MAX = 512 * 1024
export const TABLE_ROWS_MAX = 200_000
export const RESULT_CELLS_MAX = 5_000_000
export const RESULT_CHARS_MAX = 128 * 1024 * 1024
export const ROWS_DEFAULT = 10_000
export const ROWS_MAX = 1_000_000
export const STATEMENTS_MAX = 1000
export const SQL_CHARS_MAX = 1_000_000
export const FILES_MAX = 10_000

export interface Limits {
  memory_bytes: number
  threads: number
  /** Where an instance spills; emptied by the parent. */
  temp_dir: string
  temp_bytes_max: number
}

/** From the server to the analytics process. A table's columns come first, empty; then its values in parts; then `run`. */
export type Ask =
  | {
      kind: 'prepare'
      id: number
      files: Record<string, FileSource>
      tables: Record<string, TableSource>
      copy_to: string | null
    }
  | { kind: 'part'; id: number; table: string; columns: (readonly Cell[])[] }
  | { kind: 'run'; id: number; statements: readonly Statement[]; rows_max: number; copy_to: string | null }
  | { kind: 'cancel'; id: number }

/** From the analytics process to the server. Rows of result n come in parts, before its `result`. */
export type Tell =
  | { kind: 'ready' }
  | { kind: 'rows'; id: number; rows: Cell[][] }
  | { kind: 'result'; id: number; columns: { name: string; type: string }[]; truncated: boolean }
  | { kind: 'done'; id: number; copied: number }
  | { kind: 'failed'; id: number; problem: ReturnType<DomainError['toJSON']> }
