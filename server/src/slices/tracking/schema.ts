import Type from 'typebox'
import { PageQuery } from '#kernel/http/index.ts'

const Int = Type.Integer()
const Text = Type.String()
const Nullable = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()])

export const Pair = Type.Object({ key: Text, value: Text })

export const RunPath = Type.Object({ run_id: Type.String({ minLength: 1, maxLength: 256 }) })
export const ExperimentPath = Type.Object({ experiment_id: Type.String({ pattern: '^\\d{1,15}$' }) })
export const ModelPath = Type.Object({ model_id: Type.String({ minLength: 1, maxLength: 256 }) })

const View = Type.Union([Type.Literal('active'), Type.Literal('deleted'), Type.Literal('all')])

/** The filter is MLflow's language: `metrics.loss < 0.5 AND tags.stage = 'best'`. */
export const SearchQuery = Type.Object({
  experiment: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { maxItems: 1000 })),
  filter: Type.Optional(Type.String({ maxLength: 20_000 })),
  order_by: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 20 })),
  view: Type.Optional(View),
  ...PageQuery,
})

export const ModelsQuery = Type.Object({
  experiment: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { maxItems: 1000 })),
  filter: Type.Optional(Type.String({ maxLength: 20_000 })),
  ...PageQuery,
})

export const ExperimentsQuery = Type.Object({
  folder: Type.Optional(
    Type.String({ maxLength: 500, description: 'Those in this very folder; empty: those in none; left out: all' }),
  ),
  filter: Type.Optional(Type.String({ maxLength: 20_000 })),
  view: Type.Optional(View),
  ...PageQuery,
})

const XAxis = Type.Union([Type.Literal('step'), Type.Literal('time'), Type.Literal('relative')], {
  description: 'Steps, epoch milliseconds, or milliseconds since the start of the run',
})
/** Part of the x axis, ends included, in the unit of `x`. */
const ChartRange = {
  x: Type.Optional(XAxis),
  from: Type.Optional(Type.Number()),
  to: Type.Optional(Type.Number()),
}

export const ChartQuery = Type.Object({
  ...ChartRange,
  keys: Type.Optional(
    Type.String({ maxLength: 20_000, description: 'Metric keys, separated by commas; all when left out' }),
  ),
  points: Type.Optional(Type.Integer({ minimum: 3, maximum: 20_000, default: 1000 })),
})

export const ChartsBody = Type.Object({
  run_ids: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 100 }),
  keys: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { minItems: 1, maxItems: 20 }),
  points: Type.Optional(
    Type.Integer({ minimum: 3, maximum: 20_000, default: 1000, description: 'About how many points of each series' }),
  ),
  ...ChartRange,
})

export const ArtifactQuery = Type.Object({ path: Type.Optional(Type.String({ maxLength: 4000 })) })
export const FileQuery = Type.Object({ path: Type.String({ minLength: 1, maxLength: 4000 }) })

export const Metric = Type.Object({
  key: Text,
  value: Nullable(Type.Number()),
  step: Type.Number(),
  timestamp: Text,
})

export const RunInfo = Type.Object({
  run_id: Text,
  name: Text,
  experiment_id: Text,
  user: Text,
  status: Text,
  started: Text,
  ended: Nullable(Text),
  duration_ms: Nullable(Int),
  lifecycle: Text,
})

export const RunRow = Type.Object({
  ...RunInfo.properties,
  metrics: Type.Array(Metric),
  params: Type.Array(Pair),
  tags: Type.Array(Pair),
})

export const ArtifactEntry = Type.Object({ path: Text, is_dir: Type.Boolean(), size_bytes: Type.Optional(Int) })

export const Model = Type.Object({
  model_id: Text,
  name: Text,
  experiment_id: Text,
  source_run_id: Text,
  model_type: Text,
  status: Text,
  created: Text,
  updated: Text,
  artifact_uri: Text,
  params: Type.Array(Pair),
  tags: Type.Array(Pair),
  metrics: Type.Array(Metric),
})

export const RunDetail = Type.Object({
  ...RunRow.properties,
  experiment: Type.Object({ experiment_id: Text, name: Text, lifecycle: Text }),
  artifact_uri: Text,
  description: Nullable(Text),
  inputs: Type.Array(
    Type.Object({
      name: Text,
      digest: Text,
      source_type: Text,
      source: Text,
      context: Nullable(Text),
      dataset_version: Nullable(Text),
    }),
  ),
  models: Type.Array(Type.Object({ ...Model.properties, direction: Text, step: Type.Number() })),
  artifacts: Type.Array(ArtifactEntry),
  parent: Nullable(RunInfo),
  children: Type.Array(RunInfo),
  step_run: Nullable(Text),
  environment: Type.Object({
    source_name: Nullable(Text),
    source_type: Nullable(Text),
    git_commit: Nullable(Text),
    python_version: Nullable(Text),
    requirements: Type.Array(Text),
    from_model: Nullable(Text),
  }),
})

export const ChartSeries = Type.Object({
  key: Text,
  count: Int,
  step: Type.Array(Type.Number()),
  timestamp_ms: Type.Array(Type.Number()),
  value: Type.Array(Nullable(Type.Number())),
})

export const Chart = Type.Object({
  series: Type.Array(ChartSeries),
  /** Keys that would have been too much to draw at once: ask for them by name. */
  left_out: Type.Array(Text),
})

export const Charts = Type.Object({
  /** By run in the order asked, then by key in the order asked; those that exist. */
  series: Type.Array(Type.Object({ run_id: Text, ...ChartSeries.properties })),
  runs: Type.Array(Type.Object({ run_id: Text, name: Text, status: Text, start_ms: Type.Number() })),
  /** Series that would have been too much for one answer: ask for them by themselves. */
  left_out: Type.Array(Type.Object({ run_id: Text, key: Text })),
})

export const ExperimentRow = Type.Object({
  experiment_id: Text,
  name: Text,
  artifact_location: Text,
  lifecycle: Text,
  created: Text,
  updated: Text,
  tags: Type.Array(Pair),
  runs: Type.Object({ active: Int, deleted: Int, running: Int, last_started: Nullable(Text) }),
})

export const page = <T extends Type.TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Type.Optional(Text) })
