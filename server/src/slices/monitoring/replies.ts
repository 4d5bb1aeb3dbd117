import Type from 'typebox'
import { itemsOf, Ms, nullable } from '#kernel/http/replies.ts'
import { MonitorSpec } from './schema.ts'

const Measure = nullable(Type.Number())

const FeatureDrift = Type.Object({
  feature: Type.String(),
  kind: Type.String(),
  psi: Measure,
  ks: Measure,
  ks_p: Measure,
  nulls: Measure,
  nulls_reference: Measure,
  bins: Type.Object({
    reference: Type.Array(Type.Number()),
    current: Type.Array(Type.Number()),
    names: Type.Array(Type.String()),
  }),
})

/** A window that could not be computed has only words. */
const WindowFacts = Type.Partial(
  Type.Object({
    requests: Type.Integer(),
    rows: Type.Integer(),
    errors: Type.Integer(),
    fallbacks: Type.Integer(),
    labelled: Type.Integer(),
    versions: Type.Record(Type.String(), Type.Integer(), { description: 'Rows by the version that answered.' }),
    metrics: Type.Record(Type.String(), Measure),
    words: Type.Array(Type.String(), { description: 'Why a measure is null, and what else a reader should know.' }),
    latency_ms: Type.Object({ p50: Measure, p95: Measure, p99: Measure }),
    score: Type.Object({ mean: Measure, histogram: Type.Array(Type.Number()) }),
    positives: Measure,
    drift: Type.Array(FeatureDrift),
    drift_version: nullable(Type.Integer()),
    seen: nullable(Type.Object({ from_ms: Ms, to_ms: Ms })),
  }),
)

const Window = Type.Object({
  monitor: Type.String(),
  start_ms: Ms,
  end_ms: Ms,
  state: Type.Union(['computed', 'revised', 'dirty', 'failed'].map((state) => Type.Literal(state))),
  facts: WindowFacts,
  computed_ms: Ms,
  revisions: Type.Integer(),
})

const Alert = Type.Object({
  id: Type.String(),
  monitor: Type.String(),
  endpoint: Type.String(),
  name: Type.String(),
  metric: Type.String(),
  state: Type.Union([Type.Literal('open'), Type.Literal('cleared')]),
  threshold: Type.Number(),
  value: Measure,
  reference: nullable(Type.Object({ value: Type.Number(), version: Type.Integer(), window_ms: Ms })),
  opened_window_ms: Ms,
  cleared_window_ms: nullable(Ms),
  watermark_ms: Ms,
  opened_ms: Ms,
  cleared_ms: nullable(Ms),
})

const Monitor = Type.Object({
  workspace: Type.String(),
  name: Type.String(),
  project: Type.String(),
  endpoint: Type.String(),
  spec: Type.Unsafe<MonitorSpec>(MonitorSpec),
  applied_ms: Ms,
  next_ms: nullable(Ms),
  labels_seen_ms: Ms,
})

export const LabelsReply = itemsOf(
  Type.Object({
    value: Type.String({ description: 'JSON text, as it was sent.' }),
    observed_ms: Ms,
    received_ms: Ms,
    who: Type.String(),
  }),
)
export const MonitorsReply = itemsOf(
  Type.Object({ ...Monitor.properties, last_window: nullable(Window), alerts_open: Type.Integer() }),
)
export const MonitorReply = Type.Object({
  ...Monitor.properties,
  windows: Type.Array(Window),
  alerts: Type.Array(Alert),
})
export const AlertsReply = itemsOf(Alert)
export const DeliveriesReply = itemsOf(
  Type.Object({
    id: Type.String(),
    url: Type.String(),
    state: Type.String(),
    status: nullable(Type.Integer({ description: 'What the receiver answered.' })),
    words: Type.String(),
    at_ms: Ms,
  }),
)
export const SecretReply = Type.Object({ secret: Type.String({ description: 'whsec_…' }) })
