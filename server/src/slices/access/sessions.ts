import type { Clock } from '#kernel/clock.ts'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Events } from '#kernel/events/index.ts'
import { DEFAULT_WORKSPACE, ROLE_RIGHTS, type Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Random } from '#kernel/random.ts'
import type { Sql, Store, Tx } from '#kernel/store/index.ts'
import * as db from './access-store.ts'
import { memberSet, passwordSet, personAdded, signedIn, signedOut } from './events.ts'
import type { Passwords } from './passwords.ts'
import { checkPersonName, linkOf } from './people.ts'
import { digestOf, newSecret } from './secrets.ts'
import type { Throttle } from './throttle.ts'

const HOUR_MS = 60 * 60_000
/** A session ends this long after its last use … */
export const SESSION_IDLE_MS = 12 * HOUR_MS
/** … and in any case this long after sign-in. */
export const SESSION_MS_MAX = 30 * 24 * HOUR_MS
const SETUP_MS = 24 * HOUR_MS

/** What a sign-in gives: the secret goes into the cookie and is kept nowhere. */
export interface Opened {
  secret: string
  person: { id: string; name: string }
  expires_ms: number
}

/**
 * Signing in and out. These calls hash passwords, which takes longer than a transaction may, so they are handed the store
 * and open their own write when the hash is there.
 */
export interface Sessions {
  /** The path of the link that makes the first admin; undefined once there is somebody. A new one ends the one before. */
  setupLink(tx: Tx): Promise<string | undefined>
  /** What a link is for: the name of its person, null for the first admin. Throws not-found for one that is used or old. */
  invitation(sql: Sql, key: string): Promise<{ name: string | null }>
  /** Follows a one-time link: the first admin chooses name and password, an invited person a password. */
  acceptInvitation(input: { key: string; name?: string; password: string }): Promise<Opened>
  signIn(input: { name: string; password: string; address: string }): Promise<Opened>
  signOut(tx: Tx, secret: string): Promise<void>
  /** Ends every other session of the person. */
  changePassword(who: Who, input: { old: string; password: string; address: string }): Promise<Opened>
}

interface Deps {
  store: Pick<Store, 'write' | 'read'>
  events: Pick<Events, 'record'>
  clock: Clock
  ids: Ids
  random: Random
  passwords: Passwords
  throttle: Throttle
  changed: (tx: Tx) => void
}

export function createSessions({ store, events, clock, ids, random, passwords, throttle, changed }: Deps): Sessions {
  const whoOf = (person: { id: string; name: string }): Who => ({
    kind: 'person',
    id: person.id,
    name: person.name,
    workspace: DEFAULT_WORKSPACE,
    rights: [],
  })
  const open = async (tx: Tx, person: { id: string; name: string }): Promise<Opened> => {
    const secret = newSecret(random)
    const now = clock.now()
    const session = {
      id: ids.next('session'),
      person: person.id,
      created_ms: now,
      last_used_ms: now,
      expires_ms: now + SESSION_IDLE_MS,
    }
    await db.deleteOldSessions(tx, now)
    await db.insertSession(tx, { ...session, digest: digestOf(secret) })
    await events.record(tx, signedIn, {
      who: whoOf(person),
      subject: { kind: 'person', id: person.id },
      after: { person: person.id, session: session.id },
    })
    return { secret, person: { id: person.id, name: person.name }, expires_ms: session.expires_ms }
  }
  const noLink = () =>
    new DomainError('not-found', 'this link was used already, or is too old', {
      field: 'key',
      remedy: 'Start `slipway up` again for a new first link, or ask an admin for one.',
    })
  const newPassword = async (tx: Tx, person: { id: string; name: string }, hash: string) => {
    await db.setPasswordHash(tx, person.id, hash)
    await db.deleteSessionsOf(tx, person.id, clock.now())
    await events.record(tx, passwordSet, {
      who: whoOf(person),
      subject: { kind: 'person', id: person.id },
      after: { person: person.id },
    })
    changed(tx)
  }

  return {
    async setupLink(tx) {
      await tx.lock('access', 'setup')
      if (await db.hasPeople(tx)) return undefined
      const key = newSecret(random)
      const now = clock.now()
      await db.putInvitation(tx, { digest: digestOf(key), person: null, created_ms: now, expires_ms: now + SETUP_MS })
      return linkOf(key)
    },

    async invitation(sql, key) {
      const found = await db.peekInvitation(sql, digestOf(key), clock.now())
      if (!found) throw noLink()
      return found
    },

    async acceptInvitation({ key, name, password }) {
      // Looked at before hashing, so that a stranger's guess costs no 80 ms.
      const seen = await store.read((sql) => db.peekInvitation(sql, digestOf(key), clock.now()))
      if (!seen) throw noLink()
      if (seen.name === null) {
        if (name === undefined) throw invalid('the first admin needs a name', { field: 'name' })
        checkPersonName(name)
      }
      const hash = await passwords.hash(password)
      return store.write(async (tx) => {
        await tx.lock('access', 'setup')
        const taken = await db.takeInvitation(tx, digestOf(key), clock.now())
        if (!taken) throw noLink()
        if (taken.person !== null) {
          const person = await db.getPerson(tx, taken.person)
          if (!person || person.disabled) throw noLink()
          await newPassword(tx, person, hash)
          return open(tx, person)
        }
        if (name === undefined || (await db.hasPeople(tx))) throw noLink()
        const now = clock.now()
        const first = { id: ids.next('person'), name, password_hash: hash, created_ms: now }
        const who = { ...whoOf(first), rights: ROLE_RIGHTS.admin }
        const subject = { kind: 'person', id: first.id } as const
        await db.insertPerson(tx, first)
        await events.record(tx, personAdded, { who, subject, after: { id: first.id, name } })
        await db.putMember(tx, { workspace: DEFAULT_WORKSPACE, person: first.id, role: 'admin', since_ms: now })
        await events.record(tx, memberSet, { who, subject, after: { person: first.id, name, role: 'admin' } })
        return open(tx, first)
      })
    },

    async signIn({ name, password, address }) {
      const key = db.nameKey(name)
      throttle.attempt(key, address)
      const person = await store.read((sql) => db.findPerson(sql, name))
      const right = await passwords.matches(password, person?.password_hash ?? null)
      if (!person || !right || person.disabled) {
        throw new DomainError('unauthenticated', 'name and password do not belong together', {
          remedy: 'Check both; an admin can make a new link for you.',
        })
      }
      throttle.succeeded(key, address)
      return store.write(async (tx) => {
        const now = await db.getPerson(tx, person.id)
        if (!now || now.disabled) throw new DomainError('unauthenticated', 'this account is locked')
        return open(tx, person)
      })
    },

    async signOut(tx, secret) {
      const found = await db.getSession(tx, digestOf(secret))
      if (!found) return
      await db.deleteSession(tx, digestOf(secret))
      await events.record(tx, signedOut, {
        who: whoOf({ id: found.session.person, name: found.name }),
        subject: { kind: 'person', id: found.session.person },
        after: { person: found.session.person, session: found.session.id },
      })
      changed(tx)
    },

    async changePassword(who, { old, password, address }) {
      if (who.kind !== 'person') throw new DomainError('forbidden', 'only a person has a password')
      const key = db.nameKey(who.name)
      throttle.attempt(key, address)
      const known = await store.read((sql) => db.getPasswordHash(sql, who.id))
      if (!(await passwords.matches(old, known))) {
        throw new DomainError('forbidden', 'the old password is not this one', { field: 'old' })
      }
      throttle.succeeded(key, address)
      const hash = await passwords.hash(password)
      return store.write(async (tx) => {
        await newPassword(tx, who, hash)
        return open(tx, who)
      })
    },
  }
}
