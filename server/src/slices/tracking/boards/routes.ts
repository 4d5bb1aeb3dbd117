import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { notFound } from '#kernel/errors.ts'
import { Bytes } from '#kernel/http/index.ts'
import { sendArtifact } from '../artifact-files.ts'
import type { TrackingRouteDeps } from '../routes.ts'
import { BOARD_KINDS } from './model.ts'
import { type BoardAsk, boardRecords, boardTags, showsImage } from './read.ts'

const RunPath = Type.Object({ run: Type.String({ minLength: 1, maxLength: 64 }) })
const Kind = Type.Union(BOARD_KINDS.map((kind) => Type.Literal(kind)))
const PAGE_MAX = 200

const BoardReply = Type.Object({
  items: Type.Array(
    Type.Object({
      kind: Kind,
      tag: Type.String(),
      records: Type.Integer(),
      first_step: Type.Integer(),
      last_step: Type.Integer(),
    }),
  ),
})

const RecordsQuery = Type.Object({
  kind: Kind,
  tag: Type.String({ minLength: 1, maxLength: 500 }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 2000 })),
})

const RecordsReply = Type.Object({
  items: Type.Array(
    Type.Object({
      step: Type.Integer(),
      at: Type.String({ description: 'When it was logged, RFC 3339.' }),
      buckets: Type.Optional(Type.Array(Type.Tuple([Type.Number(), Type.Number(), Type.Number()]))),
      text: Type.Optional(Type.String()),
      image: Type.Optional(
        Type.String({ description: 'Digest of the image; its bytes are at `…/board/images/{digest}`.' }),
      ),
    }),
  ),
  next_cursor: Type.Optional(Type.String()),
})

const FIELD_OF = { histogram: 'buckets', text: 'text', image: 'image' } as const

/** What runs show beside numbers. */
export function boardRoutes(app: FastifyInstance, { routes, store, blobs, cursors }: TrackingRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/runs/:run/board',
    may: 'tracking.read',
    summary: 'Histograms, texts and images of a run: their tags',
    params: RunPath,
    reply: BoardReply,
    read: async ({ sql, who, params }) => ({
      items: (await boardTags(sql, who.workspace, params.run)).map((tag) => ({
        ...tag,
        records: Number(tag.records),
        first_step: Number(tag.first_step),
        last_step: Number(tag.last_step),
      })),
    }),
  })
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/runs/:run/board/records',
    may: 'tracking.read',
    summary: 'Histograms, texts or images under one tag, by step',
    params: RunPath,
    query: RecordsQuery,
    reply: RecordsReply,
    read: async ({ sql, who, params, query }) => {
      const limit = query.limit ?? 50
      const rows = await boardRecords(sql, {
        workspace: who.workspace,
        run_id: params.run,
        kind: query.kind,
        tag: query.tag,
        limit: limit + 1,
        ...(query.cursor && { after: cursors.decode(query.cursor) as NonNullable<BoardAsk['after']> }),
      })
      const page = rows.slice(0, limit)
      const last = page.at(-1)
      return {
        items: page.map(({ step, at_ms, body }) => ({
          step: Number(step),
          at: new Date(at_ms).toISOString(),
          [FIELD_OF[query.kind]]: JSON.parse(body),
        })),
        ...(rows.length > limit &&
          last && {
            next_cursor: cursors.encode({ step: Number(last.step), at_ms: last.at_ms, position: last.position }),
          }),
      }
    },
  })
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/runs/:run/board/images/:digest',
    may: 'tracking.read',
    summary: 'The bytes of an image that the run shows',
    reply: Bytes,
    media_type: 'image/png',
    params: Type.Object({ ...RunPath.properties, digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }) }),
    handle: async ({ who, params, request, reply }) => {
      const { run, digest } = params
      if (!(await store.read((sql) => showsImage(sql, who.workspace, run, digest))))
        throw notFound(`run ${run} shows no image ${digest}`, { field: 'digest' })
      const { stream, size_bytes } = await blobs.open(digest)
      stream.destroy()
      return sendArtifact(blobs, request, reply, 'image.png', { digest, size_bytes })
    },
  })
}
