/** What replies of several slices are made of. For the document only: no answer is checked or cut by these. */
import Type, { type TSchema } from 'typebox'

export const nullable = <T extends TSchema>(item: T) => Type.Union([item, Type.Null()])

/** Epoch milliseconds UTC. */
export const Ms = Type.Integer({ description: 'Epoch milliseconds, UTC.' })
export const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })
/** Any JSON object, whose members are somebody else's to say. */
export const AnyObject = Type.Record(Type.String(), Type.Unknown())

/** Who did it. */
export const ActorReply = Type.Object({
  kind: Type.Union(['person', 'token', 'rule', 'run', 'system'].map((kind) => Type.Literal(kind))),
  id: Type.String(),
  name: Type.String(),
})

export const itemsOf = <T extends TSchema>(item: T) => Type.Object({ items: Type.Array(item) })
export const pageReply = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next_cursor: Type.Optional(Type.String({ description: 'Absent on the last page.' })),
  })

/** Bytes of a file, of `media_type` `application/octet-stream` or what the file is. */
export const Bytes = Type.String({ format: 'binary' })
/** Server-sent events, of `media_type` `text/event-stream`. */
export const EventStream = Type.String()
