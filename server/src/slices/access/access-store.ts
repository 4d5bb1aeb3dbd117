import type { Actor, Permission, Role } from '#kernel/http/who.ts'
import { isTrue, json, parseJson, type Row, type Sql } from '#kernel/store/index.ts'

export interface Workspace {
  name: string
  description: string
  /** 0 for the one that was always there. */
  created_ms: number
}

export interface Person {
  id: string
  /** What they sign in with; equal names in another case are the same name. */
  name: string
  disabled: boolean
  /** False until they have followed their one-time link. */
  has_password: boolean
  created_ms: number
}

export interface Member {
  workspace: string
  person: string
  name: string
  role: Role
  since_ms: number
}

export interface Token {
  workspace: string
  id: string
  kind: 'api' | 'run'
  name: string
  /** The person who made it, or the run that carries it. */
  holder_id: string
  behalf: Actor | null
  rights: Permission[]
  created_ms: number
  expires_ms: number
  revoked_ms: number | null
  last_used_ms: number | null
}

export interface Session {
  id: string
  person: string
  created_ms: number
  last_used_ms: number
  expires_ms: number
}

export const nameKey = (name: string): string => name.normalize('NFC').toLowerCase()

const number = (value: Row[string] | undefined): number => Number(value)
const numberOrNull = (value: Row[string] | undefined): number | null =>
  value === null || value === undefined ? null : Number(value)

const toWorkspace = (row: Row): Workspace => ({
  name: row.name as string,
  description: row.description as string,
  created_ms: number(row.created_ms),
})

const toPerson = (row: Row): Person => ({
  id: row.id as string,
  name: row.name as string,
  disabled: isTrue(row.disabled),
  has_password: row.password_hash !== null,
  created_ms: number(row.created_ms),
})

const toMember = (row: Row): Member => ({
  workspace: row.workspace as string,
  person: row.person as string,
  name: row.name as string,
  role: row.role as Role,
  since_ms: number(row.since_ms),
})

const toToken = (row: Row): Token => ({
  workspace: row.workspace as string,
  id: row.id as string,
  kind: row.kind as 'api' | 'run',
  name: row.name as string,
  holder_id: row.holder_id as string,
  behalf: parseJson<Actor | null>(row.behalf, null),
  rights: parseJson<Permission[]>(row.rights, []),
  created_ms: number(row.created_ms),
  expires_ms: number(row.expires_ms),
  revoked_ms: numberOrNull(row.revoked_ms),
  last_used_ms: numberOrNull(row.last_used_ms),
})

const toSession = (row: Row): Session => ({
  id: row.id as string,
  person: row.person as string,
  created_ms: number(row.created_ms),
  last_used_ms: number(row.last_used_ms),
  expires_ms: number(row.expires_ms),
})

export async function getWorkspace(sql: Sql, name: string): Promise<Workspace | undefined> {
  const row = await sql.get('SELECT name, description, created_ms FROM workspace WHERE name = ?', [name])
  return row && toWorkspace(row)
}

export async function listWorkspaces(sql: Sql, after: string, limit: number): Promise<Workspace[]> {
  const rows = await sql.all(
    'SELECT name, description, created_ms FROM workspace WHERE name > ? ORDER BY name LIMIT ?',
    [after, limit],
  )
  return rows.map(toWorkspace)
}

/** The workspaces of a person with their role in each, by name. */
export async function membershipsOf(sql: Sql, person: string): Promise<Member[]> {
  const rows = await sql.all(
    `SELECT m.workspace, m.person, p.name, m.role, m.since_ms FROM member m JOIN person p ON p.id = m.person
     WHERE m.person = ? ORDER BY m.workspace LIMIT 1000`,
    [person],
  )
  return rows.map(toMember)
}

export async function insertWorkspace(sql: Sql, workspace: Workspace): Promise<void> {
  await sql.run('INSERT INTO workspace (name, description, created_ms) VALUES (?, ?, ?)', [
    workspace.name,
    workspace.description,
    workspace.created_ms,
  ])
}

export async function getPerson(sql: Sql, id: string): Promise<Person | undefined> {
  const row = await sql.get('SELECT * FROM person WHERE id = ?', [id])
  return row && toPerson(row)
}

export async function findPerson(
  sql: Sql,
  name: string,
): Promise<(Person & { password_hash: string | null }) | undefined> {
  const row = await sql.get('SELECT * FROM person WHERE name_key = ?', [nameKey(name)])
  return row && { ...toPerson(row), password_hash: row.password_hash as string | null }
}

export async function hasPeople(sql: Sql): Promise<boolean> {
  return (await sql.get('SELECT id FROM person LIMIT 1')) !== undefined
}

export async function listPeople(sql: Sql, after: string, limit: number): Promise<Person[]> {
  const rows = await sql.all('SELECT * FROM person WHERE id > ? ORDER BY id LIMIT ?', [after, limit])
  return rows.map(toPerson)
}

export async function insertPerson(
  sql: Sql,
  person: { id: string; name: string; password_hash: string | null; created_ms: number },
): Promise<void> {
  await sql.run(
    'INSERT INTO person (id, name, name_key, password_hash, disabled, created_ms) VALUES (?, ?, ?, ?, 0, ?)',
    [person.id, person.name, nameKey(person.name), person.password_hash, person.created_ms],
  )
}

export async function updatePerson(sql: Sql, person: Pick<Person, 'id' | 'name' | 'disabled'>): Promise<void> {
  await sql.run('UPDATE person SET name = ?, name_key = ?, disabled = ? WHERE id = ?', [
    person.name,
    nameKey(person.name),
    person.disabled ? 1 : 0,
    person.id,
  ])
}

export async function setPasswordHash(sql: Sql, person: string, hash: string): Promise<void> {
  await sql.run('UPDATE person SET password_hash = ? WHERE id = ?', [hash, person])
}

export async function getPasswordHash(sql: Sql, person: string): Promise<string | null> {
  const row = await sql.get('SELECT password_hash FROM person WHERE id = ?', [person])
  return (row?.password_hash ?? null) as string | null
}

export async function getMember(sql: Sql, workspace: string, person: string): Promise<Member | undefined> {
  const row = await sql.get(
    `SELECT m.workspace, m.person, p.name, m.role, m.since_ms FROM member m JOIN person p ON p.id = m.person
     WHERE m.workspace = ? AND m.person = ?`,
    [workspace, person],
  )
  return row && toMember(row)
}

export async function listMembers(sql: Sql, workspace: string, after: string, limit: number): Promise<Member[]> {
  const rows = await sql.all(
    `SELECT m.workspace, m.person, p.name, m.role, m.since_ms FROM member m JOIN person p ON p.id = m.person
     WHERE m.workspace = ? AND m.person > ? ORDER BY m.person LIMIT ?`,
    [workspace, after, limit],
  )
  return rows.map(toMember)
}

/** Admins of a workspace who can still sign in, other than the one named. */
export async function otherAdmins(sql: Sql, workspace: string, person: string): Promise<number> {
  const row = await sql.get(
    `SELECT count(*) AS n FROM member m JOIN person p ON p.id = m.person
     WHERE m.workspace = ? AND m.role = 'admin' AND m.person <> ? AND p.disabled = 0`,
    [workspace, person],
  )
  return number(row?.n)
}

export async function putMember(sql: Sql, member: Omit<Member, 'name'>): Promise<void> {
  await sql.run(
    `INSERT INTO member (workspace, person, role, since_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (workspace, person) DO UPDATE SET role = excluded.role`,
    [member.workspace, member.person, member.role, member.since_ms],
  )
}

export async function deleteMember(sql: Sql, workspace: string, person: string): Promise<void> {
  await sql.run('DELETE FROM member WHERE workspace = ? AND person = ?', [workspace, person])
}

export async function putInvitation(
  sql: Sql,
  invitation: { digest: string; person: string | null; created_ms: number; expires_ms: number },
): Promise<void> {
  // A new link ends the older ones of the same person; so does a new first link.
  await sql.run(
    invitation.person === null
      ? 'DELETE FROM invitation WHERE person IS NULL OR expires_ms < ?'
      : 'DELETE FROM invitation WHERE person = ? OR expires_ms < ?',
    invitation.person === null ? [invitation.created_ms] : [invitation.person, invitation.created_ms],
  )
  await sql.run('INSERT INTO invitation (digest, person, created_ms, expires_ms) VALUES (?, ?, ?, ?)', [
    invitation.digest,
    invitation.person,
    invitation.created_ms,
    invitation.expires_ms,
  ])
}

/** Takes the invitation away and answers it: a link works once. */
export async function takeInvitation(
  sql: Sql,
  digest: string,
  now_ms: number,
): Promise<{ person: string | null } | undefined> {
  const row = await sql.get('SELECT person FROM invitation WHERE digest = ? AND expires_ms > ?', [digest, now_ms])
  if (!row) return undefined
  const { changes } = await sql.run('DELETE FROM invitation WHERE digest = ?', [digest])
  return changes === 1 ? { person: row.person as string | null } : undefined
}

export async function peekInvitation(
  sql: Sql,
  digest: string,
  now_ms: number,
): Promise<{ name: string | null } | undefined> {
  const row = await sql.get(
    'SELECT p.name FROM invitation i LEFT JOIN person p ON p.id = i.person WHERE i.digest = ? AND i.expires_ms > ?',
    [digest, now_ms],
  )
  return row && { name: row.name as string | null }
}

export async function insertSession(sql: Sql, session: Session & { digest: string }): Promise<void> {
  await sql.run(
    `INSERT INTO access_session (digest, id, person, created_ms, last_used_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)`,
    [session.digest, session.id, session.person, session.created_ms, session.last_used_ms, session.expires_ms],
  )
}

export async function getSession(
  sql: Sql,
  digest: string,
): Promise<{ session: Session; name: string; disabled: boolean } | undefined> {
  const row = await sql.get(
    `SELECT s.id, s.person, s.created_ms, s.last_used_ms, s.expires_ms, p.name, p.disabled
     FROM access_session s JOIN person p ON p.id = s.person WHERE s.digest = ?`,
    [digest],
  )
  return row && { session: toSession(row), name: row.name as string, disabled: isTrue(row.disabled) }
}

export async function touchSession(sql: Sql, digest: string, used_ms: number, expires_ms: number): Promise<void> {
  await sql.run('UPDATE access_session SET last_used_ms = ?, expires_ms = ? WHERE digest = ? AND last_used_ms < ?', [
    used_ms,
    expires_ms,
    digest,
    used_ms,
  ])
}

export async function deleteSession(sql: Sql, digest: string): Promise<void> {
  await sql.run('DELETE FROM access_session WHERE digest = ?', [digest])
}

export async function deleteSessionsOf(sql: Sql, person: string, now_ms: number): Promise<void> {
  await sql.run('DELETE FROM access_session WHERE person = ? OR expires_ms < ?', [person, now_ms])
}

export async function deleteOldSessions(sql: Sql, now_ms: number): Promise<void> {
  await sql.run('DELETE FROM access_session WHERE expires_ms < ?', [now_ms])
}

export async function insertToken(sql: Sql, token: Token & { digest: string }): Promise<void> {
  await sql.run(
    `INSERT INTO access_token (workspace, id, digest, kind, name, holder_id, behalf, rights, created_ms, expires_ms,
     revoked_ms, last_used_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)`,
    [
      token.workspace,
      token.id,
      token.digest,
      token.kind,
      token.name,
      token.holder_id,
      token.behalf && json(token.behalf),
      json(token.rights),
      token.created_ms,
      token.expires_ms,
    ],
  )
}

/** By its digest, before a workspace is known: the digest is what proves the right to see it. */
export async function tokenByDigest(sql: Sql, digest: string): Promise<Token | undefined> {
  const row = await sql.get('SELECT * FROM access_token WHERE digest = ?', [digest])
  return row && toToken(row)
}

export async function getToken(sql: Sql, workspace: string, id: string): Promise<Token | undefined> {
  const row = await sql.get('SELECT * FROM access_token WHERE workspace = ? AND id = ?', [workspace, id])
  return row && toToken(row)
}

export async function listTokens(
  sql: Sql,
  workspace: string,
  filter: { holder_id: string | undefined; after: string; limit: number },
): Promise<Token[]> {
  const mine = filter.holder_id === undefined ? '' : 'AND holder_id = ?'
  const rows = await sql.all(
    `SELECT * FROM access_token WHERE workspace = ? AND kind = 'api' AND id > ? ${mine} ORDER BY id LIMIT ?`,
    [workspace, filter.after, ...(filter.holder_id === undefined ? [] : [filter.holder_id]), filter.limit],
  )
  return rows.map(toToken)
}

export async function countLiveTokens(sql: Sql, workspace: string, holder: string, now_ms: number): Promise<number> {
  const row = await sql.get(
    `SELECT count(*) AS n FROM access_token
     WHERE workspace = ? AND kind = 'api' AND holder_id = ? AND revoked_ms IS NULL AND expires_ms > ?`,
    [workspace, holder, now_ms],
  )
  return number(row?.n)
}

export async function revokeToken(sql: Sql, workspace: string, id: string, now_ms: number): Promise<void> {
  await sql.run('UPDATE access_token SET revoked_ms = ? WHERE workspace = ? AND id = ? AND revoked_ms IS NULL', [
    now_ms,
    workspace,
    id,
  ])
}

/** A run's tokens are of no interest once it has ended: they are deleted, not marked. Answers how many. */
export async function deleteRunTokens(sql: Sql, workspace: string, run: string): Promise<number> {
  const { changes } = await sql.run(`DELETE FROM access_token WHERE workspace = ? AND kind = 'run' AND holder_id = ?`, [
    workspace,
    run,
  ])
  return changes
}

export async function deleteOldRunTokens(sql: Sql, now_ms: number): Promise<void> {
  await sql.run(`DELETE FROM access_token WHERE kind = 'run' AND expires_ms < ?`, [now_ms])
}

export async function touchToken(sql: Sql, digest: string, used_ms: number): Promise<void> {
  await sql.run('UPDATE access_token SET last_used_ms = ? WHERE digest = ?', [used_ms, digest])
}
