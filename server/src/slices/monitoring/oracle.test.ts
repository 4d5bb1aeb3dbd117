/** Equal to scikit-learn and scipy: the real ones, in the managed environment. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Analytics, createAnalytics } from '#kernel/analytics/index.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { testEnvironment } from '#kit/python.ts'
import { psi, sharesOf } from './drift.ts'
import { ksTest } from './ks.ts'
import { isPositive, positiveSql } from './label-values.ts'
import { binaryMetric, classMetric, type PerformanceMetric, regression } from './performance.ts'
import { columnsOf, measureQuality, qualityOf } from './quality.ts'
import { readReference } from './reference-data.ts'

type Case = { kind: string; name: string } & Record<string, unknown>
type Figures = Record<string, number | null>

const random = seededRandom(7)
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))
const uniform = () => random.next()
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
const coarse = (value: number) => Math.round(value * 10) / 10

function binaryCase(name: string, labels: number[], scores: number[], threshold = 0.5, weights?: number[]): Case {
  const answers = scores.map((score) => (score >= threshold ? 1 : 0))
  return { kind: 'binary', name, labels, scores, answers, ...(weights && { weights }) }
}
const random_labels = many(3000, () => (uniform() < 0.3 ? 1 : 0))
const sensible = random_labels.map((label) => Math.min(1, Math.max(0, 0.35 + 0.25 * label + 0.2 * normal())))

const CASES: Case[] = [
  binaryCase('random', random_labels, sensible, 0.4),
  binaryCase('tied', random_labels, sensible.map(coarse), 0.4),
  binaryCase(
    'one score',
    random_labels,
    random_labels.map(() => 0.25),
  ),
  binaryCase('certain', [0, 1, 1, 0, 1], [0, 1, 1, 0, 0]),
  binaryCase('certainly wrong', [1, 0, 1], [0, 1, 1]),
  binaryCase('tiny and nearly one', [0, 1, 0, 1], [1e-300, 1 - 1e-16, 1e-17, 0.9999999]),
  binaryCase('positives alone', [1, 1, 1], [0.2, 0.7, 0.9]),
  binaryCase('negatives alone', [0, 0, 0], [0.2, 0.7, 0.9]),
  binaryCase('nothing answered positive', [0, 1, 1], [0.1, 0.2, 0.3]),
  binaryCase('two rows', [0, 1], [0.5, 0.5]),
  binaryCase('scores are no probabilities', [0, 1, 1, 0], [-3, 4, 0.1, 0.2]),
  binaryCase(
    'weighted',
    random_labels,
    sensible.map(coarse),
    0.4,
    many(3000, () => Math.floor(uniform() * 4)),
  ),
  { kind: 'regression', name: 'random', truths: many(500, normal), answers: many(500, normal) },
  { kind: 'regression', name: 'equal truths', truths: [3, 3, 3], answers: [3, 2, 4] },
  { kind: 'regression', name: 'equal and right', truths: [3, 3, 3], answers: [3, 3, 3] },
  { kind: 'regression', name: 'one row', truths: [3], answers: [2] },
  { kind: 'regression', name: 'large', truths: [1e9, 2e9, 1e9 + 1], answers: [1e9 + 5, 2e9, 1e9] },
  {
    kind: 'classes',
    name: 'random',
    truths: many(400, () => 'abcd'[Math.floor(uniform() * 4)]!),
    answers: many(400, () => 'abcde'[Math.floor(uniform() * 5)]!),
  },
  { kind: 'classes', name: 'one class', truths: ['a', 'a'], answers: ['a', 'b'] },
  { kind: 'classes', name: 'none right', truths: ['a', 'b'], answers: ['b', 'a'] },
  ...[
    ['equal sizes', many(60, normal), many(60, () => normal() + 0.3)],
    ['unequal', many(37, normal), many(101, () => normal() + 0.4)],
    ['common divisor', many(40, normal), many(100, () => normal() + 0.2)],
    ['tied', many(90, () => coarse(normal())), many(200, () => coarse(normal() + 0.2))],
    ['the same', [1, 2, 3], [1, 2, 3]],
    ['apart', [1, 2, 3], [4, 5, 6, 7]],
    ['one value each', [1], [2]],
    ['large', many(2500, normal), many(3000, () => normal() * 1.05)],
  ].map(([name, a, b]) => ({ kind: 'ks', name: name as string, a, b })),
  ...[
    ['random', many(3000, normal), many(2000, () => normal() + 0.2)],
    ['tied', many(3000, () => coarse(normal())), many(500, () => coarse(normal() * 2))],
    ['constant', many(50, () => 1), many(50, (at) => at)],
    ['beyond', many(1000, uniform), many(1000, () => uniform() + 5)],
  ].map(([name, a, b]) => ({ kind: 'psi', name: name as string, a, b })),
]

let expected: Figures[]
let analytics: Analytics
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-oracle-'))
  analytics = createAnalytics({ temp_dir: join(dir, 'temp'), log: silentLog, memory_bytes: 256 * 2 ** 20 })
  const { python } = await testEnvironment()
  const text = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      python,
      [join(import.meta.dirname, 'oracle.py')],
      { maxBuffer: 1e8 },
      (error, stdout, stderr) => (error ? reject(new Error(`${error.message} ${stderr}`)) : resolve(stdout)),
    )
    child.stdin!.end(CASES.map((one) => JSON.stringify(one)).join('\n'))
  })
  expected = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Figures)
}, 600_000)
afterAll(async () => {
  await analytics.stop()
  await rm(dir, { recursive: true, force: true })
})

function near(ours: number | null | undefined, theirs: number | null | undefined, what: string): void {
  if (theirs === null || theirs === undefined) {
    expect(ours, what).toBeNull()
    return
  }
  expect(ours, what).not.toBeNull()
  expect(Math.abs(ours! - theirs), what).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(theirs)))
}
const floats = (values: unknown) => Float64Array.from(values as number[])
const cases = (kind: string) =>
  CASES.map((one, at) => ({ ...one, at })).filter((one) => one.kind === kind) as (Case & { at: number })[]

describe('equal to scikit-learn', () => {
  test.for(cases('binary'))('binary: $name', (one) => {
    const rows = { labels: floats(one.labels), scores: floats(one.scores), answers: floats(one.answers) }
    const weights = one.weights ? floats(one.weights) : undefined
    for (const [metric, figure] of Object.entries(expected[one.at]!))
      near(binaryMetric(metric as PerformanceMetric, rows, weights), figure, metric)
  })
  test.for(cases('regression'))('regression: $name', (one) => {
    const ours = regression({ truths: floats(one.truths), answers: floats(one.answers) })!
    for (const [metric, figure] of Object.entries(expected[one.at]!))
      near(ours[metric as keyof typeof ours], figure, metric)
  })
  test.for(cases('classes'))('multiclass: $name', (one) => {
    const rows = (one.truths as string[]).map((truth, at) => [truth, (one.answers as string[])[at]!])
    const wanted = Object.keys(expected[one.at]!)
    const { metrics } = qualityOf({ task: 'multiclass', ...columnsOf('multiclass', rows), threshold: 0.5, wanted })
    for (const [metric, figure] of Object.entries(expected[one.at]!)) near(metrics[metric]!, figure, metric)
  })
  test('many rows are measured in a thread, to the same figures', async () => {
    const rows = random_labels.map((label, at) => [label, sensible[at]!])
    const wanted = ['roc_auc', 'log_loss', 'f1']
    const input = () => ({ task: 'binary' as const, ...columnsOf('binary', rows), threshold: 0.4, wanted })
    expect(await measureQuality(input(), 100)).toEqual(qualityOf(input()))
  })
  test('nothing to judge is null, not zero', () => {
    expect(regression({ truths: floats([]), answers: floats([]) })).toBeNull()
    expect(classMetric('accuracy', floats([]), floats([]))).toBeNull()
    expect(binaryMetric('accuracy', { labels: floats([]), scores: floats([]), answers: floats([]) })).toBeNull()
  })
})

test('gates and windows read the same label as positive', async () => {
  const labels = [
    '1',
    '1.0',
    '+1',
    '1e0',
    ' 1 ',
    '01',
    '0',
    '',
    'late',
    'true',
    '0x1',
    '1_0',
    'Late',
    '10',
    '-1',
    '.1e1',
    '1,0',
  ]
  for (const positive of [1, '1', 'late', '', 0, '1.0']) {
    const { rows } = await analytics.query({
      sql: `SELECT ${positiveSql(positive, 'label')} FROM given`,
      tables: { given: { columns: { label: { type: 'VARCHAR', values: [...labels, null] } } } },
    })
    const told = rows.map(([found], at) => `${labels[at] ?? null}: ${found}`)
    expect(told, `positive: ${positive}`).toEqual([
      ...labels.map((label) => `${label}: ${isPositive(positive, label)}`),
      'null: false',
    ])
  }
})

describe('equal to scipy and numpy', () => {
  test.for(cases('ks'))('Kolmogorov-Smirnov: $name', (one) => {
    const ours = ksTest(floats(one.a).sort(), floats(one.b).sort())
    const theirs = expected[one.at]!
    near(ours.statistic, theirs.statistic, 'statistic')
    near(ours.p, theirs.p, 'p')
    if (theirs.p! > 1e-9) expect(Math.abs(ours.p / theirs.p! - 1)).toBeLessThan(1e-9)
  })
  test.for(cases('psi'))('PSI over deciles that DuckDB found: $name', async (one) => {
    const path = join(dir, `${one.at}.csv`)
    // Nulls, NaN and infinities in between change nothing.
    await writeFile(path, `x\n${[...(one.a as number[]), '', 'NaN', 'Infinity'].join('\n')}\n`)
    const source = { files: [path], format: 'csv' as const, csv: { types: { x: 'DOUBLE' } } }
    const reference = (await readReference(analytics, source, ['x'])).x!
    const theirs = expected[one.at] as unknown as { edges: number[]; psi: number }
    if (reference.kind !== 'numeric') throw new Error('it is numeric')
    expect(reference.edges).toEqual(theirs.edges)
    expect(reference.nulls).toBeCloseTo(3 / ((one.a as number[]).length + 3), 12)
    near(psi(reference.shares, sharesOf(one.b as number[], reference.edges)), theirs.psi, 'psi')
  })
})

test('a large Kolmogorov-Smirnov test holds the event loop for less than 30 ms', () => {
  const a = floats(many(5000, normal)).sort()
  const b = floats(many(5000, () => normal() + 0.05)).sort()
  ksTest(a, b)
  const started = performance.now()
  ksTest(a, b)
  expect(performance.now() - started).toBeLessThan(30)
})
