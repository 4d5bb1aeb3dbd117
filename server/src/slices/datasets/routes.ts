import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError, notFound } from '#kernel/errors.ts'
import { Bytes, type Cursors, PAGE_DEFAULT, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import { type Datasets, SAMPLE_ROWS_MAX } from './datasets.ts'
import type { DatasetVersion } from './model.ts'
import * as schema from './schema.ts'

const API = '/api/slipway/v1'
const VERSION = `${API}/datasets/:name/versions/:version`
const Page = Type.Object(PageQuery)

export interface DatasetRouteDeps {
  route: Route
  datasets: Datasets
  blobs: Pick<Blobs, 'open'>
  store: Pick<Store, 'read' | 'write'>
  cursors: Cursors
}

export function datasetRoutes(app: FastifyInstance, deps: DatasetRouteDeps): void {
  const { route, datasets, cursors, store } = deps

  route(app, {
    method: 'GET',
    path: `${API}/datasets`,
    may: 'datasets.read',
    summary: 'Datasets with their latest versions',
    query: Page,
    reply: schema.pageReply(schema.DatasetReply),
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const after = cursors.decode<string>(query.cursor)
      const found = await datasets.list(sql, who.workspace, { after, limit: limit + 1 })
      return pageOf(found.map(schema.wireDataset), limit, cursors, (last) => last.name)
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/datasets/:name`,
    may: 'datasets.read',
    summary: 'One dataset',
    params: schema.NamePath,
    reply: schema.DatasetReply,
    read: async ({ sql, who, params }) => schema.wireDataset(await datasets.get(sql, who.workspace, params.name)),
  })
  route(app, {
    method: 'GET',
    path: `${API}/datasets/:name/versions`,
    may: 'datasets.read',
    summary: 'Versions of a dataset, newest first',
    params: schema.NamePath,
    query: Page,
    reply: schema.pageReply(schema.VersionSummaryReply),
    read: async ({ sql, who, params, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const before_number = cursors.decode<number>(query.cursor)
      const found = await datasets.versions(sql, who.workspace, params.name, { before_number, limit: limit + 1 })
      return pageOf(found.map(schema.wireSummary), limit, cursors, (last) => last.number)
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/datasets/:name/versions`,
    may: 'datasets.write',
    summary: 'Make a version of uploaded files; the same content again is the same version',
    params: schema.NamePath,
    body: schema.NewVersion,
    reply: schema.RegisteredReply,
    change: async ({ tx, who, params, body }) => {
      const { version, created } = await datasets.registerUploaded(tx, who, { name: params.name, ...body })
      return { version: schema.wireVersion(version), created }
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/dataset-versions/:id`,
    may: 'datasets.read',
    summary: 'One version of a dataset by its id',
    params: schema.IdPath,
    reply: schema.VersionReply,
    read: async ({ sql, who, params }) => schema.wireVersion(await datasets.version(sql, who.workspace, params.id)),
  })
  versionRoutes(app, deps)
  uploadRoutes(app, { route, datasets, store, cursors, blobs: deps.blobs })
}

function versionRoutes(app: FastifyInstance, { route, datasets, blobs, store, cursors }: DatasetRouteDeps): void {
  const find = (sql: Sql, workspace: string, params: { name: string; version: string }): Promise<DatasetVersion> =>
    datasets.find(sql, workspace, `${params.name}@${params.version}`)

  route(app, {
    method: 'GET',
    path: VERSION,
    may: 'datasets.read',
    summary: 'One version of a dataset',
    params: schema.VersionPath,
    reply: schema.VersionReply,
    read: async ({ sql, who, params }) => schema.wireVersion(await find(sql, who.workspace, params)),
  })
  route(app, {
    method: 'PATCH',
    path: VERSION,
    may: 'datasets.write',
    summary: 'Change the tags of a version',
    params: schema.VersionPath,
    body: schema.VersionChange,
    reply: schema.VersionReply,
    change: async ({ tx, who, params, body }) => {
      const { id } = await find(tx, who.workspace, params)
      return schema.wireVersion(await datasets.changeTags(tx, who, id, body.tags))
    },
  })
  route(app, {
    method: 'DELETE',
    path: VERSION,
    may: 'datasets.write',
    summary: 'Delete a version that nothing stands on',
    params: schema.VersionPath,
    reply: Type.Object({}),
    change: async ({ tx, who, params }) => {
      await datasets.deleteVersion(tx, who, (await find(tx, who.workspace, params)).id)
      return {}
    },
  })
  route(app, {
    method: 'GET',
    path: `${VERSION}/profile`,
    may: 'datasets.read',
    summary: 'What the columns of a version hold',
    params: schema.VersionPath,
    reply: schema.ProfileReply,
    read: async ({ sql, who, params }) => {
      const version = await find(sql, who.workspace, params)
      const profile = await datasets.profile(sql, who.workspace, version.id)
      if (version.state !== 'ready' || profile === undefined)
        throw notFound(`${version.name}@${version.number} has no profile: it is ${version.state}`, {
          ...(version.failure !== null && { remedy: version.failure }),
        })
      return schema.wireProfile(profile)
    },
  })
  route(app, {
    method: 'GET',
    path: `${VERSION}/rows`,
    may: 'datasets.read',
    summary: 'The first rows of a version',
    params: schema.VersionPath,
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: SAMPLE_ROWS_MAX, default: 20 })) }),
    reply: schema.RowsReply,
    handle: async ({ who, params, query }) => {
      const version = await store.read((sql) => find(sql, who.workspace, params))
      return schema.wireRows(await datasets.sample(version, query.limit ?? 20))
    },
  })
  route(app, {
    method: 'GET',
    path: `${VERSION}/files`,
    may: 'datasets.read',
    summary: 'The files of a version',
    params: schema.VersionPath,
    query: Page,
    reply: schema.pageReply(schema.FileReply),
    read: async ({ sql, who, params, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const after = cursors.decode<string>(query.cursor)
      const { id } = await find(sql, who.workspace, params)
      const found = await datasets.files(sql, who.workspace, id, { after, limit: limit + 1 })
      return pageOf(found, limit, cursors, (last) => last.path)
    },
  })
  route(app, {
    method: 'GET',
    path: `${VERSION}/files/*`,
    may: 'datasets.read',
    summary: 'Download one file of a version',
    reply: Bytes,
    media_type: 'application/octet-stream',
    params: Type.Object({ ...schema.VersionPath.properties, '*': Type.String({ minLength: 1, maxLength: 500 }) }),
    handle: async ({ who, params, request, reply }) => {
      const file = await store.read(async (sql) => {
        const { id } = await find(sql, who.workspace, params)
        return datasets.file(sql, who.workspace, id, params['*'])
      })
      return sendFile(blobs, file, request, reply)
    },
  })
}

/** Bytes as they come: no parser touches them, whatever their type is called. */
function uploadRoutes(app: FastifyInstance, { route, datasets }: DatasetRouteDeps): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    route(scope, {
      method: 'PUT',
      path: `${API}/datasets/uploads/:digest`,
      may: 'datasets.write',
      summary: 'Send the bytes of one file, whose digest is checked',
      params: schema.UploadPath,
      reply: schema.UploadReply,
      handle: ({ who, params, request }) => datasets.upload(who, bodyOf(request), params.digest),
    })
    route(scope, {
      method: 'POST',
      path: `${API}/datasets/uploads`,
      may: 'datasets.write',
      summary: 'Send the bytes of one file; the answer names their digest',
      reply: schema.UploadReply,
      handle: ({ who, request }) => datasets.upload(who, bodyOf(request)),
    })
  })
}

/** The request's bytes. Left early, as when they are too many, the request stays open: else its sender would never hear why. */
function bodyOf(request: FastifyRequest): AsyncIterable<Uint8Array> | Uint8Array {
  const stream = request.body as Readable | undefined
  return stream?.iterator({ destroyOnReturn: false }) ?? new Uint8Array()
}

async function sendFile(
  blobs: Pick<Blobs, 'open'>,
  file: { path: string; digest: string; size_bytes: number },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const etag = `"${file.digest}"`
  const range = rangeOf(request.headers.range, file.size_bytes)
  const { stream } = await blobs.open(file.digest, range)
  const name = file.path.split('/').at(-1)!
  reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
    .type('application/octet-stream')
    .header('content-length', range === undefined ? file.size_bytes : range.end - range.start + 1)
  if (range !== undefined)
    reply.status(206).header('content-range', `bytes ${range.start}-${range.end}/${file.size_bytes}`)
  return reply.send(stream)
}

/** One range of bytes; anything else that the header may say is answered with the whole, as HTTP allows. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  if (start > end) throw new DomainError('invalid', `the file has ${size} bytes`, { field: 'Range' })
  return { start, end }
}
