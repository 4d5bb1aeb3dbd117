import type { Clock } from '#kernel/clock.ts'
import type { Events } from '#kernel/events/index.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Log } from '#kernel/log.ts'
import type { Random } from '#kernel/random.ts'
import type { Store, Tx } from '#kernel/store/index.ts'
import { type CachingDoorman, createDoorman, keepTouching } from './doorman.ts'
import { createPasswords } from './passwords.ts'
import { createPeople, type People } from './people.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createThrottle } from './throttle.ts'
import { createTokens, type Tokens } from './tokens.ts'

/** Workspaces, people, roles, tokens and sessions; and the doorman that every route asks. */
export interface Access extends People, Tokens, Sessions {
  readonly doorman: CachingDoorman
  readonly dev: boolean
  start(): void
  /** Writes what is left of last uses. */
  stop(): Promise<void>
}

export interface AccessDeps {
  store: Pick<Store, 'read' | 'write'>
  events: Pick<Events, 'record'>
  clock: Clock
  ids: Ids
  random: Random
  log: Log
  /** No sign-in; loopback only. */
  dev: boolean
  /** How long known tokens hold while the store is away. */
  token_grace_ms: number
  /** scrypt's N as a power of two; 15 when left out, less in tests. */
  password_cost_log2?: number
}

export function createAccess(deps: AccessDeps): Access {
  const { store, events, clock, ids, random } = deps
  const doorman = createDoorman(deps)
  const changed = (tx: Tx) => tx.afterCommit(() => doorman.forget())
  const people = createPeople({ events, clock, ids, random, changed })
  const tokens = createTokens({ events, clock, ids, random, changed })
  const passwords = createPasswords(random, deps.password_cost_log2)
  const throttle = createThrottle(clock)
  const sessions = createSessions({ store, events, clock, ids, random, passwords, throttle, changed })
  let stop: (() => Promise<void>) | undefined
  return {
    ...people,
    ...tokens,
    ...sessions,
    doorman,
    dev: deps.dev,
    start() {
      stop ??= keepTouching(doorman)
    },
    async stop() {
      await stop?.()
      stop = undefined
    },
  }
}
