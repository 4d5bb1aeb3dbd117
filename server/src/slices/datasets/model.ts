/** What a dataset is made of. All plain data; the shapes that go out are in schema.ts. */
export type Format = 'csv' | 'parquet'

/** pending: not read yet. ready: read and profiled. failed: cannot be read; `failure` says why. */
export type VersionState = 'pending' | 'ready' | 'failed'

/** What slice quality found: `none` where no check was stated. */
export type VerdictState = 'pending' | 'passed' | 'failed' | 'none'

export interface Column {
  name: string
  /** DuckDB's name of the type: BIGINT, DOUBLE, VARCHAR, TIMESTAMP, … */
  type: string
  /** Nulls were seen in this version. */
  nullable: boolean
}

/** How the CSV files of a version are written; found when they are first read. */
export interface CsvDialect {
  delimiter: string
  compression?: 'gzip'
}

export interface DatasetFile {
  /** Within the version: relative, `/` between folders. */
  path: string
  /** `sha256:<64 hex digits>`. */
  digest: string
  size_bytes: number
}

export interface DatasetVersion {
  /** `dsv_…` */
  id: string
  workspace: string
  name: string
  /** 1, 2, …: rising within the dataset, never given twice. */
  number: number
  /** Of the content: over the sorted paths and digests of its files. */
  digest: string
  format: Format
  csv: CsvDialect | null
  state: VersionState
  failure: string | null
  verdict: VerdictState
  /** null until it is ready, as are row_count and the time range. */
  schema: Column[] | null
  column_count: number | null
  row_count: number | null
  size_bytes: number
  file_count: number
  time_column: string | null
  /** Least and greatest value of the time column, epoch milliseconds. */
  time_from_ms: number | null
  time_to_ms: number | null
  tags: Record<string, string>
  /** Where it came from, in words: `upload`, `path /data/x`, `step prepare of prn_…`. */
  source: string
  reason: string | null
  who: { kind: string; id: string; name: string }
  created_ms: number
  profiled_ms: number | null
}

/** As lists have it: a schema can be long. */
export type VersionSummary = Omit<DatasetVersion, 'schema'>

export interface Dataset {
  name: string
  created_ms: number
  latest: VersionSummary | null
  version_count: number
}

export type ColumnKind = 'number' | 'time' | 'text' | 'boolean' | 'other'

/** Counts of equal or growing intervals, ready to draw: bin i holds `edges[i] <= v < edges[i + 1]`, the last one its upper edge too. */
export interface Histogram {
  /** One more than counts. Epoch milliseconds for times. */
  edges: number[]
  counts: number[]
}

export interface ColumnProfile {
  name: string
  type: string
  kind: ColumnKind
  nulls: number
  /** Different values, nulls left out; null where the type is not counted. */
  distinct: number | null
  /** True when `distinct` is an estimate (beyond a million, within about 2 %). */
  distinct_approximate: boolean
  /** Of floating-point columns: values that are NaN or infinite; the figures below leave them out. */
  not_finite: number
  /** Numbers as such (text beyond 2^53), times as epoch milliseconds, text as text, cut at 200 characters. */
  min: number | string | null
  max: number | string | null
  /** Sample mean and deviation (n - 1): of numbers and booleans; of the lengths of text. */
  mean: number | null
  std: number | null
  quantiles: { q: number; value: number }[]
  quantiles_approximate: boolean
  histogram: Histogram | null
  /** Most frequent values, most frequent first, at most 20; null where there are too many different ones to count. */
  top: { value: string; count: number }[] | null
}

export interface Profile {
  row_count: number
  columns: ColumnProfile[]
  /** Columns beyond this many have no profile. */
  columns_left_out: number
}

export const versionName = (version: { name: string; number: number }): string => `${version.name}@${version.number}`
