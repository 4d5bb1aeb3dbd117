import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { type Analytics, identifier } from '#kernel/analytics/index.ts'
import type { BlobRef, Blobs } from '#kernel/blobs/index.ts'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Routes } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import * as schema from './schema.ts'
import type { Tracking } from './tracking.ts'

const API = '/api/slipway/v1'
const PAGE_BYTES_MAX = 32 * 1024 ** 2
const TABLE_BYTES_MAX = 4 * 1024 ** 3
const ROWS_MAX = 1000
/** Columns of one answer: what a person looks at; the others are named. */
const COLUMNS_MAX = 200
const TABLE_MS_MAX = 30_000

/**
 * What a page out of an artifact may do: run its own scripts, draw, and nothing else. `sandbox` without `allow-same-origin`
 * gives it an origin of its own, however it is opened: no cookies, no storage, no reading of ours; `connect-src` and the
 * others leave it no way to any server, this one included.
 */
const PAGE_POLICY = [
  'sandbox allow-scripts',
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' data: blob:",
  "style-src 'unsafe-inline' data:",
  'img-src data: blob:',
  'font-src data:',
  'media-src data: blob:',
  'worker-src blob:',
  "connect-src 'none'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ')

const Cell = Type.Union([Type.Null(), Type.Boolean(), Type.Number(), Type.String()])
const TableReply = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Cell)),
  total: Type.Integer({ description: 'Rows of the file.' }),
  columns_left_out: Type.Array(Type.String()),
})

export interface ArtifactViewDeps {
  routes: Pick<Routes, 'route'>
  store: Pick<Store, 'read'>
  tracking: Tracking
  blobs: Pick<Blobs, 'open' | 'lend'>
  analytics: Pick<Analytics, 'queries'>
}

/** Ways to look into an artifact that need the server: its HTML behind a wall of its own, rows of its Parquet. */
export function artifactViewRoutes(app: FastifyInstance, deps: ArtifactViewDeps): void {
  const { store, tracking, blobs, analytics } = deps
  const { route } = deps.routes
  const find = (workspace: string, run_id: string, path: string): Promise<BlobRef> =>
    store.read(async (sql) => {
      const { artifact_uri } = await tracking.getRun(sql, workspace, run_id)
      return await tracking.fileUnder(sql, workspace, artifact_uri, path)
    })
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id/artifacts/page`,
    may: 'tracking.read',
    summary: 'An HTML artifact as a page without any origin: it reaches neither cookies nor storage nor any server',
    reply: Type.String(),
    media_type: 'text/html',
    params: schema.RunPath,
    query: schema.FileQuery,
    handle: async ({ who, params, query, reply }) => {
      if (!/\.html?$/i.test(query.path))
        throw invalid(`'${query.path.slice(0, 300)}' is not a page`, {
          field: 'path',
          remedy: 'Name a file that ends in .html or .htm; every file can be downloaded.',
        })
      const ref = await find(who.workspace, params.run_id, query.path)
      refuseLarger(ref, PAGE_BYTES_MAX)
      const { stream } = await blobs.open(ref.digest)
      return reply
        .header('content-security-policy', PAGE_POLICY)
        .header('x-frame-options', 'SAMEORIGIN')
        .header('referrer-policy', 'no-referrer')
        .header('x-dns-prefetch-control', 'off')
        .header('cache-control', 'private, no-cache')
        .header('content-length', ref.size_bytes)
        .type('text/html; charset=utf-8')
        .send(stream)
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/runs/:run_id/artifacts/table`,
    may: 'tracking.read',
    summary: 'Rows of a Parquet artifact',
    params: schema.RunPath,
    query: Type.Object({
      ...schema.FileQuery.properties,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ROWS_MAX, default: ROWS_MAX })),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 })),
    }),
    reply: TableReply,
    handle: async ({ who, params, query }) => {
      const ref = await find(who.workspace, params.run_id, query.path)
      refuseLarger(ref, TABLE_BYTES_MAX)
      const lent = await blobs.lend(ref.digest)
      try {
        return await rowsOf(analytics, lent.path, query.limit ?? ROWS_MAX, query.offset ?? 0)
      } catch (error) {
        throw inItsName(error, lent.path, query.path)
      } finally {
        await lent.done()
      }
    },
  })
}

async function rowsOf(analytics: ArtifactViewDeps['analytics'], file: string, limit: number, offset: number) {
  const options = {
    files: { data: { files: [file], format: 'parquet' as const } },
    rows_max: ROWS_MAX,
    timeout_ms: TABLE_MS_MAX,
  }
  const [head, counted] = await analytics.queries({
    ...options,
    statements: [{ sql: 'SELECT * FROM data LIMIT 0' }, { sql: 'SELECT count(*) FROM data' }],
  })
  const names = head!.columns.map(({ name }) => name)
  const shown = names.slice(0, COLUMNS_MAX).map(identifier).join(', ')
  const sql = `SELECT ${shown} FROM data LIMIT ${limit} OFFSET ${offset}`
  const [page] = await analytics.queries({ ...options, statements: [{ sql }] })
  return {
    columns: page!.columns,
    rows: page!.rows,
    total: Number(counted!.rows[0]![0]),
    columns_left_out: names.slice(COLUMNS_MAX),
  }
}

/** Where a file lies here is nobody's business. */
function inItsName(error: unknown, local: string, path: string): unknown {
  if (!(error instanceof DomainError)) return error
  if (error.problem !== 'invalid') return error
  return invalid(error.message.replaceAll(local, path), {
    field: 'path',
    remedy: 'Is it a Parquet file? Download it to look into it otherwise.',
  })
}

function refuseLarger({ size_bytes }: BlobRef, most: number): void {
  if (size_bytes > most)
    throw new DomainError('too-large', `the file has ${size_bytes} bytes, at most ${most} are shown`, {
      field: 'path',
      remedy: 'Download it.',
    })
}
