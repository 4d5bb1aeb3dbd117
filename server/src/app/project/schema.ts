import Type, { type Static } from 'typebox'
import { MonitorSpec } from '#slices/monitoring'
import { EnvironmentSpec, PipelineSpec } from '#slices/pipelines'
import { ChecksSchema } from '#slices/quality'
import { ReleaseSpec } from '#slices/releases'
import { EndpointSpec } from '#slices/serving'

const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'
const named = <T extends Type.TSchema>(value: T, description: string) =>
  Type.Optional(
    Type.Record(Type.String({ pattern: NAME }), value, {
      maxProperties: 200,
      additionalProperties: false,
      description,
    }),
  )

const DatasetSpec = Type.Object(
  {
    time_column: Type.Optional(Type.String({ maxLength: 256, description: 'Column that says when a row happened.' })),
    checks: Type.Optional(ChecksSchema),
  },
  { additionalProperties: false },
)

/** slipway.yaml, whole. */
export const ProjectFile = Type.Object(
  {
    project: Type.String({ pattern: NAME, description: 'Name of the project.' }),
    datasets: named(DatasetSpec, 'Data that the project speaks of, with its checks.'),
    environments: named(EnvironmentSpec, 'Python environments by their locks.'),
    pipelines: named(PipelineSpec, 'What is computed, and when.'),
    endpoints: named(EndpointSpec, 'What is served.'),
    releases: named(ReleaseSpec, 'How a new version gets to an endpoint: gate, rollout, retraining. By endpoint.'),
    monitors: named(MonitorSpec, 'What is watched.'),
  },
  { additionalProperties: false, title: 'slipway.yaml', description: 'A Slipway project.' },
)

export type ProjectFile = Static<typeof ProjectFile>
