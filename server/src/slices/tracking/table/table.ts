/** The run table: any columns, order and filter over the runs of some experiments, one page at a time. */
import type { Sql } from '#kernel/store/index.ts'
import type { LifecycleView, Run } from '../model.ts'
import { RUNS } from '../search/grammar.ts'
import { type Key, parseOrder } from '../search/parse.ts'
import { searchRuns } from '../search/runs.ts'
import { type Cell, rowOf, type TableRow } from './rows.ts'

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

export interface TableGroup {
  key: Cell[]
  runs: number
  aggregates: ({ mean: number; min: number; max: number } | null)[]
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

const number = (value: number): Cell => (Number.isFinite(value) ? value : String(value))

function cell(run: Run, { entity, key }: Key): Cell {
  if (entity === 'metric') {
    const found = run.metrics.find((each) => each.key === key)
    return found ? number(found.value) : null
  }
  if (entity === 'param') return run.params.find((each) => each.key === key)?.value ?? null
  if (entity === 'tag') return run.tags.find((each) => each.key === key)?.value ?? null
  const attributes: Record<string, Cell> = {
    run_id: run.run_id,
    run_name: run.name,
    status: run.status,
    user_id: run.user_id,
    artifact_uri: run.artifact_uri,
    start_time: run.start_ms,
    end_time: run.end_ms,
  }
  return attributes[key] ?? null
}

const columnsOf = (names: readonly string[] | undefined): Key[] =>
  (names ?? []).flatMap((name) => parseOrder([name], RUNS))

export async function runTable(sql: Sql, ask: TableAsk): Promise<Table> {
  const columns = columnsOf(ask.columns)
  const groups = columnsOf(ask.group_by)
  const { items } = await searchRuns(sql, {
    workspace: ask.workspace,
    experiment_ids: ask.experiments,
    filter: ask.filter ?? '',
    order_by: ask.order_by ?? [],
    view: ask.view ?? 'active',
    limit: 50_000,
  })
  if (groups.length === 0) {
    const page = items.slice(ask.offset, ask.offset + ask.limit)
    return {
      total: items.length,
      total_capped: false,
      rows: page.map((run) =>
        rowOf(
          run,
          undefined,
          columns.map((column) => cell(run, column)),
        ),
      ),
    }
  }
  const found = new Map<string, { key: Cell[]; runs: Run[] }>()
  for (const run of items) {
    const key = groups.map((column) => cell(run, column))
    const name = JSON.stringify(key)
    const group = found.get(name)
    if (group) group.runs.push(run)
    else found.set(name, { key, runs: [run] })
  }
  const all = [...found.values()].sort((a, b) => b.runs.length - a.runs.length)
  return {
    total: all.length,
    total_capped: false,
    groups: all.slice(ask.offset, ask.offset + ask.limit).map(({ key, runs }) => ({
      key,
      runs: runs.length,
      aggregates: columns.map((column) => aggregate(runs.map((run) => cell(run, column)))),
    })),
  }
}

function aggregate(cells: readonly Cell[]): TableGroup['aggregates'][number] {
  const numbers = cells.filter((value) => value !== null && value !== '').map(Number)
  const finite = numbers.filter(Number.isFinite)
  if (finite.length === 0) return null
  const sum = finite.reduce((a, b) => a + b, 0)
  return { mean: sum / finite.length, min: Math.min(...finite), max: Math.max(...finite) }
}

export async function runColumns(sql: Sql, ask: ColumnsAsk): Promise<ColumnCount[]> {
  const { items } = await searchRuns(sql, {
    workspace: ask.workspace,
    experiment_ids: ask.experiments,
    view: 'all',
    limit: 50_000,
  })
  const counts = new Map<string, ColumnCount>()
  const count = (kind: ColumnCount['kind'], key: string) => {
    const name = `${kind} ${key}`
    const there = counts.get(name)
    if (there) there.runs++
    else counts.set(name, { kind, key, runs: 1 })
  }
  for (const run of items) {
    for (const { key } of run.metrics) count('metric', key)
    for (const { key } of run.params) count('param', key)
    for (const { key } of run.tags) count('tag', key)
  }
  const q = ask.q?.toLowerCase()
  const before = (a: { kind: string; key: string }, b: { kind: string; key: string }) =>
    a.kind === b.kind ? (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) : a.kind < b.kind ? -1 : 1
  return [...counts.values()]
    .filter((each) => ask.kind === undefined || each.kind === ask.kind)
    .filter((each) => q === undefined || each.key.toLowerCase().includes(q))
    .sort(before)
    .filter((each) => ask.after === undefined || before(each, ask.after) > 0)
    .slice(0, ask.limit + 1)
}
