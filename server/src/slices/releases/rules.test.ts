import { describe, expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { classMetric } from '#slices/monitoring'
import { type Counts, LATENCY_BOUNDS_US } from '#slices/serving'
import { blocksOf } from './blocks.ts'
import { type BootstrapInput, bootstrap } from './bootstrap.ts'
import { judge, type Measured } from './gate-rules.ts'
import { breachOf } from './guards.ts'
import { resample } from './resampling.ts'
import { rolloutOf } from './rollout.ts'
import { numbersOf, sayings } from './sayings.ts'

const estimate = (value: number, low: number, high: number) => ({ value, low, high, confidence: 0.95 })
const measured = (changes: Partial<Measured> = {}): Measured => ({
  rows: 1000,
  compared: 1000,
  source: 'replay',
  source_words: 'replayed traffic of 14d',
  tainted: null,
  drawn: null,
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
    [{ data_verdict: 'passed' }, 'failed'],
    [{ data_verdict: 'passed', no_data: 'pass' }, 'not-applicable'],
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

  test('that cannot be judged fails and says why, unless it says that it may pass', () => {
    const none = measured({
      source: 'none',
      source_words: 'no traffic was labelled yet',
      rows: 0,
      latency_p99_ms: null,
    })
    for (const rule of [
      { metric: 'roc_auc', at_least: 0.6 },
      { metric: 'roc_auc', versus: 'champion', at_least: -0.01 },
      { latency_p99: '1s' },
    ] as const) {
      const { passed, reason } = judge([rule], none)
      expect(passed).toBe(false)
      expect(reason).toMatch(/: no traffic was labelled yet; a rule that cannot be judged fails unless/)
      const open = judge([{ ...rule, no_data: 'pass' }], none)
      expect(open).toMatchObject({ passed: true, reason: '0 of 1 rules passed, 1 did not apply' })
    }
    const first = judge([{ metric: 'roc_auc', versus: 'champion', at_least: 0 }], { ...none, champion: null })
    expect(first).toMatchObject({ passed: true })
    expect(first.rules[0]!.words).toBe('roc_auc against the champion: there is none yet')
  })

  test('reads no quality from rows that the candidate may have been trained on, but sees that it answers them', () => {
    const tainted = measured({ metrics, tainted: 'nobody knows what it was trained on', failed: 2 })
    const { rules } = judge([{ metric: 'roc_auc', at_least: 0.1 }, { latency_p99: '10ms' }], tainted)
    expect(rules.map(({ outcome }) => outcome)).toEqual(['failed', 'passed', 'failed'])
    expect(rules[0]!.words).toContain('roc_auc: nobody knows what it was trained on')
  })

  test('on data asks for a verdict; whose spread the interval is, is told', () => {
    const data = [{ id: 'dsv_1', name: 'flights', number: 2, verdict: 'none' }]
    expect(judge([{ data_verdict: 'passed' }], measured({ data })).reason).toContain(
      'no checks are declared for flights@2',
    )
    expect(judge([{ data_verdict: 'passed' }], measured({ data: [{ ...data[0]!, verdict: 'pending' }] })).passed).toBe(
      false,
    )
    const rule = { metric: 'roc_auc', at_least: 0.65 } as const
    const { rules } = judge([rule], measured({ metrics, drawn: { by: 'day', count: 28 } }))
    expect(rules[0]!.words).toContain('on 1000 rows of 28 days, at least 0.65')
  })

  test('a candidate that fails on a request is refused whatever the rules', () => {
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
    // A bucket that reaches over the limit may hold a p99 below it.
    const ends_ms = [39, 40].map((at) => `${Math.floor(LATENCY_BOUNDS_US[at]! / 1000)}ms`)
    const judged = ends_ms.map((limit) =>
      breachOf([{ latency_p99: limit }], counts({ requests: 100, latency }), undefined),
    )
    expect(judged.map((breach) => breach !== undefined)).toEqual([true, false])
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
    return { kind, asked, truths, candidate, champion, blocks: null, resamples: 300, seed }
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

  test('draws days where rows of a day fail together: drawing rows would be far too sure', () => {
    const DAYS = 20
    const random = seededRandom(23)
    const worse = Array.from({ length: DAYS }, () => (random.next() < 0.5 ? 0.4 : 0))
    const by_row: BootstrapInput = {
      ...sample(1),
      truths: new Float64Array(COUNT),
      candidate: {
        scores: Float64Array.from({ length: COUNT }, (_, row) => worse[row % DAYS]! + 0.05 * random.next()),
        answers: new Float64Array(COUNT),
      },
      champion: null,
    }
    const { of, by, count } = blocksOf(Array.from({ length: COUNT }, (_, row) => (row % DAYS) * 86_400_000))
    expect({ by, count }).toEqual({ by: 'day', count: DAYS })
    const width = (input: BootstrapInput) => {
      const { low, high } = resample(input).it!.candidate!
      return high - low
    }
    // Spread of a mean over days against one over rows: the root of the rows in a day.
    expect(width({ ...by_row, blocks: of }) / width(by_row)).toBeGreaterThan(3)
  })

  test('draws hours where there are few days, rows where there are few hours or no times', () => {
    const hourly = Array.from({ length: 30 }, (_, at) => at * 3_600_000)
    expect(blocksOf(hourly)).toMatchObject({ by: 'hour', count: 30 })
    expect(blocksOf(hourly.slice(0, 5))).toEqual({ by: 'row', count: 5, of: null })
    expect(blocksOf([...hourly, null])).toMatchObject({ by: 'row', of: null })
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
    answered_by: 'rev_1',
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
    const numbers = numbersOf({ positive: 1 }, [0, 1, 2, 3], ['1', '1.0', '0', 'late'].map(row), [])
    expect([...numbers.truths]).toEqual([1, 1, 0, 0])
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
