import { createHash } from 'node:crypto'

/** The 64-bit number of an advisory lock, as text. Two names share one by chance once in 2^32 names: they then wait for each other. */
export const lockNumber = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest().readBigInt64BE().toString()
