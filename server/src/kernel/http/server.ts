import type { AddressInfo, Socket } from 'node:net'
import { Ajv, type ValidateFunction } from 'ajv'
import { type FastifyInstance, fastify } from 'fastify'
import { DomainError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log.ts'
import { bodyArrived, expectBody, expectUpload } from './body-time.ts'
import { refuseDeep, refuseHalfLetters } from './json.ts'
import { endLiveStreams } from './live.ts'
import { problemReply } from './problems.ts'

/** Body of a JSON request when a route says nothing else. */
const BODY_BYTES_MAX = 1 << 20
const CONNECTIONS_MAX = 4_096

export interface ServerOptions {
  log: Log
  ids: Ids
  /** Without sign-in: loopback names only, and browsers may send only what a page of ours would. */
  dev: boolean
  /** Host names (without port) under which browsers may reach us, beside loopback and the address itself. */
  hosts: readonly string[]
  /** Connections open at once; further ones are closed at once. Default 4,096. */
  connections_max?: number
  /** Who words the refusal of an address that cannot be read, so that no route is found for it: a wire of others, by its paths. */
  wordingOf?(url: string): ErrorWording | undefined
}

type ErrorWording = ReturnType<typeof problemReply>

/** The bare HTTP server: limits, validation, problem details, Host and Origin checks, workspace prefix. Routes come later. */
export function createServer(options: ServerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: 5000 },
    // Of whole requests, uploads too: bodies have their own times instead (body-time.ts).
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    genReqId: () => options.ids.hex(),
    logger: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: refuseConnection,
    // Before any route and hook: `%zz`, or bytes that are no UTF-8.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-content-type-options', 'nosniff').header('x-frame-options', 'DENY')
      const word = options.wordingOf?.(request.raw.url ?? '') ?? problemReply(options.log)
      word(error, request as never, reply as never)
    },
    rewriteUrl: (request) => {
      // `/w/<name>/…` is the same request in workspace <name>, on every wire.
      const match = /^\/w\/([^/?#]{1,120})(\/.*)?$/s.exec(request.url ?? '/')
      if (!match) return request.url ?? '/'
      request.headers['slipway-workspace'] = decodeURIComponentSafe(match[1]!)
      return match[2] ?? '/'
    },
  })

  app.server.maxConnections = options.connections_max ?? CONNECTIONS_MAX
  endLiveStreams(app)

  // Query and path come as text and are read as what the schema says; bodies are taken exactly as typed.
  const loose = new Ajv({ coerceTypes: 'array', useDefaults: true, allErrors: false, strict: false })
  const exact = new Ajv({ coerceTypes: false, useDefaults: true, allErrors: false, strict: false })
  app.setValidatorCompiler(({ schema, httpPart }) =>
    compiledOnUse(httpPart === 'body' ? exact : loose, schema as object),
  )
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text: string, done) =>
    parse(request, text, (error, body) => {
      if (error) return done(error)
      try {
        refuseHalfLetters(text, body)
        refuseDeep(body)
        done(null, body)
      } catch (refused) {
        done(refused as Error)
      }
    }),
  )
  app.setErrorHandler(problemReply(options.log))
  app.setNotFoundHandler((request) => {
    throw new DomainError('not-found', `nothing answers ${request.method} ${request.url.split('?')[0]}`, {
      remedy: 'See /openapi.json for what there is.',
    })
  })

  app.addHook('preValidation', (request, _, done) => {
    // A body that is not here yet is read as it comes, by the route.
    if (request.raw.complete) bodyArrived(request.raw)
    else expectUpload(request.raw)
    done()
  })
  app.addHook('onRequest', async (request, reply) => {
    expectBody(request.raw)
    reply
      .header('x-content-type-options', 'nosniff')
      .header('x-frame-options', 'DENY')
      .header('referrer-policy', 'same-origin')
    const host = hostName(request.headers.host)
    const known = isLoopbackName(host) || options.hosts.includes(host)
    if (options.dev && !known) {
      throw new DomainError('forbidden', `this server answers to loopback names, not to '${host}'`, {
        field: 'Host',
        remedy: 'Start without --dev, or add the name to server.hosts.',
      })
    }
    const { origin } = request.headers
    if (origin !== undefined && origin !== 'null') {
      const from = hostName(origin.replace(/^https?:\/\//, ''))
      // Behind a proxy that passes on another Host the page's own address is one of the names given.
      const same = origin.replace(/^https?:\/\//, '') === request.headers.host || options.hosts.includes(from)
      if (!same && !(isLoopbackName(from) && isLoopbackName(host) && options.dev && request.method === 'GET')) {
        throw new DomainError('forbidden', `a page of '${origin}' may not call this server`, {
          field: 'Origin',
          remedy: 'Open the UI on the address of this server, or add the name to server.hosts.',
        })
      }
    } else if (origin === 'null' && request.method !== 'GET') {
      throw new DomainError('forbidden', 'a page without an origin may not change anything here', { field: 'Origin' })
    }
    // A form or a plain-text post needs no preflight, so a browser could be made to send one from anywhere.
    const fetched = request.headers['sec-fetch-site'] ?? origin
    const type = request.headers['content-type']
    if (
      fetched !== undefined &&
      request.method !== 'GET' &&
      request.method !== 'HEAD' &&
      type !== undefined &&
      /^(text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)/i.test(type)
    ) {
      throw new DomainError('unsupported', 'browsers send JSON or raw bytes here, not forms', { field: 'Content-Type' })
    }
  })
  return app
}

export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port, backlog: 1024 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new DomainError('conflict', `port ${port} on ${host} is in use`, {
        field: 'port',
        remedy: `Stop what listens there, or choose another with --port.`,
      })
    }
    if ((error as NodeJS.ErrnoException).code === 'EACCES') {
      throw new DomainError('forbidden', `this user may not listen on port ${port}`, {
        field: 'port',
        remedy: 'Choose a port above 1023 with --port.',
      })
    }
    throw error
  }
  const address = app.server.address() as AddressInfo
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

/** What is no request at all, or whose head is too large, is answered on the bare connection, which then ends. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, reason, detail] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'the address and headers are larger than 16 KiB']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'the request did not come in time']
        : [400, 'Bad Request', 'this is no HTTP request']
  const title = status === 431 ? 'too-large' : 'invalid'
  const body = JSON.stringify({ type: `urn:slipway:problem:${title}`, title, status, detail, request_id: '' })
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  socket.destroySoon()
}

function hostName(host: string | undefined): string {
  if (!host) return ''
  if (host.startsWith('[')) return host.slice(0, host.indexOf(']') + 1).toLowerCase()
  return host.split(':')[0]!.toLowerCase()
}

/** Compiling every route's schemas would be a third of the time to the first answer, and most are not asked for in a day. */
function compiledOnUse(ajv: Ajv, schema: object): ValidateFunction {
  let compiled: ValidateFunction | undefined
  const validate = ((value: unknown) => {
    compiled ??= ajv.compile(schema)
    const fits = compiled(value)
    validate.errors = compiled.errors ?? null
    return fits
  }) as ValidateFunction
  return validate
}

const isLoopbackName = (name: string): boolean =>
  name === 'localhost' || name === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
