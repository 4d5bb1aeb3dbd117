/** What the schema of a policy cannot say: rules that would pass whatever happens, and measures that the task does not have. */
import { invalid } from '#kernel/errors.ts'
import type { EndpointSpec } from '#slices/serving'
import { JUDGED_MIN, SCORES_MIN } from './guards.ts'
import { STEPS_DEFAULT } from './rollout.ts'
import type { Guard, ReleaseSpec } from './schema.ts'

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
  const { steps = STEPS_DEFAULT, guards = [] } = spec.rollout ?? {}
  const rollout = `releases.${endpoint}.rollout`
  for (const [place, step] of steps.entries()) {
    const field = `${rollout}.steps[${place}].share`
    if (place > 0 && step.share <= steps[place - 1]!.share)
      throw invalid(`${field}: ${step.share} is not more than the step before`, { field })
    if (step.share < 1 && !('requests' in step))
      throw invalid(`${rollout}.steps[${place}]: a step without requests would be over before anything was tried`, {
        field: `${rollout}.steps[${place}]`,
        remedy: 'Say requests: how many the canary must have been sent before the next step.',
      })
  }
  for (const [place, guard] of guards.entries()) {
    const { least, ...reached } = reachOf(guard, steps)
    if (reached.most >= least) continue
    const field = `${rollout}.guards[${place}]`
    throw invalid(`${field}: it is judged from ${least} ${reached.of} on, and no step reaches them`, {
      field,
      remedy: 'Give a step more requests, or leave the guard out.',
    })
  }
}

type Step = { share: number; requests?: number }

/** What a guard needs before it judges anything, and the most that a step brings. */
function reachOf(guard: Guard, steps: readonly Step[]): { least: number; most: number; of: string } {
  const most = (of: (step: Step, requests: number) => number) =>
    Math.max(0, ...steps.map((step) => of(step, step.requests ?? 0)))
  if ('errors' in guard)
    return { least: guard.at_least ?? 1, most: most((_, requests) => requests), of: 'requests of the canary' }
  if ('latency_p99' in guard)
    return { least: JUDGED_MIN, most: most((_, requests) => requests), of: 'requests of the canary' }
  // The stable side gets what the canary does not, while the canary gets its own.
  const smaller = most(({ share }, requests) => Math.min(requests, Math.round((requests * (1 - share)) / share)))
  return { least: SCORES_MIN, most: smaller, of: 'requests on each side' }
}
