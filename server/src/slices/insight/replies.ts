import Type from 'typebox'
import { AnyObject, itemsOf, Ms, nullable } from '#kernel/http/replies.ts'

const release = { release: Type.String(), version: Type.Integer() }

export const OverviewReply = Type.Object({
  projects: Type.Array(
    Type.Object({
      project: Type.String(),
      stages: Type.Array(
        Type.Object({
          stage: Type.Union(
            ['Source', 'Prepare', 'Build', 'Test', 'Merge', 'Deploy', 'Monitor'].map((stage) => Type.Literal(stage)),
          ),
          state: Type.Union(
            ['ok', 'running', 'failed', 'waiting', 'not-applicable'].map((state) => Type.Literal(state)),
          ),
          words: Type.String(),
          since_ms: nullable(Ms),
          link: nullable(Type.Object({ kind: Type.String(), id: Type.String() })),
        }),
      ),
      endpoints: Type.Array(
        Type.Object({
          name: Type.String(),
          model: Type.String(),
          live: nullable(Type.Object({ ...release, since_ms: nullable(Ms) })),
          rolled_back: nullable(Type.Object({ ...release, reason: nullable(Type.String()) })),
          open: nullable(Type.Object({ ...release, state: Type.String(), step: nullable(Type.Integer()) })),
          requests: Type.Integer(),
          watermark_ms: nullable(Ms),
          alerts_open: Type.Integer(),
          last_window: nullable(
            Type.Object({ start_ms: Ms, metrics: Type.Record(Type.String(), nullable(Type.Number())) }),
          ),
        }),
      ),
    }),
  ),
})

export const BusyReply = Type.Object({
  parts: Type.Object({
    pipeline_runs: Type.Integer(),
    preparations: Type.Integer(),
    releases: Type.Integer(),
    retrainings: Type.Integer(),
    data: Type.Integer(),
    windows: Type.Integer(),
    events: Type.Integer(),
  }),
  total: Type.Integer(),
})

/** Each part as its own route tells it; null where it could not be told, and `parts_missing` says why. */
export const WhyReply = Type.Object({
  prediction: AnyObject,
  label: nullable(Type.Object({ value: Type.String(), observed_ms: Ms })),
  endpoint: Type.Object({ name: Type.String(), model: Type.String() }),
  release: nullable(AnyObject),
  version: nullable(AnyObject),
  preparation: nullable(AnyObject),
  run: nullable(Type.String()),
  code: nullable(AnyObject),
  environment: nullable(Type.String()),
  data: Type.Array(AnyObject),
  attributions: nullable(AnyObject),
  parts_missing: Type.Array(Type.Object({ part: Type.String(), words: Type.String() })),
})

export const SearchReply = itemsOf(Type.Object({ kind: Type.String(), id: Type.String(), label: Type.String() }))
