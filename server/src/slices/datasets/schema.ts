import Type from 'typebox'
import type { AnalyticsResult } from '#kernel/analytics/index.ts'
import type { Dataset, DatasetVersion, Profile, VersionSummary } from './model.ts'

const closed = { additionalProperties: false }
const nullable = <T extends Parameters<typeof Type.Array>[0]>(item: T) => Type.Union([item, Type.Null()])
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })
const Tags = Type.Record(Type.String(), Type.String())
const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })
const Path = Type.String({ minLength: 1, maxLength: 500 })

export const NamePath = Type.Object({ name: Type.String({ minLength: 1, maxLength: 120 }) })
export const VersionPath = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 120 }),
  version: Type.String({ pattern: '^(latest|[1-9][0-9]{0,9})$', description: 'A number, or latest.' }),
})
export const IdPath = Type.Object({ id: Type.String({ maxLength: 100 }) })
export const UploadPath = Type.Object({ digest: Digest })

export const NewVersion = Type.Object(
  {
    files: Type.Array(Type.Object({ path: Path, digest: Digest }, closed), { minItems: 1, maxItems: 2000 }),
    tags: Type.Optional(Tags),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
    time_column: Type.Optional(
      Type.String({ maxLength: 200, description: 'The column that says when a row happened.' }),
    ),
    source: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
)
export const VersionChange = Type.Object(
  {
    tags: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), {
      description: 'null takes a tag away.',
    }),
  },
  closed,
)

export const UploadReply = Type.Object({ digest: Digest, size_bytes: Type.Integer() })

const summary = {
  id: Type.String(),
  name: Type.String(),
  number: Type.Integer(),
  digest: Digest,
  format: Type.String({ enum: ['csv', 'parquet'] }),
  state: Type.String({ enum: ['pending', 'ready', 'failed'] }),
  failure: nullable(Type.String()),
  verdict: Type.String({ enum: ['pending', 'passed', 'failed', 'none'] }),
  column_count: nullable(Type.Integer()),
  row_count: nullable(Type.Integer()),
  size_bytes: Type.Integer(),
  file_count: Type.Integer(),
  time_column: nullable(Type.String()),
  time_from: nullable(Time),
  time_to: nullable(Time),
  tags: Tags,
  source: Type.String(),
  reason: nullable(Type.String()),
  who: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
  created_at: Time,
  profiled_at: nullable(Time),
}
export const VersionSummaryReply = Type.Object(summary)
export const VersionReply = Type.Object({
  ...summary,
  schema: nullable(
    Type.Array(
      Type.Object({
        name: Type.String(),
        type: Type.String(),
        nullable: Type.Boolean({ description: 'Nulls were seen.' }),
      }),
    ),
  ),
})
export const RegisteredReply = Type.Object({
  version: VersionReply,
  created: Type.Boolean({ description: 'False when this content was a version already.' }),
})
export const DatasetReply = Type.Object({
  name: Type.String(),
  created_at: Time,
  version_count: Type.Integer(),
  latest: nullable(VersionSummaryReply),
})
export const FileReply = Type.Object({ path: Path, digest: Digest, size_bytes: Type.Integer() })

const NumberOrText = Type.Union([Type.Number(), Type.String(), Type.Null()])
export const ProfileReply = Type.Object({
  row_count: Type.Integer(),
  columns_left_out: Type.Integer(),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.String(),
      kind: Type.String({ enum: ['number', 'time', 'text', 'boolean', 'other'] }),
      nulls: Type.Integer(),
      distinct: nullable(Type.Integer()),
      distinct_approximate: Type.Boolean(),
      not_finite: Type.Integer(),
      min: NumberOrText,
      max: NumberOrText,
      mean: nullable(Type.Number({ description: 'Of text: of its length.' })),
      std: nullable(Type.Number()),
      quantiles: Type.Array(Type.Object({ q: Type.Number(), value: Type.Number() })),
      quantiles_approximate: Type.Boolean(),
      histogram: nullable(
        Type.Object({
          edges: Type.Array(Type.Number(), { description: 'One more than counts; epoch milliseconds for times.' }),
          counts: Type.Array(Type.Integer()),
        }),
      ),
      top: nullable(Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() }))),
    }),
  ),
})
export const RowsReply = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Type.Union([Type.Number(), Type.String(), Type.Boolean(), Type.Null()]))),
  truncated: Type.Boolean(),
})
export const pageReply = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Type.Optional(Type.String()) })

const time = (ms: number): string => new Date(ms).toISOString()
/** Times outside what a date can say are left out rather than made up. */
const timeOrNull = (ms: number | null): string | null => (ms === null || Math.abs(ms) > 8.64e15 ? null : time(ms))

export const wireVersion = (version: DatasetVersion) => ({ ...wireSummary(version), schema: version.schema })

export function wireSummary(version: VersionSummary) {
  const { workspace: _workspace, csv: _csv, time_from_ms, time_to_ms, created_ms, profiled_ms, ...rest } = version
  return {
    ...rest,
    time_from: timeOrNull(time_from_ms),
    time_to: timeOrNull(time_to_ms),
    created_at: time(created_ms),
    profiled_at: timeOrNull(profiled_ms),
  }
}

export const wireDataset = ({ created_ms, latest, ...dataset }: Dataset) => ({
  ...dataset,
  created_at: time(created_ms),
  latest: latest === null ? null : wireSummary(latest),
})

/** Least and greatest times as RFC 3339; what is drawn along an axis stays epoch milliseconds. */
export const wireProfile = (profile: Profile) => ({
  ...profile,
  columns: profile.columns.map((column) => {
    if (column.kind !== 'time') return column
    const text = (value: number | string | null) => (typeof value === 'number' ? timeOrNull(value) : value)
    return { ...column, min: text(column.min), max: text(column.max) }
  }),
})

export const wireRows = ({ columns, rows, truncated }: AnalyticsResult) => {
  const times = columns.map(({ type }) => type.startsWith('TIMESTAMP') && !type.endsWith('[]'))
  return {
    columns,
    rows: rows.map((row) =>
      row.map((value, at) => (times[at] && typeof value === 'number' ? timeOrNull(value) : value)),
    ),
    truncated,
  }
}
