/** A comparison as rows and columns: which keys are shown, in which order the runs stand, which way round. */
import { measure, NONE } from '../../kit/format.ts'
import type { Cell, Comparison } from './data.ts'

export type Run = Comparison['runs'][number]
export type Area = 'metric' | 'param' | 'tag'
export interface Line {
  /** `m.auc`, as columns of the run table are called. */
  id: string
  area: Area
  key: string
  differs: boolean
  /** In the order of the comparison's runs. */
  values: readonly Cell[]
  /** The same as they are shown. */
  words: readonly string[]
}

export interface Shown {
  areas: readonly Area[]
  /** Also what is the same in all runs. */
  same: boolean
  /** Part of a key. */
  find: string
  order: { id: string; descending: boolean } | undefined
}

/** What the clients keep for themselves tells little of a run. */
const isOwn = (key: string) => key.startsWith('mlflow.') || key.startsWith('system/')

export function linesOf({ metrics, params, tags }: Comparison, { areas, same, find }: Shown): Line[] {
  const text = find.trim().toLowerCase()
  const given: [Area, Comparison['metrics']][] = [
    ['metric', metrics],
    ['param', params],
    ['tag', tags],
  ]
  return given
    .filter(([area]) => areas.includes(area))
    .flatMap(([area, rows]) =>
      [...rows]
        .filter(({ key, differs }) => (differs || same) && (!text || key.toLowerCase().includes(text)))
        .sort((a, b) => Number(isOwn(a.key)) - Number(isOwn(b.key)) || Number(b.differs) - Number(a.differs))
        .map((row): Line => ({ id: `${area[0]}.${row.key}`, area, ...row, words: wordsOf(row.values) })),
    )
}

/** Digits that are tried before a number is written in full. */
const DIGITS = [6, 9, 12]

/** Rounded as everywhere, with more digits where that makes different values look alike. */
function wordsOf(values: readonly Cell[]): string[] {
  const distinct = new Set(values).size
  const rounded = values.map((value) => measure(value))
  if (new Set(rounded).size === distinct) return rounded
  for (const digits of DIGITS) {
    const longer = values.map((value) =>
      typeof value === 'number' ? String(+value.toPrecision(digits)) : measure(value),
    )
    if (new Set(longer).size === distinct) return longer
  }
  return values.map((value) => String(value ?? NONE))
}

/** Places of the runs: as asked for, or by the values of one line; what has none comes last. */
export function orderOf({ runs }: Comparison, lines: readonly Line[], order: Shown['order']): number[] {
  const places = runs.map((_, at) => at)
  const by = lines.find(({ id }) => id === order?.id)?.values
  if (!by || !order) return places
  const sign = order.descending ? -1 : 1
  return places.sort((a, b) => {
    const [x, y] = [by[a] ?? null, by[b] ?? null]
    if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1
    const [left, right] = [Number(x), Number(y)]
    if (!Number.isNaN(left) && !Number.isNaN(right)) return (left - right) * sign || a - b
    return String(x).localeCompare(String(y), 'en', { numeric: true }) * sign || a - b
  })
}
