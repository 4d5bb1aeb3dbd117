import { describe, expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { type Counts, LATENCY_BOUNDS_US } from '#slices/serving'
import { type BootstrapInput, bootstrap } from './bootstrap.ts'
import { judge, type Measured } from './gate-rules.ts'
import { breachOf } from './guards.ts'
import { classMetric, resample } from './resampling.ts'
import { rolloutOf } from './rollout.ts'
import { numbersOf, sayings } from './sayings.ts'

const estimate = (value: number, low: number, high: number) => ({ value, low, high, confidence: 0.95 })
const measured = (changes: Partial<Measured> = {}): Measured => ({
  rows: 1000,
  compared: 1000,
  source: 'replay',
  source_words: 'replayed traffic of 14d',
  from_ms: 0,
  to_ms: 1,
  left_out: 0,
  failed: 0,
  failure: null,
  metrics: {},
  latency_p99_ms: 10,
  form: 'onnx',
  form_reason: 'the forms agree',
  data: [],
  champion: { release: 'rel_1', version: 1 },
  ...changes,
})
const auc = (candidate: [number, number, number], difference: [number, number, number]) => ({
  roc_auc: { candidate: estimate(...candidate), champion: null, difference: estimate(...difference) },
})

describe('a gate rule', () => {
  const metrics = auc([0.7, 0.64, 0.76], [0.005, -0.02, 0.03])

  test.each([
    [{ metric: 'roc_auc', at_least: 0.65 }, 'passed'],
    [{ metric: 'roc_auc', at_least: 0.65, confidence: 0.95 }, 'failed'],
    [{ metric: 'roc_auc', at_least: 0.64, at_most: 0.76, confidence: 0.95 }, 'passed'],
    [{ metric: 'roc_auc', at_most: 0.75, confidence: 0.95 }, 'failed'],
    [{ metric: 'roc_auc', versus: 'champion', at_least: 0 }, 'passed'],
    [{ metric: 'roc_auc', versus: 'champion', at_least: -0.01, confidence: 0.95 }, 'failed'],
    [{ metric: 'roc_auc', versus: 'champion', at_least: -0.02, confidence: 0.95 }, 'passed'],
    [{ metric: 'f1', at_least: 0.1 }, 'failed'],
    [{ latency_p99: '10ms' }, 'passed'],
    [{ latency_p99: '9ms' }, 'failed'],
    [{ parity: 'required' }, 'passed'],
    [{ data_verdict: 'passed' }, 'not-applicable'],
  ] as const)('%j has %s', (rule, outcome) => {
    const { rules, passed } = judge([rule], measured({ metrics }))
    expect(rules[0]!.outcome).toBe(outcome)
    expect(passed).toBe(outcome !== 'failed')
  })

  test('takes the interval of its own confidence', () => {
    const found = measured({
      metrics: {
        ...metrics,
        'roc_auc@0.5': { candidate: estimate(0.7, 0.68, 0.72), champion: null, difference: null },
      },
    })
    const rule = { metric: 'roc_auc', at_least: 0.65 } as const
    expect(judge([{ ...rule, confidence: 0.5 }], found).passed).toBe(true)
    expect(judge([{ ...rule, confidence: 0.95 }], found).passed).toBe(false)
  })

  test('that does not apply says why; a candidate that fails on a request is refused whatever the rules', () => {
    const none = measured({ source: 'none', source_words: 'no traffic was labelled yet', champion: null, rows: 0 })
    const { passed, rules, reason } = judge([{ metric: 'roc_auc', at_least: 0.6 }], none)
    expect(passed).toBe(true)
    expect(rules[0]!.words).toBe('roc_auc: no traffic was labelled yet')
    expect(reason).toBe('0 of 1 rules passed, 1 did not apply')
    const broken = judge([], measured({ failed: 3, failure: 'unknown category' }))
    expect(broken).toMatchObject({ passed: false, reason: 'it failed on 3 of 1000 rows: unknown category' })
    const bad = { id: 'dsv_1', name: 'flights', number: 2, verdict: 'failed' }
    expect(judge([{ data_verdict: 'passed' }], measured({ data: [bad] })).reason).toContain('flights@2 is failed')
    expect(judge([{ parity: 'required' }], measured({ form: 'python', form_reason: 'too few rows' })).reason).toContain(
      'too few rows',
    )
  })
})

describe('a guard', () => {
  const counts = (changes: Partial<Counts> = {}): Counts => ({
    requests: 0,
    errors: 0,
    over_time: 0,
    stood_in: 0,
    latency: new Array(LATENCY_BOUNDS_US.length + 1).fill(0),
    scores: new Array(20).fill(0),
    last_error: null,
    ...changes,
  })
  const bins = (at: number, count: number) => Array.from({ length: 20 }, (_, bin) => (bin === at ? count : 10))

  test('on errors counts what was over time too, and waits for its least number', () => {
    const guard = [{ errors: 0.01, at_least: 3 }]
    expect(breachOf(guard, counts({ requests: 10, errors: 1, over_time: 1 }), undefined)).toBeUndefined()
    expect(breachOf(guard, counts({ requests: 300, errors: 3 }), undefined)).toBeUndefined()
    const breach = breachOf(guard, counts({ requests: 299, errors: 2, over_time: 1, last_error: 'no' }), undefined)
    expect(breach!.words).toContain('failed 3 of 299 requests (1.00 %)')
    expect(breachOf([{ errors: 0 }], counts(), undefined)).toBeUndefined()
  })

  test('on latency and on scores judges only what is enough to judge', () => {
    const latency = new Array(LATENCY_BOUNDS_US.length + 1).fill(0)
    latency[40] = 100
    expect(breachOf([{ latency_p99: '50ms' }], counts({ requests: 99, latency }), undefined)).toBeUndefined()
    expect(breachOf([{ latency_p99: '50ms' }], counts({ requests: 100, latency }), undefined)!.words).toContain('p99')
    const psi = [{ score_psi: 0.5 }]
    const [low, high] = [counts({ scores: bins(2, 500) }), counts({ scores: bins(15, 500) })]
    expect(breachOf(psi, low, low)).toBeUndefined()
    expect(breachOf(psi, low, undefined)).toBeUndefined()
    expect(breachOf(psi, counts({ scores: bins(2, 50) }), high)).toBeUndefined()
    expect(breachOf(psi, low, high)!.words).toContain('PSI')
  })
})

describe('the paired bootstrap', () => {
  const COUNT = 400
  const sample = (seed: number, kind: BootstrapInput['kind'] = 'regression'): BootstrapInput => {
    const random = seededRandom(seed)
    const truths = new Float64Array(COUNT)
    const side = () => ({ scores: new Float64Array(COUNT), answers: new Float64Array(COUNT) })
    const [candidate, champion] = [side(), side()]
    for (let row = 0; row < COUNT; row++) {
      const p = random.next()
      truths[row] = random.next() < p ? 1 : 0
      candidate.scores[row] = p
      champion.scores[row] = 0.7 * p + 0.3 * random.next()
    }
    const asked = [{ metric: kind === 'binary' ? 'roc_auc' : 'mae', confidence: 0.9, name: 'it' }]
    return { kind, asked, truths, candidate, champion, resamples: 300, seed }
  }

  test('gives the same from the same seed, in its thread as in the caller, and stops when asked', async () => {
    const input = sample(5, 'binary')
    expect(await bootstrap(input)).toEqual(resample(input))
    expect(resample(input)).not.toEqual(resample({ ...input, seed: 6 }))
    await expect(bootstrap(input, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
  })

  test('agrees with the textbook one that draws rows with replacement', () => {
    const input = sample(11)
    const { candidate, difference } = resample({ ...input, resamples: 2000 }).it!
    const random = seededRandom(99)
    const [mine, minus]: [number[], number[]] = [[], []]
    for (let draw = 0; draw < 2000; draw++) {
      let [a, b] = [0, 0]
      for (let at = 0; at < COUNT; at++) {
        const row = Math.floor(random.next() * COUNT)
        a += Math.abs(input.truths[row]! - input.candidate.scores[row]!) / COUNT
        b += Math.abs(input.truths[row]! - input.champion!.scores[row]!) / COUNT
      }
      mine.push(a)
      minus.push(a - b)
    }
    const interval = (values: number[]) => {
      const sorted = values.sort((x, y) => x - y)
      return [sorted[100]!, sorted[1899]!]
    }
    for (const [ours, theirs] of [
      [candidate!, interval(mine)],
      [difference!, interval(minus)],
    ] as const) {
      const width = theirs[1]! - theirs[0]!
      expect(Math.abs(ours.low - theirs[0]!)).toBeLessThan(width * 0.15)
      expect(Math.abs(ours.high - theirs[1]!)).toBeLessThan(width * 0.15)
    }
  })

  test('its 90 % intervals hold the true value about nine times in ten', () => {
    // E|y - p| with y ~ Bernoulli(p), p uniform, is 2 E p(1 - p) = 1/3.
    let held = 0
    for (let seed = 1; seed <= 100; seed++) {
      const { candidate } = resample({ ...sample(seed * 31), champion: null, resamples: 200 }).it!
      if (candidate!.low <= 1 / 3 && 1 / 3 <= candidate!.high) held++
    }
    expect(held).toBeGreaterThanOrEqual(80)
    expect(held).toBeLessThanOrEqual(98)
  })

  test('says nothing where a measure is not defined', () => {
    const input = sample(3, 'binary')
    expect(resample({ ...input, truths: new Float64Array(COUNT) }).it!.candidate).toBeNull()
  })
})

describe('what models said', () => {
  const row = (label: string) => ({
    id: 'prd_1',
    event_ms: 0,
    answered_version: 1,
    score: null,
    answer: null,
    label,
    features: {},
  })

  test('of many classes is measured by class', () => {
    const spec = { task: 'multiclass' } as const
    const given = ['a', 'b', 'c', 'a'].map(row)
    const said = sayings(spec, [null, null, null, null], ['a', 'b', 'a', null])
    expect(said[3]).toBeNull()
    const { truths, sides } = numbersOf(spec, [0, 1, 2], given, [said])
    expect(classMetric('accuracy', truths, sides[0]!.answers)).toBeCloseTo(2 / 3)
    // As sklearn.metrics.*_score(["a", "b", "c"], ["a", "b", "a"], average="macro", zero_division=0).
    expect(classMetric('precision', truths, sides[0]!.answers)).toBeCloseTo(0.5)
    expect(classMetric('recall', truths, sides[0]!.answers)).toBeCloseTo(2 / 3)
    expect(classMetric('f1', truths, sides[0]!.answers)).toBeCloseTo((2 / 3 + 1 + 0) / 3)
    expect(classMetric('f1', truths, sides[0]!.answers, Float64Array.of(0, 0, 0))).toBeNull()
  })

  test('of two by threshold, of a number by its value', () => {
    const binary = numbersOf({ positive: 'late', threshold: 0.3 }, [0, 1], ['late', 'no'].map(row), [
      sayings({}, [0.31, 0.29], [null, null]),
    ])
    expect([...binary.truths, ...binary.sides[0]!.answers]).toEqual([1, 0, 1, 0])
    const spec = { task: 'regression' } as const
    expect([...numbersOf(spec, [0], [row('2.5')], []).truths]).toEqual([2.5])
  })
})

test('a rollout that is not stated has steps and guards, and shows them', () => {
  const unstated = rolloutOf({})
  expect(unstated.steps.map(({ share }) => share)).toEqual([0.1, 0.5, 1])
  expect(unstated.guards).toEqual([{ errors: 0.01, at_least: 5 }])
  const steps = [{ share: 1 }]
  expect(rolloutOf({ rollout: { steps } })).toEqual({ steps, guards: unstated.guards })
})
