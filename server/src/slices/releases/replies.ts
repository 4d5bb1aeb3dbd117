import Type from 'typebox'
import { ActorReply, AnyObject, Digest, itemsOf, Ms, nullable, pageReply } from '#kernel/http/replies.ts'
import { ReleaseSpec } from './schema.ts'

const Words = nullable(Type.String())
const State = Type.Union(
  ['proposed', 'checking', 'refused', 'approved', 'loading', 'canary', 'live', 'superseded', 'rolled_back'].map(
    (state) => Type.Literal(state),
  ),
)
const Form = nullable(Type.Union([Type.Literal('onnx'), Type.Literal('python')]))

const Bundle = Type.Object({
  model: Type.String(),
  version: Type.Integer(),
  model_digest: nullable(Digest),
  form: Form,
  run: Words,
  code: Words,
  commit: Words,
  environment: Words,
  data: Type.Array(
    Type.Object({ id: Type.String(), name: Type.String(), number: Type.Integer(), digest: Type.String() }),
  ),
  endpoint: Type.Unknown(),
  previous: Words,
})

/** A measure with its two-sided bootstrap interval. */
const Estimate = Type.Object({
  value: Type.Number(),
  low: Type.Number(),
  high: Type.Number(),
  confidence: Type.Number(),
})

const Verdict = Type.Object({
  passed: Type.Boolean(),
  reason: Type.String(),
  rules: Type.Array(
    Type.Object({
      rule: AnyObject,
      outcome: Type.Union(['passed', 'failed', 'not-applicable'].map((outcome) => Type.Literal(outcome))),
      words: Type.String(),
      estimate: Type.Optional(Estimate),
      threshold: Type.Optional(Type.Number()),
    }),
  ),
  measured: Type.Object({
    rows: Type.Integer(),
    compared: Type.Integer(),
    source: Type.Union(['replay', 'dataset', 'none'].map((source) => Type.Literal(source))),
    source_words: Type.String(),
    tainted: Words,
    drawn: nullable(Type.Object({ by: Type.String(), count: Type.Integer() })),
    from_ms: nullable(Ms),
    to_ms: nullable(Ms),
    left_out: Type.Integer(),
    failed: Type.Integer(),
    failure: Words,
    metrics: Type.Record(
      Type.String(),
      Type.Object({ candidate: nullable(Estimate), champion: nullable(Estimate), difference: nullable(Estimate) }),
    ),
    latency_p99_ms: nullable(Type.Number()),
    form: Form,
    form_reason: Type.String(),
    data: Type.Array(
      Type.Object({ id: Type.String(), name: Type.String(), number: Type.Integer(), verdict: Type.String() }),
    ),
    champion: nullable(Type.Object({ release: Type.String(), version: Type.Integer() })),
  }),
  seconds: Type.Number(),
})

const { properties: summary } = Type.Object({
  workspace: Type.String(),
  id: Type.String(),
  endpoint: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  state: State,
  reason: Words,
  revision: Words,
  previous: Words,
  step: nullable(Type.Integer()),
  bundle: nullable(Bundle),
  proposed_by: ActorReply,
  proposed_ms: Ms,
  step_ms: nullable(Ms),
  live_ms: nullable(Ms),
  ended_ms: nullable(Ms),
})

export const ReleaseReply = Type.Object({
  ...summary,
  verdict: nullable(Type.Object({ passed: Type.Boolean(), reason: Type.String() })),
})
export const ReleasesReply = pageReply(ReleaseReply)
export const ReleaseDetailReply = Type.Object({
  ...summary,
  verdict: nullable(Verdict),
  policy: Type.Unsafe<ReleaseSpec>(ReleaseSpec),
  step_counts: AnyObject,
  rollout: Type.Object({
    steps: Type.Array(Type.Object({ share: Type.Number(), requests: Type.Optional(Type.Integer()) })),
    guards: Type.Array(AnyObject),
  }),
  previous_release: nullable(ReleaseReply),
  decisions: Type.Array(
    Type.Object({
      position: Type.Integer(),
      state: State,
      words: Type.String(),
      facts: AnyObject,
      who: ActorReply,
      at_ms: Ms,
      watermark_ms: nullable(Ms),
    }),
  ),
  counts: nullable(AnyObject),
  stable_counts: nullable(AnyObject),
})
export const PolicyReply = Type.Object({
  workspace: Type.String(),
  endpoint: Type.String(),
  project: Type.String(),
  spec: Type.Unsafe<ReleaseSpec>(ReleaseSpec),
  applied_by: ActorReply,
  digest: Type.String(),
  applied_ms: Ms,
})
export const RetrainingsReply = itemsOf(
  Type.Object({
    id: Type.String(),
    endpoint: Type.String(),
    alert: Type.String(),
    state: Type.Union(['collecting', 'training', 'skipped', 'failed', 'done'].map((state) => Type.Literal(state))),
    reason: Words,
    evidence: AnyObject,
    dataset: Words,
    dataset_version: Words,
    pipeline_run: Words,
    release_id: Words,
    from_ms: nullable(Ms),
    to_ms: nullable(Ms),
    watermark_ms: Ms,
    created_ms: Ms,
    ended_ms: nullable(Ms),
  }),
)
