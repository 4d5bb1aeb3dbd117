import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { invalid } from '#kernel/errors.ts'
import { type ChainPoint, type EventRecord, type Events, type SubjectKind, verifyChain } from '#kernel/events/index.ts'
import { type Cursors, PAGE_DEFAULT, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import { pageReply } from './schema.ts'
import { readTime, time } from './wire.ts'

const ActorReply = Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() })
const EventReply = Type.Object({
  seq: Type.Integer(),
  id: Type.String(),
  name: Type.String(),
  at: Type.String({ format: 'date-time' }),
  who: Type.Intersect([ActorReply, Type.Object({ behalf: Type.Optional(ActorReply) })]),
  subject: Type.Object({ kind: Type.String(), id: Type.String() }),
  before: Type.Unknown(),
  after: Type.Unknown(),
  reason: Type.Union([Type.String(), Type.Null()]),
})

export interface AuditRouteDeps {
  route: Route
  events: Pick<Events, 'list'>
  cursors: Cursors
}

/** Links of the chain that one call looks at: hashing them takes some tenths of a second. */
const LINKS_AT_ONCE = 5_000

const wireEvent = ({ at_ms, workspace: _, ...event }: EventRecord) => ({ ...event, at: time(at_ms) })

/** Reading what happened: newest first, by subject, actor, name and time; and whether nobody has altered it since. */
export function auditRoutes(app: FastifyInstance, { route, events, cursors }: AuditRouteDeps): void {
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/audit',
    may: 'audit.read',
    summary: 'What happened, newest first',
    query: Type.Object({
      ...PageQuery,
      id: Type.Optional(Type.String({ maxLength: 40, description: 'Id of one event.' })),
      subject_kind: Type.Optional(Type.String({ maxLength: 40 })),
      subject_id: Type.Optional(Type.String({ maxLength: 600 })),
      who: Type.Optional(Type.String({ maxLength: 200, description: 'Id of a person, token, rule or run.' })),
      name: Type.Optional(Type.String({ maxLength: 100, description: 'Beginning of the name: `registry.`' })),
      from: Type.Optional(Type.String({ maxLength: 40, description: 'RFC 3339, inclusive.' })),
      to: Type.Optional(Type.String({ maxLength: 40, description: 'RFC 3339, exclusive.' })),
    }),
    reply: pageReply(EventReply),
    read: async ({ sql, who, query }) => {
      const { subject_kind, subject_id } = query
      if ((subject_kind === undefined) !== (subject_id === undefined)) {
        throw invalid('a subject has a kind and an id', {
          field: subject_kind === undefined ? 'subject_kind' : 'subject_id',
          remedy: 'Give both, or neither.',
        })
      }
      const limit = query.limit ?? PAGE_DEFAULT
      const before = cursors.decode<number>(query.cursor)
      const found = await events.list(sql, who.workspace, {
        limit: limit + 1,
        ...(query.id !== undefined && { id: query.id }),
        ...(subject_kind !== undefined &&
          subject_id !== undefined && { subject: { kind: subject_kind as SubjectKind, id: subject_id } }),
        ...(query.who !== undefined && { who_id: query.who }),
        ...(query.name !== undefined && { name_prefix: query.name }),
        ...(query.from !== undefined && { from_ms: readTime(query.from, 'from') }),
        ...(query.to !== undefined && { to_ms: readTime(query.to, 'to') }),
        ...(before !== undefined && { before_seq: before }),
      })
      const page = pageOf(found, limit, cursors, (last) => last.seq)
      return { ...page, items: page.items.map(wireEvent) }
    },
  })
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/audit/verify',
    may: 'audit.read',
    summary: 'Whether the audit of this workspace is whole and unaltered',
    query: Type.Object({ cursor: PageQuery.cursor }),
    reply: Type.Object({
      ok: Type.Boolean(),
      checked: Type.Integer({ description: 'Events that this call looked at.' }),
      broken: Type.Union([
        Type.Object({ position: Type.Integer(), event_seq: Type.Integer(), why: Type.String() }),
        Type.Null(),
      ]),
      next_cursor: Type.Optional(Type.String({ description: 'There is more to look at, from here.' })),
    }),
    read: async ({ sql, who, query }) => {
      const after = cursors.decode<ChainPoint & { workspace: string }>(query.cursor)
      // A point of another workspace's chain would make this one look broken.
      if (after && after.workspace !== who.workspace)
        throw invalid('this cursor is of another workspace', { field: 'cursor' })
      const { ok, checked, through, more, broken } = await verifyChain(sql, who.workspace, {
        limit: LINKS_AT_ONCE,
        ...(after && { after }),
      })
      const next = ok && more ? { next_cursor: cursors.encode({ ...through, workspace: who.workspace }) } : {}
      return { ok, checked, broken: broken ?? null, ...next }
    },
  })
}
