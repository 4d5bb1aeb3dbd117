/** The filter language and its SQL, for the other slices that MLflow's clients search. */
export type { Attribute, Grammar } from './grammar.ts'
export { type Condition, type Filter, parseFilter, parseOrder } from './parse.ts'
export * from './sql.ts'
