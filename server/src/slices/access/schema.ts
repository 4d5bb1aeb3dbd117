import Type from 'typebox'
import { ALL_PERMISSIONS, type Role } from '#kernel/http/who.ts'

export const RoleName = Type.Unsafe<Role>(Type.String({ enum: ['viewer', 'editor', 'admin'] }))
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })
const Name = Type.String({ minLength: 1, maxLength: 120 })
const Id = Type.String({ minLength: 1, maxLength: 200 })
const Password = Type.String({ minLength: 1, maxLength: 1000 })
const closed = { additionalProperties: false }

export const WorkspaceReply = Type.Object({
  name: Type.String(),
  description: Type.String(),
  created_at: Type.Union([Time, Type.Null()]),
  /** The caller's role in it; null for a server admin who is no member. */
  role: Type.Union([RoleName, Type.Null()]),
})
export const NewWorkspace = Type.Object(
  { name: Type.String({ maxLength: 63 }), description: Type.Optional(Type.String({ maxLength: 1000 })) },
  closed,
)
export const WorkspacePath = Type.Object({ workspace: Type.String({ maxLength: 120 }) })

export const PersonReply = Type.Object({
  id: Type.String(),
  name: Type.String(),
  disabled: Type.Boolean(),
  has_password: Type.Boolean(),
  created_at: Time,
})
export const NewPerson = Type.Object({ name: Name, role: RoleName }, closed)
export const PersonChange = Type.Object(
  { name: Type.Optional(Name), disabled: Type.Optional(Type.Boolean()) },
  { ...closed, minProperties: 1 },
)
export const PersonPath = Type.Object({ person: Id })
export const InvitationReply = Type.Object({ link: Type.String(), expires_at: Time })
export const PersonWithLink = Type.Object({ person: PersonReply, link: Type.String() })

export const MemberReply = Type.Object({
  workspace: Type.String(),
  person: Type.String(),
  name: Type.String(),
  role: RoleName,
  since: Time,
})
export const MemberPath = Type.Object({ workspace: Type.String({ maxLength: 120 }), person: Id })
export const NewRole = Type.Object({ role: RoleName }, closed)

export const TokenReply = Type.Object({
  id: Type.String(),
  name: Type.String(),
  workspace: Type.String(),
  rights: Type.Array(Type.String()),
  made_by: Type.Union([Type.String(), Type.Null()]),
  created_at: Time,
  expires_at: Time,
  revoked_at: Type.Union([Time, Type.Null()]),
  last_used_at: Type.Union([Time, Type.Null()]),
})
export const NewTokenBody = Type.Object(
  {
    name: Name,
    role: Type.Optional(
      Type.Unsafe<Role | 'application'>(Type.String({ enum: ['viewer', 'editor', 'admin', 'application'] })),
    ),
    rights: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { maxItems: ALL_PERMISSIONS.length })),
    expires_at: Type.Optional(Type.String({ maxLength: 40, description: 'RFC 3339; 90 days from now when left out.' })),
  },
  closed,
)
export const TokenWithSecret = Type.Object({ token: TokenReply, secret: Type.String() })
export const TokenPath = Type.Object({ token: Id })

export const SignIn = Type.Object({ name: Name, password: Password }, closed)
export const Setup = Type.Object(
  { key: Type.String({ maxLength: 100 }), name: Type.Optional(Name), password: Password },
  closed,
)
export const NewPassword = Type.Object({ old: Password, password: Password }, closed)
export const SignedIn = Type.Object({
  person: Type.Object({ id: Type.String(), name: Type.String() }),
  expires_at: Time,
})
export const Me = Type.Object({
  kind: Type.String(),
  id: Type.String(),
  name: Type.String(),
  workspace: Type.String(),
  rights: Type.Array(Type.String()),
  workspaces: Type.Array(Type.Object({ name: Type.String(), role: Type.Union([RoleName, Type.Null()]) })),
  dev: Type.Boolean(),
})

export const pageReply = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Object({ items: Type.Array(item), next_cursor: Type.Optional(Type.String()) })
