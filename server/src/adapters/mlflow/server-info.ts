import type { FastifyInstance } from 'fastify'
import type { Group, MlflowDeps } from './api.ts'

/** The version of MLflow whose API this is: clients decide by it what they may ask. */
export const MLFLOW_VERSION = '3.17.2'

export const serverInfo: Group = (api) => {
  api.add('GET', '/server-info', {
    may: 'anonymous',
    handle: async () => ({
      store_type: 'SqlStore',
      workspaces_enabled: false,
      trace_archival_enabled: false,
      multipart_uploads_enabled: false,
      multipart_downloads_enabled: false,
      presigned_upload_run_id_supported: false,
      presigned_upload_model_id_supported: false,
      features_enabled: { gateway: false },
    }),
  })
}

/** `/version` at the root, as plain text. */
export function version(app: FastifyInstance, { routes, version = MLFLOW_VERSION }: MlflowDeps): void {
  routes.route(app, {
    method: 'GET',
    path: '/version',
    may: 'anonymous',
    handle: async ({ reply }) => reply.type('text/plain').send(version),
  })
}
