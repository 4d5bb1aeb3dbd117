import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { notFound } from '#kernel/errors.ts'
import type { Route } from '#kernel/http/index.ts'
import type { Explain } from './explain.ts'
import { AttributionReply, ExplanationReply, WaitingReply } from './replies.ts'

const API = '/api/slipway/v1'
const VersionPath = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  version: Type.Integer({ minimum: 1 }),
})
const PredictionPath = Type.Object({ prediction: Type.String({ pattern: '^prd_[0-9a-f]{32}(\\.\\d{1,6})?$' }) })

export function explainRoutes(app: FastifyInstance, { route, explain }: { route: Route; explain: Explain }): void {
  route(app, {
    method: 'GET',
    path: `${API}/models/:model/versions/:version/explanation`,
    may: 'explain.read',
    summary: 'What matters to a version: mean absolute attribution per feature, and a sample of rows',
    reply: ExplanationReply,
    params: VersionPath,
    read: async ({ sql, who, params }) => {
      const found = await explain.explanation(sql, who.workspace, params.model, params.version)
      if (!found)
        throw notFound(`${params.model}/${params.version} was not explained yet`, {
          field: 'version',
          remedy: 'It is, once it is prepared; or ask for it with POST.',
        })
      const { report, ...rest } = found
      return { ...rest, ...report }
    },
  })

  route(app, {
    method: 'POST',
    path: `${API}/models/:model/versions/:version/explanation`,
    may: 'explain.write',
    summary: 'Compute what matters to a version (again)',
    reply: WaitingReply,
    params: VersionPath,
    status: 202,
    change: async ({ tx, who, params }) => {
      await explain.explainVersion(tx, who, params.model, params.version)
      return { state: 'waiting' }
    },
  })

  route(app, {
    method: 'POST',
    path: `${API}/predictions/:prediction/explain`,
    may: 'explain.write',
    summary: 'Attributions of one prediction row by the version that answered; computed once, then stored',
    reply: AttributionReply,
    params: PredictionPath,
    handle: ({ who, params }) => explain.explainPrediction(who.workspace, params.prediction),
  })

  route(app, {
    method: 'GET',
    path: `${API}/predictions/:prediction/explanation`,
    may: 'explain.read',
    summary: 'Stored attributions of one prediction row',
    reply: AttributionReply,
    params: PredictionPath,
    read: async ({ sql, who, params }) => {
      const found = await explain.attributions(sql, who.workspace, params.prediction)
      if (!found)
        throw notFound(`prediction '${params.prediction}' was not explained yet`, {
          field: 'prediction',
          remedy: 'Ask for it with POST …/explain.',
        })
      return found
    },
  })
}
