import { DomainError } from '../../errors.ts'
import { shorten } from '../sql-text.ts'

interface PostgresError extends Error {
  code?: string
  constraint?: string
  detail?: string
}

/** 40001 serialization failure, 40P01 deadlock, 0A000 with a cached plan that a migration made stale. */
export function isWorthRetrying(error: unknown): boolean {
  const { code, message } = error as PostgresError
  return code === '40001' || code === '40P01' || (code === '0A000' && message.includes('cached plan'))
}

const AWAY = /^(?:08...|57P0[1-5]|53300|ECONN|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENET)/
const AWAY_TEXT =
  /connection terminated|query read timeout|timeout exceeded when trying to connect|client has encountered a connection error/i

/** The connection itself is gone or could not be made. */
export function isAway(error: unknown): boolean {
  const { code, message } = error as PostgresError
  return (code !== undefined && AWAY.test(code)) || AWAY_TEXT.test(message)
}

/** The same for an error that has been translated already. */
export const isLost = (error: unknown): boolean =>
  error instanceof Error && (isAway(error) || (error instanceof DomainError && isLost(error.cause)))

export const storeAway = (cause: unknown, committing = false) =>
  new DomainError(
    'unavailable',
    committing
      ? 'the store went away while a change was being made durable: whether it took place is not known'
      : 'the store cannot be reached',
    {
      remedy: committing
        ? 'Look whether the change is there before making it again.'
        : 'Try again in a moment; `slipway doctor` tells why the database cannot be reached.',
      cause,
    },
  )

/** PostgreSQL's error as ours where a caller can do something about it: the same problems as on SQLite. */
export function translate(error: unknown, sql: string): unknown {
  if (!(error instanceof Error) || error instanceof DomainError || isWorthRetrying(error)) return error
  if (isAway(error)) return storeAway(error)
  const { code, constraint, message } = error as PostgresError
  switch (code) {
    case '23505':
      return new DomainError('already-exists', 'a row with this key already exists', {
        facts: { constraint: constraint ?? message },
        cause: error,
      })
    case '23503':
      return new DomainError('conflict', 'a row that this one stands on is missing, or one stands on it', {
        cause: error,
      })
    case '53100':
      return new DomainError('storage-full', "the database server's disk is full", {
        remedy: "Free space on the database server's disk.",
        cause: error,
      })
    case '55P03':
    case '57014':
      return new DomainError('unavailable', 'the store took too long', {
        remedy: 'Try again in a moment, or ask for less.',
        cause: error,
      })
    default:
      if (code !== undefined) error.message = `${message}: ${shorten(sql)}`
      return error
  }
}
