import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { conflict } from '#kernel/errors.ts'
import type { Random } from '#kernel/random.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Secrets that we must be able to use again, unreadable in the database and its backups without the server's own secret. */
export interface Sealing {
  seal(text: string): string
  /** Throws conflict when it was sealed under another secret of the server. */
  open(sealed: string): string
}

export function createSealing(secret: Uint8Array, random: Pick<Random, 'bytes'>): Sealing {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'slipway/webhook-secrets', 32))
  return {
    seal(text) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const hidden = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64')
      const head = NONCE_BYTES + TAG_BYTES
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, head))
        return Buffer.concat([decipher.update(bytes.subarray(head)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw conflict("the webhook's secret was kept under another secret of this server", {
          field: 'secret',
          remedy: 'Give the webhook its secret again.',
          cause,
        })
      }
    },
  }
}
