import type { Clock } from '#kernel/clock.ts'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Events } from '#kernel/events/index.ts'
import { type Actor, ALL_PERMISSIONS, type Permission, ROLE_RIGHTS, type Role, type Who } from '#kernel/http/who.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Random } from '#kernel/random.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { Token } from './access-store.ts'
import * as store from './access-store.ts'
import { tokenMade, tokenRevoked } from './events.ts'
import { digestOf, newSecret, TOKEN_PREFIX } from './secrets.ts'

const DAY_MS = 24 * 60 * 60_000
const LIFE_MS_DEFAULT = 90 * DAY_MS
const LIFE_MS_MAX = 366 * DAY_MS
/** Longest that a run may carry one token; a run that lasts longer is past every timeout that we allow. */
const RUN_LIFE_MS_MAX = 31 * DAY_MS
const TOKENS_MAX = 100

/** The rights of a token by the name of what it is for. */
export const TOKEN_ROLES: Record<Role | 'application', readonly Permission[]> = {
  ...ROLE_RIGHTS,
  application: ['serving.infer', 'monitoring.label'],
}

export interface NewToken {
  name: string
  role?: Role | 'application'
  rights?: readonly Permission[]
  /** 90 days from now when left out; 366 at most. */
  expires_ms?: number
}

export interface Tokens {
  /** The secret is answered here and never again. Rights beyond the maker's own are refused. */
  makeToken(tx: Tx, who: Who, input: NewToken): Promise<{ token: Token; secret: string }>
  listTokens(sql: Sql, who: Who, filter: { of: 'mine' | 'all'; after: string; limit: number }): Promise<Token[]>
  /** One's own, or anybody's as an admin. Works within 5 s on every node, at once on this one. */
  revokeToken(tx: Tx, who: Who, id: string): Promise<Token>
  /**
   * A token for what a run does: its `who` is the run, for the person or rule behind it. Ends with `endRunTokens`, at the
   * latest at `expires_ms`.
   */
  issueRunToken(
    tx: Tx,
    input: { workspace: string; run: string; rights: readonly Permission[]; expires_ms: number; behalf: Actor },
  ): Promise<string>
  endRunTokens(tx: Tx, workspace: string, run: string): Promise<void>
}

interface Deps {
  events: Pick<Events, 'record'>
  clock: Clock
  ids: Ids
  random: Random
  changed: (tx: Tx) => void
}

export function createTokens({ events, clock, ids, random, changed }: Deps): Tokens {
  const insert = async (tx: Tx, token: Omit<Token, 'id' | 'revoked_ms' | 'last_used_ms'>) => {
    const secret = TOKEN_PREFIX + newSecret(random)
    const row: Token = { ...token, id: ids.next('token'), revoked_ms: null, last_used_ms: null }
    await store.insertToken(tx, { ...row, digest: digestOf(secret) })
    return { token: row, secret }
  }

  return {
    async makeToken(tx, who, input) {
      // A token that could make tokens would outlive its own revocation.
      if (who.kind !== 'person') {
        throw new DomainError('forbidden', 'only a person who is signed in may make tokens', {
          remedy: 'Sign in and make it there.',
        })
      }
      const name = input.name.trim()
      if (name === '' || name.length > 120) {
        throw invalid('a token has a name of 1 to 120 characters', { field: 'name', remedy: 'Say what it is for.' })
      }
      if ((input.role === undefined) === (input.rights === undefined)) {
        throw invalid('a token has either a role or a list of rights', {
          field: 'role',
          remedy: `Give role (${Object.keys(TOKEN_ROLES).join(', ')}) or rights.`,
        })
      }
      const rights = input.role === undefined ? [...new Set(input.rights)] : TOKEN_ROLES[input.role]
      if (rights.length === 0) throw invalid('a token without rights is of no use', { field: 'rights' })
      const unknown = rights.find((right) => !ALL_PERMISSIONS.includes(right))
      if (unknown !== undefined) throw invalid(`there is no right '${unknown}'`, { field: 'rights' })
      const beyond = rights.filter((right) => !who.rights.includes(right))
      if (beyond.length > 0) {
        throw new DomainError(
          'forbidden',
          `a token may do no more than its maker: you lack ${beyond.slice(0, 3).join(', ')}`,
          {
            field: input.role === undefined ? 'rights' : 'role',
            remedy: 'Leave these rights out, or ask an admin for a larger role.',
          },
        )
      }
      const now = clock.now()
      const expires_ms = input.expires_ms ?? now + LIFE_MS_DEFAULT
      if (expires_ms <= now || expires_ms > now + LIFE_MS_MAX) {
        throw invalid('a token ends between now and 366 days from now', { field: 'expires_at' })
      }
      await tx.lock('access', 'tokens', who.workspace, who.id)
      if ((await store.countLiveTokens(tx, who.workspace, who.id, now)) >= TOKENS_MAX) {
        throw new DomainError('too-many', `you have ${TOKENS_MAX} tokens in this workspace`, {
          remedy: 'Revoke those that are no longer used.',
        })
      }
      const made = await insert(tx, {
        workspace: who.workspace,
        kind: 'api',
        name,
        holder_id: who.id,
        behalf: { kind: who.kind, id: who.id, name: who.name },
        rights: [...rights],
        created_ms: now,
        expires_ms,
      })
      await events.record(tx, tokenMade, {
        who,
        subject: { kind: 'token', id: made.token.id },
        after: { id: made.token.id, name, rights: made.token.rights, expires_ms },
      })
      return made
    },

    listTokens(sql, who, { of, after, limit }) {
      if (of === 'all' && !who.rights.includes('access.admin')) {
        throw new DomainError('forbidden', `${who.name} lacks access.admin in workspace ${who.workspace}`, {
          field: 'of',
          remedy: 'Ask for your own tokens with of=mine.',
        })
      }
      return store.listTokens(sql, who.workspace, { holder_id: of === 'mine' ? who.id : undefined, after, limit })
    },

    async revokeToken(tx, who, id) {
      await tx.lock('access', 'token', who.workspace, id)
      const before = await store.getToken(tx, who.workspace, id)
      const mine = before?.holder_id === who.id || id === who.id
      if (before?.kind !== 'api' || !(mine || who.rights.includes('access.admin'))) {
        throw notFound(`no token '${id}'`, { field: 'id' })
      }
      if (before.revoked_ms !== null) return before
      const revoked_ms = clock.now()
      await store.revokeToken(tx, who.workspace, id, revoked_ms)
      await events.record(tx, tokenRevoked, {
        who,
        subject: { kind: 'token', id },
        before: { id, name: before.name, revoked_ms: null },
        after: { id, name: before.name, revoked_ms },
      })
      changed(tx)
      return { ...before, revoked_ms }
    },

    async issueRunToken(tx, { workspace, run, rights, expires_ms, behalf }) {
      const now = clock.now()
      const { secret } = await insert(tx, {
        workspace,
        kind: 'run',
        name: `run ${run}`,
        holder_id: run,
        behalf,
        rights: [...rights],
        created_ms: now,
        expires_ms: Math.min(expires_ms, now + RUN_LIFE_MS_MAX),
      })
      return secret
    },

    async endRunTokens(tx, workspace, run) {
      if ((await store.deleteRunTokens(tx, workspace, run)) > 0) changed(tx)
    },
  }
}
