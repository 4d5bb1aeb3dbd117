/** The run table: any columns, order and filter over the runs of some experiments, one page at a time. */
import type { Sql } from '#kernel/store/index.ts'
import type { LifecycleView } from '../model.ts'
import { type ColumnName, compareTexts, NUMBER, type NumberColumn, type TextColumn } from '../search/columns/column.ts'
import { columnOf } from '../search/columns/evaluate.ts'
import { type Block, openFrame, texts } from '../search/columns/frame.ts'
import { sortsOf } from '../search/columns/order.ts'
import { runKeyAt, selectPage } from '../search/columns/select.ts'
import { RUNS } from '../search/grammar.ts'
import { parseOrder } from '../search/parse.ts'
import { experimentNumbers, selectionOf } from '../search/runs.ts'
import { runGroups, type TableGroup } from './groups.ts'
import { cellAt, rowOf, type TableRow } from './rows.ts'

export interface TableAsk {
  workspace: string
  experiments: readonly string[]
  filter?: string
  view?: LifecycleView
  order_by?: readonly string[]
  columns?: readonly string[]
  group_by?: readonly string[]
  limit: number
  offset: number
}

export interface Table {
  total: number
  total_capped: boolean
  rows?: TableRow[]
  groups?: TableGroup[]
}

export interface ColumnsAsk {
  workspace: string
  experiments: readonly string[]
  kind?: 'metric' | 'param' | 'tag'
  q?: string
  limit: number
  /** Of the page before: its last column. */
  after?: { kind: string; key: string }
}

export interface ColumnCount {
  kind: 'metric' | 'param' | 'tag'
  key: string
  runs: number
}

/** `metrics.auc` and the like, as names of columns. Throws invalid for what is none. */
export const columnNames = (names: readonly string[] | undefined): ColumnName[] =>
  (names ?? []).flatMap((name) => parseOrder([name], RUNS).map(columnOf))

const INFO: ColumnName[] = [
  'arun_id',
  'arun_name',
  'astatus',
  'auser_id',
  'astart_time',
  'aend_time',
  'alifecycle',
  'tmlflow.parentRunId',
]

const text = (block: Block, name: ColumnName, place: number): string => {
  const { codes, texts: own } = texts(block, name)
  return own[codes[place]!]!
}

function placedRow(block: Block, place: number, columns: readonly ColumnName[]): TableRow {
  const end = block.column('aend_time') as NumberColumn
  const parent = block.column('tmlflow.parentRunId') as TextColumn
  return rowOf(
    {
      run_id: text(block, 'arun_id', place),
      experiment_id: String(block.experimentAt(place)),
      name: text(block, 'arun_name', place),
      status: text(block, 'astatus', place) as 'RUNNING',
      user_id: text(block, 'auser_id', place),
      start_ms: (block.column('astart_time') as NumberColumn).values[place]!,
      end_ms: end.state[place] === NUMBER ? end.values[place]! : null,
      lifecycle: text(block, 'alifecycle', place) as 'active',
    },
    parent.codes[place]! < 0 ? null : parent.texts[parent.codes[place]!]!,
    columns.map((name) => cellAt(block.column(name), place)),
  )
}

/** One page of rows, or of groups. Throws invalid for a filter, order or column that cannot be read. */
export async function runTable(sql: Sql, ask: TableAsk): Promise<Table> {
  const columns = columnNames(ask.columns)
  const group_by = columnNames(ask.group_by)
  const orders = parseOrder(ask.order_by ?? [], RUNS)
  const selection = await selectionOf(sql, { ...ask, experiment_ids: ask.experiments })
  if (group_by.length > 0) {
    const { total, groups } = await runGroups(sql, selection, { ...ask, columns, group_by, orders })
    return { total, total_capped: false, groups }
  }
  const { runs, total } = await selectPage(sql, selection, {
    sorts: sortsOf(orders),
    offset: ask.offset,
    limit: ask.limit,
  })
  for (const block of new Set(runs.map(({ ordered }) => ordered.block))) await block.load(sql, [...INFO, ...columns])
  return {
    total,
    total_capped: false,
    rows: runs.map(({ ordered, place }) => placedRow(ordered.block, place, columns)),
  }
}

/** The runs of a selection in order, by their keys: an export goes over them page by page and meets each once. */
export async function tableKeys(sql: Sql, ask: TableAsk): Promise<Float64Array> {
  columnNames(ask.columns)
  const sorts = sortsOf(parseOrder(ask.order_by ?? [], RUNS))
  const selection = await selectionOf(sql, { ...ask, experiment_ids: ask.experiments })
  const { runs } = await selectPage(sql, selection, { sorts, offset: ask.offset, limit: ask.limit })
  return Float64Array.from(runs, runKeyAt)
}

export interface RowsAsk {
  workspace: string
  experiments: readonly string[]
  run_keys: Float64Array
  columns?: readonly string[]
}

/** The rows of these runs, as they are by now; those that have left the experiments are left out. */
export async function tableRows(sql: Sql, ask: RowsAsk): Promise<TableRow[]> {
  const columns = columnNames(ask.columns)
  const blocks = await openFrame(sql, await experimentNumbers(sql, ask.workspace, ask.experiments))
  for (const block of blocks) await block.load(sql, [...INFO, ...columns])
  const rows: TableRow[] = []
  for (const key of ask.run_keys) {
    for (const block of blocks) {
      const place = block.placeOf(key)
      if (place < 0) continue
      rows.push(placedRow(block, place, columns))
      break
    }
  }
  return rows
}

/** One of them as it is when the other is empty. */
function added(
  a: ReadonlyMap<ColumnName, number>,
  b: ReadonlyMap<ColumnName, number>,
): ReadonlyMap<ColumnName, number> {
  if (a.size === 0 || b.size === 0) return a.size === 0 ? b : a
  const sum = new Map(a)
  for (const [name, runs] of b) sum.set(name, (sum.get(name) ?? 0) + runs)
  return sum
}

const KINDS = { m: 'metric', p: 'param', t: 'tag' } as const

/**
 * Keys of the runs of these experiments, by kind and key, one more than asked for when there are more. Runs that were
 * changed since they were sealed may count twice until they are sealed again.
 */
export async function runColumns(sql: Sql, ask: ColumnsAsk): Promise<ColumnCount[]> {
  let counts: ReadonlyMap<ColumnName, number> = new Map()
  for (const block of await openFrame(sql, await experimentNumbers(sql, ask.workspace, ask.experiments))) {
    counts = added(counts, await block.counts(sql))
  }
  const q = ask.q?.toLowerCase()
  const before = (a: { kind: string; key: string }, b: { kind: string; key: string }) =>
    compareTexts(a.kind, b.kind) || compareTexts(a.key, b.key)
  const found: ColumnCount[] = []
  for (const [name, runs] of counts) {
    const kind = KINDS[name[0] as 'm']
    const key = name.slice(1)
    if (!kind || (ask.kind !== undefined && ask.kind !== kind)) continue
    if (q !== undefined && !key.toLowerCase().includes(q)) continue
    if (ask.after && before({ kind, key }, ask.after) <= 0) continue
    found.push({ kind, key, runs })
  }
  return found.sort(before).slice(0, ask.limit + 1)
}
