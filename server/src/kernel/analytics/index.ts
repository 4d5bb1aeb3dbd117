/**
 * DuckDB in a child process that is started on first use, restarted after a crash and stopped when idle. Each call opens its own
 * instance with exactly the files it names, then locks the configuration: no call sees another's files, the network or extensions.
 */
export type Cell = null | boolean | number | string

export interface AnalyticsCall {
  /** SQL over the names below; `$name` or `?` parameters. */
  sql: string
  params?: readonly Cell[]
  /** Views over files: `{ flights: { files: ['/…/a.parquet'], format: 'parquet' } }`. Local paths only. */
  files?: Record<string, { files: readonly string[]; format: 'parquet' | 'csv' | 'json' }>
  /** Small tables sent along: at most 200,000 rows in all. Column-wise. */
  tables?: Record<
    string,
    { columns: Record<string, { type: 'BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BOOLEAN'; values: readonly Cell[] }> }
  >
  rows_max?: number
  timeout_ms?: number
  signal?: AbortSignal
}

export interface AnalyticsResult {
  columns: { name: string; type: string }[]
  /** Row-wise. BIGINT beyond 2^53 and HUGEINT as text; NaN and ±Infinity as 'NaN', 'Infinity', '-Infinity'; timestamps as epoch ms. */
  rows: Cell[][]
  /** There were more than `rows_max`. */
  truncated: boolean
}

export interface Analytics {
  query(call: AnalyticsCall): Promise<AnalyticsResult>
  /** Several statements over the same files in one instance; one result each. */
  queries(
    call: Omit<AnalyticsCall, 'sql' | 'params'> & { statements: { sql: string; params?: readonly Cell[] }[] },
  ): Promise<AnalyticsResult[]>
  /** Writes the result as Parquet (zstd) to `to`, which must not exist; nothing stays on failure. */
  copyTo(call: AnalyticsCall & { to: string }): Promise<{ rows: number; size_bytes: number }>
  stop(): Promise<void>
}

export { createAnalytics } from './analytics.ts'
