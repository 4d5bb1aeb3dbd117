import Type, { type Static } from 'typebox'
import { invalid } from '#kernel/errors.ts'
import { gridOf } from './grid.ts'

const Duration = Type.String({
  pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w)$',
  description: 'A duration such as 1h, 7d or 2w.',
})

export const METRICS = [
  'roc_auc',
  'log_loss',
  'accuracy',
  'precision',
  'recall',
  'f1',
  'mae',
  'rmse',
  'r2',
  'latency_p99',
  'error_rate',
  'score_psi',
  'share_of_drifted_features',
] as const

export type MetricName = (typeof METRICS)[number]
const MetricName = Type.Unsafe<MetricName>(Type.Union(METRICS.map((name) => Type.Literal(name))))

/** A threshold with hysteresis: it opens after `for` windows in a row, and closes when the value is back by `clear`. */
export const AlertSpec = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$' }),
    metric: MetricName,
    below: Type.Optional(Type.Number()),
    above: Type.Optional(Type.Number()),
    below_reference: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          'Less than the reference by this much. The reference is the first full window of the version that answers.',
      }),
    ),
    above_reference: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    for: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Windows in a row. Default 1.' })),
    clear: Type.Optional(
      Type.Number({ minimum: 0, description: 'How far back beyond the threshold the value must be. Default 0.' }),
    ),
    webhook: Type.Optional(Type.String({ maxLength: 2000, pattern: '^https?://' })),
  },
  { additionalProperties: false },
)

/** One entry of `monitors:`. */
export const MonitorSpec = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 120 }),
    window: Duration,
    every: Type.Optional(Duration),
    label_delay: Type.Optional(Duration),
    labels_min: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Labels below which quality is not judged. Default 100.' }),
    ),
    metrics: Type.Optional(Type.Array(MetricName, { maxItems: 20 })),
    drift: Type.Optional(
      Type.Object(
        {
          psi: Type.Optional(Type.Boolean()),
          ks: Type.Optional(Type.Boolean()),
          psi_above: Type.Optional(
            Type.Number({ exclusiveMinimum: 0, description: 'A feature counts as drifted above this. Default 0.2.' }),
          ),
          reference: Type.Optional(Type.Literal('training')),
        },
        { additionalProperties: false },
      ),
    ),
    alerts: Type.Optional(Type.Array(AlertSpec, { maxItems: 50 })),
  },
  { additionalProperties: false },
)

export type MonitorSpec = Static<typeof MonitorSpec>
export type AlertSpec = Static<typeof AlertSpec>

const THRESHOLDS = ['below', 'above', 'below_reference', 'above_reference'] as const
const STEP_MS_MIN = 1000
/** Windows that may lie over one moment. */
const OVERLAP_MAX = 366

/** What the schema cannot say. Throws invalid naming the place as in slipway.yaml. */
export function checkSpec(name: string, spec: MonitorSpec): void {
  const at = `monitors.${name}`
  const { window_ms, every_ms } = gridOf(spec)
  if (window_ms < STEP_MS_MIN) throw invalid('a window lasts at least 1s', { field: `${at}.window` })
  if (every_ms < STEP_MS_MIN || window_ms / every_ms > OVERLAP_MAX)
    throw invalid(`windows begin at least 1s apart, and at most ${OVERLAP_MAX} lie over one moment`, {
      field: `${at}.every`,
      remedy: 'Leave it out to have one window begin where the last ends.',
    })
  const names = new Set<string>()
  for (const [place, alert] of (spec.alerts ?? []).entries()) {
    if (THRESHOLDS.filter((one) => alert[one] !== undefined).length !== 1)
      throw invalid(`an alert has one of ${THRESHOLDS.join(', ')}`, { field: `${at}.alerts[${place}]` })
    if (names.has(alert.name))
      throw invalid(`two alerts are named '${alert.name}'`, { field: `${at}.alerts[${place}].name` })
    names.add(alert.name)
  }
}
