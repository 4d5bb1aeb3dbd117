import type { RunInfo } from '../model.ts'
import { anyTime } from '../replies.ts'

import { type Column, NUMBER } from '../search/columns/column.ts'
/** A metric is a number, or text where JSON has no number for it. */
export type Cell = number | string | null

/** Infinities are kept as the greatest doubles. */
const numberCell = (value: number): Cell =>
  Math.abs(value) < Number.MAX_VALUE ? value : value > 0 ? 'Infinity' : '-Infinity'

export function cellAt(column: Column, place: number): Cell {
  if (column.kind === 'number') {
    const state = column.state[place]!
    if (state === NUMBER) return numberCell(column.values[place]!)
    return state === 0 ? null : 'NaN'
  }
  if (column.kind === 'text') return column.codes[place]! < 0 ? null : column.texts[column.codes[place]!]!
  return column.lists[place]?.join(', ') ?? null
}

export interface TableRow {
  run_id: string
  experiment_id: string
  name: string
  status: string
  user: string
  start_time: string
  end_time: string | null
  parent_run_id?: string
  lifecycle: string
  values: Cell[]
}

/** What every row of the run table says of its run, beside its values. */
export function rowOf(
  run: Omit<RunInfo, 'artifact_uri'> & { tags?: readonly { key: string; value: string }[] },
  parent = run.tags?.find(({ key }) => key === 'mlflow.parentRunId')?.value ?? null,
  values: Cell[] = [],
): TableRow {
  return {
    run_id: run.run_id,
    experiment_id: run.experiment_id,
    name: run.name,
    status: run.status,
    user: run.user_id,
    start_time: anyTime(run.start_ms),
    end_time: run.end_ms === null ? null : anyTime(run.end_ms),
    ...(parent !== null && { parent_run_id: parent }),
    lifecycle: run.lifecycle,
    values,
  }
}
