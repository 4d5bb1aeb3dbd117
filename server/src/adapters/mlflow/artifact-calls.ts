import type { FastifyInstance } from 'fastify'
import { invalid } from '#kernel/errors.ts'
import { artifactPathOfUri, joinArtifactPath, sendArtifact } from '#slices/tracking'
import type { Group, MlflowDeps } from './api.ts'
import { fileInfo } from './artifact-proxy.ts'
import { Fields, notImplemented } from './fields.ts'

const UPLOAD_BYTES_MAX = 10 * 1024 * 1024

/** Artifacts as runs know them: paths relative to the run's own root. */
export const runArtifacts: Group = (api, { tracking }) => {
  api.add('GET', '/artifacts/list', {
    may: 'tracking.read',
    read: async ({ sql, who, fields }) => {
      const { artifact_uri } = await tracking.getRun(sql, who.workspace, fields.runId())
      const files = await tracking.listUnder(sql, who.workspace, artifact_uri, fields.optionalText('path') ?? '')
      return { root_uri: artifact_uri, files: files.map(fileInfo) }
    },
  })

  for (const path of ['/artifacts/presigned-upload-url', '/artifacts/presigned-download-url']) {
    api.add('POST', path, {
      may: path.includes('upload') ? 'tracking.write' : 'tracking.read',
      handle: async () => {
        throw notImplemented('A presigned URL')
      },
    })
  }
}

/** `/get-artifact` at the root: one file of a run, for browsers. */
export function getArtifact(app: FastifyInstance, deps: MlflowDeps): void {
  const { routes, store, tracking, blobs } = deps
  routes.route(app, {
    method: 'GET',
    path: '/get-artifact',
    may: 'tracking.read',
    handle: async ({ who, query, request, reply }) => {
      const fields = new Fields({ ...(query as object) }, '', true)
      const path = fields.text('path')
      const ref = await store.read(async (sql) => {
        const { artifact_uri } = await tracking.getRun(sql, who.workspace, fields.runId())
        return await tracking.fileUnder(sql, who.workspace, artifact_uri, path)
      })
      return await sendArtifact(blobs, request, reply, path, ref)
    },
  })
}

/** `upload-artifact`: a small file of a run in one body, as MLflow's own pages send it. */
export function uploadArtifact(app: FastifyInstance, deps: MlflowDeps): void {
  const { routes, store, tracking, blobs } = deps
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  routes.route(app, {
    method: 'POST',
    path: '/upload-artifact',
    may: 'tracking.write',
    body_bytes_max: UPLOAD_BYTES_MAX + 1,
    handle: async ({ who, query, body }) => {
      const fields = new Fields({ ...(query as object) }, '', true)
      const run_id = fields.optionalText('run_uuid') || fields.optionalText('run_id')
      if (!run_id) throw invalid('Request must specify run_uuid.', { field: 'run_uuid' })
      const given = fields.optionalText('path')
      if (!given) throw invalid('Request must specify path.', { field: 'path' })
      const data = body as Uint8Array | undefined
      if (!data || data.length === 0) throw invalid('Request must specify data.', { field: 'body' })
      if (data.length > UPLOAD_BYTES_MAX) {
        throw invalid('Artifact size is too large. Max size is 10MB.', { field: 'body' })
      }
      const { artifact_uri } = await store.read((sql) => tracking.getRun(sql, who.workspace, run_id))
      const root = artifactPathOfUri(artifact_uri)
      if (root === undefined) throw notImplemented(`Uploading to ${artifact_uri.split(':')[0]}:`)
      const path = joinArtifactPath(root, given)
      const ref = await blobs.put(data)
      await store.write((tx) => tracking.artifacts.put(tx, who, path, ref))
      return {}
    },
  })
}
