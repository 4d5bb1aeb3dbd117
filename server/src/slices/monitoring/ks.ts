/** The two-sided two-sample Kolmogorov-Smirnov test, as scipy.stats.ks_2samp with method auto. */

/** Samples larger than this get the limit distribution, as in scipy. */
const EXACT_MAX = 10_000
/** Below this bound a p value says no more than "small", and the exact one would cost the most: the limit distribution tells it. */
const P_EXACT_MIN = 1e-9

/** Over sorted samples without NaN. Empty on either side: nothing was tested, statistic 0 and p 1. */
export function ksTest(a: ArrayLike<number>, b: ArrayLike<number>): { statistic: number; p: number } {
  if (a.length === 0 || b.length === 0) return { statistic: 0, p: 1 }
  let i = 0
  let j = 0
  // As a whole number of 1 / (a.length * b.length): exact, where a difference of two quotients is not.
  let greatest = 0
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!)
    while (i < a.length && a[i]! <= value) i++
    while (j < b.length && b[j]! <= value) j++
    greatest = Math.max(greatest, Math.abs(i * b.length - j * a.length))
  }
  const statistic = greatest / (a.length * b.length)
  const n = (a.length * b.length) / (a.length + b.length)
  if (greatest === 0) return { statistic, p: 1 }
  const bound = 2 * Math.exp(-2 * n * statistic ** 2)
  const exact = Math.max(a.length, b.length) <= EXACT_MAX && bound > P_EXACT_MIN
  return { statistic, p: exact ? touching(a.length, b.length, greatest) : kolmogorov(Math.sqrt(n) * statistic) }
}

/**
 * Share of the lattice paths from (0, 0) to (m, n) that reach |x/m - y/n| >= h/(m·n) somewhere (Hodges 1957; the recursion over
 * shares rather than counts, which neither overflows nor cancels, is Viehmann's, arXiv:2102.08037). Steps grow with m times the
 * width of the band.
 */
function touching(a: number, b: number, h: number): number {
  const m = Math.max(a, b)
  const n = Math.min(a, b)
  // share[y]: of the paths to (x, y), those that have touched. Outside the band all have.
  const share = new Float64Array(n + 1).fill(1)
  const low = (x: number) => Math.max(0, Math.floor((n * x - h) / m) + 1)
  const high = (x: number) => Math.min(n, Math.ceil((n * x + h) / m) - 1)
  share.fill(0, 0, high(0) + 1)
  let last_low = 0
  for (let x = 1; x <= m; x++) {
    const from = low(x)
    const to = high(x)
    if (to < from) return 1
    // What the band has left behind counts as outside from now on.
    if (from > last_low) share.fill(1, last_low, from)
    last_low = from
    let below = from === 0 ? 0 : 1
    for (let y = from; y <= to; y++) {
      below = (x * share[y]! + y * below) / (x + y)
      share[y] = below
    }
  }
  return share[n]!
}

/** Survival function of Kolmogorov's limit distribution (the alternating series, and its dual near 0). */
export function kolmogorov(x: number): number {
  if (x <= 0) return 1
  if (x < 1.18) {
    const y = Math.exp((-Math.PI * Math.PI) / (8 * x * x))
    return 1 - (Math.sqrt(2 * Math.PI) / x) * (y + y ** 9 + y ** 25 + y ** 49)
  }
  const v = Math.exp(-2 * x * x)
  return Math.max(0, Math.min(1, 2 * (v - v ** 4 + v ** 9)))
}
