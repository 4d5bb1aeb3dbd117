import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { type Cursors, PAGE_DEFAULT, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import { DEFAULT_WORKSPACE, type Permission, type Who } from '#kernel/http/who.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import type { Access } from './access.ts'
import { cookieOf, SESSION_COOKIE } from './doorman.ts'
import { entryPage } from './entry-page.ts'
import * as schema from './schema.ts'
import type { Opened } from './sessions.ts'
import { readTime, time, wireMember, wirePerson, wireToken, wireWorkspace } from './wire.ts'

const API = '/api/slipway/v1'
const Page = Type.Object(PageQuery)

export interface AccessRouteDeps {
  route: Route
  access: Access
  store: Pick<Store, 'write' | 'read'>
  cursors: Cursors
}

export function accessRoutes(app: FastifyInstance, deps: AccessRouteDeps): void {
  entryRoutes(app, deps)
  workspaceRoutes(app, deps)
  peopleRoutes(app, deps)
  tokenRoutes(app, deps)
}

/** Set-up, sign-in, sign-out, and who one is. */
function entryRoutes(app: FastifyInstance, { route, access, store }: AccessRouteDeps): void {
  for (const page of ['setup', 'sign-in'] as const) {
    route(app, {
      method: 'GET',
      path: `/${page}`,
      may: 'anonymous',
      handle: async ({ reply }) => {
        const { html, policy } = entryPage(page)
        return reply
          .type('text/html; charset=utf-8')
          .header('content-security-policy', policy)
          .header('cache-control', 'no-store')
          .header('referrer-policy', 'no-referrer')
          .send(html)
      },
    })
  }

  route(app, {
    method: 'GET',
    path: `${API}/setup`,
    may: 'anonymous',
    summary: 'What a one-time link is for',
    query: Type.Object({ key: Type.String({ maxLength: 100 }) }),
    reply: Type.Object({ name: Type.Union([Type.String(), Type.Null()]) }),
    read: ({ sql, query }) => access.invitation(sql, query.key),
  })
  route(app, {
    method: 'POST',
    path: `${API}/setup`,
    may: 'anonymous',
    summary: 'Follow a one-time link: choose a password, and as the first admin a name',
    body: schema.Setup,
    reply: schema.SignedIn,
    handle: async ({ body, request, reply }) => opened(request, reply, await access.acceptInvitation(body)),
  })
  route(app, {
    method: 'POST',
    path: `${API}/sessions`,
    may: 'anonymous',
    summary: 'Sign in; the answer sets the session cookie',
    body: schema.SignIn,
    reply: schema.SignedIn,
    handle: async ({ body, request, reply }) =>
      opened(request, reply, await access.signIn({ ...body, address: request.ip })),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/sessions/current`,
    may: 'signed-in',
    summary: 'Sign out',
    reply: Type.Object({}),
    handle: async ({ request, reply }) => {
      const secret = cookieOf(request)
      if (secret !== undefined) await store.write((tx) => access.signOut(tx, secret))
      reply.header('set-cookie', cookie(request, '', 0))
      return {}
    },
  })
  route(app, {
    method: 'GET',
    path: `${API}/me`,
    may: 'signed-in',
    summary: 'Who the caller is, where, with which rights',
    reply: schema.Me,
    read: async ({ sql, who }) => ({
      kind: who.kind,
      id: who.id,
      name: who.name,
      workspace: who.workspace,
      rights: who.rights,
      workspaces: (await reachableWorkspaces(sql, access, who, '', 1000)).map(({ name, role }) => ({ name, role })),
      dev: access.dev,
    }),
  })
  route(app, {
    method: 'PUT',
    path: `${API}/me/password`,
    may: 'signed-in',
    summary: 'Choose another password; every other session ends',
    body: schema.NewPassword,
    reply: schema.SignedIn,
    handle: async ({ who, body, request, reply }) =>
      opened(request, reply, await access.changePassword(who, { ...body, address: request.ip })),
  })
}

function workspaceRoutes(app: FastifyInstance, { route, access, cursors }: AccessRouteDeps): void {
  route(app, {
    method: 'GET',
    path: `${API}/workspaces`,
    may: 'signed-in',
    summary: 'Workspaces that the caller may enter',
    query: Page,
    reply: schema.pageReply(schema.WorkspaceReply),
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const after = cursors.decode<string>(query.cursor) ?? ''
      return pageOf(await reachableWorkspaces(sql, access, who, after, limit + 1), limit, cursors, (last) => last.name)
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/workspaces`,
    may: 'access.admin',
    summary: 'Make a workspace; admins of workspace default only',
    body: schema.NewWorkspace,
    reply: schema.WorkspaceReply,
    status: 201,
    change: async ({ tx, who, body }) => wireWorkspace(await access.createWorkspace(tx, who, body), null),
  })
  route(app, {
    method: 'GET',
    path: `${API}/workspaces/:workspace/members`,
    may: 'access.read',
    summary: 'Members of a workspace and their roles',
    params: schema.WorkspacePath,
    query: Page,
    reply: schema.pageReply(schema.MemberReply),
    read: async ({ sql, who, params, query }) => {
      await access.mayTend(sql, who, params.workspace)
      const limit = query.limit ?? PAGE_DEFAULT
      const after = cursors.decode<string>(query.cursor) ?? ''
      const members = await access.listMembers(sql, params.workspace, after, limit + 1)
      const page = pageOf(members, limit, cursors, (last) => last.person)
      return { ...page, items: page.items.map(wireMember) }
    },
  })
  route(app, {
    method: 'PUT',
    path: `${API}/workspaces/:workspace/members/:person`,
    may: 'access.admin',
    summary: 'Give a person a role in a workspace',
    params: schema.MemberPath,
    body: schema.NewRole,
    reply: schema.MemberReply,
    change: async ({ tx, who, params, body }) => wireMember(await access.setMember(tx, who, { ...params, ...body })),
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/workspaces/:workspace/members/:person`,
    may: 'access.admin',
    summary: 'Take a person out of a workspace',
    params: schema.MemberPath,
    reply: Type.Object({}),
    change: ({ tx, who, params }) => access.removeMember(tx, who, params),
  })
}

function peopleRoutes(app: FastifyInstance, { route, access, cursors }: AccessRouteDeps): void {
  route(app, {
    method: 'GET',
    path: `${API}/people`,
    may: 'access.admin',
    summary: 'Accounts on this server, to choose members from',
    query: Page,
    reply: schema.pageReply(schema.PersonReply),
    read: async ({ sql, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const people = await access.listPeople(sql, cursors.decode<string>(query.cursor) ?? '', limit + 1)
      const page = pageOf(people, limit, cursors, (last) => last.id)
      return { ...page, items: page.items.map(wirePerson) }
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/people`,
    may: 'access.admin',
    summary: 'Make an account in this workspace; the one-time link is answered once',
    body: schema.NewPerson,
    reply: schema.PersonWithLink,
    status: 201,
    change: async ({ tx, who, body }) => {
      const { person, link } = await access.addPerson(tx, who, body)
      return { person: wirePerson(person), link }
    },
  })
  route(app, {
    method: 'PATCH',
    path: `${API}/people/:person`,
    may: 'access.admin',
    summary: 'Rename an account, lock it out or let it in again; admins of workspace default only',
    params: schema.PersonPath,
    body: schema.PersonChange,
    reply: schema.PersonReply,
    change: async ({ tx, who, params, body }) => wirePerson(await access.changePerson(tx, who, params.person, body)),
  })
  route(app, {
    method: 'POST',
    path: `${API}/people/:person/invitation`,
    may: 'access.admin',
    summary: 'Make a new one-time link for an account; admins of workspace default only',
    params: schema.PersonPath,
    reply: schema.InvitationReply,
    status: 201,
    change: async ({ tx, who, params }) => {
      const { link, expires_ms } = await access.invite(tx, who, params.person)
      return { link, expires_at: time(expires_ms) }
    },
  })
}

function tokenRoutes(app: FastifyInstance, { route, access, cursors }: AccessRouteDeps): void {
  route(app, {
    method: 'GET',
    path: `${API}/tokens`,
    may: 'signed-in',
    summary: "The caller's tokens in this workspace, or everybody's for an admin",
    query: Type.Object({
      ...PageQuery,
      of: Type.Optional(Type.Unsafe<'mine' | 'all'>(Type.String({ enum: ['mine', 'all'] }))),
    }),
    reply: schema.pageReply(schema.TokenReply),
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const after = cursors.decode<string>(query.cursor) ?? ''
      const tokens = await access.listTokens(sql, who, { of: query.of ?? 'mine', after, limit: limit + 1 })
      const page = pageOf(tokens, limit, cursors, (last) => last.id)
      return { ...page, items: page.items.map(wireToken) }
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/tokens`,
    may: 'signed-in',
    summary: 'Make a token with at most the own rights; the secret is answered once',
    body: schema.NewTokenBody,
    reply: schema.TokenWithSecret,
    status: 201,
    change: async ({ tx, who, body }) => {
      const { name, role, rights, expires_at } = body
      const { token, secret } = await access.makeToken(tx, who, {
        name,
        ...(role !== undefined && { role }),
        ...(rights !== undefined && { rights: rights as Permission[] }),
        ...(expires_at !== undefined && { expires_ms: readTime(expires_at, 'expires_at') }),
      })
      return { token: wireToken(token), secret }
    },
  })
  route(app, {
    method: 'DELETE',
    path: `${API}/tokens/:token`,
    may: 'signed-in',
    summary: 'Revoke a token: the own ones, or any as an admin',
    params: schema.TokenPath,
    reply: schema.TokenReply,
    change: async ({ tx, who, params }) => wireToken(await access.revokeToken(tx, who, params.token)),
  })
}

/** Workspaces that somebody may enter with their role: all for an admin of the server, the token's own for a token. */
export async function reachableWorkspaces(sql: Sql, access: Access, who: Who, after: string, limit: number) {
  const serverAdmin = who.workspace === DEFAULT_WORKSPACE && who.rights.includes('access.admin')
  const member = who.kind === 'person' ? await access.membershipsOf(sql, who.id) : []
  const role = new Map(member.map((each) => [each.workspace, each.role]))
  if (serverAdmin && who.kind === 'person') {
    const all = await access.listWorkspaces(sql, after, limit)
    return all.map((each) => wireWorkspace(each, role.get(each.name) ?? null))
  }
  const names = who.kind === 'person' ? [...role.keys()] : [who.workspace]
  const mine = names.filter((name) => name > after).slice(0, limit)
  const found = []
  for (const name of mine) found.push(wireWorkspace(await access.getWorkspace(sql, name), role.get(name) ?? null))
  return found
}

function opened(request: FastifyRequest, reply: FastifyReply, session: Opened) {
  reply.header('set-cookie', cookie(request, session.secret, session.expires_ms))
  return { person: session.person, expires_at: time(session.expires_ms) }
}

/**
 * Strict: it comes along from our own pages alone. It carries no expiry beyond the browser's session store; the server's
 * sliding expiry is what counts.
 */
function cookie(request: FastifyRequest, secret: string, expires_ms: number): string {
  // Behind a proxy that ends TLS we are asked in plain words; its header can only make the cookie stricter.
  const https = request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https'
  const secure = https ? '; Secure' : ''
  const end = expires_ms === 0 ? '; Max-Age=0' : `; Max-Age=${30 * 24 * 60 * 60}`
  return `${SESSION_COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict${secure}${end}`
}
