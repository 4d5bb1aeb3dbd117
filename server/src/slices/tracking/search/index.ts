/** The filter language of MLflow's clients, for every slice that is searched with it. */
export type { Attribute, Entity, Grammar, Operator } from './grammar.ts'
export { wrongFilter } from './lex.ts'
export { type Condition, type Filter, type OrderKey, parseFilter, parseOrder } from './parse.ts'
export {
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
