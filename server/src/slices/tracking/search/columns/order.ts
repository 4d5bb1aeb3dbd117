/** Runs in order: the best of each block, merged. */
import { invalid } from '#kernel/errors.ts'
import type { OrderKey } from '../parse.ts'
import { type ColumnName, compareTexts, MISSING, NUMBER, type TextColumn } from './column.ts'
import { columnOf } from './evaluate.ts'
import type { Block } from './frame.ts'

export interface Sort {
  column: ColumnName
  descending: boolean
}

/** The keys asked for, then newest first, then by id: no two runs are equal. */
export function sortsOf(keys: readonly OrderKey[]): Sort[] {
  const sorts = keys.map((key) => ({ column: columnOf(key), descending: key.descending }))
  const has = (column: ColumnName) => sorts.some((sort) => sort.column === column)
  if (!has('astart_time')) sorts.push({ column: 'astart_time', descending: true })
  if (!has('arun_id')) sorts.push({ column: 'arun_id', descending: false })
  return sorts
}

export const sortName = (sorts: readonly Sort[]): string =>
  sorts.map(({ column, descending }) => `${column} ${descending ? 'desc' : 'asc'}`).join(',')

/** Where a value stands before it is looked at: values, then NaN, then what is missing, in both directions. */
type Rank = 0 | 1 | 2

export type SortValue = readonly [rank: Rank, value: number | string]
/** The values of a run in every sort: where a page begins. */
export type Position = { order: string; at: SortValue[] }

interface Key {
  rankAt(place: number): Rank
  valueAt(place: number): number | string
  /** Two places of this block, direction included. */
  compare(a: number, b: number): number
}

/** Texts few enough to be ranked once, so that comparing runs compares numbers. */
const RANKED_MAX = 5_000
const ranked = new WeakMap<TextColumn, { of: number; ranks: Int32Array }>()

function ranksOf(column: TextColumn): Int32Array | undefined {
  const { length } = column.texts
  if (length > RANKED_MAX) return undefined
  const known = ranked.get(column)
  if (known?.of === length) return known.ranks
  const order = Array.from({ length }, (_, code) => code).sort((a, b) =>
    compareTexts(column.texts[a]!, column.texts[b]!),
  )
  const ranks = new Int32Array(length)
  let rank = 0
  for (const [at, code] of order.entries()) {
    // A text may be there twice.
    if (at > 0 && column.texts[code] !== column.texts[order[at - 1]!]) rank++
    ranks[code] = rank
  }
  ranked.set(column, { of: length, ranks })
  return ranks
}

function keyOf(block: Block, { column: name, descending }: Sort): Key {
  const column = block.column(name)
  const sign = descending ? -1 : 1
  if (column.kind === 'number') {
    const { values, state } = column
    const rankAt = (place: number): Rank => (state[place] === NUMBER ? 0 : state[place] === MISSING ? 2 : 1)
    return {
      rankAt,
      valueAt: (place) => (state[place] === NUMBER ? values[place]! : 0),
      compare(a, b) {
        // What is no number is NaN in `values`, which makes the difference NaN.
        const difference = values[a]! - values[b]!
        return Number.isNaN(difference) ? rankAt(a) - rankAt(b) : difference * sign
      },
    }
  }
  if (column.kind === 'list') throw new Error(`runs are not ordered by ${name}`)
  const { codes, texts } = column
  const ranks = ranksOf(column)
  return {
    rankAt: (place) => (codes[place]! < 0 ? 2 : 0),
    valueAt: (place) => (codes[place]! < 0 ? '' : texts[codes[place]!]!),
    compare(a, b) {
      const x = codes[a]!
      const y = codes[b]!
      if (x === y) return 0
      if (x < 0) return 1
      if (y < 0) return -1
      return (ranks ? ranks[x]! - ranks[y]! : compareTexts(texts[x]!, texts[y]!)) * sign
    },
  }
}

const compareValues = (a: number | string, b: number | string): number =>
  typeof a === 'string' ? compareTexts(a, String(b)) : a - Number(b)

/** A block whose places are compared by the sorts. */
export class Ordered {
  readonly block: Block
  readonly #keys: Key[]
  readonly #sorts: readonly Sort[]

  constructor(block: Block, sorts: readonly Sort[]) {
    this.block = block
    this.#sorts = sorts
    this.#keys = sorts.map((sort) => keyOf(block, sort))
  }

  compare = (a: number, b: number): number => {
    for (const key of this.#keys) {
      const order = key.compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }

  valuesAt(place: number): SortValue[] {
    return this.#keys.map((key) => [key.rankAt(place), key.valueAt(place)])
  }

  compareWith(place: number, at: readonly SortValue[]): number {
    for (const [index, key] of this.#keys.entries()) {
      const [rank, value] = at[index]!
      const own = key.rankAt(place)
      if (own !== rank) return own - rank
      if (rank !== 0) continue
      const order = compareValues(key.valueAt(place), value)
      if (order !== 0) return this.#sorts[index]!.descending ? -order : order
    }
    return 0
  }

  /** The first `most` of these places, in order; all of them when that is no more work. */
  first(places: Int32Array, most: number): Int32Array {
    if (most * 4 >= places.length) return places.toSorted(this.compare)
    const best = new Int32Array(most * 2)
    let size = 0
    let worst = -1
    // Runs lie oldest first, most orders want the newest: begin where the best are likely to be.
    const backwards = this.compare(places[places.length - 1]!, places[0]!) < 0
    for (let at = 0; at < places.length; at++) {
      const place = places[backwards ? places.length - 1 - at : at]!
      if (worst >= 0 && this.compare(place, worst) >= 0) continue
      best[size++] = place
      if (size < best.length) continue
      best.sort(this.compare)
      size = most
      worst = best[most - 1]!
    }
    return best.slice(0, size).sort(this.compare).slice(0, most)
  }
}

export interface Placed {
  ordered: Ordered
  place: number
}

interface List {
  ordered: Ordered
  places: Int32Array
}

/** Runs beside the longest list for which it pays to look up where each belongs. */
const BESIDE_MAX = 20_000

/** `count` runs from `skip` on, of lists that are each in order and long enough for that. */
export function merge(lists: readonly List[], skip: number, count: number): Placed[] {
  const longest = lists.reduce<List | undefined>((a, b) => (a && a.places.length >= b.places.length ? a : b), undefined)
  const beside = lists.filter((list) => list !== longest)
  const others = beside.reduce((sum, { places }) => sum + places.length, 0)
  if (!longest || skip < others || others === 0 || others > BESIDE_MAX) return mergeAll(lists, skip, count)
  // Far into a long list: where the few others belong is looked up, instead of walking there.
  const few = mergeAll(beside, 0, others)
  const before = few.map(({ ordered, place }) => countBefore(longest, ordered.valuesAt(place)))
  let next = 0
  while (next < few.length && before[next]! + next < skip) next++
  const merged: Placed[] = []
  for (let at = skip - next; merged.length < count; ) {
    if (next < few.length && before[next]! <= at) merged.push(few[next++]!)
    else if (at < longest.places.length) merged.push({ ordered: longest.ordered, place: longest.places[at++]! })
    else break
  }
  return merged
}

/** How many of a list come before these values. */
function countBefore({ ordered, places }: List, values: readonly SortValue[]): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ordered.compareWith(places[middle]!, values) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function mergeAll(lists: readonly List[], skip: number, count: number): Placed[] {
  if (lists.length === 1) {
    const { ordered, places } = lists[0]!
    return Array.from(places.subarray(skip, skip + count), (place) => ({ ordered, place }))
  }
  const heads = lists.filter(({ places }) => places.length > 0).map((list) => ({ ...list, next: 0 }))
  const merged: Placed[] = []
  for (let taken = 0; taken < skip + count && heads.length > 0; taken++) {
    let least = 0
    if (heads.length > 1) {
      let values = heads[0]!.ordered.valuesAt(heads[0]!.places[heads[0]!.next]!)
      for (let i = 1; i < heads.length; i++) {
        const { ordered, places, next } = heads[i]!
        if (ordered.compareWith(places[next]!, values) < 0) {
          least = i
          values = ordered.valuesAt(places[next]!)
        }
      }
    }
    const head = heads[least]!
    const place = head.places[head.next++]!
    if (head.next === head.places.length) heads.splice(least, 1)
    if (taken >= skip) merged.push({ ordered: head.ordered, place })
  }
  return merged
}

/** Throws invalid for a position of another order. */
export function checkPosition(position: unknown, sorts: readonly Sort[], name: string): SortValue[] {
  const { order, at } = (position ?? {}) as Partial<Position>
  if (order !== name || !Array.isArray(at) || at.length !== sorts.length) {
    throw invalid('Invalid page token: it belongs to a search with another order', {
      field: 'page_token',
      remedy: 'Begin the search again without a page token.',
    })
  }
  return at
}
