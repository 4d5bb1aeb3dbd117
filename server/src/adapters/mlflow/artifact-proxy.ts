import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { conflict, DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import { type ArtifactEntry, safeArtifactPath, sendArtifact } from '#slices/tracking'
import type { MlflowDeps } from './api.ts'
import { mountOf } from './artifact-mounts.ts'
import { multipartRoutes } from './multipart-routes.ts'

/** Largest single artifact. The disk's reserve refuses earlier on most machines. */
const ARTIFACT_BYTES_MAX = 2 ** 40

export const fileInfo = ({ path, is_dir, size_bytes }: ArtifactEntry) => ({
  path,
  is_dir,
  ...(size_bytes !== undefined && { file_size: size_bytes }),
})

/**
 * The path after `…/artifacts/`, percent-decoded once from the URL as it came: `+` is a plus sign, and a file may have
 * `%41` in its name.
 */
function pathOf(request: FastifyRequest, after: string): string {
  const raw = request.url.split('?')[0]!
  const encoded = raw.slice(raw.indexOf(after) + after.length)
  let decoded: string
  try {
    decoded = decodeURIComponent(encoded)
  } catch {
    throw invalid('Invalid path', { field: 'path', remedy: 'Percent-encode the path as UTF-8.' })
  }
  return safeArtifactPath(decoded)
}

/** `/mlflow-artifacts`: bytes up and down under the paths that `mlflow-artifacts:` URIs name. */
export function artifactProxy(app: FastifyInstance, deps: MlflowDeps): void {
  const { store, tracking, blobs, mounts = [deps.registry.pinned] } = deps
  const { artifacts } = tracking
  const { route } = deps.routes

  // Bodies are bytes and stay a stream, whatever they call themselves.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  const list = async (sql: Sql, who: Who, path: string): Promise<ArtifactEntry[]> => {
    const mounted = mountOf(mounts, path)
    return mounted
      ? await mounted.mount.list(sql, who.workspace, mounted.path)
      : await artifacts.list(sql, who.workspace, path)
  }

  const download = async (request: FastifyRequest, reply: FastifyReply, who: Who) => {
    const path = pathOf(request, '/artifacts/')
    const mounted = mountOf(mounts, path)
    const found = await store.read(async (sql) => {
      if (!mounted) return await artifacts.at(sql, who.workspace, path)
      const ref = await mounted.mount.file(sql, who.workspace, mounted.path)
      return ref && { kind: 'file' as const, ...ref }
    })
    if (found?.kind === 'file') return await sendArtifact(blobs, request, reply, path, found)
    if (found) throw invalid(`Artifact path refers to a directory, not a file: '${path}'`, { field: 'path' })
    throw notFound(`No such artifact: '${path}'`, { field: 'path' })
  }

  const refuseMounted = (path: string): void => {
    const mounted = mountOf(mounts, path)
    if (mounted) {
      throw conflict(`artifacts under '${mounted.mount.prefix}/' are kept as they are`, {
        field: 'path',
        remedy: 'Log a new model and register it as a new version.',
      })
    }
  }

  route(app, {
    method: 'GET',
    path: '/artifacts',
    may: 'tracking.read',
    read: async ({ sql, who, query }) => {
      const { path = '' } = query as { path?: string | string[] }
      const files = await list(sql, who, safeArtifactPath(Array.isArray(path) ? (path[0] ?? '') : path))
      return { files: files.map(fileInfo) }
    },
  })

  route(app, {
    method: 'GET',
    path: '/artifacts/*',
    may: 'tracking.read',
    handle: ({ request, reply, who }) => download(request, reply, who),
  })

  route(app, {
    method: 'PUT',
    path: '/artifacts/*',
    may: 'tracking.write',
    handle: async ({ request, who }) => {
      const path = pathOf(request, '/artifacts/')
      refuseMounted(path)
      const body = (request.body ?? new Uint8Array()) as NodeJS.ReadableStream & AsyncIterable<Uint8Array>
      const ref = await blobs.put(body, { max_bytes: ARTIFACT_BYTES_MAX })
      await store.write((tx) => artifacts.put(tx, who, path, ref))
      return {}
    },
  })

  route(app, {
    method: 'DELETE',
    path: '/artifacts/*',
    may: 'tracking.write',
    change: async ({ tx, who, request }) => {
      const path = pathOf(request, '/artifacts/')
      refuseMounted(path)
      await artifacts.remove(tx, who, path)
      return {}
    },
  })

  multipartRoutes(app, { ...deps, pathOf, refuse: refuseMounted, artifact_bytes_max: ARTIFACT_BYTES_MAX })
  route(app, {
    method: 'GET',
    path: '/presigned/*',
    may: 'tracking.read',
    handle: async () => {
      // Word for word: on this the client downloads in one request.
      throw new DomainError(
        'not-implemented',
        'Presigned download is not supported for the current artifact repository',
      )
    },
  })
}
