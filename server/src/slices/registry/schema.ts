import Type from 'typebox'
import { LIMITS } from './checks.ts'

const closed = { additionalProperties: false }
const Time = Type.String({ format: 'date-time' })
const Text = Type.Union([Type.String(), Type.Null()])

export const ModelPath = Type.Object({ model: Type.String({ minLength: 1, maxLength: 1000 }) })
export const VersionPath = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 1000 }),
  version: Type.Integer({ minimum: 1 }),
})
export const AliasPath = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 1000 }),
  alias: Type.String({ minLength: 1, maxLength: 300 }),
})
export const TagPath = { key: Type.String({ minLength: 1, maxLength: 300 }) }

const Tag = Type.Object({ key: Type.String(), value: Type.String() })
export const NewModel = Type.Object(
  {
    name: Type.String({ maxLength: 1000 }),
    description: Type.Optional(Type.String({ maxLength: LIMITS.description_chars })),
    tags: Type.Optional(Type.Array(Tag, { maxItems: LIMITS.create_tags })),
  },
  closed,
)
export const ModelChange = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 1000 })),
    description: Type.Optional(Type.String({ maxLength: LIMITS.description_chars })),
  },
  { ...closed, minProperties: 1 },
)
export const VersionChange = Type.Object({ description: Type.String({ maxLength: LIMITS.description_chars }) }, closed)
export const NewVersionBody = Type.Object(
  {
    source: Type.String({ minLength: 1, maxLength: LIMITS.source_chars }),
    run_id: Type.Optional(Type.String({ maxLength: 256 })),
    logged_model_id: Type.Optional(Type.String({ maxLength: 256 })),
    description: Type.Optional(Type.String({ maxLength: LIMITS.description_chars })),
    tags: Type.Optional(Type.Array(Tag, { maxItems: LIMITS.create_tags })),
  },
  closed,
)
export const MoveAliasBody = Type.Object(
  { version: Type.Integer({ minimum: 1 }), reason: Type.Optional(Type.String({ maxLength: 4000 })) },
  closed,
)
export const TagBody = Type.Object({ value: Type.String({ maxLength: LIMITS.tag_value_chars }) }, closed)

/** A change that leaves nothing to tell. */
export const Nothing = Type.Object({})

export const AliasReply = Type.Object({ alias: Type.String(), version: Type.Integer() })
export const VersionReply = Type.Object({
  name: Type.String(),
  version: Type.Integer(),
  created_by: Type.String(),
  created_at: Time,
  updated_at: Time,
  stage: Type.String(),
  description: Text,
  source: Type.String(),
  run_id: Text,
  run_link: Text,
  logged_model_id: Text,
  digest: Text,
  size_bytes: Type.Integer(),
  file_count: Type.Integer(),
  tags: Type.Array(Tag),
  aliases: Type.Array(Type.String()),
})
export const ModelReply = Type.Object({
  name: Type.String(),
  description: Text,
  created_by: Type.String(),
  created_at: Time,
  updated_at: Time,
  tags: Type.Array(Tag),
  aliases: Type.Array(AliasReply),
  latest_versions: Type.Array(VersionReply),
})
const Anything = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])
export const Metric = Type.Object({
  key: Type.String(),
  value: Type.Union([Type.Number(), Type.String({ description: 'NaN, Infinity or -Infinity.' })]),
  step: Type.Integer(),
})
export const VersionDetailReply = Type.Intersect([
  VersionReply,
  Type.Object({
    files: Type.Array(Type.Object({ path: Type.String(), digest: Type.String(), size_bytes: Type.Integer() })),
    signature: Anything,
    flavors: Anything,
    python_version: Text,
    mlflow_version: Text,
    requirements: Text,
    params: Type.Array(Tag),
    metrics: Type.Array(Metric),
    holders: Type.Array(Type.Object({ kind: Type.String(), id: Type.String(), reason: Type.String() })),
  }),
])

export const pageReply = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Type.Optional(Type.String()) })
