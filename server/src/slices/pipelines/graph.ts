import type { PipelineSpec } from './schema.ts'

/** Everything that a step waits for: what it needs, and the steps whose outputs it reads. */
export function needsOf(spec: PipelineSpec, step: string): string[] {
  const { needs = [], reads = {} } = spec.steps[step]!
  return [...new Set([...needs, ...Object.values(reads).flatMap((read) => ('step' in read ? [read.step] : []))])]
}

/** A name as environment variables can say it: `a-b` is A_B. */
export const envWord = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')

/** Names that would be one variable: the later would win without a word. */
function namesakes(names: readonly string[]): string[][] {
  const same = new Map<string, string[]>()
  for (const name of new Set(names)) same.set(envWord(name), [...(same.get(envWord(name)) ?? []), name])
  return [...same.values()].filter((group) => group.length > 1)
}

export interface GraphMistake {
  /** Path below the pipeline: `steps.train.needs`. */
  path: string
  message: string
}

/** Unknown steps, outputs and environments, names that a step could not tell apart, and circles. */
export function graphMistakes(spec: PipelineSpec, environments: readonly string[]): GraphMistake[] {
  const mistakes: GraphMistake[] = []
  const names = Object.keys(spec.steps)
  for (const [name, step] of Object.entries(spec.steps)) {
    for (const need of step.needs ?? []) {
      if (!names.includes(need))
        mistakes.push({
          path: `steps.${name}.needs`,
          message: `there is no step '${need}'; there are ${names.join(', ')}`,
        })
    }
    for (const [input, read] of Object.entries(step.reads ?? {})) {
      if (!('step' in read)) continue
      const from = spec.steps[read.step]
      if (!from)
        mistakes.push({
          path: `steps.${name}.reads.${input}`,
          message: `there is no step '${read.step}'; there are ${names.join(', ')}`,
        })
      else if (!from.writes?.[read.output])
        mistakes.push({
          path: `steps.${name}.reads.${input}`,
          message: `step '${read.step}' writes no '${read.output}'`,
        })
    }
    for (const [what, word, given] of [
      ['reads', 'INPUT', Object.keys(step.reads ?? {})],
      ['params', 'PARAM', [...Object.keys(spec.params ?? {}), ...Object.keys(step.params ?? {})]],
    ] as const)
      for (const group of namesakes(given))
        mistakes.push({
          path: `steps.${name}.${what}`,
          message: `${group.map((one) => `'${one}'`).join(' and ')} would both be SLIPWAY_${word}_${envWord(group[0]!)}`,
        })
    if (step.environment !== undefined && !environments.includes(step.environment)) {
      mistakes.push({
        path: `steps.${name}.environment`,
        message: `there is no environment '${step.environment}'${environments.length ? `; there are ${environments.join(', ')}` : ''}`,
      })
    }
  }
  if (mistakes.length === 0) {
    const circle = circleIn(spec)
    if (circle)
      mistakes.push({
        path: `steps.${circle[0]}.needs`,
        message: `the steps wait for each other: ${circle.join(' → ')}`,
      })
  }
  return mistakes
}

function circleIn(spec: PipelineSpec): string[] | undefined {
  const done = new Set<string>()
  const walk = (step: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(step)) return [...path.slice(path.indexOf(step)), step]
    if (done.has(step)) return undefined
    for (const need of needsOf(spec, step)) {
      const circle = walk(need, [...path, step])
      if (circle) return circle
    }
    done.add(step)
    return undefined
  }
  for (const step of Object.keys(spec.steps)) {
    const circle = walk(step, [])
    if (circle) return circle
  }
  return undefined
}

/** Everything that stands on a step, directly or not. */
export function dependentsOf(spec: PipelineSpec, step: string): string[] {
  const found = new Set<string>()
  const walk = (from: string) => {
    for (const name of Object.keys(spec.steps)) {
      if (!found.has(name) && needsOf(spec, name).includes(from)) {
        found.add(name)
        walk(name)
      }
    }
  }
  walk(step)
  return [...found]
}
