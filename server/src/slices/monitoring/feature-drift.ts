/** Drift of every feature of one window against a reference. */
import type { Cell } from '#kernel/analytics/index.ts'
import { categoricalShares, psi, type Reference, SAMPLE_MAX, sharesOf } from './drift.ts'
import { ksTest } from './ks.ts'

export interface FeatureDrift {
  feature: string
  kind: Reference['kind']
  /** Null: the reference or the window has no value at all. */
  psi: number | null
  ks: number | null
  ks_p: number | null
  /** Share of nulls in the window, and in the reference. */
  nulls: number
  nulls_reference: number
  /** Shares of the reference and of the window, by bin. */
  bins: { reference: number[]; current: number[]; names: string[] }
}

/** `rows` have one cell per feature, in a random order; features that moved most come first. Lets other work in between. */
export async function driftOf(
  features: readonly string[],
  references: Readonly<Record<string, Reference>>,
  rows: readonly Cell[][],
  ks_wanted: boolean,
): Promise<FeatureDrift[]> {
  const drift: FeatureDrift[] = []
  for (const [at, feature] of features.entries()) {
    const reference = references[feature]!
    const values = rows.map((row) => row[at]!).filter((value) => value !== null)
    const numeric = reference.kind === 'numeric'
    const current = numeric
      ? sharesOf(values as number[], reference.edges)
      : categoricalShares(values as string[], reference.values)
    const known = values.length > 0 && reference.shares.some((share) => share > 0)
    const ks =
      numeric && ks_wanted && known && reference.sample.length > 0
        ? ksTest(reference.sample, Float64Array.from(values.slice(0, SAMPLE_MAX) as number[]).sort())
        : undefined
    drift.push({
      feature,
      kind: reference.kind,
      psi: known ? psi(reference.shares, current) : null,
      ks: ks?.statistic ?? null,
      ks_p: ks?.p ?? null,
      nulls: rows.length === 0 ? 0 : 1 - values.length / rows.length,
      nulls_reference: reference.nulls,
      bins: {
        reference: reference.shares,
        current,
        names: numeric ? binNames(reference.edges) : [...reference.values, 'other'],
      },
    })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return drift.sort((a, b) => (b.psi ?? 0) - (a.psi ?? 0))
}

const binNames = (edges: readonly number[]): string[] =>
  edges.length === 0
    ? ['all']
    : [
        ...edges.map((edge, at) => (at === 0 ? `≤ ${short(edge)}` : `${short(edges[at - 1]!)} – ${short(edge)}`)),
        `> ${short(edges.at(-1)!)}`,
      ]
const short = (value: number): string => String(Number(value.toPrecision(4)))
