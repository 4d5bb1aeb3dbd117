/**
 * One way to say a route: what it is called, who may, what goes in and out, and exactly one of five ways to answer.
 * The table of all routes is the source of the permission tests, of OpenAPI and of the reserved paths.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import type { Static, TSchema } from 'typebox'
import type { Clock } from '../clock.ts'
import { assert, DomainError } from '../errors.ts'
import type { Ids } from '../ids.ts'
import type { Sql, Store, Tx } from '../store/index.ts'
import { expectUpload } from './body-time.ts'
import { listAsked } from './pages.ts'
import { may, type Permission, type Who } from './who.ts'

/** Routes that take more than this get bodies that a slow line may take long over. */
const QUICK_BODY_BYTES_MAX = 4 << 20

type Shape<S> = S extends TSchema ? Static<S> : unknown

export interface Call<P, Q, B> {
  who: Who
  params: P
  query: Q
  body: B
  request: FastifyRequest
  reply: FastifyReply
}

/** `anonymous`: no identity asked; `signed-in`: any identity, for what concerns the caller alone. */
export type Needs = Permission | 'anonymous' | 'signed-in'

export interface RouteSpec<
  P extends TSchema | undefined,
  Q extends TSchema | undefined,
  B extends TSchema | undefined,
  R extends TSchema | undefined,
> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  may: Needs
  /** For OpenAPI: one line. Routes of foreign wires leave it out and are not in our document. */
  summary?: string
  params?: P
  query?: Q
  body?: B
  reply?: R
  /** What the reply is when it is not JSON: `text/csv`. Several, parted by commas, when the route answers in one of them. */
  media_type?: string
  /** Success status; 200 when left out. */
  status?: number
  /** Largest body in bytes; 1 MiB when left out. */
  body_bytes_max?: number
  /** A consistent read: statements go to a reader connection. */
  read?(call: Call<Shape<P>, Shape<Q>, Shape<B>> & { sql: Sql }): Promise<unknown>
  /** A named query that runs beside the database. */
  ask?: {
    name: string
    input(call: Call<Shape<P>, Shape<Q>, Shape<B>>): unknown
    answer?(result: never, call: Call<Shape<P>, Shape<Q>, Shape<B>>): unknown
  }
  /** One transaction. */
  change?(call: Call<Shape<P>, Shape<Q>, Shape<B>> & { tx: Tx }): Promise<unknown>
  /** A named command that runs beside the database. */
  command?: {
    name: string
    input(call: Call<Shape<P>, Shape<Q>, Shape<B>>): unknown
    answer?(result: never, call: Call<Shape<P>, Shape<Q>, Shape<B>>): unknown
  }
  /** Everything else: streams, files, server-sent events, calls that span processes. */
  handle?(call: Call<Shape<P>, Shape<Q>, Shape<B>>): Promise<unknown>
}

export interface RouteEntry {
  method: HTTPMethods
  path: string
  may: Needs
  summary: string | undefined
}

/** Who stands at the door: slice access hands this in through wiring. */
export interface Doorman {
  /** The caller, in the workspace that the request names. Throws unauthenticated, or not-found for a workspace that is not theirs. */
  identify(request: FastifyRequest): Promise<Who>
}

export interface Routes {
  route<
    P extends TSchema | undefined = undefined,
    Q extends TSchema | undefined = undefined,
    B extends TSchema | undefined = undefined,
    R extends TSchema | undefined = undefined,
  >(app: FastifyInstance, spec: RouteSpec<P, Q, B, R>): void
  table(): readonly RouteEntry[]
  readonly clock: Clock
  readonly ids: Ids
}

export type Route = Routes['route']

export function createRoutes(deps: {
  store: Pick<Store, 'write' | 'command' | 'read' | 'query'>
  doorman: Doorman
  clock: Clock
  ids: Ids
}): Routes {
  const { store, doorman } = deps
  const table: RouteEntry[] = []

  const route: Route = (app, spec) => {
    const ways = [spec.read, spec.ask, spec.change, spec.command, spec.handle].filter((way) => way !== undefined)
    assert(ways.length === 1, `route ${spec.method} ${spec.path} answers in exactly one way`)
    const path = `${app.prefix}${spec.path}`
    table.push({ method: spec.method, path, may: spec.may, summary: spec.summary })

    const hasPages = (spec.query as { properties?: object } | undefined)?.properties
    const inList: <T>(work: () => T) => T =
      hasPages && 'cursor' in hasPages ? (work) => listAsked.run(path, work) : (work) => work()

    const answer = async (call: Call<never, never, never>): Promise<unknown> => {
      if (spec.read) return store.read((sql) => inList(() => spec.read!({ ...call, sql })))
      if (spec.change) return store.write((tx) => spec.change!({ ...call, tx }))
      if (spec.handle) return inList(() => spec.handle!(call))
      const { name, input, answer: word } = (spec.ask ?? spec.command)!
      const asked = inList(() => input(call))
      const result = await (spec.ask ? store.query(name, asked) : store.command(name, asked))
      return word ? inList(() => word(result as never, call)) : result
    }

    const admit = async (request: FastifyRequest): Promise<Who> => {
      const who = await doorman.identify(request)
      if (spec.may !== 'anonymous' && spec.may !== 'signed-in' && !may(who, spec.may)) {
        throw new DomainError('forbidden', `${who.name} lacks ${spec.may} in workspace ${who.workspace}`, {
          remedy: 'Ask an admin of the workspace for a role or token with this right.',
        })
      }
      return who
    }

    app.route({
      method: spec.method,
      url: spec.path,
      ...(spec.body_bytes_max !== undefined && { bodyLimit: spec.body_bytes_max }),
      schema: {
        ...(spec.params && { params: spec.params }),
        ...(spec.query && { querystring: spec.query }),
        ...(spec.body && { body: spec.body }),
        ...(spec.summary === undefined
          ? { hide: true }
          : {
              summary: spec.summary,
              tags: [spec.may.split('.')[0] ?? spec.may],
              operationId: operationId(spec.method, path),
              description: spec.may === 'anonymous' ? 'Open to all.' : `Needs ${spec.may}.`,
              // For the document only: replies are built by typed code, so no serializer is compiled from it.
              ...(spec.reply && { response: { [spec.status ?? 200]: replyOf(spec.reply, spec.media_type) } }),
            }),
      } as object,
      // Answers are plain JSON.stringify: a schema-compiled serializer would silently drop what a schema forgot.
      serializerCompiler: () => (data) => JSON.stringify(data),
      // Identity comes before the body is read: a stranger's upload costs us nothing.
      onRequest: async (request) => {
        if (spec.may === 'anonymous') return
        callers.set(request, await admit(request))
        if (spec.handle) admissions.set(request, admit)
        if (spec.body_bytes_max !== undefined && spec.body_bytes_max > QUICK_BODY_BYTES_MAX) expectUpload(request.raw)
      },
      handler: async (request, reply) => {
        const who = callers.get(request) ?? ANONYMOUS
        const result = await answer({
          who,
          params: request.params,
          query: request.query,
          body: request.body,
          request,
          reply,
        } as Call<never, never, never>)
        if (reply.sent || result === reply) return reply
        if (spec.status !== undefined) reply.status(spec.status)
        return reply.send(result ?? {})
      },
    })
  }

  return { route, table: () => table, clock: deps.clock, ids: deps.ids }
}

/** A JSON reply as its schema; any other with the types that it comes in. */
const replyOf = (schema: TSchema, media_type: string | undefined): object =>
  media_type === undefined
    ? schema
    : {
        description: 'Default Response',
        content: Object.fromEntries(media_type.split(', ').map((type) => [type, { schema }])),
      }

const callers = new WeakMap<FastifyRequest, Who>()

/** The caller of a request, for hooks that run beside the route; undefined before identity was checked. */
export const callerOf = (request: FastifyRequest): Who | undefined => callers.get(request)

const admissions = new WeakMap<FastifyRequest, (request: FastifyRequest) => Promise<Who>>()

/** Whether the caller of an answer that goes on may still read it, in the same workspace. While the store is away: yes. */
export async function stillMay(request: FastifyRequest): Promise<boolean> {
  const admit = admissions.get(request)
  if (!admit) return true
  try {
    return (await admit(request)).workspace === callers.get(request)?.workspace
  } catch (error) {
    return !(error instanceof DomainError) || error.status >= 500
  }
}

const ANONYMOUS: Who = { kind: 'system', id: 'anonymous', name: 'anonymous', workspace: 'default', rights: [] }

function operationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/slipway\/v1/, '')
    .split(/[/:{}_.-]+/)
    .filter(Boolean)
  return [method.toLowerCase(), ...words]
    .map((word, at) => (at === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join('')
}
