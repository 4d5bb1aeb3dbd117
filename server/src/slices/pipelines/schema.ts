import Type, { type Static } from 'typebox'

const Name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$' })
const Duration = Type.String({
  pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w)$',
  description: 'A duration such as 90s, 10m or 2h.',
})
const Size = Type.String({
  pattern: '^\\d+(\\.\\d+)?\\s*([kKmMgGtT]?[iI]?[bB])?$',
  description: 'A size such as 512MB or 3GiB.',
})
const Scalar = Type.Union([Type.String({ maxLength: 4000 }), Type.Number(), Type.Boolean()])

/** One entry of `environments:`. */
export const EnvironmentSpec = Type.Object(
  {
    python: Type.Optional(
      Type.Union([Type.Literal('3.11'), Type.Literal('3.12'), Type.Literal('3.13')], {
        description: 'Python version; the first found of 3.11 to 3.13 when left out.',
      }),
    ),
    lock: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'File of exactly pinned requirements, relative to slipway.yaml.',
    }),
  },
  { additionalProperties: false },
)

const Read = Type.Union([
  Type.Object(
    {
      dataset: Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The triggering version, else the latest that may be an input.',
      }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    { step: Name, output: Name },
    { additionalProperties: false, description: 'An output of an earlier step.' },
  ),
])

const Write = Type.Object(
  {
    path: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'File or folder that the step leaves behind, relative to where it runs.',
    }),
    dataset: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'Register it as the next version of this dataset.' }),
    ),
    time_column: Type.Optional(Type.String({ maxLength: 256 })),
  },
  { additionalProperties: false },
)

/** One step: an ordinary command. */
export const StepSpec = Type.Object(
  {
    run: Type.String({ minLength: 1, maxLength: 10_000, description: 'Command, run by sh in a copy of the code.' }),
    needs: Type.Optional(Type.Array(Name, { maxItems: 100, description: 'Steps that must be done before.' })),
    reads: Type.Optional(Type.Record(Name, Read)),
    writes: Type.Optional(Type.Record(Name, Write)),
    environment: Type.Optional(Name),
    params: Type.Optional(Type.Record(Name, Scalar)),
    timeout: Type.Optional(Duration),
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
    memory: Type.Optional(Size),
    cache: Type.Optional(
      Type.Boolean({ description: 'Take the outputs of an equal earlier step instead of running. Default true.' }),
    ),
  },
  { additionalProperties: false },
)

const Trigger = Type.Union([
  Type.Object(
    { dataset: Type.String({ minLength: 1, maxLength: 256, description: 'Each new version that passed its checks.' }) },
    { additionalProperties: false },
  ),
  Type.Object(
    { cron: Type.String({ minLength: 9, maxLength: 100, description: 'Five fields, UTC.' }) },
    { additionalProperties: false },
  ),
  Type.Object(
    { event: Type.String({ pattern: '^[a-z]+\\.[a-z-]+$', maxLength: 100, description: 'Each event of this name.' }) },
    { additionalProperties: false },
  ),
])

/** One entry of `pipelines:`. */
export const PipelineSpec = Type.Object(
  {
    triggers: Type.Optional(Type.Array(Trigger, { maxItems: 20 })),
    params: Type.Optional(Type.Record(Name, Scalar)),
    steps: Type.Record(Name, StepSpec, { minProperties: 1, maxProperties: 100 }),
  },
  { additionalProperties: false },
)

export type EnvironmentSpec = Static<typeof EnvironmentSpec>
export type StepSpec = Static<typeof StepSpec>
export type PipelineSpec = Static<typeof PipelineSpec>
export type Scalar = Static<typeof Scalar>

export const CODE_FILES_MAX = 20_000
export const CODE_FILE_BYTES_MAX = 50 * 1024 ** 2
export const CODE_BYTES_MAX = 200 * 1024 ** 2

/** What a client says of a code snapshot; its blobs are uploaded before. */
export const CodeManifest = Type.Object(
  {
    files: Type.Array(
      Type.Object(
        {
          path: Type.String({ minLength: 1, maxLength: 1000 }),
          digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
          size_bytes: Type.Integer({ minimum: 0, maximum: CODE_FILE_BYTES_MAX }),
          executable: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
      { maxItems: CODE_FILES_MAX },
    ),
    commit: Type.Optional(Type.String({ pattern: '^[0-9a-f]{40,64}$' })),
    branch: Type.Optional(Type.String({ maxLength: 256 })),
    dirty: Type.Optional(Type.Boolean()),
    diff: Type.Optional(Type.String({ maxLength: 1_000_000 })),
  },
  { additionalProperties: false },
)
export type CodeManifest = Static<typeof CodeManifest>

export const StartBody = Type.Object(
  {
    params: Type.Optional(Type.Record(Name, Scalar)),
    inputs: Type.Optional(
      Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 300 }), {
        description: 'Dataset name to version: `name@3` or `dsv_…`.',
      }),
    ),
    cache: Type.Optional(Type.Boolean()),
    reason: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false },
)

export const PipelinePath = Type.Object({ project: Name, pipeline: Name })
export const RunPath = Type.Object({ run: Type.String({ pattern: '^prn_[0-9a-f]{32}$' }) })
export const StepPath = Type.Object({ step: Type.String({ pattern: '^stp_[0-9a-f]{32}$' }) })
