/** Thresholds with hysteresis over windows in the order of event time. Pure, but for what it is handed. */
import type { AlertSpec } from './schema.ts'

export interface AlertInput {
  spec: AlertSpec
  value: number | null
  /** What the metric was in the first full window of the version that answers. */
  reference: number | null
  /** Windows in a row before this one in which the condition held. */
  streak: number
  open: boolean
}

export interface AlertJudgement {
  /** Null: there is nothing to judge by. */
  threshold: number | null
  holds: boolean
  streak: number
  move: 'open' | 'clear' | 'hold' | 'none'
}

/** A window without a value neither lengthens nor breaks a streak: silence is no evidence. */
export function judgeAlert({ spec, value, reference, streak, open }: AlertInput): AlertJudgement {
  const threshold = thresholdOf(spec, reference)
  if (threshold === null || value === null) return { threshold, holds: false, streak, move: 'none' }
  const below = spec.below !== undefined || spec.below_reference !== undefined
  const holds = below ? value < threshold : value > threshold
  const clear = spec.clear ?? 0
  const back = below ? value >= threshold + clear : value <= threshold - clear
  const next = holds ? streak + 1 : 0
  if (open) return { threshold, holds, streak: next, move: back ? 'clear' : holds ? 'hold' : 'none' }
  return { threshold, holds, streak: next, move: next >= (spec.for ?? 1) ? 'open' : 'none' }
}

export function thresholdOf(spec: AlertSpec, reference: number | null): number | null {
  if (spec.below !== undefined) return spec.below
  if (spec.above !== undefined) return spec.above
  if (reference === null) return null
  if (spec.below_reference !== undefined) return reference - spec.below_reference
  if (spec.above_reference !== undefined) return reference + spec.above_reference
  return null
}
