import type { FastifyInstance, FastifyRequest } from 'fastify'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import { safeArtifactPath } from '#slices/tracking'
import type { MlflowDeps } from './api.ts'
import { Fields, parseBody } from './fields.ts'
import { PARTS_MAX } from './multipart.ts'

/** Ten thousand parts, each with its address. */
const BODY_BYTES_MAX = 16 << 20
const PART_BYTES_MAX = 5 * 2 ** 30

/** What an upload's id says; signed, so that nothing is kept of it but its parts. */
interface Upload {
  upload: string
  workspace: string
  path: string
  parts: number
}

interface Deps extends Pick<MlflowDeps, 'routes' | 'store' | 'tracking' | 'cursors' | 'multipart'> {
  pathOf(request: FastifyRequest, after: string): string
  /** Throws for paths that nobody may write. */
  refuse(path: string): void
  artifact_bytes_max: number
}

/** `mpu/create`, the parts' own address, `mpu/complete`, `mpu/abort`: asked for by clients that are told to. */
export function multipartRoutes(app: FastifyInstance, deps: Deps): void {
  const { store, tracking, cursors, pathOf, refuse } = deps
  const { route } = deps.routes
  const kept = () => {
    // Word for word: on this the client goes back to one request.
    if (!deps.multipart)
      throw new DomainError('not-implemented', 'Multipart upload is not supported for the current artifact repository')
    return deps.multipart
  }

  /** The file's place: the folder of the address and the name of the client's own file. */
  const placeIn = (request: FastifyRequest, step: string, fields: Fields): string => {
    const name = fields.text('path').split('/').at(-1)!
    const path = safeArtifactPath(`${pathOf(request, `/mpu/${step}/`)}/${name}`)
    refuse(path)
    return path
  }
  const uploadIn = (who: Who, text: string): Upload => {
    const upload = cursors.decode<Upload>(text, 'upload_id')
    if (!upload?.upload || upload.workspace !== who.workspace) {
      throw invalid('this upload_id was not given by this server', { field: 'upload_id' })
    }
    return upload
  }
  const sameUpload = (who: Who, fields: Fields, path: string): Upload => {
    const upload = uploadIn(who, fields.text('upload_id'))
    if (upload.path !== path) throw invalid('the upload_id is of another path', { field: 'upload_id' })
    return upload
  }

  route(app, {
    method: 'POST',
    path: '/mpu/create/*',
    may: 'tracking.write',
    handle: async ({ request, who }) => {
      const multipart = kept()
      const fields = await readFields(request)
      const path = placeIn(request, 'create', fields)
      const parts = fields.optionalCount('num_parts') ?? 1
      if (parts < 1 || parts > PARTS_MAX) {
        throw invalid(`num_parts must be between 1 and ${PARTS_MAX}, but got ${parts}`, { field: 'num_parts' })
      }
      const upload: Upload = { upload: await multipart.begin(), workspace: who.workspace, path, parts }
      const upload_id = cursors.encode(upload)
      const { authorization } = request.headers
      const at = `${originOf(request)}/api/2.0/mlflow-artifacts/mpu/part?upload_id=${upload_id}`
      return {
        upload_id,
        credentials: Array.from({ length: parts }, (_, index) => ({
          url: `${at}&part_number=${index + 1}`,
          part_number: index + 1,
          // The client sends parts without its own: it gets back what it just sent.
          headers: { 'X-MLFLOW-WORKSPACE': who.workspace, ...(authorization && { Authorization: authorization }) },
        })),
      }
    },
  })

  route(app, {
    method: 'PUT',
    path: '/mpu/part',
    may: 'tracking.write',
    body_bytes_max: PART_BYTES_MAX,
    handle: async ({ request, reply, who, query }) => {
      const multipart = kept()
      const fields = new Fields({ ...(query as object) }, '', true)
      const { upload, parts } = uploadIn(who, fields.text('upload_id'))
      const number = Number(fields.integer('part_number'))
      if (number < 1 || number > parts) throw invalid(`the upload has ${parts} parts`, { field: 'part_number' })
      const bytes = (request.body ?? []) as AsyncIterable<Uint8Array>
      reply.header('etag', `"${await multipart.take(upload, number, bytes)}"`)
      return {}
    },
  })

  route(app, {
    method: 'POST',
    path: '/mpu/complete/*',
    may: 'tracking.write',
    body_bytes_max: BODY_BYTES_MAX,
    handle: async ({ request, who }) => {
      const multipart = kept()
      const fields = await readFields(request)
      const path = placeIn(request, 'complete', fields)
      const { upload, parts } = sameUpload(who, fields, path)
      const named = fields.list('parts', (part) => ({
        number: Number(part.integer('part_number')),
        etag: part.text('etag'),
      }))
      const ref = await multipart.join(upload, named, parts, deps.artifact_bytes_max)
      await store.write((tx) => tracking.artifacts.put(tx, who, path, ref))
      await multipart.end(upload)
      return {}
    },
  })

  route(app, {
    method: 'POST',
    path: '/mpu/abort/*',
    may: 'tracking.write',
    handle: async ({ request, who }) => {
      const multipart = kept()
      const fields = await readFields(request)
      const path = placeIn(request, 'abort', fields)
      await multipart.end(sameUpload(who, fields, path).upload)
      return {}
    },
  })
}

/** Bodies of this scope are streams of bytes; here they are JSON after all. */
async function readFields(request: FastifyRequest): Promise<Fields> {
  const chunks: Uint8Array[] = []
  let size_bytes = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size_bytes += chunk.length
    if (size_bytes > BODY_BYTES_MAX) {
      throw new DomainError('too-large', `the body is larger than ${BODY_BYTES_MAX} bytes`, { field: 'body' })
    }
    chunks.push(chunk)
  }
  return new Fields(parseBody(Buffer.concat(chunks).toString()))
}

/** The address under which this client reached us. */
function originOf(request: FastifyRequest): string {
  const passed = String(request.headers['x-forwarded-proto'] ?? '')
    .split(',')[0]!
    .trim()
  return `${passed === 'https' || passed === 'http' ? passed : request.protocol}://${request.headers.host ?? ''}`
}
