import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { notFound } from '#kernel/errors.ts'
import type { Parts } from '../parts.ts'
import { AppliedReply, ProjectReply, ProjectsReply } from '../replies.ts'
import { createApply } from './apply.ts'
import { ProjectFile } from './schema.ts'

const API = '/api/slipway/v1'

export function projectRoutes(app: FastifyInstance, parts: Parts): void {
  const { route } = parts.routes
  const apply = createApply(parts)

  route(app, {
    method: 'POST',
    path: `${API}/projects/apply`,
    may: 'pipelines.write',
    summary: 'Apply a project file: all of it, or none',
    reply: AppliedReply,
    body: Type.Object(
      {
        yaml: Type.String({ maxLength: 1_000_000 }),
        code: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
        folder: Type.Optional(Type.String({ maxLength: 1000, default: '' })),
        dry_run: Type.Optional(Type.Boolean({ default: false })),
      },
      { additionalProperties: false },
    ),
    body_bytes_max: 4 * 1024 ** 2,
    handle: ({ who, body }) =>
      apply(who, { yaml: body.yaml, code: body.code, folder: body.folder ?? '', dry_run: body.dry_run ?? false }),
  })

  route(app, {
    method: 'GET',
    path: `${API}/projects`,
    may: 'pipelines.read',
    summary: 'Projects as last applied',
    reply: ProjectsReply,
    read: async ({ sql, who }) => ({ items: await parts.projects.list(sql, who.workspace) }),
  })

  route(app, {
    method: 'GET',
    path: `${API}/projects/:project`,
    may: 'pipelines.read',
    summary: 'A project: its file as last applied, and every time it was',
    reply: ProjectReply,
    params: Type.Object({ project: Type.String({ maxLength: 100 }) }),
    read: async ({ sql, who, params }) => {
      const history = await parts.projects.history(sql, who.workspace, params.project)
      if (history.length === 0) throw notFound(`no project '${params.project}'`, { field: 'project' })
      return { ...history[0], history: history.map(({ yaml: _, ...rest }) => rest) }
    },
  })

  // For editors: `# yaml-language-server: $schema=http://127.0.0.1:8080/slipway.schema.json`.
  route(app, {
    method: 'GET',
    path: '/slipway.schema.json',
    may: 'anonymous',
    handle: async () => ({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...ProjectFile }),
  })
}
