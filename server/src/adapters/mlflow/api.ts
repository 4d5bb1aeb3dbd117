import type { FastifyInstance } from 'fastify'
import type { Blobs } from '#kernel/blobs/index.ts'
import { invalid } from '#kernel/errors.ts'
import type { Call, Cursors, Needs, Routes, Who } from '#kernel/http/index.ts'
import type { Log } from '#kernel/log.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import type { Collaboration } from '#slices/collaboration'
import type { Registry } from '#slices/registry'
import type { SearchPage, Tracking } from '#slices/tracking'
import type { ArtifactMount } from './artifact-mounts.ts'
import type { Compatibility } from './compatibility.ts'
import { Fields, parseBody } from './fields.ts'
import type { Multipart } from './multipart.ts'
import type { OpenAnswer } from './queries.ts'

/** What every route group of this adapter is built from. */
export interface MlflowDeps {
  routes: Pick<Routes, 'route'>
  store: Pick<Store, 'write' | 'read' | 'query' | 'command'>
  tracking: Tracking
  registry: Registry
  /** Who is told of the registry's changes; without it there are no webhooks. */
  collaboration?: Collaboration
  blobs: Pick<Blobs, 'put' | 'open' | 'read'>
  cursors: Cursors
  log: Log
  /** Read-only trees beside the artifact tree, by their first path part; by default the registry's pinned files. */
  mounts?: readonly ArtifactMount[]
  /** Those that the caller may enter, by name. Without it clients are told that there are no workspaces. */
  workspaces?: (sql: Sql, who: Who) => Promise<{ name: string; description?: string | null }[]>
  /** Keeps the parts of uploads; without it clients send files in one request. */
  multipart?: Multipart
  /** Counts who calls what. */
  compatibility?: Pick<Compatibility, 'watch'>
  /** MLflow's version whose API this is, as `/version` answers. */
  version?: string
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** A call as a route of this wire sees it: the request's fields, wherever they stood. */
export interface Asked extends Pick<Call<unknown, unknown, unknown>, 'request' | 'reply'> {
  who: Who
  fields: Fields
  params: Record<string, string>
}

/** Exactly one of the ways in which `route` answers, with the request's fields read. */
export interface Answer {
  may: Needs
  body_bytes_max?: number
  read?(asked: Asked & { sql: Sql }): Promise<unknown>
  change?(asked: Asked & { tx: Tx }): Promise<unknown>
  handle?(asked: Asked): Promise<unknown>
  ask?: { name: string; input(asked: Asked): unknown; answer?(result: never, asked: Asked): unknown }
  command?: { name: string; input(asked: Asked): unknown; answer?(result: never, asked: Asked): unknown }
}

/** One scope of paths: everything that a group adds answers under its prefix. */
export interface Api {
  add(method: Method, path: string, answer: Answer): void
}

/** A group of endpoints; `index.ts` lists them all. */
export type Group = (api: Api, deps: MlflowDeps) => void

/** JSON bodies on this wire are far below this, except datasets' profiles and models' tags. */
const BODY_BYTES_MAX = 4 << 20

export function createApi(app: FastifyInstance, deps: MlflowDeps): Api {
  return {
    add(method, path, answer) {
      const asked = (call: Call<unknown, unknown, unknown>): Asked => ({
        who: call.who,
        request: call.request,
        reply: call.reply,
        params: (call.params ?? {}) as Record<string, string>,
        fields: fieldsOf(method, call),
      })
      const { read, change, handle, ask, command } = answer
      const named = (way: NonNullable<Answer['ask']>) => ({
        name: way.name,
        input: (call: Call<unknown, unknown, unknown>) => way.input(asked(call)),
        answer: (result: never, call: Call<unknown, unknown, unknown>) =>
          way.answer ? way.answer(result, asked(call)) : {},
      })
      deps.routes.route(app, {
        method,
        path,
        may: answer.may,
        body_bytes_max: answer.body_bytes_max ?? BODY_BYTES_MAX,
        ...(read && { read: ({ sql, ...call }) => read({ ...asked(call), sql }) }),
        ...(change && { change: ({ tx, ...call }) => change({ ...asked(call), tx }) }),
        ...(handle && { handle: (call) => handle(asked(call)) }),
        ...(ask && { ask: named(ask) }),
        ...(command && { command: named(command) }),
      })
    },
  }
}

/** GET: the query; else the body, and the query for what DELETE's body leaves out. */
function fieldsOf(method: Method, call: Call<unknown, unknown, unknown>): Fields {
  if (method === 'GET') return new Fields({ ...(call.query as object) }, '', true)
  const body = (call.body ?? {}) as Record<string, unknown>
  return new Fields(method === 'DELETE' ? { ...(call.query as object), ...body } : body)
}

/** JSON bodies by MLflow's rules: JSON alone, also on DELETE; text that holds JSON is unpacked; none is `{}`. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    '*',
    { parseAs: 'string' },
    async (request: { headers: Record<string, unknown>; is404: boolean }, text: string | Buffer) => {
      // Where nothing answers, whatever was sent is not read.
      if (request.is404) return {}
      const body = text.toString()
      const type = String(request.headers['content-type'] ?? '')
        .split(';')[0]!
        .trim()
        .toLowerCase()
      if (type !== 'application/json' && body.trim() !== '') {
        throw invalid(
          type === ''
            ? 'Bad Request. Content-Type header is missing.'
            : "Bad Request. Content-Type must be one of ['application/json'].",
          { field: 'Content-Type' },
        )
      }
      return parseBody(body)
    },
  )
}

/** Closes an answer that came as open text, with the token of the next page when there is one. */
export const closeAnswer =
  (cursors: Cursors) =>
  ({ text, next }: OpenAnswer, { reply }: Asked): string => {
    reply.type('application/json; charset=utf-8')
    return next === undefined ? `${text}}` : `${text},"next_page_token":"${cursors.encode(next)}"}`
  }

/** The page's items under `name`, and the token of the next page when there is one. */
export function pageAnswer<T>(cursors: Cursors, name: string, page: SearchPage<T>, word: (item: T) => unknown) {
  return {
    [name]: page.items.map(word),
    ...(page.next !== undefined && { next_page_token: cursors.encode(page.next) }),
  }
}

export const positionIn = (cursors: Cursors, fields: Fields): { position?: unknown } => {
  const token = fields.optionalText('page_token')
  return token ? { position: cursors.decode(token, 'page_token') } : {}
}
