import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { DomainError } from '../errors.ts'
import type { MigrationSource } from './index.ts'
import { type Dialect, expandWords } from './marked-words.ts'

/** One numbered SQL file, with its marked words replaced. */
export interface Migration {
  owner: string
  number: number
  name: string
  /** SHA-256 of the file as written, hex. */
  digest: string
  /** An old process cannot live with it: first line `-- breaking`. */
  breaking: boolean
  sql: string
}

export interface AppliedMigration {
  owner: string
  number: number
  name: string
  digest: string
  breaking: number
}

/** Applied before anything else; the same text on both databases. */
export const MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS slipway_migration (
  owner TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  breaking INTEGER NOT NULL,
  applied_ms :ms: NOT NULL,
  PRIMARY KEY (owner, number)) :strict:`

const FILE = /^(\d{4})_([a-z0-9_]+)(?:\.(sqlite|postgres))?\.sql$/

/** Reads every owner's files for one database, in order. A file for the other database is passed over. */
export function loadMigrations(sources: readonly MigrationSource[], dialect: Dialect): Migration[] {
  const all: Migration[] = []
  for (const { owner, dir } of sources) {
    const seen = new Map<number, string>()
    for (const file of readdirSync(dir)
      .filter((name) => name.endsWith('.sql'))
      .sort()) {
      const match = FILE.exec(file)
      if (!match) throw new Error(`migration ${owner}/${file} is not named NNNN_name.sql`)
      if (match[3] !== undefined && match[3] !== dialect) continue
      const number = Number(match[1])
      if (seen.has(number))
        throw new Error(`migrations ${owner}/${seen.get(number)} and ${owner}/${file} have one number`)
      seen.set(number, file)
      const text = readFileSync(new URL(file, `${dir.href.replace(/\/?$/, '/')}`), 'utf8')
      all.push({
        owner,
        number,
        name: match[2]!,
        digest: createHash('sha256').update(text).digest('hex'),
        breaking: /^-- breaking\b/.test(text),
        sql: expandWords(text, dialect, { file: `${owner}/${file}`, common: match[3] === undefined }),
      })
    }
  }
  return all
}

/**
 * What is still to be applied. Throws DomainError 'conflict' when an applied file was changed since, when a number was
 * slipped in below an applied one, or when the store has a breaking migration that this program does not know.
 */
export function pendingMigrations(known: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const key = (owner: string, number: number) => `${owner}/${String(number).padStart(4, '0')}`
  const byKey = new Map(applied.map((row) => [key(row.owner, row.number), row]))
  const newest = new Map<string, number>()
  for (const row of applied) newest.set(row.owner, Math.max(newest.get(row.owner) ?? 0, row.number))
  const ours = new Set(known.map((migration) => key(migration.owner, migration.number)))
  for (const row of applied)
    if (row.breaking && !ours.has(key(row.owner, row.number)))
      throw new DomainError(
        'conflict',
        `the store has migration ${key(row.owner, row.number)}_${row.name}, which this version of Slipway cannot work with`,
        {
          remedy: 'Start the newer version of Slipway that made it, or restore a backup from before the upgrade.',
        },
      )
  return known.filter((migration) => {
    const id = `${key(migration.owner, migration.number)}_${migration.name}`
    const row = byKey.get(key(migration.owner, migration.number))
    if (!row) {
      if (migration.number < (newest.get(migration.owner) ?? 0))
        throw new DomainError('conflict', `migration ${id} has a smaller number than one that the store already has`, {
          remedy: 'Give the new migration the next free number.',
        })
      return true
    }
    if (row.digest !== migration.digest)
      throw new DomainError('conflict', `migration ${id} was changed after it was applied to this store`, {
        remedy: 'Put the file back as it was and write a new migration for the change.',
      })
    return false
  })
}
