import { invalid } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { parseExperimentId } from '../checks.ts'
import { findExperiment } from '../experiment-rows.ts'
import { LIMITS } from '../limits.ts'
import { allIn } from '../lists.ts'
import type { LifecycleView, Run, SearchPage } from '../model.ts'
import { fillRuns, RUN_COLUMNS, type RunRow } from '../run-rows.ts'
import { sortsOf } from './columns/order.ts'
import { type Page, runKeyAt, type Selection, selectPage } from './columns/select.ts'
import { RUNS } from './grammar.ts'
import { parseFilter, parseOrder } from './parse.ts'
import { type Fragment, fragment } from './sql.ts'

export interface SearchRuns {
  workspace: string
  /** None: no runs. Those of other workspaces are passed over. */
  experiment_ids: readonly string[]
  filter?: string
  view?: LifecycleView
  order_by?: readonly string[]
  limit: number
  position?: unknown
}

/** Those of the ids that are experiments of the workspace, as numbers. `0` is the workspace's own Default. */
export async function experimentNumbers(sql: Sql, workspace: string, ids: readonly string[]): Promise<number[]> {
  if (ids.length > LIMITS.experiment_ids) {
    throw invalid(`at most ${LIMITS.experiment_ids} experiment ids can be searched at once, not ${ids.length}`, {
      field: 'experiment_ids',
    })
  }
  const asked = new Set(ids.map(parseExperimentId))
  const numbers = new Set<number>()
  if (asked.delete(0)) {
    const own = await findExperiment(sql, workspace, '0')
    if (own) numbers.add(own.experiment)
  }
  const rows = await allIn<{ experiment: number }>(
    sql,
    'SELECT experiment FROM experiment WHERE workspace = ? AND experiment IN',
    [workspace],
    [...asked],
  )
  for (const { experiment } of rows) numbers.add(experiment)
  return [...numbers]
}

export const lifecycleSql = (column: string, view: LifecycleView = 'active'): Fragment =>
  view === 'all' ? fragment('1 = 1') : fragment(`${column} = ?`, [view])

/** What a search looks at. Throws invalid for a filter that cannot be read. */
export async function selectionOf(
  sql: Sql,
  ask: Pick<SearchRuns, 'workspace' | 'experiment_ids' | 'filter' | 'view'>,
): Promise<Selection> {
  const filter_text = ask.filter ?? ''
  return {
    filter: parseFilter(filter_text, RUNS),
    filter_text,
    view: ask.view ?? 'active',
    experiments: await experimentNumbers(sql, ask.workspace, ask.experiment_ids),
  }
}

/** The rows of a page's runs, in its order. */
export async function pageRows(sql: Sql, { runs }: Page): Promise<RunRow[]> {
  const keys = runs.map(runKeyAt)
  const rows = await allIn<RunRow>(
    sql,
    `SELECT ${RUN_COLUMNS} FROM run r JOIN experiment e ON e.experiment = r.experiment WHERE r.run_key IN`,
    [],
    keys,
  )
  const found = new Map(rows.map((row) => [row.run_key, row]))
  return keys.map((key) => found.get(key)!)
}

/** One page of whole runs. Throws invalid for a filter, order or position that cannot be read. */
export async function searchRuns(sql: Sql, search: SearchRuns): Promise<SearchPage<Run>> {
  const sorts = sortsOf(parseOrder(search.order_by ?? [], RUNS))
  const selection = await selectionOf(sql, search)
  if (selection.experiments.length === 0) return { items: [] }
  const page = await selectPage(sql, selection, {
    sorts,
    offset: 0,
    limit: search.limit,
    ...(search.position !== undefined && { position: search.position }),
  })
  const items = await fillRuns(sql, await pageRows(sql, page))
  return page.next ? { items, next: page.next } : { items }
}
