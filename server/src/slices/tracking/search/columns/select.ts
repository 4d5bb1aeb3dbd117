/** Filter, order and page over the blocks of some experiments. */
import type { Sql } from '#kernel/store/index.ts'
import type { LifecycleView } from '../../model.ts'
import type { Filter } from '../parse.ts'
import type { NumberColumn } from './column.ts'
import { columnsIn, maskOf } from './evaluate.ts'
import { type Block, openFrame } from './frame.ts'
import { checkPosition, merge, Ordered, type Placed, type Position, type Sort, sortName } from './order.ts'

export interface Selection {
  experiments: readonly number[]
  filter: Filter | undefined
  /** The filter as it was written, by which results are kept. */
  filter_text: string
  view: LifecycleView
}

export interface Page {
  runs: Placed[]
  /** Where the following page begins; undefined when there is none. */
  next: Position | undefined
  /** Of all pages. */
  total: number
}

/** What a filter leaves of a block: kept for blocks that do not change, with the order in which it was last asked for. */
interface Kept {
  places: Int32Array
  orders: Map<string, Int32Array>
}

const KEPT_BYTES_MAX = 24 * 1024 * 1024
const ORDERS_MAX = 6
const kept = new Map<string, Kept>()
const names = new WeakMap<object, number>()
let next_name = 1

function nameOf(block: Block, { filter_text, view }: Selection): string | undefined {
  if (!block.identity) return undefined
  const { of, dead } = block.identity
  let name = names.get(of)
  if (name === undefined) {
    name = next_name++
    names.set(of, name)
  }
  return `${name} ${dead} ${view} ${filter_text}`
}

function placesIn(mask: Uint8Array): Int32Array {
  let count = 0
  for (const bit of mask) count += bit
  const places = new Int32Array(count)
  let next = 0
  for (let at = 0; at < mask.length; at++) if (mask[at] === 1) places[next++] = at
  return places
}

/** The places that a selection leaves of a block. */
async function matching(sql: Sql, block: Block, selection: Selection): Promise<Kept> {
  const name = nameOf(block, selection)
  const known = name === undefined ? undefined : kept.get(name)
  if (name !== undefined && known) {
    kept.delete(name)
    kept.set(name, known)
    return known
  }
  const columns = columnsIn(selection.filter)
  if (selection.view !== 'all') columns.add('alifecycle')
  await block.load(sql, columns)
  const found: Kept = { places: placesIn(maskOf(block, selection.filter, selection.view)), orders: new Map() }
  if (name !== undefined) {
    kept.set(name, found)
    trim()
  }
  return found
}

/** Lets go of what was unused for longest. */
function trim(): void {
  let bytes = 0
  for (const { places, orders } of kept.values()) bytes += places.byteLength * (1 + orders.size) + 200
  for (const [name, { places, orders }] of kept) {
    if (bytes <= KEPT_BYTES_MAX) return
    kept.delete(name)
    bytes -= places.byteLength * (1 + orders.size) + 200
  }
}

/** All runs of a selection, block by block, in no order. */
export async function selectAll(sql: Sql, selection: Selection): Promise<{ block: Block; places: Int32Array }[]> {
  const found: { block: Block; places: Int32Array }[] = []
  for (const block of await openFrame(sql, selection.experiments)) {
    found.push({ block, places: (await matching(sql, block, selection)).places })
  }
  return found
}

/** One page, from an offset or from where the page before ended. Throws invalid for a position of another order. */
export async function selectPage(
  sql: Sql,
  selection: Selection,
  page: { sorts: readonly Sort[]; offset: number; limit: number; position?: unknown },
): Promise<Page> {
  const { sorts, offset, limit } = page
  const name = sortName(sorts)
  const after = page.position === undefined ? undefined : checkPosition(page.position, sorts, name)
  const lists: { ordered: Ordered; places: Int32Array }[] = []
  let total = 0
  for (const block of await openFrame(sql, selection.experiments)) {
    const found = await matching(sql, block, selection)
    total += found.places.length
    if (found.places.length === 0) continue
    await block.load(
      sql,
      sorts.map(({ column }) => column),
    )
    const ordered = new Ordered(block, sorts)
    const whole = found.orders.get(name)
    let places = found.places
    if (after && !whole) places = places.filter((place) => ordered.compareWith(place, after) > 0)
    if (whole) places = after ? whole.subarray(firstAfter(ordered, whole, after)) : whole
    else {
      // Whoever leafs through pages comes again: then the whole order is kept.
      const most = offset > 0 && block.identity ? places.length : offset + limit + 1
      places = ordered.first(places, most)
      if (!after && block.identity && places.length === found.places.length) {
        found.orders.set(name, places)
        if (found.orders.size > ORDERS_MAX) found.orders.delete(found.orders.keys().next().value!)
        trim()
      }
    }
    lists.push({ ordered, places })
  }
  const runs = merge(lists, offset, limit + 1)
  const more = runs.length > limit
  const shown = more ? runs.slice(0, limit) : runs
  const last = shown.at(-1)
  return {
    runs: shown,
    next: more && last ? { order: name, at: last.ordered.valuesAt(last.place) } : undefined,
    total,
  }
}

function firstAfter(ordered: Ordered, places: Int32Array, after: Position['at']): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ordered.compareWith(places[middle]!, after) > 0) high = middle
    else low = middle + 1
  }
  return low
}

export const runKeyAt = ({ ordered, place }: Placed): number =>
  (ordered.block.column('k') as NumberColumn).values[place]!
