import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError } from '#kernel/errors.ts'
import { type Cursors, liveReply, PAGE_DEFAULT, type Page, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Pipelines } from './pipelines.ts'
import type { PipelineRun } from './pipelines-store.ts'
import {
  BlobReply,
  CodeDetailReply,
  CodeReply,
  LogReply,
  MissingReply,
  PipelineReply,
  PipelinesReply,
  RunDetailReply,
  RunReply,
  RunsReply,
  StepReply,
} from './replies.ts'
import { CODE_FILE_BYTES_MAX, CodeManifest, PipelinePath, RunPath, StartBody, StepPath } from './schema.ts'

const API = '/api/slipway/v1'
const FOLLOW_MS = 200
const MANIFEST_BYTES_MAX = 16 * 1024 ** 2

export function pipelineRoutes(
  app: FastifyInstance,
  { route, pipelines, store, cursors }: { route: Route; pipelines: Pipelines; store: Store; cursors: Cursors },
): void {
  codeRoutes(app, { route, pipelines, store })

  route(app, {
    method: 'GET',
    path: `${API}/pipelines`,
    may: 'pipelines.read',
    summary: 'Pipelines of all projects, or of one',
    reply: PipelinesReply,
    query: Type.Object({ project: Type.Optional(Type.String({ maxLength: 100 })) }),
    read: async ({ sql, who, query }) => {
      const items = []
      for (const pipeline of await pipelines.listPipelines(sql, who.workspace, query.project)) {
        const [last] = await pipelines.listRuns(sql, who.workspace, {
          project: pipeline.project,
          pipeline: pipeline.name,
          limit: 1,
        })
        items.push({ ...pipeline, last_run: last ? runSummary(last) : null })
      }
      return { items }
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/pipelines/:project/:pipeline`,
    may: 'pipelines.read',
    summary: 'One pipeline as last applied',
    reply: PipelineReply,
    params: PipelinePath,
    read: ({ sql, who, params }) => pipelines.getPipeline(sql, who.workspace, params.project, params.pipeline),
  })

  route(app, {
    method: 'POST',
    path: `${API}/pipelines/:project/:pipeline/runs`,
    may: 'pipelines.write',
    summary: 'Start a pipeline',
    reply: RunReply,
    params: PipelinePath,
    body: StartBody,
    status: 201,
    change: async ({ tx, who, params, body }) =>
      runSummary(
        await pipelines.start(tx, who, {
          ...params,
          ...(body.params && { params: body.params }),
          ...(body.inputs && { inputs: body.inputs }),
          ...(body.cache !== undefined && { cache: body.cache }),
          cause: { kind: 'manual', ...(body.reason !== undefined && { reason: body.reason }) },
        }),
      ),
  })

  route(app, {
    method: 'GET',
    path: `${API}/pipeline-runs`,
    may: 'pipelines.read',
    summary: 'Pipeline runs, newest first',
    reply: RunsReply,
    query: Type.Object({
      ...PageQuery,
      project: Type.Optional(Type.String({ maxLength: 100 })),
      pipeline: Type.Optional(Type.String({ maxLength: 100 })),
      state: Type.Optional(
        Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed'), Type.Literal('cancelled')]),
      ),
    }),
    read: async ({ sql, who, query }): Promise<Page<unknown>> => {
      const limit = query.limit ?? PAGE_DEFAULT
      const before_id = cursors.decode<string>(query.cursor)
      const { project, pipeline, state } = query
      const found = await pipelines.listRuns(sql, who.workspace, {
        limit: limit + 1,
        ...(before_id !== undefined && { before_id }),
        ...(project !== undefined && { project }),
        ...(pipeline !== undefined && { pipeline }),
        ...(state !== undefined && { state }),
      })
      return pageOf(found.map(runSummary), limit, cursors, (last) => last.id)
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/pipeline-runs/:run`,
    may: 'pipelines.read',
    summary: 'One pipeline run with its steps',
    reply: RunDetailReply,
    params: RunPath,
    read: async ({ sql, who, params }) => {
      const run = await pipelines.getRun(sql, who.workspace, params.run)
      return {
        ...runSummary(run),
        spec: run.spec,
        environments: run.environments,
        params: run.params,
        inputs: run.inputs,
        steps: await pipelines.steps(sql, who.workspace, run.id),
      }
    },
  })

  route(app, {
    method: 'POST',
    path: `${API}/pipeline-runs/:run/cancel`,
    may: 'pipelines.write',
    summary: 'Cancel a run',
    reply: RunReply,
    params: RunPath,
    body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 2000 })) }, { additionalProperties: false }),
    change: async ({ tx, who, params, body }) => {
      await pipelines.cancelRun(tx, who, params.run, body.reason)
      return runSummary(await pipelines.getRun(tx, who.workspace, params.run))
    },
  })

  route(app, {
    method: 'POST',
    path: `${API}/pipeline-runs/:run/retry`,
    may: 'pipelines.write',
    summary: 'Run again from the failed steps on, with the outputs of the finished ones',
    reply: RunReply,
    params: RunPath,
    status: 201,
    change: async ({ tx, who, params }) => runSummary(await pipelines.retryRun(tx, who, params.run)),
  })

  route(app, {
    method: 'GET',
    path: `${API}/steps/:step`,
    may: 'pipelines.read',
    summary: 'One step: inputs, outputs, cache, how it ended',
    reply: StepReply,
    params: StepPath,
    read: ({ sql, who, params }) => pipelines.getStep(sql, who.workspace, params.step),
  })

  route(app, {
    method: 'GET',
    path: `${API}/steps/:step/log`,
    may: 'pipelines.read',
    summary: 'The log of a step from an offset on, or followed live with follow=true',
    reply: LogReply,
    media_type: 'application/json, text/event-stream',
    params: StepPath,
    query: Type.Object({
      offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
      follow: Type.Optional(Type.Boolean({ default: false })),
    }),
    handle: async ({ who, params, query, reply }) => {
      const find = () => store.read((sql) => pipelines.getStep(sql, who.workspace, params.step))
      const step = await find()
      if (!query.follow) return pipelines.readLog(step, query.offset ?? 0)
      return liveReply(reply, (send) => {
        let offset = query.offset ?? 0
        let stopped = false
        const follow = async () => {
          while (!stopped) {
            const now = await find()
            const part = await pipelines.readLog(now, offset)
            offset = part.next_offset
            if (part.text) send('log', { text: part.text, next_offset: offset })
            if (part.ended) {
              send('ended', { state: now.state, reason: now.reason })
              break
            }
            if (!part.text) await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS))
          }
          reply.raw.end()
        }
        // The reader comes back with its offset.
        follow().catch(() => reply.raw.destroy())
        return () => {
          stopped = true
        }
      })
    },
  })
}

function codeRoutes(
  app: FastifyInstance,
  { route, pipelines, store }: { route: Route; pipelines: Pipelines; store: Store },
): void {
  route(app, {
    method: 'POST',
    path: `${API}/code/missing`,
    may: 'pipelines.write',
    summary: 'Which files of a code snapshot are not here yet',
    reply: MissingReply,
    body: CodeManifest,
    body_bytes_max: MANIFEST_BYTES_MAX,
    handle: async ({ who, body }) => ({ missing: await pipelines.missing(who.workspace, body) }),
  })

  app.register(async (raw) => {
    raw.removeAllContentTypeParsers()
    raw.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    route(raw, {
      method: 'PUT',
      path: `${API}/code/blobs/:digest`,
      may: 'pipelines.write',
      summary: 'Upload the bytes of a file of a code snapshot',
      reply: BlobReply,
      params: Type.Object({ digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }) }),
      body_bytes_max: CODE_FILE_BYTES_MAX,
      handle: ({ who, params, body }) =>
        pipelines.uploadCode(who.workspace, params.digest, (body ?? Buffer.alloc(0)) as Parameters<Blobs['put']>[0]),
    })
  })

  route(app, {
    method: 'POST',
    path: `${API}/code`,
    may: 'pipelines.write',
    summary: 'Record a code snapshot whose files are here',
    reply: CodeReply,
    body: CodeManifest,
    body_bytes_max: MANIFEST_BYTES_MAX,
    status: 201,
    handle: async ({ who, body }) => {
      const code = await pipelines.prepareCode(who.workspace, who, body)
      return store.write((tx) => pipelines.recordCode(tx, who, code))
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/code/:digest`,
    may: 'pipelines.read',
    summary: 'One code snapshot: commit, whether the tree was clean, its files',
    reply: CodeDetailReply,
    params: Type.Object({ digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }) }),
    handle: async ({ who, params }) => {
      const code = await store.read((sql) => pipelines.getCode(sql, who.workspace, params.digest))
      if (!code) throw new DomainError('not-found', 'no such code')
      return { ...code, ...(await pipelines.manifestOf(code)) }
    },
  })
}

const runSummary = (run: PipelineRun) => ({
  id: run.id,
  project: run.project,
  pipeline: run.pipeline,
  number: run.number,
  state: run.state,
  reason: run.reason,
  cause: run.cause,
  who: { kind: run.who.kind, id: run.who.id, name: run.who.name },
  code: run.code,
  source: run.source,
  created_ms: run.created_ms,
  ended_ms: run.ended_ms,
})
