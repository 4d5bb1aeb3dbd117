/**
 * How far a feature has moved. PSI after the credit-scoring way: deciles of the reference, shares clipped at 1e-4; for texts the
 * reference's 20 most frequent values and the rest. KS: the two-sided two-sample statistic with its asymptotic p value
 * (scipy.stats.ks_2samp, method asymp).
 */

export const PSI_CLIP = 1e-4

export interface NumericReference {
  kind: 'numeric'
  /** Inner edges of the bins, rising. */
  edges: number[]
  /** Share of the reference in each bin: one more than edges. */
  shares: number[]
  nulls: number
  /** Sorted sample for KS; at most 5,000. */
  sample: number[]
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
export function sharesOf(values: Float64Array, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (const value of values) {
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

export function numericReference(values: Float64Array, nulls: number): NumericReference {
  const sorted = values.slice().sort()
  const edges: number[] = []
  for (let decile = 1; decile < 10; decile++) {
    const edge = sorted[Math.min(sorted.length - 1, Math.floor((decile * sorted.length) / 10))]
    if (edge !== undefined && edge !== edges.at(-1)) edges.push(edge)
  }
  const step = Math.max(1, Math.ceil(sorted.length / 5000))
  return {
    kind: 'numeric',
    edges,
    shares: sharesOf(sorted, edges),
    nulls,
    sample: Array.from(sorted.filter((_, at) => at % step === 0)),
  }
}

export function categoricalReference(values: readonly string[], nulls: number): CategoricalReference {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20)
  const names = top.map(([value]) => value)
  return { kind: 'categorical', values: names, shares: categoricalShares(values, names), nulls }
}

export function categoricalShares(values: readonly string[], names: readonly string[]): number[] {
  const places = new Map(names.map((name, at) => [name, at]))
  const counts = new Array<number>(names.length + 1).fill(0)
  for (const value of values) counts[places.get(value) ?? names.length]!++
  return counts.map((count) => (values.length === 0 ? 0 : count / values.length))
}

/** Two-sided two-sample Kolmogorov-Smirnov over sorted samples. */
export function ksTest(a: ArrayLike<number>, b: ArrayLike<number>): { statistic: number; p: number } {
  let i = 0
  let j = 0
  let statistic = 0
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!)
    while (i < a.length && a[i]! <= value) i++
    while (j < b.length && b[j]! <= value) j++
    statistic = Math.max(statistic, Math.abs(i / a.length - j / b.length))
  }
  if (a.length === 0 || b.length === 0) return { statistic: 0, p: 1 }
  const n = (a.length * b.length) / (a.length + b.length)
  return { statistic, p: kolmogorov(Math.sqrt(n) * statistic) }
}

/** Survival function of Kolmogorov's distribution (Marsaglia, Tsang and Wang 2003, the alternating series; its dual near 0). */
export function kolmogorov(x: number): number {
  if (x <= 0) return 1
  if (x < 1.18) {
    const y = Math.exp((-Math.PI * Math.PI) / (8 * x * x))
    return 1 - (Math.sqrt(2 * Math.PI) / x) * (y + y ** 9 + y ** 25 + y ** 49)
  }
  const v = Math.exp(-2 * x * x)
  return Math.max(0, Math.min(1, 2 * (v - v ** 4 + v ** 9)))
}
