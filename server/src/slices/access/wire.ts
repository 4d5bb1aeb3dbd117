import { invalid } from '#kernel/errors.ts'
import type { Member, Person, Token, Workspace } from './access-store.ts'

export const time = (ms: number): string => new Date(ms).toISOString()
export const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms))

/** Epoch milliseconds of an RFC 3339 text; throws invalid naming the field. */
export function readTime(text: string, field: string): number {
  const ms = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(ms))
    throw invalid(`'${text.slice(0, 60)}' is no time`, { field, remedy: 'Write 2026-01-31T12:00:00Z.' })
  return ms
}

export const wirePerson = (person: Person) => ({
  id: person.id,
  name: person.name,
  disabled: person.disabled,
  has_password: person.has_password,
  created_at: time(person.created_ms),
})

export const wireMember = ({ since_ms, ...member }: Member) => ({ ...member, since: time(since_ms) })

export const wireToken = (token: Token) => ({
  id: token.id,
  name: token.name,
  workspace: token.workspace,
  rights: token.rights,
  made_by: token.behalf?.name ?? null,
  created_at: time(token.created_ms),
  expires_at: time(token.expires_ms),
  revoked_at: timeOrNull(token.revoked_ms),
  last_used_at: timeOrNull(token.last_used_ms),
})

export const wireWorkspace = (workspace: Workspace, role: Member['role'] | null) => ({
  name: workspace.name,
  description: workspace.description,
  created_at: workspace.created_ms === 0 ? null : time(workspace.created_ms),
  role,
})
