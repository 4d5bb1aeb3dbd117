/** MLflow's scoring server contract, per endpoint under /serve and, when one is named for it, at the root. */
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import { asProblem, logProblem, type Routes } from '#kernel/http/index.ts'
import type { Log } from '#kernel/log.ts'
import { readCsv, readInvocation, type Serving } from '#slices/serving'
import { answerText } from './wire.ts'

const BODY_BYTES_MAX = 32 * 1024 ** 2

const EndpointPath = Type.Object({ endpoint: Type.String({ minLength: 1, maxLength: 120 }) })

export async function scoring(
  app: FastifyInstance,
  deps: {
    routes: Routes
    serving: Pick<Serving, 'predict' | 'mustAnswer'>
    root_endpoint: string
    log: Log
  },
): Promise<void> {
  const { route } = deps.routes
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error)
    logProblem(deps.log, problem, error, request)
    if (problem.problem === 'too-many' || problem.problem === 'unavailable') reply.header('retry-after', '1')
    const text = [problem.message, problem.remedy].filter(Boolean).join(' ')
    reply.status(problem.status).send({
      error_code: problem.status < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR',
      message: text,
      ...(problem.field !== undefined && { field: problem.field }),
    })
  })
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_, body, done) => done(null, body))

  const invoke = async (
    endpoint: string,
    {
      who,
      body,
      request,
      reply,
    }: {
      who: { workspace: string }
      body: unknown
      request: { headers: Record<string, string | string[] | undefined> }
      reply: { header(name: string, value: string): unknown; type(type: string): { send(text: string): unknown } }
    },
  ) => {
    const type = String(request.headers['content-type'] ?? 'application/json')
    const csv = type.startsWith('text/csv')
    if (!csv && !type.startsWith('application/json'))
      throw new DomainError('unsupported', `content type '${type}' is not taken`, {
        remedy: 'Send application/json or text/csv.',
      })
    if (csv && typeof body !== 'string') throw invalid('the body is empty', { field: 'body' })
    const answer = await deps.serving.predict({
      workspace: who.workspace,
      endpoint,
      read: (features) => (csv ? readCsv(features, body as string) : readInvocation(features, body)),
      key: request.headers['slipway-key'] as string | undefined,
      event_time: request.headers['slipway-event-time'] as string | undefined,
    })
    reply.header('slipway-prediction-id', answer.id)
    return reply.type('application/json').send(answerText(answer))
  }
  route(app, {
    method: 'POST',
    path: '/serve/:endpoint/invocations',
    may: 'serving.infer',
    params: EndpointPath,
    body_bytes_max: BODY_BYTES_MAX,
    handle: async (call) => invoke(call.params.endpoint, call as never),
  })
  for (const path of ['/serve/:endpoint/ping', '/serve/:endpoint/health'] as const) {
    route(app, {
      method: 'GET',
      path,
      may: 'serving.infer',
      params: EndpointPath,
      handle: async ({ who, params, reply }) => {
        deps.serving.mustAnswer(who.workspace, params.endpoint)
        return reply.type('application/json').send('\n')
      },
    })
  }
  route(app, {
    method: 'GET',
    path: '/serve/:endpoint/version',
    may: 'serving.infer',
    params: EndpointPath,
    handle: async ({ reply }) => reply.type('text/plain').send('3.17.2'),
  })

  const root = () => {
    if (!deps.root_endpoint)
      throw notFound('no endpoint is set for the root', {
        remedy: 'Use /serve/<endpoint>/invocations, or set serving.root_endpoint.',
      })
    return deps.root_endpoint
  }
  route(app, {
    method: 'POST',
    path: '/invocations',
    may: 'serving.infer',
    body_bytes_max: BODY_BYTES_MAX,
    handle: async (call) => invoke(root(), call as never),
  })
  route(app, {
    method: 'GET',
    path: '/ping',
    may: 'serving.infer',
    handle: async ({ who, reply }) => {
      deps.serving.mustAnswer(who.workspace, root())
      return reply.type('application/json').send('\n')
    },
  })
}
