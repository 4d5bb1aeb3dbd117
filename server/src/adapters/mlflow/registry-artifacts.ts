import type { FastifyInstance } from 'fastify'
import { notFound } from '#kernel/errors.ts'
import { safeArtifactPath, sendArtifact } from '#slices/tracking'
import type { MlflowDeps } from './api.ts'
import { Fields } from './fields.ts'
import { versionIn } from './registry-wire.ts'

/** `/model-versions/get-artifact` at the root: one pinned file of a version, for browsers. */
export function getVersionArtifact(app: FastifyInstance, { routes, store, registry, blobs }: MlflowDeps): void {
  routes.route(app, {
    method: 'GET',
    path: '/model-versions/get-artifact',
    may: 'registry.read',
    handle: async ({ who, query, request, reply }) => {
      const fields = new Fields({ ...(query as object) }, '', true)
      const at = { name: fields.text('name'), version: versionIn(fields) }
      const path = safeArtifactPath(fields.text('path'))
      const file = await store.read((sql) => registry.versionFile(sql, who.workspace, at, path))
      if (!file) throw notFound(`No such artifact: '${path}'`, { field: 'path' })
      return sendArtifact(blobs, request, reply, path, file)
    },
  })
}
