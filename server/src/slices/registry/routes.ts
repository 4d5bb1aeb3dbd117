import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Holds } from '#kernel/holds/index.ts'
import { type Cursors, PAGE_DEFAULT, PageQuery, type Route } from '#kernel/http/index.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { KeyValue } from '#slices/tracking'
import { noVersion } from './checks.ts'
import { importModelRoutes } from './import-routes.ts'
import type { ModelVersion, RegisteredModel } from './model.ts'
import { versionSubject } from './models.ts'
import { registerVersion } from './register.ts'
import type { Registry } from './registry.ts'
import * as schema from './schema.ts'
import type { VersionAt } from './versions.ts'

const API = '/api/slipway/v1'
/** Files shown with a version; the rest is in the artifact tree. */
const FILES_SHOWN_MAX = 1_000

/** What the training of a version left behind: its logged model's params and metrics, else its run's. */
export interface Evidence {
  params: readonly KeyValue[]
  metrics: readonly { key: string; value: number; step: number | bigint }[]
}

export interface RegistryRouteDeps {
  route: Route
  registry: Registry
  store: Pick<Store, 'read' | 'write'>
  cursors: Cursors
  holds: Pick<Holds, 'on'>
  evidence(sql: Sql, workspace: string, version: ModelVersion): Promise<Evidence>
}

const time = (ms: number) => new Date(ms).toISOString()
const wireVersion = ({ created_ms, updated_ms, ...version }: ModelVersion) => ({
  ...version,
  created_at: time(created_ms),
  updated_at: time(updated_ms),
})
const wireModel = ({ created_ms, updated_ms, latest_versions, ...model }: RegisteredModel) => ({
  ...model,
  created_at: time(created_ms),
  updated_at: time(updated_ms),
  latest_versions: latest_versions.map(wireVersion),
})
/** JSON has no NaN: as text, as on MLflow's wire. */
const wireNumber = (value: number) => (Number.isFinite(value) ? value : String(value))

export function registryRoutes(app: FastifyInstance, deps: RegistryRouteDeps): void {
  modelRoutes(app, deps)
  versionRoutes(app, deps)
  tagAndAliasRoutes(app, deps)
  importModelRoutes(app, deps)
}

const SearchQuery = Type.Object({
  ...PageQuery,
  filter: Type.Optional(Type.String({ maxLength: 20_000, description: "name LIKE 'churn%' AND tags.team = 'crm'" })),
  order_by: Type.Optional(Type.String({ maxLength: 300, description: 'last_updated_timestamp DESC' })),
})

function modelRoutes(app: FastifyInstance, { route, registry, cursors }: RegistryRouteDeps): void {
  route(app, {
    method: 'GET',
    path: `${API}/models`,
    may: 'registry.read',
    summary: 'Search registered models',
    query: SearchQuery,
    reply: schema.pageReply(schema.ModelReply),
    read: async ({ sql, who, query }) => {
      const { items, next } = await registry.searchModels(sql, who.workspace, {
        filter: query.filter ?? '',
        order_by: query.order_by === undefined ? [] : [query.order_by],
        limit: query.limit ?? PAGE_DEFAULT,
        after: cursors.decode(query.cursor),
      })
      return { items: items.map(wireModel), ...(next !== undefined && { next_cursor: cursors.encode(next) }) }
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/models`,
    may: 'registry.write',
    summary: 'Make a registered model',
    body: schema.NewModel,
    reply: schema.ModelReply,
    status: 201,
    change: async ({ tx, who, body }) => wireModel(await registry.createModel(tx, who, body)),
  })
  route(app, {
    method: 'GET',
    path: `${API}/models/:model`,
    may: 'registry.read',
    summary: 'A registered model with its aliases and newest versions',
    params: schema.ModelPath,
    reply: schema.ModelReply,
    read: async ({ sql, who, params }) => wireModel(await registry.getModel(sql, who.workspace, params.model)),
  })
  route(app, {
    method: 'PATCH',
    path: `${API}/models/:model`,
    may: 'registry.write',
    summary: 'Describe or rename a model; a rename is refused while a live release stands on it',
    params: schema.ModelPath,
    body: schema.ModelChange,
    reply: schema.ModelReply,
    change: async ({ tx, who, params, body }) => {
      const { description, name } = body
      if (description !== undefined) await registry.describeModel(tx, who, { name: params.model, description })
      if (name !== undefined && name !== params.model) {
        await registry.renameModel(tx, who, { name: params.model, to: name })
      }
      return wireModel(await registry.getModel(tx, who.workspace, name ?? params.model))
    },
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/models/:model`,
    may: 'registry.write',
    summary: 'Delete a model with its versions; refused while a live release stands on it',
    params: schema.ModelPath,
    reply: schema.Nothing,
    change: ({ tx, who, params }) => registry.deleteModel(tx, who, params.model),
  })
}

function versionRoutes(app: FastifyInstance, deps: RegistryRouteDeps): void {
  const { route, registry, cursors, store } = deps
  route(app, {
    method: 'GET',
    path: `${API}/models/:model/versions`,
    may: 'registry.read',
    summary: 'Versions of a model, newest first',
    params: schema.ModelPath,
    query: Type.Object(PageQuery),
    reply: schema.pageReply(schema.VersionReply),
    read: async ({ sql, who, params, query }) => {
      await registry.getModel(sql, who.workspace, params.model)
      const { items, next } = await registry.searchVersions(sql, who.workspace, {
        filter: '',
        model: params.model,
        order_by: ['version_number DESC'],
        limit: query.limit ?? PAGE_DEFAULT,
        after: cursors.decode(query.cursor),
      })
      return { items: items.map(wireVersion), ...(next !== undefined && { next_cursor: cursors.encode(next) }) }
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/models/:model/versions`,
    may: 'registry.write',
    summary: 'Register a version; its files are pinned by digest',
    params: schema.ModelPath,
    body: schema.NewVersionBody,
    reply: schema.VersionReply,
    status: 201,
    handle: async ({ who, params, body, reply }) => {
      const version = await registerVersion(store, registry, who, { name: params.model, ...body })
      reply.status(201)
      return wireVersion(version)
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/models/:model/versions/:version`,
    may: 'registry.read',
    summary: 'A version with its files, signature, environment, metrics and holders',
    params: schema.VersionPath,
    reply: schema.VersionDetailReply,
    read: ({ sql, who, params }) => detail(sql, who.workspace, { name: params.model, version: params.version }, deps),
  })
  route(app, {
    method: 'PATCH',
    path: `${API}/models/:model/versions/:version`,
    may: 'registry.write',
    summary: 'Describe a version',
    params: schema.VersionPath,
    body: schema.VersionChange,
    reply: schema.VersionReply,
    change: async ({ tx, who, params, body }) =>
      wireVersion(await registry.describeVersion(tx, who, { ...at(params), description: body.description })),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/models/:model/versions/:version`,
    may: 'registry.write',
    summary: 'Delete a version; refused while a live release stands on it',
    params: schema.VersionPath,
    reply: schema.Nothing,
    change: ({ tx, who, params }) => registry.deleteVersion(tx, who, at(params)),
  })
}

function tagAndAliasRoutes(app: FastifyInstance, { route, registry }: RegistryRouteDeps): void {
  route(app, {
    method: 'PUT',
    path: `${API}/models/:model/aliases/:alias`,
    may: 'registry.write',
    summary: 'Point an alias to a version; one that an endpoint follows is moved by a release',
    params: schema.AliasPath,
    body: schema.MoveAliasBody,
    reply: schema.AliasReply,
    change: ({ tx, who, params, body }) =>
      registry.moveAlias(tx, who, {
        ...params,
        to: body.version,
        ...(body.reason !== undefined && { reason: body.reason }),
      }),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/models/:model/aliases/:alias`,
    may: 'registry.write',
    summary: 'Delete an alias',
    params: schema.AliasPath,
    reply: schema.Nothing,
    change: ({ tx, who, params }) => registry.deleteAlias(tx, who, params),
  })
  route(app, {
    method: 'PUT',
    path: `${API}/models/:model/tags/:key`,
    may: 'registry.write',
    summary: 'Set a tag of a model',
    params: Type.Intersect([schema.ModelPath, Type.Object(schema.TagPath)]),
    reply: schema.Nothing,
    body: schema.TagBody,
    change: ({ tx, who, params, body }) =>
      registry.setModelTag(tx, who, { name: params.model, key: params.key, value: body.value }),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/models/:model/tags/:key`,
    may: 'registry.write',
    summary: 'Delete a tag of a model',
    params: Type.Intersect([schema.ModelPath, Type.Object(schema.TagPath)]),
    reply: schema.Nothing,
    change: ({ tx, who, params }) => registry.deleteModelTag(tx, who, { name: params.model, key: params.key }),
  })
  route(app, {
    method: 'PUT',
    path: `${API}/models/:model/versions/:version/tags/:key`,
    may: 'registry.write',
    summary: 'Set a tag of a version',
    params: Type.Intersect([schema.VersionPath, Type.Object(schema.TagPath)]),
    reply: schema.Nothing,
    body: schema.TagBody,
    change: ({ tx, who, params, body }) =>
      registry.setVersionTag(tx, who, { ...at(params), key: params.key, value: body.value }),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/models/:model/versions/:version/tags/:key`,
    may: 'registry.write',
    summary: 'Delete a tag of a version',
    params: Type.Intersect([schema.VersionPath, Type.Object(schema.TagPath)]),
    reply: schema.Nothing,
    change: ({ tx, who, params }) => registry.deleteVersionTag(tx, who, { ...at(params), key: params.key }),
  })
}

const at = (params: { model: string; version: number }): VersionAt => ({ name: params.model, version: params.version })

async function detail(sql: Sql, workspace: string, of: VersionAt, deps: RegistryRouteDeps) {
  const { registry, holds, evidence } = deps
  if (!Number.isSafeInteger(of.version)) throw noVersion(of.name, of.version)
  const version = await registry.getVersion(sql, workspace, of)
  const files = await registry.versionFiles(sql, workspace, of)
  const { params, metrics } = await evidence(sql, workspace, version)
  const held = await holds.on(sql, workspace, versionSubject(of.name, of.version))
  return {
    ...wireVersion(version),
    ...(await registry.versionManifest(sql, workspace, of)),
    files: files.slice(0, FILES_SHOWN_MAX),
    params,
    metrics: metrics.map(({ key, value, step }) => ({ key, value: wireNumber(value), step: Number(step) })),
    holders: held.map(({ by, reason }) => ({ ...by, reason })),
  }
}
