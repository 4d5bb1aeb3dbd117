import Type from 'typebox'
import { MODEL_STATUSES, RUN_STATUSES } from '../model.ts'
import { IMPORT_LIMITS as MOST } from './model.ts'

const closed = { additionalProperties: false }
const Source = Type.String({ minLength: 1, maxLength: 200, description: 'What the importer calls the source.' })
const Key = Type.String({ minLength: 1, maxLength: MOST.key_chars })
const Text = Type.String({ maxLength: MOST.value_chars })
const Pair = Type.Object({ key: Key, value: Text }, closed)
const Pairs = Type.Array(Pair, { maxItems: MOST.pairs })
const Keys = Type.Array(Key, { maxItems: MOST.pairs })
const Lifecycle = Type.Union([Type.Literal('active'), Type.Literal('deleted')])
/** Times and whole numbers as JSON holds them exactly. */
const Ms = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Whole = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
const Int = Type.Union([Whole, Type.String({ pattern: '^-?\\d{1,19}$' })])
const Value = Type.Union([Type.Number(), Type.Literal('NaN')])
const ExperimentId = Type.String({ pattern: '^\\d{1,15}$' })
const RunId = Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,64}$' })
const Uri = Type.String({ minLength: 1, maxLength: 2048 })
const Item = Type.String({ minLength: 1, maxLength: MOST.item_chars })

export const MarksQuery = Type.Object({
  source: Source,
  prefix: Type.String({ maxLength: 100 }),
  after: Type.Optional(Item),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST.marks })),
})
const MarkItem = Type.Object({ item: Item, mark: Type.String({ maxLength: MOST.mark_chars }) }, closed)
export const MarksReply = Type.Object({
  items: Type.Array(MarkItem),
  next_after: Type.Optional(Type.String({ description: 'There may be more behind it.' })),
})
export const MarksBody = Type.Object(
  { source: Source, marks: Type.Array(MarkItem, { minItems: 1, maxItems: MOST.marks }) },
  closed,
)

export const ExperimentBody = Type.Object(
  {
    source: Source,
    source_id: Type.String({ minLength: 1, maxLength: 100 }),
    name: Type.String({ minLength: 1, maxLength: 500 }),
    lifecycle: Lifecycle,
    created_ms: Ms,
    updated_ms: Ms,
    tags: Pairs,
    artifact_location: Type.Optional(Uri),
  },
  closed,
)
export const ExperimentReply = Type.Object({
  experiment_id: Type.String(),
  merged: Type.Boolean({ description: 'It was here before, under the same name.' }),
  artifact_location: Type.String(),
})

const Dataset = Type.Object(
  {
    name: Type.String({ maxLength: 500 }),
    digest: Type.String({ maxLength: 100 }),
    source_type: Type.String({ maxLength: 500 }),
    source: Text,
    schema: Type.Optional(Type.String({ maxLength: 2_000_000 })),
    profile: Type.Optional(Type.String({ maxLength: 16_777_215 })),
  },
  closed,
)
const RunModel = Type.Object(
  {
    direction: Type.Union([Type.Literal('input'), Type.Literal('output')]),
    model_id: Type.String({ minLength: 1, maxLength: 100 }),
    step: Int,
  },
  closed,
)
const Run = Type.Object(
  {
    run_id: RunId,
    name: Type.String({ maxLength: 8000 }),
    user_id: Type.String({ maxLength: 1000 }),
    status: Type.Union(RUN_STATUSES.map((status) => Type.Literal(status))),
    start_ms: Ms,
    end_ms: Type.Union([Ms, Type.Null()]),
    lifecycle: Lifecycle,
    lifecycle_before: Type.Optional(Lifecycle),
    artifact_uri: Type.Optional(Uri),
    params: Pairs,
    tags: Pairs,
    gone_tags: Keys,
    inputs: Type.Array(Type.Object({ dataset: Dataset, tags: Pairs }, closed), { maxItems: 1000 }),
    models: Type.Array(RunModel, { maxItems: 10_000 }),
  },
  closed,
)
export const RunsBody = Type.Object(
  { source: Source, experiment_id: ExperimentId, runs: Type.Array(Run, { minItems: 1, maxItems: MOST.runs }) },
  closed,
)
export const CreatedReply = Type.Object({ created: Type.Array(Type.String()) })

const Model = Type.Object(
  {
    model_id: Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,100}$' }),
    name: Type.String({ minLength: 1, maxLength: 500 }),
    model_type: Type.String({ maxLength: 500 }),
    source_run_id: Type.String({ maxLength: 64 }),
    status: Type.Union(MODEL_STATUSES.map((status) => Type.Literal(status))),
    created_ms: Ms,
    updated_ms: Ms,
    lifecycle: Lifecycle,
    lifecycle_before: Type.Optional(Lifecycle),
    params: Pairs,
    tags: Pairs,
    gone_tags: Keys,
    metrics: Type.Array(
      Type.Object(
        {
          key: Key,
          value: Value,
          at_ms: Int,
          step: Int,
          run_id: Type.String({ maxLength: 64 }),
          dataset_name: Type.String({ maxLength: 500 }),
          dataset_digest: Type.String({ maxLength: 100 }),
        },
        closed,
      ),
      { maxItems: MOST.model_metrics },
    ),
  },
  closed,
)
export const ModelsBody = Type.Object(
  { experiment_id: ExperimentId, models: Type.Array(Model, { minItems: 1, maxItems: MOST.models }) },
  closed,
)

const column = <T extends Type.TSchema>(type: T) => Type.Array(type, { maxItems: MOST.points })
export const PointsBody = Type.Object(
  {
    parts: Type.Array(
      Type.Object(
        {
          run_id: RunId,
          keys: column(Key),
          key: column(Type.Integer({ minimum: 0 })),
          step: column(Int),
          at_ms: column(Int),
          value: column(Value),
        },
        closed,
      ),
      { minItems: 1, maxItems: MOST.runs },
    ),
  },
  closed,
)

const Counted = Type.Object({ count: Type.Integer(), digest: Type.String() })
export const StateBody = Type.Object(
  {
    run_ids: Type.Array(RunId, { minItems: 1, maxItems: MOST.runs }),
    keys: Type.Optional(Type.Array(Key, { maxItems: 1000 })),
  },
  closed,
)
export const StateReply = Type.Object({
  items: Type.Array(
    Type.Object({
      run_id: Type.String(),
      experiment_id: Type.String(),
      params: Counted,
      tags: Counted,
      inputs: Type.Integer(),
      models: Type.Integer(),
      metrics: Type.Array(Type.Object({ key: Type.String(), count: Type.Integer(), digest: Type.String() })),
    }),
  ),
})
export const FilesReply = Type.Object({
  items: Type.Array(Type.Object({ path: Type.String(), digest: Type.String(), size_bytes: Type.Integer() })),
})
