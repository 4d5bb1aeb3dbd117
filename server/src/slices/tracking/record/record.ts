/**
 * What it takes to make a run again, from all who tell of it: the step that ran it, our Python package (python/slipway/record.py),
 * MLflow's client, and the files of its logged models. Whatever nobody told is named, with the way to have it told.
 */
import { datasetVersionOf } from '../data-version.ts'
import type { Run } from '../model.ts'
import { tagValue } from '../replies.ts'
import { pythonOf } from '../run-detail.ts'

export interface Item {
  name: string
  value: string | null
  /** Who told: `step`, `recorder`, `client`, `model`, `run`; null when nobody did. */
  from: string | null
  /** What to do so that the next run has it. */
  remedy: string | null
}

export interface Section {
  name: 'code' | 'environment' | 'system' | 'data' | 'seeds' | 'variables' | 'parents'
  items: Item[]
}

export interface Recorded {
  sections: Section[]
  python_version: string | null
  /** `name==version`, by name. */
  packages: { lines: string[]; from: 'step' | 'recorder' | 'model' | null }
  missing: number
}

/** What the run's logged model says of its environment. */
export interface ModelEnvironment {
  requirements: string
  python_env: string
}

const RECORDER = 'Install our Python package beside MLflow (pip install ./python), or run it as a pipeline step.'
const SEED = /(^|[^a-z])(seed|random_state)([^a-z]|$)/i
const EXACT = /^([A-Za-z0-9][A-Za-z0-9._-]*)(\[[A-Za-z0-9,._-]*\])?==([A-Za-z0-9][A-Za-z0-9.!+_-]*)$/
const PACKAGES_MAX = 2000

export function recordOf(run: Run, model: ModelEnvironment | undefined): Recorded {
  const tag = (key: string) => tagValue(run.tags, key)
  const told = (section: string): Record<string, unknown> => objectOf(tag(`slipway.record.${section}`))
  const [code, entry, system] = [told('code'), told('entry'), told('system')]
  const isStep = tag('slipway.step_run') !== null
  const recorder = isStep ? 'step' : 'recorder'
  const packages = packagesOf(run, model)
  const python = firstOf(
    ['step', tag('slipway.environment.python')],
    ['recorder', text(system.python)],
    ['model', model && pythonOf(model.python_env)],
  )
  const commit = firstOf(['recorder', text(code.commit)], [isStep ? 'step' : 'client', tag('mlflow.source.git.commit')])
  const dirty = code.dirty === true || tag('slipway.code.dirty') === 'true'
  const clean = code.dirty === false || (isStep && !dirty)
  const sections: Section[] = [
    {
      name: 'code',
      items: [
        item('commit', commit, 'Start the training inside a git work tree, with git installed.'),
        item(
          'branch',
          firstOf(['recorder', text(code.branch)], [isStep ? 'step' : 'client', tag('mlflow.source.git.branch')]),
        ),
        item(
          'remote',
          firstOf(['recorder', text(code.remote)], ['client', tag('mlflow.source.git.repoURL')]),
          'Give the work tree a remote named origin, and push the commit there.',
        ),
        item(
          'differences',
          dirty
            ? [isStep ? 'step' : 'recorder', text(code.diff_sha256) ?? 'the work tree differed from its commit']
            : clean
              ? [isStep ? 'step' : 'recorder', 'none']
              : undefined,
          RECORDER,
        ),
        ...(isStep ? [item('snapshot', firstOf(['step', tag('slipway.code')]))] : []),
        item(
          'entry point',
          firstOf([recorder, text(entry.file)], [isStep ? 'step' : 'client', tag('mlflow.source.name')]),
        ),
        item(
          'arguments',
          Array.isArray(entry.arguments) ? ['recorder', entry.arguments.join(' ')] : undefined,
          isStep ? null : RECORDER,
        ),
      ],
    },
    {
      name: 'environment',
      items: [
        item('Python', python, RECORDER),
        item(
          'exact packages',
          packages.from ? [packages.from, `${packages.lines.length} packages`] : undefined,
          `${RECORDER} A logged model brings its own too.`,
        ),
        item('lock', firstOf(['step', tag('slipway.environment.lock')])),
      ],
    },
    {
      name: 'system',
      items: [
        item('operating system', firstOf([recorder, text(system.os)]), RECORDER),
        item('machine', firstOf([recorder, text(system.machine)]), RECORDER),
        item('processor', firstOf([recorder, cpuOf(system)]), RECORDER),
        item('memory', firstOf([recorder, gibOf(system.memory_bytes)]), RECORDER),
        item('graphics', Array.isArray(system.gpus) ? [recorder, system.gpus.join('; ') || 'none'] : undefined),
        item('host', firstOf([recorder, text(system.host)])),
      ],
    },
    { name: 'data', items: dataOf(run) },
    { name: 'seeds', items: seedsOf(run) },
    {
      name: 'variables',
      items: Object.entries(told('variables')).map(([name, value]) => item(name, ['recorder', String(value)])),
    },
    {
      name: 'parents',
      items: [
        item('parent run', firstOf(['run', tag('mlflow.parentRunId')])),
        item('pipeline run', firstOf(['step', tag('slipway.pipeline_run')])),
        item('step', firstOf(['step', tag('slipway.step_run')])),
      ].filter(({ value }) => value !== null),
    },
  ]
  return {
    sections,
    python_version: python?.[1] ?? null,
    packages,
    missing: sections.flatMap(({ items }) => items).filter(({ value, remedy }) => value === null && remedy !== null)
      .length,
  }
}

type Told = [from: string, value: string] | undefined

const firstOf = (...all: [from: string, value: string | null | undefined][]): Told => {
  const found = all.find(([, value]) => value)
  return found && [found[0], found[1]!]
}

const item = (name: string, told: Told, remedy: string | null = null): Item => ({
  name,
  value: told?.[1] ?? null,
  from: told?.[0] ?? null,
  remedy: told ? null : remedy,
})

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** A tag is whatever somebody wrote into it. */
function objectOf(value: string | null): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(value ?? 'null')
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const cpuOf = ({ cpu, cpus }: Record<string, unknown>): string | null =>
  typeof cpus === 'number' ? `${cpus} × ${text(cpu) ?? 'unknown'}` : text(cpu)

const gibOf = (bytes: unknown): string | null =>
  typeof bytes === 'number' && Number.isFinite(bytes) ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : null

/** The most exact list that there is. Lines that are no `name==version` are left out: they are written into files that are run. */
function packagesOf(run: Run, model: ModelEnvironment | undefined): Recorded['packages'] {
  const step = tagValue(run.tags, 'slipway.environment.packages')
  const recorded: string[] = []
  for (const { key, value } of run.tags) {
    if (!/^slipway\.record\.packages(\.\d{1,3})?$/.test(key)) continue
    for (const [name, version] of Object.entries(objectOf(value))) recorded.push(`${name}==${version}`)
  }
  for (const [from, lines] of [
    ['step', step?.split('\n') ?? []],
    ['recorder', recorded],
    ['model', model?.requirements.split('\n') ?? []],
  ] as const) {
    const exact = lines.map((line) => line.trim()).filter((line) => EXACT.test(line))
    if (exact.length > 0) return { lines: exact.sort().slice(0, PACKAGES_MAX), from }
  }
  return { lines: [], from: null }
}

function dataOf(run: Run): Item[] {
  if (run.dataset_inputs.length === 0)
    return [item('inputs', undefined, 'Name the data with mlflow.log_input, or let a step read a dataset version.')]
  return run.dataset_inputs.map(({ dataset }) => {
    const version = datasetVersionOf(dataset.source)
    return item(dataset.name, ['run', version ? `${version}, digest ${dataset.digest}` : `digest ${dataset.digest}`])
  })
}

/** Nothing says that a training draws at random, so a seed that is not there is not missing. */
function seedsOf(run: Run): Item[] {
  return run.params.filter(({ key }) => SEED.test(key)).map(({ key, value }) => item(key, ['run', value]))
}
