/**
 * The closed list of what can go wrong. Each wire words these in its own way (one table per adapter);
 * whatever is not a DomainError is 'internal': logged whole, shown bare.
 */
export const PROBLEMS = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  'too-large': 413,
  unsupported: 415,
  'too-many': 429,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
  'storage-full': 507,
} as const

export type Problem = keyof typeof PROBLEMS

export interface ProblemDetails {
  /** The request field at fault, as the caller wrote it: `metrics[0].key`. */
  field?: string
  /** What the caller can do about it, as one sentence. */
  remedy?: string
  /** Further facts for the caller; plain JSON, never secrets. */
  facts?: Record<string, unknown>
  cause?: unknown
}

export class DomainError extends Error {
  readonly problem: Problem
  readonly field: string | undefined
  readonly remedy: string | undefined
  readonly facts: Record<string, unknown> | undefined

  constructor(problem: Problem, message: string, details: ProblemDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'DomainError'
    this.problem = problem
    this.field = details.field
    this.remedy = details.remedy
    this.facts = details.facts
  }

  get status(): number {
    return PROBLEMS[this.problem]
  }

  /** Plain data, so that a problem can cross a thread. */
  toJSON(): { problem: Problem; message: string; field?: string; remedy?: string; facts?: Record<string, unknown> } {
    return {
      problem: this.problem,
      message: this.message,
      ...(this.field !== undefined && { field: this.field }),
      ...(this.remedy !== undefined && { remedy: this.remedy }),
      ...(this.facts !== undefined && { facts: this.facts }),
    }
  }

  static fromJSON(plain: ReturnType<DomainError['toJSON']>): DomainError {
    return new DomainError(plain.problem, plain.message, plain)
  }
}

export const invalid = (message: string, details?: ProblemDetails) => new DomainError('invalid', message, details)
export const notFound = (message: string, details?: ProblemDetails) => new DomainError('not-found', message, details)
export const conflict = (message: string, details?: ProblemDetails) => new DomainError('conflict', message, details)

/** The store is full or away for now: what only prepares or reports may be left for later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof DomainError && (error.problem === 'storage-full' || error.problem === 'unavailable')

/** For our own mistakes; a caller's mistake is a DomainError. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
