import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { tagValue } from '../replies.ts'
import type { TrackingRouteDeps } from '../routes.ts'
import { readEnvironment, readRunDetail } from '../run-detail.ts'
import { EXPORTS, exportFile } from './files.ts'
import { recordOf } from './record.ts'

const RunPath = Type.Object({ run_id: Type.String({ minLength: 1, maxLength: 64 }) })
const Words = Type.Union([Type.String(), Type.Null()])
const RecordReply = Type.Object({
  sections: Type.Array(
    Type.Object({
      name: Type.String(),
      items: Type.Array(Type.Object({ name: Type.String(), value: Words, from: Words, remedy: Words })),
    }),
  ),
  python_version: Words,
  packages: Type.Object({ lines: Type.Array(Type.String()), from: Words }),
  missing: Type.Integer({ description: 'Things that nobody recorded and that could have been.' }),
})

/** What a run recorded, and the files that make its environment again. */
export function recordRoutes(app: FastifyInstance, { routes, store, tracking, blobs }: TrackingRouteDeps): void {
  const { route } = routes
  const recordedOf = async (workspace: string, run_id: string) => {
    const { run, environment } = await store.read((sql) => readRunDetail(tracking, sql, workspace, run_id))
    const isStep = tagValue(run.tags, 'slipway.environment.packages') !== null
    return recordOf(run, environment && !isStep ? await readEnvironment(environment, blobs) : undefined)
  }
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/runs/:run_id/record',
    may: 'tracking.read',
    summary: 'What it takes to make a run again, and what nobody recorded',
    params: RunPath,
    reply: RecordReply,
    handle: ({ who, params }) => recordedOf(who.workspace, params.run_id),
  })
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/runs/:run_id/export/:file',
    may: 'tracking.read',
    summary: "A run's exact packages as requirements.txt, conda.yaml or Dockerfile",
    params: Type.Object({ ...RunPath.properties, file: Type.Union(EXPORTS.map((name) => Type.Literal(name))) }),
    reply: Type.String(),
    media_type: 'text/plain',
    handle: async ({ who, params, reply }) =>
      reply
        .type('text/plain; charset=utf-8')
        .header('x-content-type-options', 'nosniff')
        .header('content-disposition', `attachment; filename=${params.file}`)
        .send(exportFile(params.run_id, await recordedOf(who.workspace, params.run_id), params.file)),
  })
}
