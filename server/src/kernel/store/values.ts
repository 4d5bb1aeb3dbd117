import type { SqlValue } from './index.ts'

/** `(?, ?, ?)` for an IN list; an empty list becomes `(NULL)`, which nothing equals. */
export const placeholders = (values: readonly unknown[]): string =>
  values.length === 0 ? '(NULL)' : `(${values.map(() => '?').join(', ')})`

/** Booleans are stored as 0 and 1 on both databases. */
export const isTrue = (value: SqlValue | undefined): boolean => value === 1 || value === 1n

/** JSON is stored as TEXT on both databases, so that it comes back letter for letter. */
export const json = (value: unknown): string => JSON.stringify(value ?? null)

export const parseJson = <T>(value: SqlValue | undefined, fallback: T): T =>
  typeof value === 'string' ? (JSON.parse(value) as T) : fallback
