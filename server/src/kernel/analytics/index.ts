/**
 * DuckDB in a child process that is started on first use, restarted after a crash and stopped when idle. Each call opens its own
 * instance with exactly the files it names, then locks the configuration: no call sees another's files, the network or extensions.
 * A statement is one SELECT; nothing else runs. Times are UTC.
 */
export type Cell = null | boolean | number | string

/** Values for `?` and `$1`, or by name for `$name`. Whole numbers are bound as BIGINT, others as DOUBLE. */
export type Params = readonly Cell[] | Readonly<Record<string, Cell>>

/** How a CSV file is written. Each field left out is found by DuckDB; naming all makes reading the same file certain. */
export interface CsvForm {
  delimiter?: string
  /** The first line names the columns; true when left out. */
  header?: boolean
  compression?: 'gzip'
  /** Column name to DuckDB type; columns not named are typed by reading the whole file. */
  types?: Readonly<Record<string, string>>
  /** `types` names every column in the order of the files: nothing is guessed, and the first line that does not fit is named. */
  fixed?: boolean
}

/** A table over files of one format. Columns are matched by name across files. */
export interface FileSource {
  /** Absolute local paths, without the pattern characters `*?[`. At most 10,000. */
  files: readonly string[]
  format: 'parquet' | 'csv' | 'json'
  csv?: CsvForm
  /** Column name to DuckDB type, nested ones included. Naming all makes reading the same lines certain; what is not named is left out. */
  json?: { types: Readonly<Record<string, string>> }
  /** Reads the files once into a table of the call's instance: for several statements over CSV. Spills to disk past the memory limit. */
  load?: boolean
}

export interface TableSource {
  columns: Record<string, { type: 'BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BOOLEAN'; values: readonly Cell[] }>
}

export interface Statement {
  /** One SELECT over the names below; `$name`, `$1` or `?` parameters. */
  sql: string
  params?: Params
}

export interface AnalyticsOptions {
  /** Views over files: `{ flights: { files: ['/…/a.parquet'], format: 'parquet' } }`. */
  files?: Record<string, FileSource>
  /** Small tables sent along: at most 200,000 rows in all. Column-wise. */
  tables?: Record<string, TableSource>
  /** Most rows that a statement answers; 10,000 when left out, at most 1,000,000. */
  rows_max?: number
  /** From the start of running; 60 s when left out, at most 30 min. */
  timeout_ms?: number
  signal?: AbortSignal
}

export interface AnalyticsCall extends AnalyticsOptions, Statement {}

export interface AnalyticsResult {
  columns: { name: string; type: string }[]
  /**
   * Row-wise. BIGINT beyond 2^53, HUGEINT and wide DECIMAL as text; NaN and ±Infinity as 'NaN', 'Infinity', '-Infinity'; timestamps
   * as epoch ms; dates and times as ISO text; lists, structs and maps as JSON text; blobs as base64.
   */
  rows: Cell[][]
  /** There were more than `rows_max`. */
  truncated: boolean
}

/**
 * Every method throws DomainError: invalid (a mistake in the SQL, field `sql`; a file that cannot be read, field `files`, facts.file its path;
 * a call that ended the process), too-large (memory, or a result past the limits), unavailable (time-out, cancelled, too many waiting,
 * process killed from outside, stopped).
 */
export interface Analytics {
  query(call: AnalyticsCall): Promise<AnalyticsResult>
  /** Several statements over the same files in one instance; one result each. */
  queries(call: AnalyticsOptions & { statements: readonly Statement[] }): Promise<AnalyticsResult[]>
  /** Writes the result as Parquet (zstd) to `to`, which must not exist; nothing stays on failure. Not synced: put it into blobs. */
  copyTo(call: Omit<AnalyticsCall, 'rows_max'> & { to: string }): Promise<{ rows: number; size_bytes: number }>
  /** The child process, for `slipway doctor` and tests; undefined while none runs. */
  readonly pid: number | undefined
  stop(): Promise<void>
}

export { type AnalyticsSettings, createAnalytics } from './analytics.ts'
export { identifier, literal } from './words.ts'
