import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DomainError, Problem } from '#kernel/errors.ts'
import { asProblem, logProblem } from '#kernel/http/index.ts'
import type { Log } from '#kernel/log.ts'

/** Our closed list in MLflow's words. Its clients look at the name more than at the status. */
const CODES: Record<Problem, { status: number; error_code: string }> = {
  invalid: { status: 400, error_code: 'INVALID_PARAMETER_VALUE' },
  unauthenticated: { status: 401, error_code: 'UNAUTHENTICATED' },
  forbidden: { status: 403, error_code: 'PERMISSION_DENIED' },
  'not-found': { status: 404, error_code: 'RESOURCE_DOES_NOT_EXIST' },
  'already-exists': { status: 400, error_code: 'RESOURCE_ALREADY_EXISTS' },
  conflict: { status: 409, error_code: 'RESOURCE_CONFLICT' },
  'too-large': { status: 400, error_code: 'INVALID_PARAMETER_VALUE' },
  unsupported: { status: 400, error_code: 'INVALID_PARAMETER_VALUE' },
  'too-many': { status: 429, error_code: 'REQUEST_LIMIT_EXCEEDED' },
  internal: { status: 500, error_code: 'INTERNAL_ERROR' },
  'not-implemented': { status: 501, error_code: 'NOT_IMPLEMENTED' },
  unavailable: { status: 503, error_code: 'TEMPORARILY_UNAVAILABLE' },
  'storage-full': { status: 507, error_code: 'RESOURCE_EXHAUSTED' },
}

/** Problems whose remedy the caller needs as much as the message; the others' texts are what MLflow's programs match. */
const WITH_REMEDY: ReadonlySet<Problem> = new Set([
  'conflict',
  'forbidden',
  'unauthenticated',
  'storage-full',
  'unavailable',
])

export function mlflowError(problem: DomainError): { status: number; body: { error_code: string; message: string } } {
  const { status, error_code } = CODES[problem.problem]
  const remedy = problem.remedy && WITH_REMEDY.has(problem.problem) ? `. ${problem.remedy}` : ''
  return { status, body: { error_code, message: `${problem.message}${remedy}` } }
}

export function mlflowErrorHandler(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = asProblem(error)
    logProblem(log, problem, error, request)
    const { status, body } = mlflowError(problem)
    if (status === 429 || status === 503) reply.header('retry-after', '1')
    if (status === 401) reply.header('www-authenticate', 'Basic realm="mlflow"')
    reply.status(status).type('application/json').send(JSON.stringify(body))
  }
}

/** An unknown path: the client then falls back to an older call, or says that the server lacks it. */
export const endpointNotFound = (request: FastifyRequest, reply: FastifyReply): void => {
  const path = request.url.split('?')[0]!.slice(0, 300)
  reply
    .status(404)
    .type('application/json')
    .send(
      JSON.stringify({ error_code: 'ENDPOINT_NOT_FOUND', message: `No endpoint answers ${request.method} ${path}` }),
    )
}

export const methodNotAllowed = (request: FastifyRequest, reply: FastifyReply, allowed: readonly string[]): void => {
  reply
    .status(405)
    .header('allow', allowed.join(', '))
    .type('application/json')
    .send(
      JSON.stringify({
        error_code: 'BAD_REQUEST',
        message: `${request.url.split('?')[0]!.slice(0, 300)} is asked by ${allowed.join(' or ')}, not ${request.method}`,
      }),
    )
}

/** This wire's words for addresses of its own that cannot even be read. */
export const mlflowWording = (address: string, log: Log): ReturnType<typeof mlflowErrorHandler> | undefined =>
  /^(?:\/w\/[^/]+)?\/(?:api|ajax-api)\/[23]\.0\/|^\/(?:get-artifact|model-versions)\b/.test(address)
    ? mlflowErrorHandler(log)
    : undefined
