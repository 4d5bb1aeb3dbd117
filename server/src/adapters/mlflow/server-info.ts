import type { FastifyInstance } from 'fastify'
import { DomainError, notFound } from '#kernel/errors.ts'
import type { Group, MlflowDeps } from './api.ts'

/** The version of MLflow whose API this is: clients decide by it what they may ask. */
export const MLFLOW_VERSION = '3.17.2'

export const serverInfo: Group = (api, deps) => {
  api.add('GET', '/server-info', {
    may: 'anonymous',
    handle: async () => ({
      store_type: 'SqlStore',
      workspaces_enabled: deps.workspaces !== undefined,
      trace_archival_enabled: false,
      multipart_uploads_enabled: false,
      multipart_downloads_enabled: false,
      presigned_upload_run_id_supported: false,
      presigned_upload_model_id_supported: false,
      features_enabled: { gateway: false },
    }),
  })
}

/** Workspaces are made and changed in Slipway itself, where their members are. */
export const workspaces: Group = (api, deps) => {
  const word = ({ name, description }: { name: string; description?: string | null }) => ({
    name,
    ...(description && { description }),
  })
  const mine = async (...asked: Parameters<NonNullable<MlflowDeps['workspaces']>>) =>
    (await deps.workspaces?.(...asked)) ?? []

  api.add('GET', '/workspaces', {
    may: 'tracking.read',
    read: async ({ sql, who }) => ({ workspaces: (await mine(sql, who)).map(word) }),
  })
  api.add('GET', '/workspaces/:workspace', {
    may: 'tracking.read',
    read: async ({ sql, who, params }) => {
      const found = (await mine(sql, who)).find(({ name }) => name === params.workspace)
      if (!found) throw notFound(`no workspace '${params.workspace}'`, { field: 'workspace' })
      return { workspace: word(found) }
    },
  })
  const refuse = async () => {
    throw new DomainError('forbidden', 'workspaces are not changed by this API', {
      remedy: 'An admin makes and changes them by /api/slipway/v1/workspaces.',
    })
  }
  api.add('POST', '/workspaces', { may: 'access.admin', handle: refuse })
  api.add('PATCH', '/workspaces/:workspace', { may: 'access.admin', handle: refuse })
  api.add('DELETE', '/workspaces/:workspace', { may: 'access.admin', handle: refuse })
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
