/** What an answer means: its score and its label, as the endpoint's settings say. */

export interface OutcomeSpec {
  task?: string
  score?: number | string
  threshold?: number
  positive?: number | string
}

/** The score in an answer row: at the place that the endpoint names, else the answer itself when it is a number. */
export function scoreOf(spec: OutcomeSpec, output: unknown): number | null {
  if (spec.task === 'none') return null
  let value = output
  if (Array.isArray(output)) value = output[typeof spec.score === 'number' ? spec.score : output.length - 1]
  else if (output !== null && typeof output === 'object')
    value = (output as Record<string, unknown>)[String(spec.score ?? 'score')]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** The label that an answer row means: for binary tasks by the threshold, otherwise the answer itself. */
export function labelOf(spec: OutcomeSpec, output: unknown, score: number | null): unknown {
  if (spec.task === 'binary') {
    if (score === null) return null
    const positive = spec.positive ?? 1
    if (score >= (spec.threshold ?? 0.5)) return positive
    return typeof positive === 'number' ? 0 : `not ${positive}`
  }
  if (Array.isArray(output) && spec.task === 'multiclass') return output.indexOf(Math.max(...(output as number[])))
  return output === null || output === undefined || typeof output === 'object' ? null : output
}

/** JSON as Python writes it: NaN and the infinities stand bare. Said by MLflow's scoring server, and kept in the log. */
export function pythonJson(value: unknown): string {
  if (!hasNonFinite(value)) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, each]) => `${JSON.stringify(name)}: ${pythonJson(each)}`)
      .join(', ')}}`
  return String(value)
}

/** The same for a reader of strict JSON: NaN and the infinities as text. */
export function strictJson(value: unknown): unknown {
  if (!hasNonFinite(value)) return value
  if (Array.isArray(value)) return value.map(strictJson)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, strictJson(each)]))
  return String(value)
}

function hasNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  if (Array.isArray(value)) return value.some(hasNonFinite)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNonFinite)
}
