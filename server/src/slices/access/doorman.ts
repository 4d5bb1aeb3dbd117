import type { FastifyRequest } from 'fastify'
import type { Clock } from '#kernel/clock.ts'
import { DomainError, notFound } from '#kernel/errors.ts'
import type { Doorman } from '#kernel/http/route.ts'
import { ALL_PERMISSIONS, DEFAULT_WORKSPACE, ROLE_RIGHTS, type Who } from '#kernel/http/who.ts'
import type { Log } from '#kernel/log.ts'
import type { Sql, Store } from '#kernel/store/index.ts'
import * as db from './access-store.ts'
import { digestOf, looksLikeToken } from './secrets.ts'
import { SESSION_IDLE_MS, SESSION_MS_MAX } from './sessions.ts'

export const SESSION_COOKIE = 'slipway_session'

/** How long a verified secret is believed without asking the store again: a revocation reaches every node within it. */
const BELIEVED_MS = 5_000
/** Verified secrets kept at once; the oldest is forgotten first. */
const KNOWN_MAX = 10_000
/** How often last uses and sliding expiries are written. */
const TOUCH_MS = 60_000
/** Forms and plain text need no preflight, so a foreign page could send them with our cookie. */
const FORM = /^(text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)/i

/** Who the tokens made without sign-in belong to. They hold on a server that asks for no sign-in, and nowhere else. */
export const DEV_PERSON = { kind: 'person', id: 'dev', name: 'dev' } as const

interface Credential {
  kind: 'token' | 'session'
  secret: string
}

interface Verified {
  who: Who
  expires_ms: number
  checked_ms: number
  /** When a session was opened: it slides no further than SESSION_MS_MAX from here. Null for tokens. */
  session_since_ms: number | null
}

type Question = (sql: Sql) => Promise<Omit<Verified, 'checked_ms'>>

export interface CachingDoorman extends Doorman {
  /** Nobody is believed any more without asking. */
  forget(): void
  /** Writes last uses and sliding expiries; called every minute and at the end. */
  flush(): Promise<void>
}

interface Deps {
  store: Pick<Store, 'read' | 'write'>
  clock: Clock
  log: Log
  /** No sign-in: whoever asks is an admin of the workspace named. */
  dev: boolean
  /** How long a known secret holds while the store is away. */
  token_grace_ms: number
}

export function createDoorman({ store, clock, log, dev, token_grace_ms }: Deps): CachingDoorman {
  const known = new Map<string, Verified>()
  const asking = new Map<string, Promise<Verified>>()
  /** Counts what was forgotten: an answer that was asked for before is nobody's memory. */
  let forgotten = 0
  const used = new Map<string, { kind: Credential['kind']; at_ms: number; expires_ms: number }>()

  const remember = (key: string, verified: Verified) => {
    known.delete(key)
    known.set(key, verified)
    if (known.size > KNOWN_MAX) known.delete(known.keys().next().value!)
  }

  const ask = async (key: string, question: Question): Promise<Verified> => {
    const asked_at = forgotten
    const verified = { ...(await store.read(question)), checked_ms: clock.now() }
    if (asked_at === forgotten) remember(key, verified)
    return verified
  }

  /** The cache, then the store, which many at once ask once; what it said last holds for a while when it is away. */
  const verify = async (key: string, question: Question): Promise<Verified> => {
    const now = clock.now()
    const before = known.get(key)
    if (before && before.expires_ms > now && now - before.checked_ms < BELIEVED_MS) return before
    const asked = asking.get(key) ?? ask(key, question)
    asking.set(key, asked)
    try {
      return await asked
    } catch (error) {
      const away = !(error instanceof DomainError) || error.problem === 'unavailable'
      if (away && before && before.expires_ms > now && now - before.checked_ms < token_grace_ms) return before
      if (!away) known.delete(key)
      throw error
    } finally {
      if (asking.get(key) === asked) asking.delete(key)
    }
  }

  const withoutSignIn = (workspace: string) =>
    verify(`dev\n${workspace}`, async (sql) => {
      if (!(await db.getWorkspace(sql, workspace))) throw noWorkspace(workspace)
      const who: Who = { ...DEV_PERSON, workspace, rights: ALL_PERMISSIONS }
      return { who, expires_ms: Number.POSITIVE_INFINITY, session_since_ms: null }
    })

  const byToken = async (
    sql: Sql,
    digest: string,
    named: string | undefined,
  ): Promise<Omit<Verified, 'checked_ms'>> => {
    const token = await db.tokenByDigest(sql, digest)
    if (!token || token.revoked_ms !== null) throw noEntry('this token is not known here, or was revoked')
    if (token.expires_ms <= clock.now()) throw noEntry('this token has expired')
    const { workspace } = token
    const base = { id: token.id, workspace, ...(token.behalf && { behalf: token.behalf }) }
    const rest = { expires_ms: token.expires_ms, session_since_ms: null }
    // Its maker may have lost rights since: the token loses them too.
    const held = token.kind === 'run' ? ALL_PERMISSIONS : await rightsOf(sql, workspace, token.holder_id)
    const rights = token.rights.filter((right) => held.includes(right))
    if (rights.length === 0) throw noEntry('the person who made this token may do nothing here any more')
    if (named !== undefined && named !== workspace) throw noWorkspace(named)
    return token.kind === 'run'
      ? { who: { ...base, kind: 'run', id: token.holder_id, name: token.name, rights }, ...rest }
      : { who: { ...base, kind: 'token', name: token.name, rights }, ...rest }
  }

  const rightsOf = async (sql: Sql, workspace: string, person: string) => {
    if (person === DEV_PERSON.id) return dev ? ALL_PERMISSIONS : []
    const [member, account] = [await db.getMember(sql, workspace, person), await db.getPerson(sql, person)]
    return member && account && !account.disabled ? ROLE_RIGHTS[member.role] : []
  }

  const bySession = async (
    sql: Sql,
    digest: string,
    named: string | undefined,
  ): Promise<Omit<Verified, 'checked_ms'>> => {
    const found = await db.getSession(sql, digest)
    if (!found || found.session.expires_ms <= clock.now() || found.disabled) throw noEntry('this session has ended')
    const { person } = found.session
    const memberships = await db.membershipsOf(sql, person)
    const wanted = named ?? DEFAULT_WORKSPACE
    const member =
      memberships.find((each) => each.workspace === wanted) ?? (named === undefined ? memberships[0] : undefined)
    if (!member) throw noWorkspace(wanted)
    const who: Who = {
      kind: 'person',
      id: person,
      name: found.name,
      workspace: member.workspace,
      rights: ROLE_RIGHTS[member.role],
    }
    return { who, expires_ms: found.session.expires_ms, session_since_ms: found.session.created_ms }
  }

  return {
    async identify(request) {
      const credential = credentialOf(request)
      const named = workspaceOf(request)
      // Without sign-in a foreign password in the environment does no harm; one of our tokens means whom it names.
      if (dev && (credential === undefined || !looksLikeToken(credential.secret))) {
        return (await withoutSignIn(named ?? DEFAULT_WORKSPACE)).who
      }
      if (credential === undefined) {
        throw noEntry('nobody is signed in', 'Send a token as `Authorization: Bearer slw_…`, or sign in.')
      }
      if (credential.kind === 'session') refuseForeignPage(request)
      if (credential.kind === 'token' && !looksLikeToken(credential.secret)) {
        throw noEntry('this is not a token of this server', 'Tokens begin with slw_ and have 47 characters.')
      }
      const digest = digestOf(credential.secret)
      const who = credential.kind === 'token' ? byToken : bySession
      const verified = await verify(`${digest}\n${named ?? ''}`, (sql) => who(sql, digest, named))
      const now = clock.now()
      const expires_ms =
        verified.session_since_ms === null
          ? 0
          : Math.min(now + SESSION_IDLE_MS, verified.session_since_ms + SESSION_MS_MAX)
      used.set(digest, { kind: credential.kind, at_ms: now, expires_ms })
      return verified.who
    },

    forget() {
      forgotten += 1
      known.clear()
      // What is being asked may have been read before the change.
      asking.clear()
    },

    async flush() {
      if (used.size === 0) return
      const batch = [...used]
      used.clear()
      try {
        await store.write(async (tx) => {
          for (const [digest, use] of batch) {
            if (use.kind === 'token') await db.touchToken(tx, digest, use.at_ms)
            else await db.touchSession(tx, digest, use.at_ms, use.expires_ms)
          }
          await db.deleteOldRunTokens(tx, clock.now())
        })
      } catch (error) {
        // Last uses are for people to look at: losing some minutes of them harms nobody.
        log.warn({ err: error, uses: batch.length }, 'last uses of tokens and sessions were not written')
      }
    },
  }
}

/** Keeps last uses written every minute; answers how to stop, which writes what is left. */
export function keepTouching(doorman: CachingDoorman): () => Promise<void> {
  const timer = setInterval(() => void doorman.flush(), TOUCH_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await doorman.flush()
  }
}

const noEntry = (message: string, remedy = 'Make a new token, or sign in again.') =>
  new DomainError('unauthenticated', message, { remedy })

const noWorkspace = (name: string) => notFound(`no workspace '${name.slice(0, 120)}'`, { field: 'workspace' })

/** The workspace that a request names: our header (also set by the prefix `/w/<name>`), or MLflow's. */
export function workspaceOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const name = request.headers['slipway-workspace'] ?? request.headers['x-mlflow-workspace']
  const first = Array.isArray(name) ? name[0] : name
  return first === undefined || first === '' ? undefined : first
}

/** A token as Bearer or as the password of Basic, else the session's cookie. */
function credentialOf(request: FastifyRequest): Credential | undefined {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const [scheme, value] = authorization.trim().split(/\s+/, 2)
    if (/^bearer$/i.test(scheme!)) return { kind: 'token', secret: value ?? '' }
    if (/^basic$/i.test(scheme!)) {
      const plain = Buffer.from(value ?? '', 'base64').toString()
      return { kind: 'token', secret: plain.slice(plain.indexOf(':') + 1) }
    }
    return { kind: 'token', secret: '' }
  }
  const secret = cookieOf(request)
  return secret === undefined ? undefined : { kind: 'session', secret }
}

export function cookieOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === SESSION_COOKIE) return part.slice(at + 1).trim() || undefined
  }
  return undefined
}

/** A cookie comes along by itself, so a change made with one has to come from a page of ours, as JSON or raw bytes. */
function refuseForeignPage(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS') return
  const site = request.headers['sec-fetch-site']
  const type = request.headers['content-type']
  if ((site !== undefined && site !== 'same-origin') || (type !== undefined && FORM.test(type))) {
    throw new DomainError('forbidden', 'a session changes things only from a page of this server, with JSON', {
      field: site !== undefined && site !== 'same-origin' ? 'Sec-Fetch-Site' : 'Content-Type',
      remedy: 'Use a token for programs.',
    })
  }
}
