/** What models said, in the numbers that measures take. Pure. */
import { isPositive, type LabelledRow } from '#slices/monitoring'
import type { EndpointSpec } from '#slices/serving'
import type { BootstrapInput, Side } from './bootstrap.ts'

type Spec = Pick<EndpointSpec, 'task' | 'positive' | 'threshold'>

/** One answer: its score, and its label as text. */
export interface Said {
  score: number
  label: string
}

export const kindOf = ({ task }: Spec): BootstrapInput['kind'] =>
  task === 'regression' || task === 'multiclass' ? task : 'binary'

/** Null for a row without what its task is measured by: a label for many classes, a number otherwise. */
export function sayings(spec: Spec, scores: readonly (number | null)[], labels: readonly unknown[]): (Said | null)[] {
  const classes = kindOf(spec) === 'multiclass'
  return scores.map((score, at) => {
    const label = labels[at]
    if (classes) return label === null || label === undefined ? null : { score: score ?? 0, label: String(label) }
    return score === null ? null : { score, label: '' }
  })
}

/** The kept rows as columns, with one side for each model. */
export function numbersOf(
  spec: Spec,
  keep: readonly number[],
  given: readonly LabelledRow[],
  models: readonly (readonly (Said | null)[])[],
): { truths: Float64Array; sides: Side[] } {
  const kind = kindOf(spec)
  const threshold = spec.threshold ?? 0.5
  const classes = new Map<string, number>()
  const classOf = (label: string): number => {
    let number = classes.get(label)
    if (number === undefined) {
      number = classes.size
      classes.set(label, number)
    }
    return number
  }
  const truthOf = (label: string): number =>
    kind === 'regression'
      ? Number(label)
      : kind === 'multiclass'
        ? classOf(label)
        : isPositive(spec.positive ?? 1, label)
          ? 1
          : 0
  return {
    truths: Float64Array.from(keep, (at) => truthOf(given[at]!.label)),
    sides: models.map((said) => {
      const scores = Float64Array.from(keep, (at) => said[at]!.score)
      const answers =
        kind === 'multiclass'
          ? Float64Array.from(keep, (at) => classOf(said[at]!.label))
          : scores.map((score) => (score >= threshold ? 1 : 0))
      return { scores, answers }
    }),
  }
}
