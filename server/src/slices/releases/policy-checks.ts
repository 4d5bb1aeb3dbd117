/** What the schema of a policy cannot say: rules that would pass whatever happens, and measures that the task does not have. */
import { invalid } from '#kernel/errors.ts'
import type { EndpointSpec } from '#slices/serving'
import type { ReleaseSpec } from './schema.ts'

const CLASSES = ['accuracy', 'precision', 'recall', 'f1']
const METRICS: Record<NonNullable<EndpointSpec['task']>, readonly string[]> = {
  binary: ['roc_auc', 'log_loss', ...CLASSES],
  multiclass: CLASSES,
  regression: ['mae', 'rmse', 'r2'],
  none: [],
}

/** Throws invalid with the place of the mistake. */
export function checkPolicy(endpoint: string, spec: ReleaseSpec, task: EndpointSpec['task']): void {
  const gate = `releases.${endpoint}.gate`
  for (const [place, rule] of (spec.gate?.rules ?? []).entries()) {
    if (!('metric' in rule)) continue
    const field = `${gate}.rules[${place}]`
    if (rule.at_least === undefined && rule.at_most === undefined)
      throw invalid(`${field}: the rule on ${rule.metric} has no bound and would pass whatever is measured`, {
        field,
        remedy: 'Say at_least or at_most.',
      })
    const known = METRICS[task ?? 'binary']
    if (!known.includes(String(rule.metric)))
      throw invalid(`${field}: ${rule.metric} is not defined for task ${task ?? 'binary'}`, {
        field,
        remedy:
          known.length > 0 ? `Use one of ${known.join(', ')}.` : 'Give the endpoint a task, or leave the rule out.',
      })
  }
  const steps = spec.rollout?.steps ?? []
  for (const [place, step] of steps.entries()) {
    const field = `releases.${endpoint}.rollout.steps[${place}].share`
    if (place > 0 && step.share <= steps[place - 1]!.share)
      throw invalid(`${field}: ${step.share} is not more than the step before`, { field })
  }
}
