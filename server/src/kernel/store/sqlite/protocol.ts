/** What the main thread and the threads beside the database say to each other. Always sent in batches, one a tick. */
import { DomainError } from '../../errors.ts'
import type { SqlValue } from '../index.ts'
import type { StoreLimits } from '../options.ts'
import type { Method } from './connection.ts'

export interface WriterData {
  path: string
  migrations: { owner: string; dir: string }[]
  catalog: string | undefined
  limits: StoreLimits
  now_ms: number
}

export interface ReaderData {
  path: string
  catalog: string | undefined
  limits: StoreLimits
}

/** Statements of one callback (`write` or `read`) carry its `id`; the first one opens it. */
export type Request =
  | { kind: 'call'; id: number; name: string; input: unknown }
  | { kind: 'statement'; id: number; seq: number; method: Method; sql: string; params: readonly SqlValue[] }
  | { kind: 'end'; id: number; keep?: boolean }
  | { kind: 'barrier'; id: number }
  | { kind: 'stats'; id: number }
  | { kind: 'close'; id: number }

/** `done` of a write is sent after the sync that makes it durable. */
export type Answer =
  | { kind: 'ready' }
  | { kind: 'failed-start'; error: PlainError }
  | { kind: 'statement'; id: number; seq: number; value?: unknown; error?: PlainError }
  | { kind: 'done'; id: number; value?: unknown; error?: PlainError }

export interface PlainError {
  domain?: ReturnType<DomainError['toJSON']>
  name: string
  message: string
  stack?: string | undefined
}

export function plainError(error: unknown): PlainError {
  if (error instanceof DomainError)
    return { domain: error.toJSON(), name: error.name, message: error.message, stack: error.stack }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack }
  return { name: 'Error', message: String(error) }
}

/** The error as it was, with the other thread's stack below. */
export function fromPlainError(plain: PlainError): Error {
  const error = plain.domain ? DomainError.fromJSON(plain.domain) : new Error(plain.message)
  if (plain.stack !== undefined && !plain.domain) error.stack = plain.stack
  return error
}

/**
 * A view into a larger buffer is sent as a copy of its own part, in place of the whole buffer behind it. Looks at the
 * input itself and one level below: where commands put raw bodies.
 */
export function compactInput(input: unknown, transfer: ArrayBuffer[]): unknown {
  const part = (value: unknown) => {
    if (!(value instanceof Uint8Array) || value.byteLength === value.buffer.byteLength) return value
    const copy = new Uint8Array(value)
    transfer.push(copy.buffer)
    return copy
  }
  if (input instanceof Uint8Array) return part(input)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  let out: Record<string, unknown> | undefined
  for (const name in input) {
    const value = (input as Record<string, unknown>)[name]
    const sent = part(value)
    if (sent !== value) {
      out ??= { ...input }
      out[name] = sent
    }
  }
  return out ?? input
}
