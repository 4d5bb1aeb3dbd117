import type { Clock } from '#kernel/clock.ts'
import { conflict, DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Events } from '#kernel/events/index.ts'
import { DEFAULT_WORKSPACE, type Role, type Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Random } from '#kernel/random.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { Member, Person, Workspace } from './access-store.ts'
import * as store from './access-store.ts'
import { invitationMade, memberRemoved, memberSet, personAdded, personChanged, workspaceCreated } from './events.ts'
import { digestOf, newSecret } from './secrets.ts'

/** How long a one-time link waits to be followed. */
const INVITATION_MS = 24 * 60 * 60_000

export interface People {
  getWorkspace(sql: Sql, name: string): Promise<Workspace>
  listWorkspaces(sql: Sql, after: string, limit: number): Promise<Workspace[]>
  membershipsOf(sql: Sql, person: string): Promise<Member[]>
  /** An admin of workspace `default` only; becomes its first admin. */
  createWorkspace(tx: Tx, who: Who, input: { name: string; description?: string }): Promise<Workspace>
  listPeople(sql: Sql, after: string, limit: number): Promise<Person[]>
  getPerson(sql: Sql, id: string): Promise<Person>
  /** Makes an account without a password, a member of the caller's workspace; the link in the answer is shown once. */
  addPerson(tx: Tx, who: Who, input: { name: string; role: Role }): Promise<{ person: Person; link: string }>
  /** Locking out ends the person's sessions; their tokens stop working at once. */
  changePerson(tx: Tx, who: Who, id: string, change: { name?: string; disabled?: boolean }): Promise<Person>
  /** A new one-time link for somebody who has lost theirs or their password. */
  invite(tx: Tx, who: Who, id: string): Promise<{ link: string; expires_ms: number }>
  /** Throws not-found unless the workspace is the caller's own, or the caller an admin of the server. */
  mayTend(sql: Sql, who: Who, workspace: string): Promise<void>
  listMembers(sql: Sql, workspace: string, after: string, limit: number): Promise<Member[]>
  setMember(tx: Tx, who: Who, input: { workspace: string; person: string; role: Role }): Promise<Member>
  removeMember(tx: Tx, who: Who, input: { workspace: string; person: string }): Promise<void>
}

interface Deps {
  events: Pick<Events, 'record'>
  clock: Clock
  ids: Ids
  random: Random
  /** Told after a change by which somebody may do less. */
  changed: (tx: Tx) => void
}

const WORKSPACE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const PERSON_NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N} ._@+-]{0,78}[\p{L}\p{N}])?$/u
/** Names under which the server speaks of itself. */
const RESERVED_NAMES = ['dev', 'system', 'slipway', 'anonymous']

/** Throws invalid when the name cannot be a person's. */
export function checkPersonName(name: string): void {
  if (!PERSON_NAME.test(name)) {
    throw invalid(`'${name.slice(0, 80)}' is not a name for a person`, {
      field: 'name',
      remedy: 'Use 1 to 80 letters, digits, spaces and . _ @ + -, beginning and ending with a letter or digit.',
    })
  }
  if (RESERVED_NAMES.includes(store.nameKey(name))) {
    throw invalid(`the name '${name}' is kept for the server itself`, { field: 'name', remedy: 'Choose another name.' })
  }
}

export const linkOf = (key: string): string => `/setup?key=${key}`

export function createPeople({ events, clock, ids, random, changed }: Deps): People {
  /** People and workspaces belong to the whole server: its admins are those of the workspace that is always there. */
  const serverAdmin = (who: Who, what: string) => {
    if (who.workspace === DEFAULT_WORKSPACE) return
    throw new DomainError('forbidden', `only an admin of workspace ${DEFAULT_WORKSPACE} may ${what}`, {
      remedy: `Ask one, or act in workspace ${DEFAULT_WORKSPACE} if you are one.`,
    })
  }
  /** The caller as acting in the workspace that they change, so that the audit of that workspace tells of it. */
  const inWorkspace = async (sql: Sql, who: Who, workspace: string): Promise<Who> => {
    if (workspace === who.workspace) return who
    const serverAdmin = who.workspace === DEFAULT_WORKSPACE && who.rights.includes('access.admin')
    if (!serverAdmin || !(await store.getWorkspace(sql, workspace))) {
      throw notFound(`no workspace '${workspace}'`, { field: 'workspace' })
    }
    return { ...who, workspace }
  }
  const person = async (sql: Sql, id: string): Promise<Person> => {
    const found = await store.getPerson(sql, id)
    if (!found) throw notFound(`no person '${id}'`, { field: 'person' })
    return found
  }
  const keepAnAdmin = async (tx: Tx, workspace: string, id: string) => {
    if ((await store.otherAdmins(tx, workspace, id)) > 0) return
    throw conflict(`workspace ${workspace} would be left without an admin`, {
      field: 'person',
      remedy: 'Make somebody else an admin first.',
    })
  }
  const nameIsFree = async (tx: Tx, name: string, self?: string) => {
    const other = await store.findPerson(tx, name)
    if (other && other.id !== self)
      throw new DomainError('already-exists', `there is a person '${other.name}' already`, { field: 'name' })
  }
  const link = async (tx: Tx, who: Who, of: Person) => {
    const key = newSecret(random)
    const now = clock.now()
    const expires_ms = now + INVITATION_MS
    await store.putInvitation(tx, { digest: digestOf(key), person: of.id, created_ms: now, expires_ms })
    await events.record(tx, invitationMade, {
      who,
      subject: { kind: 'person', id: of.id },
      after: { person: of.id, expires_ms },
    })
    return { link: linkOf(key), expires_ms }
  }

  const people: People = {
    async getWorkspace(sql, name) {
      const found = await store.getWorkspace(sql, name)
      if (!found) throw notFound(`no workspace '${name}'`, { field: 'workspace' })
      return found
    },
    listWorkspaces: store.listWorkspaces,
    membershipsOf: store.membershipsOf,

    async createWorkspace(tx, who, input) {
      serverAdmin(who, 'make workspaces')
      if (!WORKSPACE_NAME.test(input.name)) {
        throw invalid(`'${input.name.slice(0, 80)}' is not a name for a workspace`, {
          field: 'name',
          remedy: 'Use 1 to 63 small letters, digits and hyphens, beginning and ending with a letter or digit.',
        })
      }
      await tx.lock('access', 'workspace', input.name)
      if (await store.getWorkspace(tx, input.name)) {
        throw new DomainError('already-exists', `there is a workspace '${input.name}' already`, { field: 'name' })
      }
      const workspace = { name: input.name, description: input.description ?? '', created_ms: clock.now() }
      await store.insertWorkspace(tx, workspace)
      const { created_ms: _, ...after } = workspace
      const subject = { kind: 'workspace', id: input.name } as const
      await events.record(tx, workspaceCreated, { who: { ...who, workspace: input.name }, subject, after })
      const maker = who.kind === 'person' ? who : who.behalf
      if (maker?.kind === 'person' && (await store.getPerson(tx, maker.id))) {
        await people.setMember(tx, who, { workspace: input.name, person: maker.id, role: 'admin' })
      }
      return workspace
    },

    listPeople: store.listPeople,
    getPerson: person,

    async addPerson(tx, who, input) {
      checkPersonName(input.name)
      await tx.lock('access', 'person', store.nameKey(input.name))
      await nameIsFree(tx, input.name)
      const now = clock.now()
      const added = { id: ids.next('person'), name: input.name, password_hash: null, created_ms: now }
      await store.insertPerson(tx, added)
      const subject = { kind: 'person', id: added.id } as const
      await events.record(tx, personAdded, { who, subject, after: { id: added.id, name: added.name } })
      await people.setMember(tx, who, { workspace: who.workspace, person: added.id, role: input.role })
      const made = await person(tx, added.id)
      return { person: made, link: (await link(tx, who, made)).link }
    },

    async changePerson(tx, who, id, change) {
      serverAdmin(who, 'change accounts')
      await tx.lock('access', 'people')
      const before = await person(tx, id)
      const after = { ...before, name: change.name ?? before.name, disabled: change.disabled ?? before.disabled }
      if (after.name === before.name && after.disabled === before.disabled) return before
      if (after.name !== before.name) {
        checkPersonName(after.name)
        await nameIsFree(tx, after.name, id)
      }
      if (after.disabled && !before.disabled) {
        for (const member of await store.membershipsOf(tx, id)) {
          if (member.role === 'admin') await keepAnAdmin(tx, member.workspace, id)
        }
        await store.deleteSessionsOf(tx, id, clock.now())
      }
      await store.updatePerson(tx, after)
      await events.record(tx, personChanged, {
        who,
        subject: { kind: 'person', id },
        before: { id, name: before.name, disabled: before.disabled },
        after: { id, name: after.name, disabled: after.disabled },
      })
      changed(tx)
      return after
    },

    async invite(tx, who, id) {
      // A link is a key to the whole account, in every workspace that it reaches.
      serverAdmin(who, 'make a new link for an account')
      return link(tx, who, await person(tx, id))
    },

    async mayTend(sql, who, workspace) {
      await inWorkspace(sql, who, workspace)
    },

    listMembers: store.listMembers,

    async setMember(tx, who, input) {
      const actor = await inWorkspace(tx, who, input.workspace)
      await tx.lock('access', 'people')
      const of = await person(tx, input.person)
      const before = await store.getMember(tx, input.workspace, input.person)
      if (before?.role === input.role) return before
      if (before?.role === 'admin') await keepAnAdmin(tx, input.workspace, input.person)
      const member = { ...input, name: of.name, since_ms: before?.since_ms ?? clock.now() }
      await store.putMember(tx, member)
      await events.record(tx, memberSet, {
        who: actor,
        subject: { kind: 'person', id: of.id },
        before: before && { person: of.id, name: of.name, role: before.role },
        after: { person: of.id, name: of.name, role: input.role },
      })
      changed(tx)
      return member
    },

    async removeMember(tx, who, input) {
      const actor = await inWorkspace(tx, who, input.workspace)
      await tx.lock('access', 'people')
      const before = await store.getMember(tx, input.workspace, input.person)
      if (!before) {
        throw notFound(`'${input.person}' is no member of workspace ${input.workspace}`, { field: 'person' })
      }
      if (before.role === 'admin') await keepAnAdmin(tx, input.workspace, input.person)
      await store.deleteMember(tx, input.workspace, input.person)
      await events.record(tx, memberRemoved, {
        who: actor,
        subject: { kind: 'person', id: input.person },
        before: { person: before.person, name: before.name, role: before.role },
        after: null,
      })
      changed(tx)
    },
  }
  return people
}
