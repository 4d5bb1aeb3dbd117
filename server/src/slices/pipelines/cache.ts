import { createHash } from 'node:crypto'
import type { StepInput } from './pipelines-store.ts'
import type { CodeManifest, Scalar, StepSpec } from './schema.ts'

/** Where the project file stands in a snapshot. Steps do not find it in their copy of the code. */
export const PROJECT_FILE = 'slipway.yaml'

/** Digest of the code as a step finds it: an edit of another step, an endpoint or a gate rule changes nothing for this one. */
export const codeDigest = (files: CodeManifest['files']): string => {
  const hash = createHash('sha256')
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    if (file.path !== PROJECT_FILE) hash.update(`${file.executable ? 'x' : '-'} ${file.digest} ${file.path}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** What decides a step's outputs, by name, so that a miss can say which part differs. */
export function cacheParts(
  step: StepSpec,
  facts: {
    /** As `codeDigest` says it. */
    code: string
    environment: string | null
    inputs: readonly StepInput[]
    params: Readonly<Record<string, Scalar>>
  },
): Record<string, string> {
  return {
    command: step.run,
    code: facts.code,
    environment: facts.environment ?? 'none',
    outputs: JSON.stringify(
      Object.entries(step.writes ?? {}).map(([name, { path, dataset, time_column }]) => [
        name,
        path,
        dataset,
        time_column,
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(facts.params).map(([name, value]) => [`param ${name}`, JSON.stringify(value)]),
    ),
    ...Object.fromEntries(facts.inputs.map(({ name, digest }) => [`input ${name}`, digest])),
  }
}

export const cacheKey = (parts: Readonly<Record<string, string>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')

/** Why it was not taken from the cache, for people: which parts differ from the newest run before. */
export function missWords(
  parts: Readonly<Record<string, string>>,
  earlier: Readonly<Record<string, string>> | undefined,
): string {
  if (!earlier) return 'it never ran before'
  const names = [...new Set([...Object.keys(parts), ...Object.keys(earlier)])].filter(
    (name) => parts[name] !== earlier[name],
  )
  if (names.length === 0) return 'the earlier outputs are gone'
  const words = names.map((name) =>
    earlier[name] === undefined ? `${name} is new` : parts[name] === undefined ? `${name} is gone` : `${name} changed`,
  )
  return words.length > 4 ? `${words.slice(0, 4).join(', ')} and ${words.length - 4} more` : words.join(', ')
}
