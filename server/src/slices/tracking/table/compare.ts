import type { Sql } from '#kernel/store/index.ts'
import { allIn } from '../lists.ts'
import type { Run } from '../model.ts'
import { fillRuns, RUN_COLUMNS, type RunRow, runNotFound } from '../run-rows.ts'
import { TABLE_LIMITS } from './limits.ts'
import { type Cell, rowOf, type TableRow } from './rows.ts'

export interface CompareRow {
  key: string
  differs: boolean
  /** In the order of the runs; null where a run has none. */
  values: Cell[]
}

export interface Comparison {
  runs: Omit<TableRow, 'values'>[]
  params: CompareRow[]
  metrics: CompareRow[]
  tags: CompareRow[]
  /** Keys that were too many to answer; those that differ come first. */
  left_out: number
}

const number = (value: number): Cell => (Number.isFinite(value) ? value : String(value))

function matrix(runs: readonly Run[], pairs: (run: Run) => { key: string; value: Cell }[]): CompareRow[] {
  const rows = new Map<string, CompareRow>()
  for (const [at, run] of runs.entries()) {
    for (const { key, value } of pairs(run)) {
      let row = rows.get(key)
      if (!row) {
        row = { key, differs: false, values: new Array<Cell>(runs.length).fill(null) }
        rows.set(key, row)
      }
      row.values[at] = value
    }
  }
  const list = [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  for (const row of list) row.differs = row.values.some((value) => value !== row.values[0])
  return list
}

/** Params, latest metrics and tags of the runs side by side, in the order asked for. Throws not-found for an unknown run. */
export async function compareRuns(
  sql: Sql,
  ask: { workspace: string; run_ids: readonly string[] },
): Promise<Comparison> {
  const ids = [...new Set(ask.run_ids)]
  const rows = await allIn<RunRow>(
    sql,
    `SELECT ${RUN_COLUMNS} FROM run r JOIN experiment e ON e.experiment = r.experiment
     WHERE r.workspace = ? AND r.run_id IN`,
    [ask.workspace],
    ids,
  )
  const found = new Map(rows.map((row) => [row.run_id, row]))
  const ordered = ids.map((id) => {
    const row = found.get(id)
    if (!row) throw runNotFound(id)
    return row
  })
  const runs = await fillRuns(sql, ordered)
  const parts = {
    params: matrix(runs, ({ params }) => params),
    metrics: matrix(runs, ({ metrics }) => metrics.map(({ key, value }) => ({ key, value: number(value) }))),
    tags: matrix(runs, ({ tags }) => tags),
  }
  const all = [...parts.params, ...parts.metrics, ...parts.tags]
  const room = Math.max(1, Math.floor(TABLE_LIMITS.compare_cells / runs.length))
  const kept = new Set(
    all.length <= room
      ? all
      : [...all.filter((row) => row.differs), ...all.filter((row) => !row.differs)].slice(0, room),
  )
  const cut = (list: CompareRow[]) => list.filter((row) => kept.has(row))
  return {
    runs: runs.map((run) => {
      const { values: _, ...info } = rowOf(run)
      return info
    }),
    params: cut(parts.params),
    metrics: cut(parts.metrics),
    tags: cut(parts.tags),
    left_out: all.length - kept.size,
  }
}
