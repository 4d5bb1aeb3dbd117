/** A release, its monitor and one prediction as the server tells them after months of traffic, for pages that show them. */
import type { Alert, Monitor, MonitorWindow } from '#slices/monitoring'
import type { Decision, Release, Retraining } from '#slices/releases'
import type { PredictionRecord } from '#slices/serving'

const DAY = 86_400_000
const START = Date.UTC(2013, 5, 3)
const NOW = Date.now()
export const RELEASE = `rel_${'0'.repeat(31)}7`
const BEFORE = `rel_${'0'.repeat(31)}6`
export const PREDICTION = `prd_${'a'.repeat(32)}.0`
const rule = { kind: 'rule' as const, id: 'releases', name: 'rule:releases' }

const estimate = (value: number, wide: number) => ({ value, low: value - wide, high: value + wide, confidence: 0.95 })
const counts = (requests: number, errors: number) => ({
  requests,
  errors,
  over_time: 0,
  stood_in: 0,
  latency: [],
  scores: Array.from({ length: 20 }, (_, at) => Math.round(requests / (at + 2))),
  last_error: errors > 0 ? "KeyError: 'TVC'" : null,
  latency_p50_ms: 1.2,
  latency_p99_ms: 8.5,
  since_ms: NOW - 60_000,
})

const bundle = (version: number, previous: string | null) => ({
  model: 'flight-delay',
  version,
  model_digest: `sha256:${String(version).repeat(64)}`,
  form: 'onnx' as const,
  run: String(version).repeat(32),
  code: `sha256:${'c'.repeat(64)}`,
  commit: 'c'.repeat(40),
  environment: `sha256:${'e'.repeat(64)}`,
  data: [{ id: 'dsv_1', name: 'flights-served', number: version, digest: `sha256:${String(version).repeat(64)}` }],
  endpoint: { threshold: 0.5 },
  previous,
})

const decision = (position: number, state: Decision['state'], words: string, facts = {}): Decision => ({
  position,
  state,
  words,
  facts,
  who: rule,
  at_ms: NOW - 600_000 + position * 60_000,
  watermark_ms: START + 40 * DAY,
})

const base: Omit<Release, 'verdict' | 'policy' | 'step_counts'> = {
  workspace: 'default',
  id: RELEASE,
  endpoint: 'delay',
  model: 'flight-delay',
  version: 7,
  state: 'canary',
  reason: null,
  revision: 'rev_7',
  previous: BEFORE,
  step: 1,
  bundle: bundle(7, BEFORE),
  proposed_by: rule,
  proposed_ms: NOW - 600_000,
  step_ms: NOW - 60_000,
  live_ms: null,
  ended_ms: null,
}

const policy: Release['policy'] = {
  gate: {
    replay: { last: '14d' },
    rules: [
      { metric: 'roc_auc', at_least: 0.65 },
      { metric: 'roc_auc', versus: 'champion', at_least: -0.01, confidence: 0.95 },
      { latency_p99: '50ms' },
    ],
  },
  rollout: {
    steps: [{ share: 0.1, requests: 400 }, { share: 0.5, requests: 1000 }, { share: 1 }],
    guards: [{ errors: 0.01, at_least: 3 }],
  },
}
const [absolute, relative, latency] = policy.gate!.rules!

const verdict = {
  passed: true,
  reason: '3 of 3 rules passed',
  seconds: 2.4,
  rules: [
    {
      rule: absolute!,
      outcome: 'passed' as const,
      words: 'roc_auc is 0.7500 on 12000 rows, at least 0.65',
      estimate: estimate(0.75, 0.01),
      threshold: 0.65,
    },
    {
      rule: relative!,
      outcome: 'passed' as const,
      words: "roc_auc minus champion's is 0.0100, at least -0.01",
      estimate: estimate(0.01, 0.015),
      threshold: -0.01,
    },
    { rule: latency!, outcome: 'passed' as const, words: 'p99 of single rows is 1.80 ms, within 50 ms', threshold: 50 },
  ],
  measured: {
    rows: 12_000,
    source: 'replay' as const,
    source_words: 'replayed traffic of 14d',
    from_ms: START,
    to_ms: START + 14 * DAY,
    left_out: 300,
    failed: 0,
    metrics: {
      roc_auc: { candidate: estimate(0.75, 0.01), champion: estimate(0.74, 0.01), difference: estimate(0.01, 0.015) },
    },
    latency_p99_ms: 1.8,
    form: 'onnx' as const,
    form_reason: 'compiled; the forms agree',
    data: [{ id: 'dsv_1', name: 'flights-served', number: 7, verdict: 'passed' }],
    champion: { release: BEFORE, version: 6 },
  },
}

const decisions = [
  decision(1, 'proposed', 'version 7 of flight-delay is a candidate'),
  decision(2, 'checking', 'its gate begins'),
  decision(3, 'approved', '3 of 3 rules passed', { rows: 12_000 }),
  decision(4, 'loading', 'serving nodes load it'),
  decision(5, 'canary', 'step 2 of 3: 50 % of the traffic, after 402 requests, 0 failed', { requests: 402, errors: 0 }),
]

const { bundle: _, ...summary } = { ...base, verdict: { passed: true, reason: verdict.reason } }
export const release = {
  ...base,
  policy,
  verdict,
  step_counts: { canary: counts(402, 0) },
  rollout: policy.rollout!,
  previous_release: { ...summary, id: BEFORE, version: 6, state: 'live', bundle: bundle(6, null), previous: null },
  decisions,
  counts: counts(900, 2),
  stable_counts: counts(880, 0),
}

const NAMES = ['≤ 10', '10 – 20', '> 20']
const window = (at: number): MonitorWindow =>
  ({
    monitor: 'delay-weekly',
    start_ms: START + at * 7 * DAY,
    end_ms: START + (at + 1) * 7 * DAY,
    state: at === 3 ? 'revised' : 'computed',
    revisions: at === 3 ? 1 : 0,
    computed_ms: NOW - 60_000,
    facts: {
      requests: 6000,
      rows: 6000,
      errors: 0,
      fallbacks: at === 9 ? 2 : 0,
      labelled: 5800,
      versions: { '6': 6000 },
      metrics: {
        roc_auc: at === 5 ? null : 0.76 - at * 0.008,
        f1: 0.4,
        latency_p99: 9,
        error_rate: 0,
        share_of_drifted_features: 0.5,
        score_psi: 0.1,
      },
      words: at === 5 ? ['12 labels; quality is judged from 1000 on'] : [],
      latency_ms: { p50: 2, p95: 5, p99: 9 },
      score: { mean: 0.2, histogram: Array.from({ length: 20 }, (_each, bin) => 100 - bin * 5) },
      positives: 900,
      drift: [
        {
          feature: 'temp',
          kind: 'numeric',
          psi: 0.1 * at,
          ks: 0.2,
          ks_p: 0.0001,
          nulls: 0.01,
          nulls_reference: 0,
          bins: { reference: [0.3, 0.4, 0.3], current: [0.1, 0.3, 0.6], names: NAMES },
        },
        {
          feature: 'carrier',
          kind: 'categorical',
          psi: 0.01,
          ks: null,
          ks_p: null,
          nulls: 0,
          nulls_reference: 0,
          bins: { reference: [0.5, 0.3, 0.2], current: [0.5, 0.3, 0.2], names: ['UA', 'DL', 'other'] },
        },
      ],
      drift_version: 6,
      seen: { from_ms: START, to_ms: START + DAY },
    },
  }) as MonitorWindow
const windows = Array.from({ length: 10 }, (_each, at) => window(at))

const alert = {
  workspace: 'default',
  id: `alt_${'1'.repeat(32)}`,
  monitor: 'delay-weekly',
  endpoint: 'delay',
  name: 'auc-falls',
  metric: 'roc_auc',
  state: 'open',
  threshold: 0.7,
  value: 0.688,
  reference: null,
  opened_window_ms: windows[8]!.start_ms,
  cleared_window_ms: null,
  watermark_ms: windows[9]!.end_ms,
  opened_ms: NOW - 60_000,
  cleared_ms: null,
} as unknown as Alert

const monitor = {
  workspace: 'default',
  name: 'delay-weekly',
  project: 'flights',
  endpoint: 'delay',
  spec: {
    endpoint: 'delay',
    window: '7d',
    label_delay: '1d',
    labels_min: 1000,
    metrics: ['roc_auc', 'f1'],
    alerts: [{ name: 'auc-falls', metric: 'roc_auc', below: 0.7, for: 2 }],
  },
  applied_ms: NOW - DAY,
  next_ms: windows[9]!.end_ms,
} as unknown as Monitor

const prediction: PredictionRecord & { endpoint: string } = {
  id: PREDICTION,
  endpoint: 'delay',
  event_ms: START,
  at_ms: NOW - 5000,
  latency_us: 1500,
  status: 'fallback',
  revision: 'rev_7',
  version: 7,
  answered_by: 'rev_6',
  answered_version: 6,
  release: RELEASE,
  key: 'DL412',
  score: 0.31,
  label: '0',
  output: '[0.69, 0.31]',
  error: "KeyError: 'TVC'",
  inputs: null,
  features: { carrier: 'DL', temp: 71.2, wind_gust: null },
} as PredictionRecord & { endpoint: string }

const retraining: Retraining = {
  workspace: 'default',
  id: 'rtr_1',
  endpoint: 'delay',
  alert: 'auc-falls',
  state: 'training',
  reason: null,
  evidence: {},
  dataset: 'flights-served',
  dataset_version: 'dsv_1',
  pipeline_run: null,
  release_id: null,
  from_ms: START,
  to_ms: START + 60 * DAY,
  watermark_ms: START + 60 * DAY,
  created_ms: NOW - 60_000,
  ended_ms: null,
}

const stage = (name: string, state: string, words: string, link: { kind: string; id: string } | null = null) => ({
  stage: name,
  state,
  words,
  since_ms: NOW - 60_000,
  link,
})

/** By what follows the API's prefix. */
export const story = {
  '/overview': {
    projects: [
      {
        project: 'flights',
        stages: [
          stage('Source', 'ok', 'version 1, applied by Ada'),
          stage('Prepare', 'ok', 'flights-served@7 passed, 82,261 rows'),
          stage('Build', 'running', 'retrain #3 runs'),
          stage('Test', 'ok', 'version 7 passed its gate', { kind: 'release', id: RELEASE }),
          stage('Merge', 'not-applicable', 'no forge is connected'),
          stage('Deploy', 'running', 'version 7 is a canary, step 2 at delay', { kind: 'release', id: RELEASE }),
          stage('Monitor', 'failed', '1 alert is open', { kind: 'monitor', id: 'delay-weekly' }),
        ],
        endpoints: [
          {
            name: 'delay',
            model: 'flight-delay',
            live: { release: BEFORE, version: 6, since_ms: NOW - DAY },
            rolled_back: null,
            open: { release: RELEASE, version: 7, state: 'canary', step: 1 },
            requests: 81_234,
            watermark_ms: START + 70 * DAY,
            alerts_open: 1,
            last_window: { start_ms: START, metrics: { latency_p99: 9, roc_auc: 0.69 } },
          },
        ],
      },
    ],
  },
  '/retrainings': { items: [retraining] },
  '/releases': { items: [summary] },
  [`/releases/${RELEASE}`]: release,
  '/monitors': { items: [{ ...monitor, last_window: windows[9], alerts_open: 1 }] },
  '/monitors/delay-weekly': { ...monitor, windows, alerts: [alert] },
  '/alerts': { items: [alert] },
  [`/why/${PREDICTION}`]: {
    prediction,
    label: { value: '1', observed_ms: START + DAY },
    endpoint: { name: 'delay', model: 'flight-delay' },
    release: { ...base, policy, verdict, decisions },
    version: { name: 'flight-delay', version: 6, digest: `sha256:${'6'.repeat(64)}`, created_ms: NOW - DAY },
    preparation: {
      model: 'flight-delay',
      version: 6,
      state: 'done',
      form: 'onnx',
      reason: 'the forms agree',
      report: null,
      created_ms: NOW,
      ended_ms: NOW,
    },
    run: null,
    code: { digest: `sha256:${'c'.repeat(64)}`, commit_id: 'c'.repeat(40), branch: 'main', dirty: 1, file_count: 21 },
    environment: `sha256:${'e'.repeat(64)}`,
    data: [
      {
        id: 'dsv_1',
        name: 'flights-served',
        number: 6,
        verdict: 'passed',
        version: {
          row_count: 82_261,
          digest: `sha256:${'6'.repeat(64)}`,
          time_from_ms: START,
          time_to_ms: START + 60 * DAY,
          created_ms: NOW,
        },
      },
    ],
    attributions: {
      method: 'tree',
      space: 'log-odds',
      class: 1,
      base_value: -1.2,
      output: -0.8,
      attributions: [
        { feature: 'temp', value: 0.6, input: 71.2 },
        { feature: 'carrier', value: -0.3, input: 'DL' },
        { feature: 'wind_gust', value: 0.1, input: null },
      ],
    },
    parts_missing: [{ part: 'provenance', words: 'the version was registered without a run' }],
  },
} satisfies Record<string, unknown>
