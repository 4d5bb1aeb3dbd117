import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { LIMITS } from './checks.ts'
import { STAGES } from './model.ts'
import type { RegistryRouteDeps } from './routes.ts'

const closed = { additionalProperties: false }
const Ms = Type.Integer({ minimum: 0 })
const OrNull = <T extends Type.TSchema>(type: T) => Type.Union([type, Type.Null()])
const Text = (most: number) => Type.String({ maxLength: most })
const Tags = Type.Array(
  Type.Object({ key: Type.String({ minLength: 1, maxLength: 500 }), value: Text(LIMITS.tag_value_chars) }, closed),
  { maxItems: 5000 },
)
const Alias = Type.String({ minLength: 1, maxLength: LIMITS.alias_chars })
const VersionNumber = Type.Integer({ minimum: 1 })
const Version = Type.Object(
  {
    version: VersionNumber,
    created_ms: Ms,
    updated_ms: Ms,
    stage: Type.Union(STAGES.map((stage) => Type.Literal(stage))),
    description: OrNull(Text(LIMITS.description_chars)),
    source: Text(LIMITS.source_chars),
    run_id: OrNull(Text(256)),
    run_link: OrNull(Text(2000)),
    user_id: OrNull(Text(1000)),
    logged_model_id: OrNull(Text(256)),
    tags: Tags,
  },
  closed,
)
const Body = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: LIMITS.name_chars }),
    description: OrNull(Text(LIMITS.description_chars)),
    created_ms: Ms,
    updated_ms: Ms,
    tags: Tags,
    versions: Type.Array(Version, { maxItems: 50 }),
    aliases: Type.Array(Type.Object({ alias: Alias, version: VersionNumber }, closed), { maxItems: LIMITS.aliases }),
    gone_aliases: Type.Array(Alias, { maxItems: LIMITS.aliases }),
  },
  closed,
)

/** Registered models of other systems: what comes in by this door can come again, and changes nothing then. */
export function importModelRoutes(app: FastifyInstance, { route, registry, store }: RegistryRouteDeps): void {
  route(app, {
    method: 'PUT',
    path: '/api/slipway/v1/imports/models',
    may: 'registry.write',
    summary: 'Take in a registered model, its versions under the numbers they have',
    body: Body,
    reply: Type.Object({
      created: Type.Boolean(),
      versions_created: Type.Array(Type.Integer()),
      without_files: Type.Array(Type.Integer()),
      conflicts: Type.Array(Type.String()),
    }),
    body_bytes_max: 16 << 20,
    handle: ({ who, body }) => registry.importModel(store, who, body),
  })
}
