/** The rules of a gate, judged from measured numbers. Pure: what was measured goes in, what it means comes out. */
import { readDuration } from '#kernel/units.ts'
import type { GateRule } from './schema.ts'

/** A measure with the spread that resampling gives it: the two-sided percentile interval of 1,000 bootstrap resamples. */
export interface Estimate {
  value: number
  low: number
  high: number
  /** Confidence of the interval. */
  confidence: number
}

export interface Measured {
  /** Rows that the candidate was asked, and where they came from. */
  rows: number
  /** Of these, those that the metrics are measured on: candidate and champion answered both. */
  compared: number
  source: 'replay' | 'dataset' | 'none'
  /** Where the rows are from; why there are none, when there are none. */
  source_words: string
  /** Why the rows may be ones that the candidate was trained on, so that no quality can be read from them; null: they are not. */
  tainted: string | null
  /** What the bootstrap draws anew: days or hours of event time, whose rows depend on each other, or rows. */
  drawn: { by: 'day' | 'hour' | 'row'; count: number } | null
  from_ms: number | null
  to_ms: number | null
  /** Replayed requests that lie within the candidate's training data, and were left out. */
  left_out: number
  /** Rows that the candidate failed on, or answered without anything that can be measured. */
  failed: number
  /** What it said of the first of them. */
  failure: string | null
  /** By metric; where rules of one metric ask for several confidences, further ones as `<metric>@<confidence>`. */
  metrics: Record<string, { candidate: Estimate | null; champion: Estimate | null; difference: Estimate | null }>
  latency_p99_ms: number | null
  form: 'onnx' | 'python' | null
  form_reason: string
  data: { id: string; name: string; number: number; verdict: string }[]
  champion: { release: string; version: number } | null
}

export interface RuleOutcome {
  /** `answers` is built in: it stands beside every team's own rules. */
  rule: GateRule | { answers: 'all' }
  outcome: 'passed' | 'failed' | 'not-applicable'
  words: string
  estimate?: Estimate
  threshold?: number
}

export interface Verdict {
  passed: boolean
  reason: string
  rules: RuleOutcome[]
  measured: Measured
  seconds: number
}

export function judge(rules: readonly GateRule[], measured: Measured): Omit<Verdict, 'seconds'> {
  const outcomes = rules.map((rule) => judgeRule(rule, measured))
  // Whatever a team's own rules are: a candidate that cannot answer what was asked yesterday must not be asked tomorrow.
  if (measured.source !== 'none') outcomes.push(judgeAnswers(measured))
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed')
  const applied = outcomes.filter(({ outcome }) => outcome === 'passed').length
  return {
    passed: failed.length === 0,
    reason:
      failed.length > 0
        ? failed.map(({ words }) => words).join('; ')
        : outcomes.length === 0
          ? 'the gate has no rules'
          : `${applied} of ${outcomes.length} rules passed${applied < outcomes.length ? `, ${outcomes.length - applied} did not apply` : ''}`,
    rules: outcomes,
    measured,
  }
}

const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(4))

/** Nothing is known, and nothing is what an unmeasured candidate shows: it fails, unless the team wants that door open. */
const unjudged = (rule: Exclude<GateRule, { parity: unknown }>, words: string): RuleOutcome =>
  rule.no_data === 'pass'
    ? { rule, outcome: 'not-applicable', words }
    : { rule, outcome: 'failed', words: `${words}; a rule that cannot be judged fails unless it says no_data: pass` }

function judgeRule(rule: GateRule, measured: Measured): RuleOutcome {
  if ('metric' in rule) return judgeMetric(rule, measured)
  if ('latency_p99' in rule) {
    const limit = readDuration(rule.latency_p99)
    if (measured.latency_p99_ms === null) return unjudged(rule, `latency_p99: ${measured.source_words}`)
    const passed = measured.latency_p99_ms <= limit
    return {
      rule,
      outcome: passed ? 'passed' : 'failed',
      threshold: limit,
      words: `p99 of single rows is ${measured.latency_p99_ms.toFixed(2)} ms, ${passed ? 'within' : 'over'} ${limit} ms`,
    }
  }
  if ('parity' in rule) {
    if (rule.parity === 'reported' || measured.form === 'onnx')
      return {
        rule,
        outcome: 'passed',
        words: `the ${measured.form === 'onnx' ? 'compiled' : 'Python'} form serves: ${measured.form_reason}`,
      }
    return { rule, outcome: 'failed', words: `the compiled form does not serve: ${measured.form_reason}` }
  }
  if (measured.data.length === 0) return unjudged(rule, 'data_verdict: the run names no data version of ours')
  const bad = measured.data.filter(({ verdict }) => verdict !== 'passed')
  if (bad.length > 0 && bad.every(({ verdict }) => verdict === 'none'))
    return unjudged(rule, `data_verdict: no checks are declared for ${bad.map(versionWords).join(', ')}`)
  return bad.length === 0
    ? {
        rule,
        outcome: 'passed',
        words: `its data passed: ${measured.data.map(versionWords).join(', ')}`,
      }
    : {
        rule,
        outcome: 'failed',
        words: `its data did not pass: ${bad.map((one) => `${versionWords(one)} ${one.verdict === 'none' ? 'has no checks' : `is ${one.verdict}`}`).join(', ')}`,
      }
}

const versionWords = ({ name, number }: Measured['data'][number]): string => `${name}@${number}`

function judgeAnswers({ failed, failure, rows }: Measured): RuleOutcome {
  const rule = { answers: 'all' } as const
  return failed === 0
    ? { rule, outcome: 'passed', words: `it answered all ${rows} rows` }
    : {
        rule,
        outcome: 'failed',
        words: `it failed on ${failed} of ${Math.max(rows, failed)} rows${failure ? `: ${failure}` : ''}`,
      }
}

function judgeMetric(rule: Extract<GateRule, { metric: unknown }>, measured: Measured): RuleOutcome {
  const metric = String(rule.metric)
  const versus = rule.versus === 'champion'
  if (versus && !measured.champion)
    return { rule, outcome: 'not-applicable', words: `${metric} against the champion: there is none yet` }
  if (measured.source === 'none') return unjudged(rule, `${metric}: ${measured.source_words}`)
  if (measured.tainted !== null) return unjudged(rule, `${metric}: ${measured.tainted}`)
  const found = measured.metrics[`${metric}@${rule.confidence}`] ?? measured.metrics[metric]
  const estimate = versus ? found?.difference : found?.candidate
  if (!estimate)
    return {
      rule,
      outcome: 'failed',
      words: `${metric} could not be measured on ${measured.compared} rows${measured.failed ? `; the candidate failed on ${measured.failed}` : ''}`,
    }
  const sure = rule.confidence !== undefined
  const what = versus ? `${metric} minus champion's` : metric
  const checks: { ok: boolean; threshold: number; words: string }[] = []
  if (rule.at_least !== undefined) {
    const got = sure ? estimate.low : estimate.value
    checks.push({ ok: got >= rule.at_least, threshold: rule.at_least, words: `at least ${rule.at_least}` })
  }
  if (rule.at_most !== undefined) {
    const got = sure ? estimate.high : estimate.value
    checks.push({ ok: got <= rule.at_most, threshold: rule.at_most, words: `at most ${rule.at_most}` })
  }
  const passed = checks.every(({ ok }) => ok)
  const bound = checks.map(({ words }) => words).join(' and ')
  return {
    rule,
    outcome: passed ? 'passed' : 'failed',
    estimate,
    ...(checks[0] && { threshold: checks[0].threshold }),
    words: `${what} is ${shown(estimate.value)} [${shown(estimate.low)}, ${shown(estimate.high)}] on ${measured.compared} rows${drawnWords(measured)}, ${passed ? '' : 'not '}${bound}${sure ? ` at ${Math.round(estimate.confidence * 100)} %` : ''}`,
  }
}

/** Whose spread the interval is: of days where the rows have their time, since rows of one day share what the day was like. */
const drawnWords = ({ drawn }: Measured): string =>
  drawn && drawn.by !== 'row' ? ` of ${drawn.count} ${drawn.by}s` : ''
