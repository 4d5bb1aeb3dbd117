import { event } from '#kernel/events/index.ts'
import type { Check, Override, VerdictSummary } from './model.ts'

export interface VerdictReached extends VerdictSummary {
  passed: boolean
  /** Names of the checks that failed, at most 20. */
  failed_checks: string[]
}

export const checksChanged = event<{ dataset: string; checks: Check[]; digest: string }>(
  'quality.checks-changed',
  'Other checks are stated for a dataset; its latest version is judged again.',
)
export const verdictReached = event<VerdictReached>(
  'quality.verdict-reached',
  'The checks of a dataset version were made: it passed, or failed and is no input.',
)
export const verdictOverridden = event<{ verdict: string; dataset: string; number: number; override: Override }>(
  'quality.verdict-overridden',
  'A person accepted a failing dataset version as an input, and said why.',
)
