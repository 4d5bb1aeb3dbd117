import type { Run } from '#slices/tracking'
import type { Condition, Filter, OrderKey } from '../../src/slices/tracking/search/parse.ts'

/** What a condition means, said in plain JavaScript over whole runs: the search has to agree. */
export function holds(filter: Filter, run: Run): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => holds(part, run))
    case 'or':
      return filter.parts.some((part) => holds(part, run))
    case 'not':
      return !holds(filter.part, run)
    case 'condition':
      return holdsOne(filter, run)
  }
}

function valuesOf({ entity, key }: { entity: string; key: string }, run: Run): (string | number)[] {
  const of = (list: { key: string; value: string | number }[]) =>
    list.filter((each) => each.key === key).map(({ value }) => value)
  if (entity === 'metric') return of(run.metrics)
  if (entity === 'param') return of(run.params)
  if (entity === 'tag') return of(run.tags)
  if (entity === 'dataset') {
    if (key === 'context') {
      return run.dataset_inputs.flatMap(({ tags }) =>
        tags.filter((tag) => tag.key === 'mlflow.data.context').map(({ value }) => value),
      )
    }
    return run.dataset_inputs.map(({ dataset }) => dataset[key as 'name' | 'digest'])
  }
  const attributes: Record<string, string | number | null> = {
    run_id: run.run_id,
    run_name: run.name,
    status: run.status,
    user_id: run.user_id,
    artifact_uri: run.artifact_uri,
    start_time: run.start_ms,
    end_time: run.end_ms,
  }
  const value = attributes[key]
  return value === null || value === undefined ? [] : [value]
}

function holdsOne(condition: Condition, run: Run): boolean {
  const found = valuesOf(condition, run)
  if (condition.operator === 'IS NULL') return found.length === 0
  if (condition.operator === 'IS NOT NULL') return found.length > 0
  return found.some((value) => compare(value, condition))
}

const like = (pattern: string, flags: string) =>
  new RegExp(
    `^${[...pattern].map((c) => (c === '%' ? '.*' : c === '_' ? '.' : c.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))).join('')}$`,
    `su${flags}`,
  )

function compare(found: string | number, { operator, value }: Condition): boolean {
  const wantsNumber = typeof value === 'number' || (Array.isArray(value) && typeof value[0] === 'number')
  if (wantsNumber && typeof found === 'string') {
    if (found.trim() === '' || !Number.isFinite(Number(found))) return false
    return compare(Number(found), { operator, value } as Condition)
  }
  const text = String(found)
  switch (operator) {
    case 'IN':
      return (value as unknown[]).includes(found) && !Number.isNaN(found)
    case 'NOT IN':
      return !(value as unknown[]).includes(found) || Number.isNaN(found)
    case 'LIKE':
      return like(String(value), '').test(text)
    case 'ILIKE':
      return like(String(value), 'i').test(text)
    case 'NOT LIKE':
      return !like(String(value), '').test(text)
    case 'NOT ILIKE':
      return !like(String(value), 'i').test(text)
    case 'MATCHES':
      return new RegExp(String(value), 'su').test(text)
    case 'NOT MATCHES':
      return !new RegExp(String(value), 'su').test(text)
    case '=':
      return found === value
    case '!=':
      return found !== value
    case '<':
      return found < value!
    case '<=':
      return found <= value!
    case '>':
      return found > value!
    default:
      return found >= value!
  }
}

export const rank = (value: string | number | undefined) => (value === undefined ? 2 : Number.isNaN(value) ? 1 : 0)

/** Numbers and text, then NaN, then what is missing; newest first and by id where all else is equal. */
export function plainOrder(keys: readonly OrderKey[]): (a: Run, b: Run) => number {
  const all: OrderKey[] = [
    ...keys,
    { entity: 'attribute', key: 'start_time', descending: true },
    { entity: 'attribute', key: 'run_id', descending: false },
  ]
  return (a, b) => {
    for (const key of all) {
      const [x] = valuesOf(key, a)
      const [y] = valuesOf(key, b)
      if (rank(x) !== rank(y)) return rank(x) - rank(y)
      if (rank(x) > 0) continue
      const order =
        typeof x === 'string' ? Buffer.compare(Buffer.from(x), Buffer.from(String(y))) : Number(x) - Number(y)
      if (order !== 0) return key.descending ? -order : order
    }
    return 0
  }
}
