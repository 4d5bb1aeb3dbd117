/**
 * What moves a metric: permutation importance of a small random forest, as in L. Breiman, "Random Forests", Machine Learning
 * 45 (2001), section 10. Regression trees on bootstrap samples; each tree judges the runs it did not see, then judges them
 * again with one parameter shuffled among them. How much its squared error grows, over the variance of the metric, is the
 * importance of that parameter; 0 where it does not grow. Splits are sought among at most 32 quantiles of a parameter; texts
 * are ordered by the mean of the metric (W. Fisher 1958), and a text that nearly every run has for itself is left out.
 * Beside it Spearman's rank correlation, for the direction. The same runs give the same answer.
 */
import type { FrameColumn } from './columns.ts'

export const RUNS_MIN = 10
const TREES = 64
const DEPTH_MAX = 8
const LEAF_MIN = 2
const BINS = 32
const FEATURES_MAX = 60

export interface Explained {
  name: string
  /** Growth of the squared error when shuffled, over the metric's variance; at least 0. */
  importance: number
  /** Of all importances together, 0 to 1. */
  share: number
  /** Rank correlation with the metric, −1 to 1; null for texts. */
  spearman: number | null
}

export interface Explanation {
  /** Greatest importance first. */
  items: Explained[]
  /** Runs that have the metric. */
  runs: number
  /** Share of the metric's variance that the forest foretells for runs it did not see; null when no run was unseen. */
  r2: number | null
  left_out: string[]
}

/** Undefined when fewer than ten runs have the metric, or it is the same in all. */
export function explain(params: readonly FrameColumn[], target: FrameColumn): Explanation | undefined {
  const rows = target.values.flatMap((value, row) => (typeof value === 'number' ? [row] : []))
  const y = rows.map((row) => target.values[row] as number)
  const spread = variance(y)
  if (rows.length < RUNS_MIN || spread === 0) return undefined
  const usable: { column: FrameColumn; bins: Uint8Array; raw: (number | string | null)[] }[] = []
  const left_out: string[] = []
  for (const column of params) {
    const raw = rows.map((row) => column.values[row] ?? null)
    const levels = new Set(raw.filter((value) => value !== null)).size
    if (levels + Number(raw.includes(null)) < 2) continue
    const lonely = !column.numeric && levels > Math.max(BINS / 2, rows.length / 2)
    if (lonely || usable.length >= FEATURES_MAX) left_out.push(column.name)
    else usable.push({ column, bins: binned(raw, column.numeric, y), raw })
  }
  const random = generator(rows.length * 7919 + usable.length)
  const { grown, r2 } = permuted(
    usable.map(({ bins }) => bins),
    y,
    random,
  )
  const importances = grown.map((value) => Math.max(0, value / spread))
  const all = importances.reduce((sum, value) => sum + value, 0)
  const items = usable.map(({ column, raw }, at) => ({
    name: column.name,
    importance: importances[at]!,
    share: all > 0 ? importances[at]! / all : 0,
    spearman: column.numeric ? spearman(raw as (number | null)[], y) : null,
  }))
  return { items: items.sort((a, b) => b.importance - a.importance), runs: rows.length, r2, left_out }
}

interface Split {
  feature: number
  bin: number
  low: Tree
  high: Tree
}
type Tree = number | Split

function permuted(features: readonly Uint8Array[], y: readonly number[], random: () => number) {
  const grown = features.map(() => 0)
  const votes = y.map(() => ({ sum: 0, count: 0 }))
  let judges = 0
  for (let tree = 0; tree < TREES; tree++) {
    const bag = y.map(() => Math.floor(random() * y.length))
    const seen = new Set(bag)
    const unseen = y.map((_, row) => row).filter((row) => !seen.has(row))
    if (unseen.length < 2) continue
    judges++
    const root = grow(features, y, bag, 0, random)
    const error = unseen.reduce((sum, row) => {
      const said = foretell(root, (feature) => features[feature]![row]!)
      votes[row]!.sum += said
      votes[row]!.count++
      return sum + (said - y[row]!) ** 2
    }, 0)
    for (const feature of usedBy(root)) {
      const order = shuffled(unseen, random)
      const worse = unseen.reduce((sum, row, at) => {
        const said = foretell(root, (each) => features[each]![each === feature ? order[at]! : row]!)
        return sum + (said - y[row]!) ** 2
      }, 0)
      grown[feature]! += (worse - error) / unseen.length
    }
  }
  const judged = y.flatMap((value, row) => {
    const { sum, count } = votes[row]!
    return count > 0 ? [{ value, error: (sum / count - value) ** 2 }] : []
  })
  const spread = variance(judged.map(({ value }) => value))
  const r2 = spread > 0 ? 1 - judged.reduce((sum, { error }) => sum + error, 0) / judged.length / spread : null
  return { grown: grown.map((sum) => sum / Math.max(1, judges)), r2 }
}

function grow(
  features: readonly Uint8Array[],
  y: readonly number[],
  rows: readonly number[],
  depth: number,
  random: () => number,
): Tree {
  const mean = rows.reduce((sum, row) => sum + y[row]!, 0) / rows.length
  if (depth >= DEPTH_MAX || rows.length < 2 * LEAF_MIN) return mean
  const tried = shuffled([...features.keys()], random).slice(0, Math.max(1, Math.ceil(features.length / 3)))
  const best = bestSplit(features, y, rows, tried)
  if (!best) return mean
  const goesLow = (row: number) => features[best.feature]![row]! <= best.bin
  return {
    ...best,
    low: grow(features, y, rows.filter(goesLow), depth + 1, random),
    high: grow(
      features,
      y,
      rows.filter((row) => !goesLow(row)),
      depth + 1,
      random,
    ),
  }
}

/** Where the squared error falls most: the sums by bin are enough to tell. */
function bestSplit(features: readonly Uint8Array[], y: readonly number[], rows: readonly number[], tried: number[]) {
  const total = rows.reduce((sum, row) => sum + y[row]!, 0)
  let most = (total * total) / rows.length + 1e-12 * Math.abs(total)
  let best: { feature: number; bin: number } | undefined
  for (const feature of tried) {
    const sums = new Float64Array(BINS + 1)
    const counts = new Uint32Array(BINS + 1)
    for (const row of rows) {
      const bin = features[feature]![row]!
      sums[bin]! += y[row]!
      counts[bin]! += 1
    }
    let [sum, count] = [0, 0]
    for (let bin = 0; bin < BINS; bin++) {
      sum += sums[bin]!
      count += counts[bin]!
      if (count < LEAF_MIN || rows.length - count < LEAF_MIN || counts[bin] === 0) continue
      const gain = (sum * sum) / count + (total - sum) ** 2 / (rows.length - count)
      if (gain > most) {
        most = gain
        best = { feature, bin }
      }
    }
  }
  return best
}

function foretell(tree: Tree, binOf: (feature: number) => number): number {
  let at = tree
  while (typeof at !== 'number') at = binOf(at.feature) <= at.bin ? at.low : at.high
  return at
}

function usedBy(tree: Tree, found = new Set<number>()): Set<number> {
  if (typeof tree === 'number') return found
  found.add(tree.feature)
  usedBy(tree.low, found)
  return usedBy(tree.high, found)
}

/** Bin 0 is for runs without the value. */
function binned(raw: readonly (number | string | null)[], numeric: boolean, y: readonly number[]): Uint8Array {
  const known = [...new Set(raw.filter((value) => value !== null))]
  const meanOf = (text: number | string) => {
    const own = y.filter((_, at) => raw[at] === text)
    return own.reduce((sum, value) => sum + value, 0) / own.length
  }
  const means = numeric ? undefined : new Map(known.map((text) => [text, meanOf(text)]))
  const sorted = known.sort((a, b) => (means ? means.get(a)! - means.get(b)! : Number(a) - Number(b)))
  const binOf = new Map(sorted.map((value, at) => [value, 1 + Math.floor((at * BINS) / Math.max(BINS, sorted.length))]))
  return Uint8Array.from(raw, (value) => (value === null ? 0 : binOf.get(value)!))
}

export function spearman(x: readonly (number | null)[], y: readonly number[]): number | null {
  const both = x.flatMap((value, at) => (value === null ? [] : [[value, y[at]!] as const]))
  if (both.length < 3) return null
  const [a, b] = [ranks(both.map(([value]) => value)), ranks(both.map(([, value]) => value))]
  const middle = (both.length + 1) / 2
  let [ab, aa, bb] = [0, 0, 0]
  for (let at = 0; at < both.length; at++) {
    ab += (a[at]! - middle) * (b[at]! - middle)
    aa += (a[at]! - middle) ** 2
    bb += (b[at]! - middle) ** 2
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null
}

/** Ties share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!)
  const found = new Array<number>(values.length)
  for (let at = 0; at < order.length; ) {
    let end = at
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[at]!]) end++
    for (let each = at; each <= end; each++) found[order[each]!] = (at + end) / 2 + 1
    at = end + 1
  }
  return found
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
}

function shuffled(values: readonly number[], random: () => number): number[] {
  const copy = [...values]
  for (let at = copy.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[copy[at], copy[other]] = [copy[other]!, copy[at]!]
  }
  return copy
}

/** Mulberry32: small, and the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
