import Type from 'typebox'
import { PageQuery } from '#kernel/http/index.ts'
import { TABLE_LIMITS } from './limits.ts'

const Text = Type.String()
const Int = Type.Integer()
const Nullable = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()])
const RunId = Type.String({ minLength: 1, maxLength: 256 })
const ExperimentId = Type.String({ pattern: '^\\d{1,15}$' })
const View = Type.Union([Type.Literal('active'), Type.Literal('deleted'), Type.Literal('all')])
/** `metrics.auc`, `params.lr`, `tags.stage`, `attributes.status`; odd keys in quotes or backticks. */
const Column = Type.String({ minLength: 1, maxLength: 1000 })
/** A metric is a number, or `NaN`, `Infinity`, `-Infinity` as text. */
const Value = Type.Union([Type.Number(), Text, Type.Null()])

export const ColumnsQuery = Type.Object({
  experiment: Type.Array(ExperimentId, { minItems: 1, maxItems: TABLE_LIMITS.experiments }),
  kind: Type.Optional(Type.Union([Type.Literal('metric'), Type.Literal('param'), Type.Literal('tag')])),
  q: Type.Optional(Type.String({ maxLength: 250, description: 'Part of the key, in whatever case' })),
  ...PageQuery,
})

export const Columns = Type.Object({
  items: Type.Array(
    Type.Object({
      kind: Type.Union([Type.Literal('metric'), Type.Literal('param'), Type.Literal('tag')]),
      key: Text,
      runs: Int,
    }),
  ),
  next_cursor: Type.Optional(Text),
})

export const TableBody = Type.Object({
  experiments: Type.Array(ExperimentId, { minItems: 1, maxItems: TABLE_LIMITS.experiments }),
  filter: Type.Optional(Type.String({ maxLength: 20_000 })),
  view: Type.Optional(View),
  order_by: Type.Optional(Type.Array(Column, { maxItems: TABLE_LIMITS.order_by })),
  columns: Type.Optional(Type.Array(Column, { maxItems: TABLE_LIMITS.columns })),
  group_by: Type.Optional(Type.Array(Column, { maxItems: TABLE_LIMITS.group_by })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: TABLE_LIMITS.rows, default: 50 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: TABLE_LIMITS.offset, default: 0 })),
})

export const CsvBody = Type.Object({
  ...TableBody.properties,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: TABLE_LIMITS.csv_rows })),
})

export const TableRow = Type.Object({
  run_id: Text,
  experiment_id: Text,
  name: Text,
  status: Text,
  user: Text,
  start_time: Text,
  end_time: Nullable(Text),
  parent_run_id: Type.Optional(Text),
  lifecycle: Text,
  values: Type.Array(Value),
})

export const TableGroup = Type.Object({
  key: Type.Array(Value),
  runs: Int,
  aggregates: Type.Array(Nullable(Type.Object({ mean: Type.Number(), min: Type.Number(), max: Type.Number() }))),
})

/** `rows` without `group_by`, `groups` with it; `total` counts rows or groups. */
export const Table = Type.Object({
  total: Int,
  total_capped: Type.Boolean(),
  rows: Type.Optional(Type.Array(TableRow)),
  groups: Type.Optional(Type.Array(TableGroup)),
})

export const CompareBody = Type.Object({
  run_ids: Type.Array(RunId, { minItems: 1, maxItems: TABLE_LIMITS.compare_runs }),
})

const CompareRow = Type.Object({ key: Text, differs: Type.Boolean(), values: Type.Array(Value) })

export const Comparison = Type.Object({
  /** In the order asked for; the values of every row stand in the same order. */
  runs: Type.Array(Type.Object({ ...TableRow.properties, values: Type.Optional(Type.Array(Value)) })),
  params: Type.Array(CompareRow),
  metrics: Type.Array(CompareRow),
  tags: Type.Array(CompareRow),
  /** Keys that were too many to answer at once; those that differ come first. */
  left_out: Int,
})

export const MoveBody = Type.Object({
  run_ids: Type.Array(RunId, { minItems: 1, maxItems: TABLE_LIMITS.move_runs }),
  to_experiment: ExperimentId,
})
export const Moved = Type.Object({ moved: Int, experiment_id: Text })
export const Copied = Type.Object({
  experiment_id: Text,
  runs: Type.Array(Type.Object({ from: Text, run_id: Text })),
})

export const ViewPath = Type.Object({ view_id: Type.String({ pattern: '^rvw_[0-9a-f-]{1,60}$' }) })
export const ViewsQuery = Type.Object({
  experiment: Type.Optional(ExperimentId),
})
export const ViewBody = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  experiments: Type.Array(ExperimentId, { maxItems: TABLE_LIMITS.experiments }),
  state: Type.Record(Text, Type.Unknown()),
})
export const View_ = Type.Object({
  id: Text,
  name: Text,
  experiments: Type.Array(Text),
  state: Type.Record(Text, Type.Unknown()),
  by: Text,
  updated: Text,
})
export const Views = Type.Object({ items: Type.Array(View_) })

export const ExperimentPatch = Type.Object({
  /** `team/vision`; null or empty takes the experiment out of its folder. */
  folder: Nullable(Type.String({ maxLength: 500 })),
})
export const Folders = Type.Object({ items: Type.Array(Type.Object({ folder: Text, experiments: Int })) })
