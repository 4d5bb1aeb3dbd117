/**
 * How far a feature has moved. PSI after the credit-scoring way: deciles of the reference, shares clipped at 1e-4; for texts the
 * reference's 20 most frequent values and the rest. Nulls are left out first and told beside.
 */

export const PSI_CLIP = 1e-4
/** Values of a text feature that have a bin of their own. */
export const VALUES_MAX = 20
/** Values of a reference that a KS test compares with. */
export const SAMPLE_MAX = 5000

export interface NumericReference {
  kind: 'numeric'
  /** Inner edges of the bins, rising: deciles, each once. */
  edges: number[]
  /** Share of the reference in each bin: one more than edges. */
  shares: number[]
  nulls: number
  /** Sorted sample for KS. */
  sample: Float64Array
}

export interface CategoricalReference {
  kind: 'categorical'
  values: string[]
  /** One more than values: the rest. */
  shares: number[]
  nulls: number
}

export type Reference = NumericReference | CategoricalReference

export function psi(reference: readonly number[], current: readonly number[]): number {
  let sum = 0
  for (let bin = 0; bin < reference.length; bin++) {
    const r = Math.max(reference[bin]!, PSI_CLIP)
    const c = Math.max(current[bin]!, PSI_CLIP)
    sum += (r - c) * Math.log(r / c)
  }
  return sum
}

/** Share of values in each bin: bin k holds edges[k-1] < x ≤ edges[k]. */
export function sharesOf(values: ArrayLike<number>, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!
    let low = 0
    let high = edges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (value <= edges[middle]!) high = middle
      else low = middle + 1
    }
    counts[low]!++
  }
  return counts.map((count) => (values.length === 0 ? 0 : count / values.length))
}

export function categoricalShares(values: readonly string[], names: readonly string[]): number[] {
  const places = new Map(names.map((name, at) => [name, at]))
  const counts = new Array<number>(names.length + 1).fill(0)
  for (const value of values) counts[places.get(value) ?? names.length]!++
  return counts.map((count) => (values.length === 0 ? 0 : count / values.length))
}
