import { invalid } from '#kernel/errors.ts'
import type { Sql, SqlValue } from '#kernel/store/index.ts'
import { LIMITS } from '../limits.ts'
import type { LoggedModel, SearchPage } from '../model.ts'
import { fillModels, MODEL_COLUMNS, type ModelRow } from '../model-rows.ts'
import { LOGGED_MODELS } from './grammar.ts'
import { wrongFilter } from './lex.ts'
import { type Condition, type Filter, parseFilter } from './parse.ts'
import { experimentNumbers } from './runs.ts'
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

export interface DatasetChoice {
  dataset_name: string
  dataset_digest?: string
}

export interface ModelOrder {
  field_name: string
  ascending: boolean
  dataset_name?: string
  dataset_digest?: string
}

export interface SearchLoggedModels {
  workspace: string
  experiment_ids: readonly string[]
  filter?: string
  /** Which metrics count; with no metric in the filter: only models with any metric on them. */
  datasets?: readonly DatasetChoice[]
  order_by?: readonly ModelOrder[]
  limit: number
  position?: unknown
}

const STATUS = `CASE m.status WHEN 'PENDING' THEN 'LOGGED_MODEL_PENDING' WHEN 'READY' THEN 'LOGGED_MODEL_READY'
  WHEN 'UPLOAD_FAILED' THEN 'LOGGED_MODEL_UPLOAD_FAILED' ELSE 'LOGGED_MODEL_STATUS_UNSPECIFIED' END`

const ATTRIBUTES: Record<string, string> = {
  name: 'm.name',
  model_id: 'm.model_id',
  model_type: 'm.model_type',
  status: 'm.status',
  source_run_id: 'm.source_run_id',
  creation_timestamp: 'm.created_ms',
  last_updated_timestamp: 'm.updated_ms',
}

const ORDER_ALIASES: Record<string, string> = {
  creation_time: 'creation_timestamp',
  creation_timestamp_ms: 'creation_timestamp',
  last_updated_time: 'last_updated_timestamp',
  last_updated_timestamp_ms: 'last_updated_timestamp',
}

function datasetsSql(alias: string, datasets: readonly DatasetChoice[]): Fragment {
  const each = datasets.map(({ dataset_name, dataset_digest }) =>
    dataset_digest
      ? fragment(`(${alias}.dataset_name = ? AND ${alias}.dataset_digest = ?)`, [dataset_name, dataset_digest])
      : fragment(`${alias}.dataset_name = ?`, [dataset_name]),
  )
  return fragment(
    `(${each.map(({ text }) => text).join(' OR ')})`,
    each.flatMap(({ values }) => values),
  )
}

const hasMetric = (filter: Filter | undefined): boolean => {
  if (!filter) return false
  if (filter.kind === 'condition') return filter.entity === 'metric'
  return filter.kind === 'not' ? hasMetric(filter.part) : filter.parts.some(hasMetric)
}

function conditionSql(condition: Condition, datasets: readonly DatasetChoice[]): Fragment {
  const { entity, key } = condition
  if (entity === 'metric') {
    const rows = fragment('SELECT 1 FROM logged_model_metric k WHERE k.model_key = m.model_key AND k.key = ?', [key])
    if (datasets.length > 0) {
      const chosen = datasetsSql('k', datasets)
      rows.text += ` AND ${chosen.text}`
      rows.values.push(...chosen.values)
    }
    return existsIn(rows, condition, () => compareMetric('k.value', 'k.is_nan', condition))
  }
  if (entity === 'param' || entity === 'tag') {
    return existsIn(
      fragment(`SELECT 1 FROM logged_model_${entity} k WHERE k.model_key = m.model_key AND k.key = ?`, [key]),
      condition,
      () => compareText('k.value', condition),
    )
  }
  if (key === 'creation_timestamp' || key === 'last_updated_timestamp')
    return compareNumber(ATTRIBUTES[key]!, condition)
  // Clients ask for a status by its name on the wire as well as by its short one.
  if (key === 'status' && JSON.stringify(condition.value).includes('LOGGED_MODEL'))
    return compareText(STATUS, condition)
  return compareText(ATTRIBUTES[key]!, condition)
}

function orderOf(orders: readonly ModelOrder[]): { sorts: Sort[]; joins: Fragment; name: string } {
  const sorts: Sort[] = []
  const joins: string[] = []
  const values: SqlValue[] = []
  if (orders.length > LIMITS.order_keys)
    throw wrongFilter(`at most ${LIMITS.order_keys} order keys are read`, 'order_by')
  const has = new Set<string>()
  for (const [index, order] of orders.entries()) {
    if (order.dataset_digest && !order.dataset_name) {
      throw invalid('`dataset_digest` can only be specified if `dataset_name` is also specified.', {
        field: 'order_by',
      })
    }
    const field = order.field_name.trim()
    const canonical = ORDER_ALIASES[field] ?? field
    const descending = !order.ascending
    const dot = field.indexOf('.')
    if (dot === -1) {
      if (!Object.hasOwn(ATTRIBUTES, canonical)) {
        throw invalid(`Invalid order by field name: ${field.slice(0, 200)}`, { field: 'order_by' })
      }
      has.add(canonical)
      sorts.push({ column: ATTRIBUTES[canonical]!, descending })
      continue
    }
    if (field.slice(0, dot) !== 'metrics') {
      throw invalid(`Invalid order by field name: ${field.slice(0, 200)}. Only metrics are supported.`, {
        field: 'order_by',
      })
    }
    const chosen = order.dataset_name ? datasetsSql('k', [order as DatasetChoice]) : undefined
    const alias = `o${index}`
    joins.push(
      `LEFT JOIN (SELECT k.model_key, k.value, k.is_nan, row_number() OVER (
         PARTITION BY k.model_key ORDER BY k.at_ms DESC, k.step DESC, k.run_id) AS place
       FROM logged_model_metric k WHERE k.key = ?${chosen ? ` AND ${chosen.text}` : ''}) ${alias}
       ON ${alias}.model_key = m.model_key AND ${alias}.place = 1`,
    )
    values.push(field.slice(dot + 1).replace(/^`(.*)`$/s, '$1'), ...(chosen?.values ?? []))
    sorts.push({
      column: `${alias}.value`,
      descending,
      rank: `CASE WHEN ${alias}.value IS NULL THEN 2 WHEN ${alias}.is_nan = 1 THEN 1 ELSE 0 END`,
    })
  }
  if (!has.has('creation_timestamp')) sorts.push({ column: 'm.created_ms', descending: true })
  if (!has.has('model_id')) sorts.push({ column: 'm.model_id', descending: false })
  return { sorts, joins: fragment(joins.join(' '), values), name: JSON.stringify(orders) }
}

/** Active logged models of the experiments; newest first unless an order is given. */
export async function searchLoggedModels(sql: Sql, search: SearchLoggedModels): Promise<SearchPage<LoggedModel>> {
  const filter = parseFilter(search.filter ?? '', LOGGED_MODELS)
  const datasets = search.datasets ?? []
  if (datasets.some(({ dataset_name }) => !dataset_name)) {
    throw invalid('`dataset_name` in the `datasets` clause must be specified.', { field: 'datasets' })
  }
  if (datasets.length > LIMITS.order_keys) throw invalid(`at most ${LIMITS.order_keys} datasets`, { field: 'datasets' })
  const { sorts, joins, name } = orderOf(search.order_by ?? [])
  const experiments = await experimentNumbers(sql, search.workspace, search.experiment_ids)
  if (experiments.length === 0) return { items: [] }
  const where = [
    fragment(`m.experiment IN (${experiments.map(() => '?').join(', ')})`, experiments),
    fragment(`m.lifecycle = 'active'`),
    ...(filter ? [filterSql(filter, (condition) => conditionSql(condition, datasets))] : []),
    ...(search.position === undefined ? [] : [afterSql(sorts, name, search.position as Position)]),
  ]
  if (datasets.length > 0 && !hasMetric(filter)) {
    const chosen = datasetsSql('k', datasets)
    where.push(
      fragment(
        `EXISTS (SELECT 1 FROM logged_model_metric k WHERE k.model_key = m.model_key AND ${chosen.text})`,
        chosen.values,
      ),
    )
  }
  const rows = await sql.all<ModelRow>(
    `SELECT ${MODEL_COLUMNS}, ${positionColumns(sorts)}
     FROM logged_model m JOIN experiment e ON e.experiment = m.experiment ${joins.text}
     WHERE ${where.map(({ text }) => text).join(' AND ')}
     ORDER BY ${orderSql(sorts)} LIMIT ?`,
    [...joins.values, ...where.flatMap(({ values }) => values), search.limit + 1],
  )
  const page = rows.slice(0, search.limit)
  const items = await fillModels(sql, page)
  return rows.length > search.limit ? { items, next: positionOf(sorts, name, page.at(-1)!) } : { items }
}
