import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { DomainError } from '../errors.ts'
import type { Log } from '../log.ts'

/** Whatever was thrown, as a DomainError: Fastify's own refusals and schema mistakes are the caller's, the rest is ours. */
export function asProblem(error: unknown): DomainError {
  if (error instanceof DomainError) return error
  const fastify = error as Partial<FastifyError>
  if (Array.isArray(fastify.validation)) {
    const [first] = fastify.validation
    const context = fastify.validationContext ?? 'body'
    const missing = (first?.params as { missingProperty?: string } | undefined)?.missingProperty
    const unknown = (first?.params as { additionalProperty?: string } | undefined)?.additionalProperty
    const field = [
      ...(first?.instancePath ?? '').split('/').filter(Boolean),
      ...(missing ? [missing] : unknown ? [unknown] : []),
    ].join('.')
    const allowed = (first?.params as { allowedValues?: unknown[] } | undefined)?.allowedValues
    return new DomainError(
      'invalid',
      `${context}${field ? ` field '${field}'` : ''} ${first?.message ?? 'is not valid'}${allowed ? `: ${allowed.join(', ')}` : ''}`,
      {
        field: field || context,
        remedy: 'See /openapi.json for the shape of this request.',
      },
    )
  }
  // Nobody is left to hear it, and it is no mistake of ours.
  if ((error as NodeJS.ErrnoException).code === 'ECONNRESET' && (error as Error).message === 'aborted')
    return new DomainError('invalid', 'the connection broke off before the body was here')
  if (fastify.code === 'FST_ERR_BAD_URL')
    return new DomainError('invalid', 'the address is not percent-encoded UTF-8', {
      field: 'path',
      remedy: 'Percent-encode names and paths as UTF-8.',
    })
  if (fastify.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new DomainError('too-large', 'the body is larger than this route takes')
  if (fastify.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new DomainError('unsupported', 'this content type is not taken here', { remedy: 'Send application/json.' })
  if (typeof fastify.statusCode === 'number' && fastify.statusCode >= 400 && fastify.statusCode < 500) {
    return new DomainError(fastify.statusCode === 404 ? 'not-found' : 'invalid', fastify.message ?? 'bad request')
  }
  return new DomainError('internal', 'something went wrong on our side; the log has the details', { cause: error })
}

/** RFC 9457 problem details: our own API's wording of the closed list. */
export function problemReply(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = asProblem(error)
    logProblem(log, problem, error, request)
    if (problem.problem === 'too-many' || problem.problem === 'unavailable') reply.header('retry-after', '1')
    reply
      .status(problem.status)
      .type('application/problem+json')
      .send({
        type: `urn:slipway:problem:${problem.problem}`,
        title: problem.problem,
        status: problem.status,
        detail: problem.message,
        ...(problem.field !== undefined && { field: problem.field }),
        ...(problem.remedy !== undefined && { remedy: problem.remedy }),
        ...(problem.facts !== undefined && { facts: problem.facts }),
        request_id: request.id,
      })
  }
}

/** Ours is logged whole, theirs as one line at debug. */
export function logProblem(log: Log, problem: DomainError, error: unknown, request: FastifyRequest): void {
  const at = { request_id: request.id, method: request.method, url: request.url.split('?')[0] }
  if (problem.status >= 500 && problem.problem !== 'not-implemented')
    log.error(
      { ...at, err: error instanceof DomainError && error.cause ? error.cause : error, problem: problem.problem },
      problem.message,
    )
  else log.debug({ ...at, problem: problem.problem }, problem.message)
}
