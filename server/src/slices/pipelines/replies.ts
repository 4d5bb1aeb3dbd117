import Type from 'typebox'
import { ActorReply, Digest, itemsOf, Ms, nullable, pageReply } from '#kernel/http/replies.ts'
import { CodeManifest, PipelineSpec } from './schema.ts'

const Words = nullable(Type.String())
const Scalars = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))
const Environments = Type.Record(Type.String(), Type.Object({ python: Type.Optional(Type.String()), lock: Digest }))

/** Why a run started. */
const Cause = Type.Object({
  kind: Type.Union(['manual', 'cron', 'dataset', 'event', 'retry', 'release'].map((kind) => Type.Literal(kind))),
  reason: Type.Optional(Type.String()),
  cron: Type.Optional(Type.String()),
  due_ms: Type.Optional(Ms),
  dataset: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  event: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  run: Type.Optional(Type.String()),
  alert: Type.Optional(Type.String()),
})

export const RunReply = Type.Object({
  id: Type.String(),
  project: Type.String(),
  pipeline: Type.String(),
  number: Type.Integer(),
  state: Type.Union(['running', 'done', 'failed', 'cancelled'].map((state) => Type.Literal(state))),
  reason: Words,
  cause: Cause,
  who: ActorReply,
  code: Digest,
  source: Type.Object({ commit: Words, branch: Words, dirty: Type.Boolean(), diff: Words }),
  created_ms: Ms,
  ended_ms: nullable(Ms),
})

const Pipeline = Type.Object({
  workspace: Type.String(),
  project: Type.String(),
  name: Type.String(),
  spec: Type.Unsafe<PipelineSpec>(PipelineSpec),
  environments: Environments,
  code: Digest,
  applied_by: ActorReply,
  created_ms: Ms,
  updated_ms: Ms,
})

const File = Type.Object({ path: Type.String(), digest: Digest, size_bytes: Type.Integer() })

export const StepReply = Type.Object({
  workspace: Type.String(),
  id: Type.String(),
  run: Type.String(),
  name: Type.String(),
  attempt: Type.Integer(),
  state: Type.Union(
    ['waiting', 'running', 'done', 'cached', 'failed', 'cancelled', 'skipped'].map((state) => Type.Literal(state)),
  ),
  job: Words,
  tracking_run: Words,
  cache_key: Words,
  cache_parts: Type.Record(Type.String(), Type.String()),
  cache_words: Words,
  cached_from: Words,
  inputs: Type.Array(
    Type.Object({
      name: Type.String(),
      digest: Type.String(),
      dataset: Type.Optional(Type.String()),
      version: Type.Optional(Type.String()),
      number: Type.Optional(Type.Integer()),
      from_step: Type.Optional(Type.String()),
    }),
  ),
  outputs: Type.Array(
    Type.Object({
      name: Type.String(),
      digest: Type.String(),
      size_bytes: Type.Integer(),
      files: Type.Array(File),
      version: Type.Optional(Type.String()),
      dataset: Type.Optional(Type.String()),
    }),
  ),
  environment: Words,
  reason: Words,
  exit_code: nullable(Type.Integer()),
  peak_bytes: nullable(Type.Integer()),
  log_digest: nullable(Digest),
  started_ms: nullable(Ms),
  ended_ms: nullable(Ms),
})

const Code = Type.Object({
  digest: Digest,
  commit_id: Words,
  branch: Words,
  dirty: Type.Integer(),
  diff_digest: nullable(Digest),
  file_count: Type.Integer(),
  size_bytes: Type.Integer(),
  manifest_digest: Digest,
  created_by: Type.String(),
  created_ms: Ms,
})

export const PipelinesReply = itemsOf(Type.Object({ ...Pipeline.properties, last_run: nullable(RunReply) }))
export const PipelineReply = Pipeline
export const RunsReply = pageReply(RunReply)
export const RunDetailReply = Type.Object({
  ...RunReply.properties,
  spec: Type.Unsafe<PipelineSpec>(PipelineSpec),
  environments: Environments,
  params: Scalars,
  inputs: Type.Record(Type.String(), Type.String()),
  steps: Type.Array(StepReply),
})
export const LogReply = Type.Object({
  text: Type.String(),
  next_offset: Type.Integer(),
  ended: Type.Boolean({ description: 'All was read, and the step has ended.' }),
})
export const MissingReply = Type.Object({ missing: Type.Array(Digest) })
export const BlobReply = Type.Object({ digest: Digest, size_bytes: Type.Integer() })
export const CodeReply = Code
/** What was said of the code when it was recorded, beside its files. */
export const CodeDetailReply = Type.Object({
  ...Code.properties,
  files: CodeManifest.properties.files,
  commit: CodeManifest.properties.commit,
  diff: CodeManifest.properties.diff,
  dirty: Type.Union([Type.Integer(), Type.Boolean()]),
})
