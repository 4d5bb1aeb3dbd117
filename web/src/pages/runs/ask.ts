/** The question to the server that a state of the table stands for. */
import { apiName, isValue } from './columns.ts'
import type { TableAsk } from './data.ts'
import type { TableState } from './state.ts'

const IS_ROOT = 'tags.`mlflow.parentRunId` IS NULL'

type Arranged = Pick<TableState, 'filter' | 'order' | 'show' | 'nest' | 'group'>

/** `columns`: what the table shows; the answer's values stand in the order of `valuesOf(columns)`. */
export function askOf(experiments: readonly string[], columns: readonly string[], state: Arranged): TableAsk {
  const { filter, order, show, nest, group } = state
  const order_by = order.flatMap(({ column, descending }) => {
    const name = apiName(column)
    return name ? [`${name} ${descending ? 'DESC' : 'ASC'}`] : []
  })
  const roots = nest && group.length === 0
  const whole = roots ? (filter.trim() ? `(${filter}) AND ${IS_ROOT}` : IS_ROOT) : filter
  return {
    experiments: [...experiments],
    ...(whole.trim() && { filter: whole }),
    ...(show !== 'active' && { view: show }),
    order_by,
    columns: valuesOf(columns).flatMap((id) => apiName(id) ?? []),
    ...(group.length > 0 && { group_by: group.flatMap((id) => apiName(id) ?? []) }),
  }
}

/** The columns whose values the server is asked for, in their order. */
export const valuesOf = (columns: readonly string[]): string[] => columns.filter(isValue)
