import Type, { type TSchema } from 'typebox'
import { CHECKS_MAX } from './checks.ts'
import { CHECK_KINDS, type VerdictSummary } from './model.ts'
import type { VerdictWithOverride } from './quality.ts'
import type { StatedChecks } from './quality-store.ts'

const closed = { additionalProperties: false }
const nullable = <T extends TSchema>(item: T) => Type.Union([item, Type.Null()])
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })
const Who = Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() })

const Column = Type.String({ minLength: 1, maxLength: 1000, description: 'The column that is judged.' })
const Names = Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), { minItems: 1, maxItems: 1000 })
const Bound = Type.Union([Type.Number(), Type.String({ maxLength: 1000 })])
const Mostly = Type.Optional(
  Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'Share of the values that must be as expected; missing ones are left out of it.',
  }),
)
const Count = Type.Integer({ minimum: 0 })

const one = (kind: string, description: string, fields: Record<string, TSchema>) =>
  Type.Object(
    {
      check: Type.Literal(kind),
      ...fields,
      severity: Type.Optional(
        Type.String({
          enum: ['error', 'warn'],
          default: 'error',
          description: 'error fails the version; warn is shown, and the version passes.',
        }),
      ),
      name: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'Unique within the dataset.' })),
    },
    { ...closed, description },
  )

/** The checks of a dataset as people write them: for the schema of `slipway.yaml` and for OpenAPI. What holds is `readChecks`. */
export const ChecksSchema = Type.Array(
  Type.Union([
    one('not_null', 'The column has a value in every row.', { column: Column, mostly: Mostly }),
    one('between', 'Values lie between min and max: numbers, times, or text by its letters.', {
      column: Column,
      min: Type.Optional(Bound),
      max: Type.Optional(Bound),
      strict: Type.Optional(Type.Boolean({ default: false, description: 'The ends themselves are out.' })),
      mostly: Mostly,
    }),
    one('in_set', 'Values are among those listed.', {
      column: Column,
      values: Type.Array(Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean()]), {
        minItems: 1,
        maxItems: 1000,
      }),
      mostly: Mostly,
    }),
    one('unique', 'No value, or no combination of values, comes twice.', {
      column: Type.Optional(Column),
      columns: Type.Optional(Names),
      mostly: Mostly,
    }),
    one('regex', 'Values match a regular expression (RE2), found anywhere unless anchored.', {
      column: Column,
      pattern: Type.String({ minLength: 1, maxLength: 1000 }),
      mostly: Mostly,
    }),
    one('row_count', 'The version has so many rows.', { min: Type.Optional(Count), max: Type.Optional(Count) }),
    one('columns', 'The version has these columns; one of the three ways.', {
      exactly: Type.Optional(Names),
      ordered: Type.Optional(Names),
      contains: Type.Optional(Names),
    }),
    one('freshness', 'The newest row is no older than max_age.', {
      column: Type.Optional(Type.String({ maxLength: 1000, description: "The dataset's time column when left out." })),
      max_age: Type.String({ description: 'A duration such as 90m, 36h or 2d.' }),
      at: Type.Optional(
        Type.String({
          description: 'RFC 3339: the moment that the age is counted to; the moment of checking when left out.',
        }),
      ),
    }),
  ]),
  { maxItems: CHECKS_MAX, description: 'What the data must fulfil before a run may take them as input.' },
)

export const NamePath = Type.Object({ name: Type.String({ minLength: 1, maxLength: 120 }) })
export const VersionPath = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 120 }),
  version: Type.String({ pattern: '^(latest|[1-9][0-9]{0,9})$', description: 'A number, or latest.' }),
})
export const VerdictPath = Type.Object({ id: Type.String({ maxLength: 100 }) })
/** Taken as it comes: readChecks words what is wrong with it better than a schema would. */
export const NewChecks = Type.Object(
  {
    checks: Type.Unsafe<unknown>({
      description: 'A list of checks; see the guide on data, or the JSON Schema of slipway.yaml.',
    }),
  },
  closed,
)
export const NewOverride = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 1000, description: 'Why these data are fit to be used.' }) },
  closed,
)

export const ChecksReply = Type.Object({
  dataset: Type.String(),
  checks: Type.Array(
    Type.Object(
      { check: Type.String({ enum: [...CHECK_KINDS] }), name: Type.String(), severity: Type.String() },
      { additionalProperties: true },
    ),
  ),
  digest: Type.String(),
  who: Who,
  set_at: nullable(Time),
})

const Counts = Type.Object({
  checks: Type.Integer(),
  passed: Type.Integer(),
  failed: Type.Integer(),
  warned: Type.Integer(),
})
const summary = {
  id: Type.String(),
  version: Type.String({ description: 'Id of the dataset version.' }),
  dataset: Type.String(),
  number: Type.Integer(),
  state: Type.String({ enum: ['passed', 'failed'] }),
  note: nullable(Type.String()),
  checks_digest: Type.String(),
  counts: Counts,
  created_at: Time,
}
export const VerdictSummaryReply = Type.Object(summary)
export const VerdictReply = Type.Object({
  ...summary,
  override: nullable(Type.Object({ reason: Type.String(), who: Who, at: Time })),
  results: Type.Array(
    Type.Object({
      name: Type.String(),
      check: Type.String({ enum: [...CHECK_KINDS] }),
      severity: Type.String({ enum: ['error', 'warn'] }),
      passed: Type.Boolean(),
      expected: Type.String(),
      observed: Type.String(),
      evaluated: nullable(Type.Integer()),
      unexpected: nullable(Type.Integer()),
      unexpected_share: nullable(Type.Number()),
      missing: nullable(Type.Integer()),
      error: nullable(Type.String()),
      rows: Type.Array(
        Type.Object({
          row: Type.Integer({ description: 'From 1, over all files in the order of their paths.' }),
          values: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
        }),
      ),
    }),
  ),
})
export const AdmissionReply = Type.Object({
  may: Type.Boolean({ description: 'A run may take the version as its input.' }),
  pending: Type.Boolean({ description: 'Not known yet.' }),
  reason: nullable(Type.String()),
  verdict: nullable(VerdictReply),
})
export const pageReply = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Type.Optional(Type.String()) })

const time = (ms: number): string => new Date(ms).toISOString()

export const wireChecks = ({ set_ms, ...stated }: StatedChecks) => ({
  ...stated,
  set_at: set_ms === 0 ? null : time(set_ms),
})

export function wireSummary({ workspace: _workspace, created_ms, ...verdict }: VerdictSummary) {
  return { ...verdict, created_at: time(created_ms) }
}

export const wireVerdict = ({ override, ...verdict }: VerdictWithOverride) => ({
  ...wireSummary(verdict),
  results: verdict.results,
  override: override === null ? null : { reason: override.reason, who: override.who, at: time(override.at_ms) },
})
