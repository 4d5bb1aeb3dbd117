import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Random } from '#kernel/random.ts'

/** scrypt's N as a power of two: 32 MiB and some 80 ms a guess. Written beside each hash, so that it can be raised. */
const COST_LOG2 = 15
const KEY_BYTES = 32

export const PASSWORD_LENGTH_MIN = 10
export const PASSWORD_LENGTH_MAX = 200

/** Hashes at once, and callers that may wait: each holds 32 MiB and a thread of the pool. */
const AT_ONCE = 2
const WAITING_MAX = 32

export interface Passwords {
  /** Throws invalid for one that is too short or long, unavailable when too many wait. */
  hash(password: string): Promise<string>
  /** Takes as long for nobody's hash as for somebody's, so that names cannot be found out by the clock. */
  matches(password: string, hash: string | null): Promise<boolean>
}

export function createPasswords(random: Random, cost_log2 = COST_LOG2): Passwords {
  const cost = { N: 2 ** cost_log2, r: 8, p: 1 }
  let running = 0
  const waiting: (() => void)[] = []
  const derive = async (password: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> => {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING_MAX) {
        throw new DomainError('unavailable', 'too many people sign in at this moment', {
          remedy: 'Try again in a second.',
        })
      }
      // Whoever ends hands its place on.
      await new Promise<void>((go) => waiting.push(go))
    } else running += 1
    try {
      return await new Promise((resolve, reject) =>
        scrypt(password.normalize('NFC'), salt, KEY_BYTES, { ...options, maxmem: 128 * 1024 * 1024 }, (error, key) =>
          error ? reject(error) : resolve(key),
        ),
      )
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
  const word = (salt: Uint8Array, key: Uint8Array) =>
    [
      'scrypt',
      cost.N,
      cost.r,
      cost.p,
      Buffer.from(salt).toString('base64url'),
      Buffer.from(key).toString('base64url'),
    ].join('$')
  const nobody = word(new Uint8Array(16), new Uint8Array(KEY_BYTES))

  return {
    async hash(password) {
      if (password.length < PASSWORD_LENGTH_MIN || password.length > PASSWORD_LENGTH_MAX) {
        throw invalid(`a password has ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters`, {
          field: 'password',
          remedy: 'Choose a longer sentence of a few words.',
        })
      }
      const salt = random.bytes(16)
      return word(salt, await derive(password, salt, cost))
    },

    async matches(password, hash) {
      const [, N, r, p, salt, key] = (hash ?? nobody).split('$')
      const right = Buffer.from(key!, 'base64url')
      const got = await derive(password.slice(0, PASSWORD_LENGTH_MAX + 1), Buffer.from(salt!, 'base64url'), {
        N: Number(N),
        r: Number(r),
        p: Number(p),
      })
      return timingSafeEqual(got, right) && hash !== null
    },
  }
}
