import type { Sql } from '#kernel/store/index.ts'
import { parseExperimentId } from '../checks.ts'
import { EXPERIMENT_COLUMNS, type ExperimentRow, fillExperiments } from '../experiment-rows.ts'
import type { Experiment, LifecycleView, SearchPage } from '../model.ts'
import { EXPERIMENTS } from './grammar.ts'
import { type Condition, parseFilter, parseOrder } from './parse.ts'
import { lifecycleSql } from './runs.ts'
import {
  afterSql,
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

export interface SearchExperiments {
  workspace: string
  filter?: string
  view?: LifecycleView
  order_by?: readonly string[]
  limit: number
  position?: unknown
}

const ATTRIBUTES: Record<string, string> = {
  name: 'e.name',
  experiment_id: 'e.experiment',
  creation_time: 'e.created_ms',
  last_update_time: 'e.updated_ms',
}

function conditionSql(condition: Condition): Fragment {
  const { entity, key, operator, value } = condition
  if (entity === 'tag') {
    return existsIn(
      fragment('SELECT 1 FROM experiment_tag t WHERE t.experiment = e.experiment AND t.key = ?', [key]),
      condition,
      () => compareText('t.value', condition),
    )
  }
  const column = ATTRIBUTES[key]!
  if (key === 'name') return compareText(column, condition)
  if (key !== 'experiment_id') return compareNumber(column, condition)
  const ids = (Array.isArray(value) ? value : [String(value)]).map(parseExperimentId)
  return Array.isArray(value)
    ? fragment(`${column} ${operator} (${ids.map(() => '?').join(', ')})`, ids)
    : fragment(`${column} ${operator} ?`, ids)
}

/** Newest first unless an order is given. */
export async function searchExperiments(sql: Sql, search: SearchExperiments): Promise<SearchPage<Experiment>> {
  const filter = parseFilter(search.filter ?? '', EXPERIMENTS)
  const keys = parseOrder(search.order_by ?? [], EXPERIMENTS)
  const sorts: Sort[] =
    keys.length === 0
      ? [{ column: 'e.created_ms', descending: true }]
      : keys.map(({ key, descending }) => ({ column: ATTRIBUTES[key]!, descending }))
  if (!keys.some(({ key }) => key === 'experiment_id')) {
    sorts.push({ column: 'e.experiment', descending: keys.length > 0 })
  }
  const name = keys.map(({ key, descending }) => `${key} ${descending ? 'desc' : 'asc'}`).join(',')
  const where = [
    fragment('e.workspace = ?', [search.workspace]),
    lifecycleSql('e.lifecycle', search.view),
    ...(filter ? [filterSql(filter, conditionSql)] : []),
    ...(search.position === undefined ? [] : [afterSql(sorts, name, search.position as Position)]),
  ]
  const rows = await sql.all<ExperimentRow>(
    `SELECT ${EXPERIMENT_COLUMNS}, ${positionColumns(sorts)} FROM experiment e
     WHERE ${where.map(({ text }) => text).join(' AND ')} ORDER BY ${orderSql(sorts)} LIMIT ?`,
    [...where.flatMap(({ values }) => values), search.limit + 1],
  )
  const page = rows.slice(0, search.limit)
  const items = await fillExperiments(sql, page)
  return rows.length > search.limit ? { items, next: positionOf(sorts, name, page.at(-1)!) } : { items }
}
