import Type, { type Static } from 'typebox'

const Duration = Type.String({
  pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w)$',
  description: 'A duration such as 250ms, 10s or 14d.',
})

/** One entry of `endpoints:` in slipway.yaml. */
export const EndpointSpec = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 256, description: 'Registered model that the endpoint serves.' }),
    alias: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,255}$',
        description: 'Alias that the endpoint follows; moved only by releases. Default champion.',
      }),
    ),
    clock: Type.Optional(
      Type.Union([Type.Literal('wall'), Type.Literal('replay')], {
        description: 'replay takes event times from any day.',
      }),
    ),
    lateness: Type.Optional(Duration),
    task: Type.Optional(
      Type.Union([
        Type.Literal('binary'),
        Type.Literal('multiclass'),
        Type.Literal('regression'),
        Type.Literal('none'),
      ]),
    ),
    score: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.String()], {
        description: 'Place in a prediction row that holds the score of the positive class.',
      }),
    ),
    positive: Type.Optional(
      Type.Union([Type.Integer(), Type.String()], { description: 'Label of the positive class.' }),
    ),
    threshold: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Score from which the positive label is answered. Default 0.5.',
      }),
    ),
    timeout: Type.Optional(Duration),
    canary_timeout: Type.Optional(Duration),
    log: Type.Optional(Type.Union([Type.Literal('interval'), Type.Literal('durable')])),
  },
  { additionalProperties: false },
)

export type EndpointSpec = Static<typeof EndpointSpec>

export const EndpointPath = Type.Object({ endpoint: Type.String({ minLength: 1, maxLength: 120 }) })
export const PredictionPath = Type.Object({ prediction: Type.String({ pattern: '^prd_[0-9a-f]{32}(\\.\\d{1,6})?$' }) })

/** Rows of one predict call: at most 10,000. */
export const PredictBody = Type.Object(
  {
    rows: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 10_000 }),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: false },
)

export const PredictReply = Type.Object({
  prediction_id: Type.String(),
  endpoint: Type.String(),
  revision: Type.String(),
  version: Type.String(),
  fallback: Type.Boolean({ description: 'The stable revision answered in place of a failing canary.' }),
  rows: Type.Array(
    Type.Object({
      id: Type.String(),
      score: Type.Union([Type.Number(), Type.Null()]),
      label: Type.Unknown(),
      output: Type.Unknown(),
    }),
  ),
})
