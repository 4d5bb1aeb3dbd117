import { AsyncLocalStorage } from 'node:async_hooks'
import { createHmac, timingSafeEqual } from 'node:crypto'
import Type from 'typebox'
import { invalid } from '../errors.ts'

export const PAGE_DEFAULT = 50
export const PAGE_MAX = 1000

/** Query fields of every list: `limit` and the opaque `cursor` that the page before answered. */
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
  cursor: Type.Optional(Type.String({ maxLength: 2000 })),
}

export interface Page<T> {
  items: T[]
  /** Absent on the last page. */
  next_cursor?: string
}

/** The list whose page is asked: a position in another list would mean nothing here. */
export const listAsked = new AsyncLocalStorage<string>()

/** Signed for the list that is asked, so that a cursor is one of its own or refused; not secret. */
export interface Cursors {
  encode(position: unknown): string
  decode<T>(cursor: string | undefined, field?: string): T | undefined
}

export function createCursors(secret: Uint8Array): Cursors {
  const sign = (text: string) =>
    createHmac('sha256', secret)
      .update(`${listAsked.getStore() ?? ''}${text}`)
      .digest()
      .subarray(0, 12)
  return {
    encode(position) {
      const text = Buffer.from(JSON.stringify(position)).toString('base64url')
      return `${text}.${sign(text).toString('base64url')}`
    },
    decode(cursor, field = 'cursor') {
      if (cursor === undefined || cursor === '') return undefined
      const [text, mark, ...rest] = cursor.split('.')
      const given = Buffer.from(mark ?? '')
      const right = Buffer.from(sign(text ?? '').toString('base64url'))
      if (!text || rest.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) {
        throw invalid('this cursor was not made by this server for this list', {
          field,
          remedy: 'Pass on the cursor of the page before unchanged, or leave it out.',
        })
      }
      return JSON.parse(Buffer.from(text, 'base64url').toString()) as never
    },
  }
}

/** Cuts `limit + 1` fetched items to a page. */
export function pageOf<T>(items: T[], limit: number, cursors: Cursors, position: (last: T) => unknown): Page<T> {
  if (items.length <= limit) return { items }
  const page = items.slice(0, limit)
  return { items: page, next_cursor: cursors.encode(position(page[limit - 1]!)) }
}
