/** Reads slipway.yaml: every mistake at once, each with its line and what to do. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { type Document, isMap, LineCounter, type Pair, parseDocument } from 'yaml'
import { DomainError } from '#kernel/errors.ts'
import { nextDue } from '#kernel/jobs/index.ts'
import { readDuration } from '#kernel/units.ts'
import { graphMistakes, STEP_TIMEOUT_MAX_MS } from '#slices/pipelines'
import { readChecks } from '#slices/quality'
import { ProjectFile } from './schema.ts'
import { TRIGGER_EVENTS } from './trigger-events.ts'

export interface Mistake {
  line: number
  column: number
  /** `pipelines.train.steps.fit.timeout` */
  path: string
  message: string
  remedy?: string
}

const YAML_BYTES_MAX = 1_000_000
const MISTAKES_MAX = 100

// Compiled by the first file that is read: it takes longer than the rest of a start does.
let compiled: ValidateFunction | undefined
const validator = () => (compiled ??= new Ajv({ allErrors: true, strict: false, verbose: true }).compile(ProjectFile))

export function readProject(
  text: string,
): { project: ProjectFile; mistakes: [] } | { project: undefined; mistakes: Mistake[] } {
  if (text.length > YAML_BYTES_MAX)
    return failed([{ line: 1, column: 1, path: '', message: `the file is larger than ${YAML_BYTES_MAX} bytes` }])
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true })
  if (document.errors.length > 0) {
    return failed(
      document.errors.map((error) => ({
        ...at(lines, error.pos[0]),
        path: '',
        message: error.message.split('\n')[0]!,
      })),
    )
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    return failed([{ line: 1, column: 1, path: '', message: (error as Error).message }])
  }
  const placed = ({ path, message, remedy }: PathMistake): Mistake => ({
    ...placeOf(document, lines, path),
    path: path.join('.'),
    message,
    ...(remedy && { remedy }),
  })
  const validate = validator()
  // Checks are judged by their owner, in better words than a schema has.
  const wrongChecks = checkMistakes(value).map(placed)
  const errors = validate(value) ? [] : (validate.errors ?? [])
  const wrong = mistakesOf(
    errors.filter(({ instancePath }) => !/^\/datasets\/[^/]+\/checks(\/|$)/.test(instancePath)),
    document,
    lines,
  )
  if (wrong.length > 0) return failed([...wrong, ...wrongChecks])
  const project = value as ProjectFile
  const mistakes = [...wrongChecks, ...referenceMistakes(project).map(placed)]
  return mistakes.length > 0 ? failed(mistakes) : { project, mistakes: [] }
}

interface PathMistake {
  path: (string | number)[]
  message: string
  remedy?: string
}

const failed = (mistakes: Mistake[]) => ({
  project: undefined,
  mistakes: mistakes.sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MISTAKES_MAX),
})

const at = (lines: LineCounter, offset: number) => {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/** Where a path stands; for a missing one, where its nearest parent does. */
function placeOf(
  document: Document,
  lines: LineCounter,
  path: readonly (string | number)[],
): { line: number; column: number } {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item: Pair) => String((item.key as { value?: unknown } | null)?.value ?? item.key) === String(key),
      )
      const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range
      if (range) return at(lines, range[0])
    }
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined
    if (node?.range) return at(lines, node.range[0])
  }
  return { line: 1, column: 1 }
}

function mistakesOf(errors: readonly ErrorObject[], document: Document, lines: LineCounter): Mistake[] {
  // A union fails once for each of its kinds: what the value looks most like is told, not every kind it is not.
  const unions = new Set(errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath))
  const mistakes: Mistake[] = []
  const seen = new Set<string>()
  for (const error of errors) {
    if (
      error.keyword !== 'anyOf' &&
      [...unions].some((path) => error.instancePath === path || error.instancePath.startsWith(`${path}/`)) &&
      /\/anyOf\//.test(error.schemaPath)
    )
      continue
    const path = error.instancePath
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    const typed = path.map((part) => (/^\d+$/.test(part) ? Number(part) : part))
    const { place, message, remedy } = wordsOf(error, typed)
    const key = `${place.join('.')}: ${message}`
    if (seen.has(key)) continue
    seen.add(key)
    mistakes.push({ ...placeOf(document, lines, place), path: place.join('.'), message, ...(remedy && { remedy }) })
  }
  return mistakes
}

function wordsOf(
  error: ErrorObject,
  path: (string | number)[],
): { place: (string | number)[]; message: string; remedy?: string } {
  const params = error.params as Record<string, unknown>
  const about = (error.parentSchema as { description?: string } | undefined)?.description
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty)
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {})
      const near = nearest(key, known)
      return {
        place: [...path, key],
        message: `'${key}' is not known here`,
        remedy: near
          ? `Did you mean '${near}'?`
          : known.length
            ? `Known are ${known.join(', ')}.`
            : 'Names begin with a letter or digit and hold letters, digits, _ . and -.',
      }
    }
    case 'required':
      return { place: path, message: `'${String(params.missingProperty)}' is missing` }
    case 'anyOf': {
      const kinds = (error.schema as { properties?: object; const?: unknown }[])
        .map((kind) =>
          kind.const !== undefined
            ? JSON.stringify(kind.const)
            : kind.properties
              ? `{${Object.keys(kind.properties).join(', ')}}`
              : undefined,
        )
        .filter(Boolean)
      return {
        place: path,
        message: `${shown(error.data)} is none of the forms that stand here`,
        remedy: kinds.length ? `Possible are ${kinds.join(' or ')}.` : (about ?? ''),
      }
    }
    case 'pattern':
      return {
        place: path,
        message: `${shown(error.data)} does not have the right form`,
        ...(about && { remedy: about }),
      }
    case 'type':
      return {
        place: path,
        message: `${shown(error.data)} is not ${/^[aeio]/.test(String(params.type)) ? 'an' : 'a'} ${String(params.type)}`,
        ...(about && { remedy: about }),
      }
    default:
      return {
        place: path,
        message: `${shown(error.data)} ${error.message ?? 'is not right'}`,
        ...(about && { remedy: about }),
      }
  }
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function checkMistakes(value: unknown): PathMistake[] {
  const datasets = (value as { datasets?: Record<string, { checks?: unknown } | null> | null } | null)?.datasets
  if (typeof datasets !== 'object' || datasets === null) return []
  return Object.entries(datasets).flatMap(([name, spec]) =>
    spec?.checks === undefined
      ? []
      : readChecks(spec.checks).mistakes.map(({ at, message, remedy }) => ({
          path: ['datasets', name, 'checks', ...at],
          message,
          remedy,
        })),
  )
}

/** What would only show once the pipeline runs. */
function pipelineMistakes(name: string, pipeline: NonNullable<ProjectFile['pipelines']>[string]): PathMistake[] {
  const mistakes: PathMistake[] = []
  const events = TRIGGER_EVENTS.map((type) => type.name)
  for (const [step, { timeout }] of Object.entries(pipeline.steps)) {
    const ms = timeout === undefined ? 1 : readDuration(timeout)
    if (ms < 1 || ms > STEP_TIMEOUT_MAX_MS)
      mistakes.push({
        path: ['pipelines', name, 'steps', step, 'timeout'],
        message: `${timeout} is no time for a step`,
        remedy: 'Give it more than nothing and at most 7d.',
      })
  }
  for (const [place, trigger] of (pipeline.triggers ?? []).entries()) {
    const path = ['pipelines', name, 'triggers', place]
    if ('cron' in trigger) {
      try {
        nextDue(trigger.cron, Date.now())
      } catch (error) {
        const remedy = error instanceof DomainError ? error.remedy : undefined
        mistakes.push({ path: [...path, 'cron'], message: (error as Error).message, ...(remedy && { remedy }) })
      }
    } else if ('event' in trigger && !events.includes(trigger.event)) {
      const near = nearest(trigger.event, events)
      mistakes.push({
        path: [...path, 'event'],
        message: `no event '${trigger.event}' starts pipelines`,
        remedy: near ? `Did you mean '${near}'?` : `There are ${events.join(', ')}.`,
      })
    } else if ('dataset' in trigger) {
      const own = Object.entries(pipeline.steps).find(([, { writes }]) =>
        Object.values(writes ?? {}).some((write) => write.dataset === trigger.dataset),
      )
      if (own)
        mistakes.push({
          path: [...path, 'dataset'],
          message: `step '${own[0]}' writes '${trigger.dataset}', so the pipeline would start itself for ever`,
          remedy: 'Write another dataset, or start it by a time.',
        })
    }
  }
  return mistakes
}

/** What one section says of another. */
function referenceMistakes(project: ProjectFile): PathMistake[] {
  const mistakes: PathMistake[] = []
  const endpoints = Object.keys(project.endpoints ?? {})
  const pipelines = Object.keys(project.pipelines ?? {})
  const unknown = (path: (string | number)[], what: string, name: string, known: readonly string[]) => {
    const near = nearest(name, known)
    mistakes.push({
      path,
      message: `there is no ${what} '${name}' in this file`,
      remedy: near
        ? `Did you mean '${near}'?`
        : known.length
          ? `There are ${known.join(', ')}.`
          : `Declare it under ${what}s:.`,
    })
  }
  for (const [name, pipeline] of Object.entries(project.pipelines ?? {})) {
    for (const { path, message } of graphMistakes(pipeline, Object.keys(project.environments ?? {})))
      mistakes.push({ path: ['pipelines', name, ...path.split('.')], message })
    mistakes.push(...pipelineMistakes(name, pipeline))
  }
  for (const [name, release] of Object.entries(project.releases ?? {})) {
    if (!endpoints.includes(name)) unknown(['releases', name], 'endpoint', name, endpoints)
    if (release.retrain && !pipelines.includes(release.retrain.pipeline))
      unknown(['releases', name, 'retrain', 'pipeline'], 'pipeline', release.retrain.pipeline, pipelines)
    const alerts = Object.values(project.monitors ?? {}).flatMap((monitor) =>
      monitor.endpoint === name ? (monitor.alerts ?? []).map((alert) => alert.name) : [],
    )
    for (const [place, alert] of (release.retrain?.on ?? []).entries())
      if (!alerts.includes(alert)) unknown(['releases', name, 'retrain', 'on', place], 'alert', alert, alerts)
    const steps = release.rollout?.steps ?? []
    for (const [place, step] of steps.entries()) {
      if (place > 0 && step.share <= steps[place - 1]!.share)
        mistakes.push({
          path: ['releases', name, 'rollout', 'steps', place, 'share'],
          message: `${step.share} is not more than the step before`,
        })
    }
    if (steps.length > 0 && steps.at(-1)!.share !== 1)
      mistakes.push({
        path: ['releases', name, 'rollout', 'steps', steps.length - 1, 'share'],
        message: 'the last step must have share 1',
      })
  }
  for (const [name, monitor] of Object.entries(project.monitors ?? {})) {
    if (!endpoints.includes(monitor.endpoint))
      unknown(['monitors', name, 'endpoint'], 'endpoint', monitor.endpoint, endpoints)
    for (const [place, alert] of (monitor.alerts ?? []).entries()) {
      const bounds = [alert.below, alert.above, alert.below_reference, alert.above_reference].filter(
        (bound) => bound !== undefined,
      )
      if (bounds.length !== 1)
        mistakes.push({
          path: ['monitors', name, 'alerts', place],
          message: 'an alert has exactly one of below, above, below_reference, above_reference',
        })
    }
  }
  return mistakes
}

/** The known word that a typed one is nearest to, at a distance of at most a third of its length. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((one) => ({ one, distance: distance(word.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.one : undefined
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
