import { invalid } from '#kernel/errors.ts'
import type { Sql } from '#kernel/store/index.ts'
import { parseExperimentId } from '../checks.ts'
import { findExperiment } from '../experiment-rows.ts'
import { LIMITS } from '../limits.ts'
import { allIn } from '../lists.ts'
import type { LifecycleView, Run, SearchPage } from '../model.ts'
import { fillRuns, RUN_COLUMNS, type RunRow } from '../run-rows.ts'
import { RUNS } from './grammar.ts'
import { type Condition, type OrderKey, parseFilter, parseOrder } from './parse.ts'
import {
  afterSql,
  compareMetric,
  compareNumber,
  compareText,
  existsIn,
  type Fragment,
  filterSql,
  fragment,
  orderSql,
  type Position,
  positionColumns,
  positionOf,
  type Sort,
} from './sql.ts'

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

const ARTIFACT_URI = "COALESCE(r.artifact_uri, rtrim(e.artifact_location, '/') || '/' || r.run_id || '/artifacts')"

const ATTRIBUTES: Record<string, string> = {
  run_id: 'r.run_id',
  run_name: 'r.name',
  status: 'r.status',
  user_id: 'r.user_id',
  artifact_uri: ARTIFACT_URI,
  start_time: 'r.start_ms',
  end_time: 'r.end_ms',
}

const NUMBERS = new Set(['start_time', 'end_time'])

function conditionSql(condition: Condition): Fragment {
  const { entity, key } = condition
  switch (entity) {
    case 'metric':
      return existsIn(
        fragment('SELECT 1 FROM run_metric m WHERE m.run_key = r.run_key AND m.key = ?', [key]),
        condition,
        () => compareMetric('m.value', 'm.is_nan', condition),
      )
    case 'param':
    case 'tag':
      return existsIn(
        fragment(`SELECT 1 FROM run_${entity} k WHERE k.run_key = r.run_key AND k.key = ?`, [key]),
        condition,
        () => compareText('k.value', condition),
      )
    case 'dataset':
      return datasetSql(condition)
    case 'attribute': {
      const column = ATTRIBUTES[key]!
      return NUMBERS.has(key) ? compareNumber(column, condition) : compareText(column, condition)
    }
  }
}

function datasetSql(condition: Condition): Fragment {
  if (condition.key === 'context') {
    return existsIn(
      fragment('SELECT 1 FROM run_input_tag t WHERE t.run_key = r.run_key AND t.key = ?', ['mlflow.data.context']),
      condition,
      () => compareText('t.value', condition),
    )
  }
  return existsIn(
    fragment(
      'SELECT 1 FROM run_input i JOIN input_dataset d ON d.dataset_key = i.dataset_key WHERE i.run_key = r.run_key',
    ),
    condition,
    () => compareText(`d.${condition.key}`, condition),
  )
}

interface Ordered {
  sorts: Sort[]
  joins: Fragment
  /** Tells one order from another in page positions. */
  name: string
}

function orderOf(keys: readonly OrderKey[]): Ordered {
  const sorts: Sort[] = []
  const joins: Fragment[] = []
  for (const [index, { entity, key, descending }] of keys.entries()) {
    if (entity === 'attribute') {
      const column = ATTRIBUTES[key]!
      const rank = key === 'end_time' ? { rank: `CASE WHEN ${column} IS NULL THEN 1 ELSE 0 END` } : {}
      sorts.push({ column, descending, ...rank })
      continue
    }
    const alias = `o${index}`
    joins.push(fragment(`LEFT JOIN run_${entity} ${alias} ON ${alias}.run_key = r.run_key AND ${alias}.key = ?`, [key]))
    // NaN comes after the numbers and before what is missing.
    const nan = entity === 'metric' ? ` WHEN ${alias}.is_nan = 1 THEN 1` : ''
    sorts.push({
      column: `${alias}.value`,
      descending,
      rank: `CASE WHEN ${alias}.value IS NULL THEN 2${nan} ELSE 0 END`,
    })
  }
  const has = (key: string) => keys.some((each) => each.entity === 'attribute' && each.key === key)
  if (!has('start_time')) sorts.push({ column: 'r.start_ms', descending: true })
  if (!has('run_id')) sorts.push({ column: 'r.run_id', descending: false })
  return {
    sorts,
    joins: fragment(
      joins.map(({ text }) => text).join(' '),
      joins.flatMap(({ values }) => values),
    ),
    name: keys.map(({ entity, key, descending }) => `${entity}.${key} ${descending ? 'desc' : 'asc'}`).join(','),
  }
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

/** One page of whole runs. Throws invalid for a filter, order or position that cannot be read. */
export async function searchRuns(sql: Sql, search: SearchRuns): Promise<SearchPage<Run>> {
  const filter = parseFilter(search.filter ?? '', RUNS)
  const { sorts, joins, name } = orderOf(parseOrder(search.order_by ?? [], RUNS))
  const experiments = await experimentNumbers(sql, search.workspace, search.experiment_ids)
  if (experiments.length === 0) return { items: [] }
  const where = [
    fragment(`r.experiment IN (${experiments.map(() => '?').join(', ')})`, experiments),
    lifecycleSql('r.lifecycle', search.view),
    ...(filter ? [filterSql(filter, conditionSql)] : []),
    ...(search.position === undefined ? [] : [afterSql(sorts, name, search.position as Position)]),
  ]
  const rows = await sql.all<RunRow>(
    `SELECT ${RUN_COLUMNS}, ${positionColumns(sorts)}
     FROM run r JOIN experiment e ON e.experiment = r.experiment ${joins.text}
     WHERE ${where.map(({ text }) => text).join(' AND ')}
     ORDER BY ${orderSql(sorts)} LIMIT ?`,
    [...joins.values, ...where.flatMap(({ values }) => values), search.limit + 1],
  )
  const page = rows.slice(0, search.limit)
  const items = await fillRuns(sql, page)
  return rows.length > search.limit ? { items, next: positionOf(sorts, name, page.at(-1)!) } : { items }
}
