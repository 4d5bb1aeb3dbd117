import type { Cell } from '../signature.ts'

/** One predicted row, as it is logged. Short names: hundreds of millions of these are written. */
export interface PredictionRecord {
  /** `prd_….<row>` */
  id: string
  /** Event time, epoch ms. */
  event_ms: number
  /** Wall time of the answer, epoch ms. */
  at_ms: number
  latency_us: number
  status: 'ok' | 'error' | 'fallback'
  /** Revision to which the router sent the request, and the version behind it. */
  revision: string
  version: number
  /** Revision whose answer was given; differs from `revision` on a fallback. */
  answered_by: string
  answered_version: number
  release: string | null
  key: string | null
  score: number | null
  label: string | null
  /** The row's answer as JSON text. */
  output: string | null
  /** Why the routed revision did not answer. */
  error: string | null
  /** What was asked, as JSON text, when the model names no features; bounded. */
  inputs: string | null
  features: Record<string, Cell>
}

/** Columns of a sealed file beside the features, in order, with DuckDB types. Features are `f_<name>`. */
export const COLUMNS: Record<Exclude<keyof PredictionRecord, 'features'>, string> = {
  id: 'VARCHAR',
  event_ms: 'BIGINT',
  at_ms: 'BIGINT',
  latency_us: 'BIGINT',
  status: 'VARCHAR',
  revision: 'VARCHAR',
  version: 'BIGINT',
  answered_by: 'VARCHAR',
  answered_version: 'BIGINT',
  release: 'VARCHAR',
  key: 'VARCHAR',
  score: 'DOUBLE',
  label: 'VARCHAR',
  output: 'VARCHAR',
  error: 'VARCHAR',
  inputs: 'VARCHAR',
}

/** DuckDB type of a feature's column. */
export function duckType(type: string): string {
  switch (type) {
    case 'double':
    case 'float':
      return 'DOUBLE'
    case 'integer':
    case 'long':
      return 'BIGINT'
    case 'boolean':
      return 'BOOLEAN'
    default:
      return 'VARCHAR'
  }
}
