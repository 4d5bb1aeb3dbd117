import type { Sql } from '#kernel/store/index.ts'
import { type ColumnName, compareTexts, NUMBER } from '../search/columns/column.ts'
import { columnOf, numbersIn } from '../search/columns/evaluate.ts'
import type { Block } from '../search/columns/frame.ts'
import { type Selection, selectAll } from '../search/columns/select.ts'
import type { OrderKey } from '../search/parse.ts'
import { type Cell, cellAt } from './rows.ts'

export interface TableGroup {
  key: Cell[]
  runs: number
  /** Of the numbers there are, of params and tags too; null where there are none. */
  aggregates: ({ mean: number; min: number; max: number } | null)[]
}

export interface GroupAsk {
  columns: readonly ColumnName[]
  group_by: readonly ColumnName[]
  orders: readonly OrderKey[]
  limit: number
  offset: number
}

/** Groups that one answer may be made from. */
const GROUPS_MAX = 200_000

interface Group {
  key: Cell[]
  runs: number
}

/** Each place's group, by number; groups are added as they are met. */
function assign(
  block: Block,
  places: Int32Array,
  group_by: readonly ColumnName[],
  groups: Group[],
  known: Map<string, number>,
): Int32Array {
  const columns = group_by.map((name) => block.column(name))
  const numbers = new Int32Array(places.length)
  // Text by code: looked up as text once for each code and not for each run.
  const single = columns.length === 1 && columns[0]!.kind === 'text' ? columns[0]! : undefined
  const byCode = new Map<number, number>()
  for (let at = 0; at < places.length; at++) {
    const place = places[at]!
    const code = single?.kind === 'text' ? single.codes[place]! : undefined
    let number = code === undefined ? undefined : byCode.get(code)
    if (number === undefined) {
      const key = columns.map((column) => cellAt(column, place))
      const name = JSON.stringify(key)
      number = known.get(name)
      if (number === undefined) {
        number = groups.length
        if (number < GROUPS_MAX) groups.push({ key, runs: 0 })
        else number = GROUPS_MAX - 1
        known.set(name, number)
      }
      if (code !== undefined) byCode.set(code, number)
    }
    numbers[at] = number
    groups[number]!.runs++
  }
  return numbers
}

interface Sums {
  count: Float64Array
  sum: Float64Array
  min: Float64Array
  max: Float64Array
}

const emptySums = (n: number): Sums => ({
  count: new Float64Array(n),
  sum: new Float64Array(n),
  min: new Float64Array(n).fill(Number.POSITIVE_INFINITY),
  max: new Float64Array(n).fill(Number.NEGATIVE_INFINITY),
})

function add(sums: Sums, block: Block, name: ColumnName, places: Int32Array, numbers: Int32Array): void {
  const column = block.column(name)
  if (column.kind === 'list') return
  const own = column.kind === 'text' ? numbersIn(column) : undefined
  for (let at = 0; at < places.length; at++) {
    const place = places[at]!
    let value: number
    if (column.kind === 'number') {
      if (column.state[place] !== NUMBER) continue
      value = column.values[place]!
    } else {
      const code = column.codes[place]!
      if (code < 0) continue
      value = own![code]!
      if (Number.isNaN(value)) continue
    }
    const group = numbers[at]!
    sums.count[group]! += 1
    sums.sum[group]! += value
    if (value < sums.min[group]!) sums.min[group] = value
    if (value > sums.max[group]!) sums.max[group] = value
  }
}

const compareCells = (a: Cell, b: Cell): number => {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? 1 : -1
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareTexts(String(a), String(b))
}

/**
 * The runs of a selection by the values of some columns. In the order of the keys asked for: a column that is grouped by
 * orders by its value, any other by its mean. Else the largest group comes first.
 */
export async function runGroups(
  sql: Sql,
  selection: Selection,
  ask: GroupAsk,
): Promise<{ total: number; groups: TableGroup[] }> {
  const parts = await selectAll(sql, selection)
  const groups: Group[] = []
  const known = new Map<string, number>()
  const assigned: { block: Block; places: Int32Array; numbers: Int32Array }[] = []
  for (const { block, places } of parts) {
    await block.load(sql, ask.group_by)
    assigned.push({ block, places, numbers: assign(block, places, ask.group_by, groups, known) })
  }
  const sumsOf = async (name: ColumnName): Promise<Sums> => {
    const sums = emptySums(groups.length)
    for (const { block, places, numbers } of assigned) {
      await block.load(sql, [name])
      add(sums, block, name, places, numbers)
    }
    return sums
  }
  const order = groups.map((_, number) => number)
  const comparisons: ((a: number, b: number) => number)[] = []
  for (const key of ask.orders) {
    const name = columnOf(key)
    const sign = key.descending ? -1 : 1
    const at = ask.group_by.indexOf(name)
    if (at >= 0) {
      comparisons.push((a, b) => {
        const [x, y] = [groups[a]!.key[at]!, groups[b]!.key[at]!]
        return compareCells(x, y) * (x === null || y === null ? 1 : sign)
      })
      continue
    }
    const { sum, count } = await sumsOf(name)
    comparisons.push((a, b) => {
      if (count[a] === 0 || count[b] === 0) return count[a] === count[b] ? 0 : count[a] === 0 ? 1 : -1
      return (sum[a]! / count[a]! - sum[b]! / count[b]!) * sign
    })
  }
  comparisons.push((a, b) => groups[b]!.runs - groups[a]!.runs)
  for (const at of ask.group_by.keys())
    comparisons.push((a, b) => compareCells(groups[a]!.key[at]!, groups[b]!.key[at]!))
  order.sort((a, b) => {
    for (const compare of comparisons) {
      const found = compare(a, b)
      if (found !== 0) return found
    }
    return a - b
  })
  const shown = order.slice(ask.offset, ask.offset + ask.limit)
  const aggregates: Sums[] = []
  for (const name of ask.columns) aggregates.push(await sumsOf(name))
  return {
    total: groups.length,
    groups: shown.map((number) => ({
      key: groups[number]!.key,
      runs: groups[number]!.runs,
      aggregates: aggregates.map(({ count, sum, min, max }) =>
        count[number] === 0 ? null : { mean: sum[number]! / count[number]!, min: min[number]!, max: max[number]! },
      ),
    })),
  }
}
