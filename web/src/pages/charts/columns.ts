/** Runs as rows, what they logged as columns: what parallel coordinates, scatter and importance look at. */
export type Kind = 'metrics' | 'params'
type Value = number | string | null

export interface FrameColumn {
  /** As the filter language names it: `metrics.auc`. */
  name: string
  kind: Kind
  key: string
  /** Each value is a number, or there is none. */
  numeric: boolean
  /** Aligned with the rows; of a numeric column numbers only. */
  values: readonly Value[]
}

export interface FrameRow {
  run_id: string
  name: string
  status: string
  experiment_id: string
}

export interface Frame {
  rows: FrameRow[]
  columns: FrameColumn[]
  /** Runs that the question fits; more than rows when there are many. */
  total: number
}

/** A key as the filter language takes it; odd ones in backticks. */
export const fieldOf = (kind: Kind, key: string): string =>
  `${kind}.${/^[A-Za-z_]\w*$/.test(key) ? key : key.includes('`') ? `"${key}"` : `\`${key}\``}`

export function columnOf(kind: Kind, key: string, values: readonly Value[]): FrameColumn {
  const numbers = values.map((value) => (value === null || value === '' ? null : Number(value)))
  const known = values.filter((value) => value !== null && value !== '')
  const numeric = known.length > 0 && known.every((value) => kind === 'metrics' || !Number.isNaN(Number(value)))
  return {
    name: fieldOf(kind, key),
    kind,
    key,
    numeric,
    values: numeric ? numbers.map((value) => (Number.isFinite(value) ? value : null)) : values,
  }
}

/** Columns in which runs differ: the others draw as one line, and explain nothing. */
export const differing = (columns: readonly FrameColumn[]): FrameColumn[] =>
  columns.filter(({ values }) => new Set(values.filter((value) => value !== null)).size > 1)
