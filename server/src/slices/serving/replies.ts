import Type from 'typebox'
import { AnyObject, Digest, itemsOf, Ms, nullable } from '#kernel/http/replies.ts'
import { EndpointSpec } from './schema.ts'

const Words = nullable(Type.String())
const Form = nullable(Type.Union([Type.Literal('onnx'), Type.Literal('python')]))

const Endpoint = Type.Object({
  workspace: Type.String(),
  name: Type.String(),
  project: Type.String(),
  model: Type.String(),
  alias: Type.String(),
  spec: EndpointSpec,
  created_ms: Ms,
  updated_ms: Ms,
  traffic: nullable(
    Type.Object({
      endpoint: Type.String(),
      routes: Type.Array(
        Type.Object({
          revision: Type.String(),
          share: Type.Number(),
          role: Type.Union([Type.Literal('stable'), Type.Literal('canary')]),
        }),
      ),
      release: Words,
      changed_ms: Ms,
    }),
  ),
  watermark_ms: nullable(Ms),
})

/** What this node has counted of a revision since it loaded it. */
export const Stats = Type.Object({
  requests: Type.Integer(),
  errors: Type.Integer(),
  over_time: Type.Integer(),
  stood_in: Type.Integer(),
  latency: Type.Array(Type.Integer()),
  scores: Type.Array(Type.Integer()),
  last_error: Words,
  latency_p50_ms: nullable(Type.Number()),
  latency_p99_ms: nullable(Type.Number()),
  since_ms: Ms,
})

const Revision = Type.Object({
  id: Type.String(),
  endpoint: Type.String(),
  number: Type.Integer(),
  model: Type.String(),
  version: Type.Integer(),
  state: Type.Union([Type.Literal('wanted'), Type.Literal('retired')]),
  created_ms: Ms,
  retired_ms: nullable(Ms),
  reports: Type.Array(
    Type.Object({
      revision: Type.String(),
      node: Type.String(),
      state: Type.Union(['loading', 'ready', 'failed'].map((state) => Type.Literal(state))),
      form: Form,
      reason: Words,
      load_ms: nullable(Type.Number()),
      reported_ms: Ms,
    }),
  ),
  stats: nullable(Stats),
})

const Prediction = Type.Object({
  id: Type.String({ description: '`prd_….<row>`' }),
  event_ms: Ms,
  at_ms: Ms,
  latency_us: Type.Integer(),
  status: Type.Union(['ok', 'error', 'fallback'].map((status) => Type.Literal(status))),
  revision: Type.String(),
  version: Type.Integer(),
  answered_by: Type.String(),
  answered_version: Type.Integer(),
  release: Words,
  key: Words,
  score: nullable(Type.Number()),
  label: Words,
  output: nullable(Type.String({ description: "The row's answer as JSON text." })),
  error: Words,
  inputs: nullable(Type.String({ description: 'What was asked, as JSON text, when the model names no features.' })),
  features: AnyObject,
})

export const EndpointsReply = itemsOf(Endpoint)
export const EndpointReply = Type.Object({
  ...Endpoint.properties,
  revisions: Type.Array(Revision),
  dropped: Type.Integer({ description: 'Predictions that could not be logged since the start.' }),
})
export const PredictionsReply = itemsOf(Prediction)
export const PredictionReply = Type.Object({
  ...Prediction.properties,
  endpoint: Type.String(),
  model: Type.Optional(Type.String()),
})
export const PreparationsReply = itemsOf(
  Type.Object({
    model: Type.String(),
    version: Type.Integer(),
    state: Type.Union(['waiting', 'done', 'failed'].map((state) => Type.Literal(state))),
    form: Form,
    reason: Type.String(),
    report: nullable(AnyObject),
    compiled_digest: nullable(Digest),
    job: Words,
    created_ms: Ms,
    ended_ms: nullable(Ms),
  }),
)
export const WaitingReply = Type.Object({ state: Type.Literal('waiting') })
export const ScoredReply = Type.Object({
  form: Type.Union([Type.Literal('onnx'), Type.Literal('python')]),
  outputs: Type.Array(Type.Unknown()),
  scores: Type.Array(nullable(Type.Number())),
  labels: Type.Array(Type.Unknown()),
  failures: Type.Array(Type.Object({ row: Type.Integer(), error: Type.String() }), {
    description: 'Rows that the model refused or failed on; at most 20 are told.',
  }),
  failed: Type.Integer(),
})
