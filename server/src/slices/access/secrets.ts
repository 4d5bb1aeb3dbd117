import { createHash } from 'node:crypto'
import type { Random } from '#kernel/random.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 32 random bytes in base 62: 43 characters, always. */
const LENGTH = 43

export const TOKEN_PREFIX = 'slw_'

/** 256 random bits as text that survives URLs, shells and headers. */
export function newSecret(random: Random): string {
  let number = BigInt(`0x${Buffer.from(random.bytes(32)).toString('hex')}`)
  let text = ''
  while (text.length < LENGTH) {
    text = ALPHABET[Number(number % 62n)] + text
    number /= 62n
  }
  return text
}

/**
 * What is kept of a secret. A plain sha256 is enough: nobody guesses 256 random bits, so there is nothing to slow down.
 */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Whether this is a token as we make them, so that a foreign one can be told from a wrong one. */
export const looksLikeToken = (text: string): boolean => /^slw_[0-9A-Za-z]{43}$/.test(text)
