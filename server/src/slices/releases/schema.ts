import Type, { type Static } from 'typebox'

const Name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$' })
const Duration = Type.String({
  pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w)$',
  description: 'A duration such as 250ms, 1h or 14d.',
})
const METRICS = ['roc_auc', 'log_loss', 'accuracy', 'precision', 'recall', 'f1', 'mae', 'rmse', 'r2'] as const
const GateMetric = Type.Unsafe<(typeof METRICS)[number]>(Type.Union(METRICS.map((name) => Type.Literal(name))))

/** A rule that cannot be judged fails, unless it says otherwise. */
const NoData = Type.Optional(
  Type.Literal('pass', {
    description: 'What becomes of the rule when there is nothing to judge it by. Left out, it fails.',
  }),
)

/** One rule of a gate. For log_loss, mae and rmse less is better: `at_most` is their bound. */
export const GateRule = Type.Union([
  Type.Object(
    {
      metric: GateMetric,
      at_least: Type.Optional(Type.Number()),
      at_most: Type.Optional(Type.Number()),
      versus: Type.Optional(
        Type.Literal('champion', { description: 'The bound is on candidate minus champion, on the same rows.' }),
      ),
      confidence: Type.Optional(
        Type.Number({
          minimum: 0.5,
          maximum: 0.999,
          description:
            'The whole two-sided bootstrap interval at this confidence must keep the bound; without it, the measured value.',
        }),
      ),
      no_data: NoData,
    },
    { additionalProperties: false },
  ),
  Type.Object({ latency_p99: Duration, no_data: NoData }, { additionalProperties: false }),
  Type.Object(
    { parity: Type.Union([Type.Literal('required'), Type.Literal('reported')]) },
    { additionalProperties: false },
  ),
  Type.Object({ data_verdict: Type.Literal('passed'), no_data: NoData }, { additionalProperties: false }),
])

export const Guard = Type.Union([
  Type.Object(
    {
      errors: Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Largest share of requests that the canary may fail.',
      }),
      at_least: Type.Optional(
        Type.Integer({ minimum: 1, description: 'Failures below which it is not judged. Default 1.' }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object({ latency_p99: Duration }, { additionalProperties: false }),
  Type.Object(
    {
      score_psi: Type.Number({
        exclusiveMinimum: 0,
        description: 'Largest shift of the score distribution against the stable revision.',
      }),
    },
    { additionalProperties: false },
  ),
])

/** One entry of `releases:`, under the name of its endpoint. */
export const ReleaseSpec = Type.Object(
  {
    on_new_version: Type.Optional(Type.Union([Type.Literal('propose'), Type.Literal('manual')])),
    gate: Type.Optional(
      Type.Object(
        {
          replay: Type.Optional(
            Type.Object(
              { last: Duration, rows_max: Type.Optional(Type.Integer({ minimum: 100, maximum: 200_000 })) },
              { additionalProperties: false },
            ),
          ),
          rules: Type.Optional(Type.Array(GateRule, { maxItems: 50 })),
          evaluate_on: Type.Optional(
            Type.Object(
              { dataset: Type.String({ maxLength: 256 }), label: Type.String({ maxLength: 256 }) },
              { additionalProperties: false },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    rollout: Type.Optional(
      Type.Object(
        {
          steps: Type.Array(
            Type.Object(
              {
                share: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
                requests: Type.Optional(
                  Type.Integer({
                    minimum: 1,
                    description:
                      'Requests that the canary must have been sent before the next step. Only a last step of share 1 goes without.',
                  }),
                ),
              },
              { additionalProperties: false },
            ),
            { minItems: 1, maxItems: 20 },
          ),
          guards: Type.Optional(Type.Array(Guard, { maxItems: 20 })),
          timeout: Type.Optional(Duration),
        },
        { additionalProperties: false },
      ),
    ),
    retrain: Type.Optional(
      Type.Object(
        {
          on: Type.Array(Type.String({ maxLength: 100 }), {
            minItems: 1,
            maxItems: 20,
            description: 'Names of alerts.',
          }),
          pipeline: Name,
          cooldown: Type.Optional(Duration),
          data: Type.Object(
            {
              last: Duration,
              holdout: Type.Optional(Duration),
              dataset: Type.String({ maxLength: 256 }),
              label: Type.String({ maxLength: 256, description: 'Column that takes the label.' }),
            },
            { additionalProperties: false },
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

export type ReleaseSpec = Static<typeof ReleaseSpec>
export type GateRule = Static<typeof GateRule>
export type Guard = Static<typeof Guard>
