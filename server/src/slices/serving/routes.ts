import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { notFound } from '#kernel/errors.ts'
import type { Routes } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import { readRows } from './forms.ts'
import { strictJson } from './outcome.ts'
import {
  EndpointReply,
  EndpointsReply,
  PredictionReply,
  PredictionsReply,
  PreparationsReply,
  ScoredReply,
  WaitingReply,
} from './replies.ts'
import { EndpointPath, PredictBody, PredictionPath, PredictReply } from './schema.ts'
import type { Serving } from './serving.ts'

/** Bodies of predictions: room for 10,000 rows of ordinary width. */
const PREDICT_BYTES_MAX = 32 * 1024 ** 2

const VersionPath = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  version: Type.Integer({ minimum: 1 }),
})

/** Our own REST of serving. */
export function servingRoutes(
  app: FastifyInstance,
  { routes, serving, store }: { routes: Routes; serving: Serving; store: Pick<Store, 'read'> },
): void {
  const { route } = routes

  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/endpoints',
    may: 'serving.read',
    summary: 'Endpoints with their wanted traffic',
    reply: EndpointsReply,
    read: async ({ sql, who }) => {
      const items = []
      for (const endpoint of await serving.listEndpoints(sql, who.workspace)) {
        items.push({
          ...endpoint,
          traffic: (await serving.trafficOf(sql, who.workspace, endpoint.name)) ?? null,
          watermark_ms: (await serving.watermark(sql, who.workspace, endpoint.name)) ?? null,
        })
      }
      return { items }
    },
  })

  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/endpoints/:endpoint',
    may: 'serving.read',
    summary: 'One endpoint: wanted traffic, what the nodes report, revisions with their counts',
    reply: EndpointReply,
    params: EndpointPath,
    read: async ({ sql, who, params }) => {
      const endpoint = await serving.getEndpoint(sql, who.workspace, params.endpoint)
      return {
        ...endpoint,
        traffic: (await serving.trafficOf(sql, who.workspace, endpoint.name)) ?? null,
        revisions: await serving.revisions(sql, who.workspace, endpoint.name),
        watermark_ms: (await serving.watermark(sql, who.workspace, endpoint.name)) ?? null,
        dropped: serving.dropped(),
      }
    },
  })

  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/endpoints/:endpoint/predictions',
    may: 'serving.read',
    summary: 'Newest predictions of an endpoint',
    reply: PredictionsReply,
    params: EndpointPath,
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })) }),
    handle: async ({ who, params, query }) => {
      await store.read((sql) => serving.getEndpoint(sql, who.workspace, params.endpoint))
      return { items: await serving.recentPredictions(who.workspace, params.endpoint, query.limit ?? 50) }
    },
  })

  route(app, {
    method: 'POST',
    path: '/api/slipway/v1/endpoints/:endpoint/predict',
    may: 'serving.infer',
    summary: 'Predict rows of named features',
    params: EndpointPath,
    body: PredictBody,
    reply: PredictReply,
    body_bytes_max: PREDICT_BYTES_MAX,
    handle: async ({ who, params, body, request, reply }) => {
      const answer = await serving.predict({
        workspace: who.workspace,
        endpoint: params.endpoint,
        read: (features) => readRows(features, body.rows, body.params),
        key: request.headers['slipway-key'] as string | undefined,
        event_time: request.headers['slipway-event-time'] as string | undefined,
      })
      reply.header('slipway-prediction-id', answer.id)
      return {
        prediction_id: answer.id,
        endpoint: answer.endpoint,
        revision: answer.revision,
        version: `${answer.model}/${answer.version}`,
        fallback: answer.fallback,
        rows: answer.outputs.map((output, row) => ({
          id: `${answer.id}.${row}`,
          score: answer.scores[row],
          label: answer.labels[row],
          output: strictJson(output),
        })),
      }
    },
  })

  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/predictions/:prediction',
    may: 'serving.read',
    summary: 'One logged prediction: inputs, output, which revision answered and why',
    reply: PredictionReply,
    params: PredictionPath,
    handle: async ({ who, params }) => {
      const found = await serving.findPrediction(who.workspace, params.prediction)
      if (!found)
        throw notFound(`no prediction '${params.prediction}' in the log`, {
          field: 'prediction',
          remedy: 'It may have been lost with a crash before it was written, or be of another workspace.',
        })
      return found
    },
  })

  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/preparations',
    may: 'serving.read',
    summary: 'Preparations of model versions: the form that serves, and why',
    reply: PreparationsReply,
    query: Type.Object({
      model: Type.Optional(Type.String({ maxLength: 256 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
    }),
    read: async ({ sql, who, query }) => ({
      items: await serving.listPreparations(sql, who.workspace, query.model, query.limit ?? 50),
    }),
  })

  route(app, {
    method: 'POST',
    path: '/api/slipway/v1/models/:model/versions/:version/rows',
    may: 'serving.write',
    summary: 'Attach rows (a blob that is here) to prove the compiled form on',
    reply: WaitingReply,
    params: VersionPath,
    body: Type.Object({ digest: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }) }, { additionalProperties: false }),
    change: async ({ tx, who, params, body }) => {
      await serving.attachRows(tx, who, params.model, params.version, body.digest)
      return { state: 'waiting' }
    },
  })

  route(app, {
    method: 'POST',
    path: '/api/slipway/v1/models/:model/versions/:version/score',
    may: 'serving.infer',
    summary: 'Score rows with one model version, beside all traffic: nothing is logged',
    reply: ScoredReply,
    params: VersionPath,
    body: Type.Object(
      {
        endpoint: Type.String({ maxLength: 120, description: 'Endpoint whose task, score and threshold are used.' }),
        rows: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 10_000 }),
      },
      { additionalProperties: false },
    ),
    body_bytes_max: PREDICT_BYTES_MAX,
    handle: async ({ who, params, body }) => {
      const { spec } = await store.read((sql) => serving.getEndpoint(sql, who.workspace, body.endpoint))
      const scorer = await serving.openScorer(who.workspace, params.model, params.version, spec)
      try {
        return { form: scorer.form, ...(await scorer.score(body.rows)) }
      } finally {
        await scorer.close()
      }
    },
  })
}
