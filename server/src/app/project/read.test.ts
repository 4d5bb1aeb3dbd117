import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nearest, readProject } from './read.ts'

const mistakes = (yaml: string) =>
  readProject(yaml).mistakes.map(
    ({ line, path, message, remedy }) => `${line} ${path}: ${message}${remedy ? ` | ${remedy}` : ''}`,
  )

const steps = (more: string) => `project: p
pipelines:
  t:
    steps:
      fit: { run: x${more} }
`
const triggers = (list: string) => `project: p
pipelines:
  t:
    triggers: [${list}]
    steps: { fit: { run: x, writes: { o: { path: o.csv, dataset: own } } } }
`
const checks = (list: string) => `project: p
datasets:
  d:
    checks:
      - ${list}
`
const loop = (more: string) => `project: p
endpoints:
  e: { model: m, alias: champion }
monitors:
  w: { endpoint: e, window: 7d, alerts: [{ name: falls, metric: roc_auc, below: 0.7 }] }
${more}`

/** Each file with what must stand in its mistakes, in order. */
const MALFORMED: [what: string, yaml: string, ...expected: RegExp[]][] = [
  ['nothing', '', /^1 : null is not an object/],
  ['a list', '- a\n', /^1 : .* is not an object/],
  ['a torn file', 'project: p\ndatasets: {a: {', /^2 : /],
  ['a key twice', 'project: p\nproject: q\n', /^2 : Map keys must be unique/],
  ['a tab', 'project: p\ndatasets:\n\ta: {}\n', /^\d /],
  ['two documents', 'project: p\n---\nproject: q\n', /multiple documents|^\d/],
  [
    'aliases without end',
    `a: &a [x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]\ne: [*d,*d,*d,*d]\n`,
    /^1 : Excessive alias count/,
  ],
  ['no name', 'datasets: {}\n', /'project' is missing/],
  ['a bad name', 'project: "-x"\n', /^1 project: "-x" does not have the right form \| Name of the project\./],
  [
    'an unknown section',
    'project: p\npipeline: {}\n',
    /^2 pipeline: 'pipeline' is not known here \| Did you mean 'pipelines'\?/,
  ],
  ['a wrong type', 'project: p\ndatasets: 3\n', /^2 datasets: 3 is not an object/],
  [
    'an unknown key of a step',
    steps(', tiemout: 3s'),
    /^5 pipelines\.t\.steps\.fit\.tiemout: .* \| Did you mean 'timeout'\?/,
  ],
  [
    'a bad duration',
    steps(', timeout: soon'),
    /timeout: "soon" does not have the right form \| A duration such as 90s/,
  ],
  ['a time of nothing', steps(', timeout: 0s'), /timeout: 0s is no time for a step \| .*at most 7d/],
  ['too long a time', steps(', timeout: 5w'), /timeout: 5w is no time for a step/],
  ['a bad size', steps(', memory: lots'), /memory: "lots" does not have the right form \| A size such as/],
  ['too many retries', steps(', retries: 99'), /^5 pipelines\.t\.steps\.fit\.retries: 99 must be <= 10/],
  ['a step without a command', 'project: p\npipelines: { t: { steps: { a: {} } } }\n', /'run' is missing/],
  ['a pipeline without steps', 'project: p\npipelines: { t: { steps: {} } }\n', /^2 pipelines\.t\.steps/],
  ['an unknown step', steps(', needs: [load]'), /needs: there is no step 'load'; there are fit/],
  ['a circle', steps(', needs: [fit]'), /the steps wait for each other: fit → fit/],
  ['an unknown environment', steps(', environment: py'), /there is no environment 'py'/],
  ['an unknown output', steps(', reads: { a: { step: fit, output: o } }'), /step 'fit' writes no 'o'/],
  [
    'a wrong Python',
    'project: p\nenvironments: { py: { python: "3.9", lock: l } }\n',
    /^2 environments\.py\.python: "3\.9" .*\| Possible are "3\.11" or/,
  ],
  [
    'a bad cron',
    triggers('{ cron: "99 3 * * *" }'),
    /^4 pipelines\.t\.triggers\.0\.cron: .*no cron expression.* \| write five fields/,
  ],
  [
    'an unknown event',
    triggers('{ event: monitoring.alert-rised }'),
    /no event .* \| Did you mean 'monitoring\.alert-raised'\?/,
  ],
  [
    'a pipeline that starts itself',
    triggers('{ dataset: own }'),
    /step 'fit' writes 'own', so the pipeline would start itself/,
  ],
  [
    'a trigger of no kind',
    triggers('{ when: never }'),
    /none of the forms .* \| Possible are \{dataset\} or \{cron\} or \{event\}/,
  ],
  ['an unknown check', checks('{ check: not_nul, column: a }'), /^5 datasets\.d\.checks\.0\.check: .* \| .*not_null/],
  ['a check without its column', checks('{ check: not_null }'), /^5 datasets\.d\.checks\.0/],
  [
    'an unknown key of a check',
    checks('{ check: not_null, colum: a }'),
    /column: is not stated \| Name the column/,
    /colum: is not known to not_null \| Did you mean column\?/,
  ],
  [
    'a monitor of nothing',
    'project: p\nmonitors:\n  w: { endpoint: e, window: 7d }\n',
    /^3 monitors\.w\.endpoint: there is no endpoint 'e'/,
  ],
  ['an alert with two bounds', loop('').replace('below: 0.7', 'below: 0.7, above: 0.9'), /an alert has exactly one of/],
  [
    'a release of an unknown endpoint',
    loop('releases:\n  f: {}\n'),
    /releases\.f: there is no endpoint 'f' in this file \| Did you mean 'e'\?/,
  ],
  [
    'a rollout that shrinks',
    loop('releases:\n  e: { rollout: { steps: [{ share: 0.5, requests: 9 }, { share: 0.2, requests: 9 }] } }\n'),
    /0\.2 is not more than/,
    /the last step must have share 1/,
  ],
  [
    'all at once',
    `project: p\npipelins: {}\ndatasets: { d: { checks: [{ check: nope }], tim_column: t } }\n`,
    /^2 pipelins/,
    /^3 .*checks\.0|^3 .*tim_column/,
    /^3 /,
  ],
]

test.each(MALFORMED)('%s is told with its line and what to do', (_what, yaml, ...expected) => {
  const told = mistakes(yaml)
  expect(told.length).toBeGreaterThanOrEqual(expected.length)
  for (const [at, pattern] of expected.entries()) expect(told[at]).toMatch(pattern)
  for (const line of told) expect(line).toMatch(/^[1-9]/)
})

test('the flights example is without mistakes', () => {
  const file = join(import.meta.dirname, '../../../../examples/flights/slipway.yaml')
  expect(mistakes(readFileSync(file, 'utf8'))).toEqual([])
})

test('what one meant is found when it is near', () => {
  expect(nearest('piplines', ['pipelines', 'endpoints'])).toBe('pipelines')
  expect(nearest('xyz', ['pipelines', 'endpoints'])).toBeUndefined()
})
