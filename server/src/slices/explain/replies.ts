import Type from 'typebox'
import { Ms, nullable } from '#kernel/http/replies.ts'

const Method = Type.Union([Type.Literal('tree'), Type.Literal('permutation')])
const Space = Type.Union(['probability', 'log-odds', 'value', 'log-value', 'label'].map((space) => Type.Literal(space)))

/** While it is waiting, and when it failed, only what it is about. */
export const ExplanationReply = Type.Object({
  model: Type.String(),
  version: Type.Integer(),
  state: Type.Union(['waiting', 'done', 'failed'].map((state) => Type.Literal(state))),
  reason: nullable(Type.String()),
  job: nullable(Type.String()),
  created_ms: Ms,
  ended_ms: nullable(Ms),
  method: Type.Optional(Method),
  method_reason: Type.Optional(nullable(Type.String())),
  space: Type.Optional(Space),
  class: Type.Optional(Type.Unknown()),
  rows: Type.Optional(Type.Integer()),
  source_rows: Type.Optional(Type.Integer()),
  base_value: Type.Optional(Type.Number()),
  importance: Type.Optional(
    Type.Array(Type.Object({ feature: Type.String(), value: Type.Number() }), {
      description: 'Mean absolute attribution, greatest first.',
    }),
  ),
  beeswarm: Type.Optional(
    Type.Object({
      features: Type.Array(Type.String()),
      inputs: Type.Array(Type.Array(Type.Unknown())),
      attributions: Type.Array(Type.Array(Type.Number())),
    }),
  ),
})

export const AttributionReply = Type.Object({
  prediction: Type.String(),
  endpoint: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  method: Method,
  space: Space,
  class: Type.Unknown(),
  base_value: Type.Number(),
  output: Type.Number(),
  attributions: Type.Array(Type.Object({ feature: Type.String(), value: Type.Number(), input: Type.Unknown() }), {
    description: 'Largest first. `value` is the attribution, `input` what was asked.',
  }),
  took_ms: Type.Number(),
  made_ms: Ms,
})
export const WaitingReply = Type.Object({ state: Type.Literal('waiting') })
