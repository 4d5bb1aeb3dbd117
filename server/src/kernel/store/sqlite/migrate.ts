import type { MigrationSource } from '../index.ts'
import { expandWords } from '../marked-words.ts'
import { type AppliedMigration, loadMigrations, MIGRATION_TABLE, pendingMigrations } from '../migrations.ts'
import type { Connection } from './connection.ts'

/**
 * Brings the schema up to date: each file in a transaction of its own, which also holds the lock that keeps a
 * second process from migrating at the same time. Foreign keys are checked once at the end, so that a file may rebuild a table.
 */
export function migrateSqlite(connection: Connection, sources: readonly MigrationSource[], now_ms: number): number {
  const known = loadMigrations(sources, 'sqlite')
  connection.script(expandWords(MIGRATION_TABLE, 'sqlite', { file: 'kernel', common: true }))
  const pending = () =>
    pendingMigrations(
      known,
      connection.execute(
        'all',
        'SELECT owner, number, name, digest, breaking FROM slipway_migration',
        [],
      ) as unknown as AppliedMigration[],
    )
  if (pending().length === 0) return 0
  let count = 0
  connection.script('PRAGMA foreign_keys = OFF')
  for (;;) {
    connection.script('BEGIN IMMEDIATE')
    try {
      const next = pending()[0]
      if (next) {
        try {
          connection.script(next.sql)
        } catch (error) {
          throw new Error(`migration ${next.owner}/${next.number}_${next.name} failed: ${(error as Error).message}`, {
            cause: error,
          })
        }
        connection.execute(
          'run',
          'INSERT INTO slipway_migration (owner, number, name, digest, breaking, applied_ms) VALUES (?, ?, ?, ?, ?, ?)',
          [next.owner, next.number, next.name, next.digest, next.breaking ? 1 : 0, now_ms],
        )
        const broken = connection.execute('get', 'SELECT "table" FROM pragma_foreign_key_check', [])
        if (broken) throw new Error(`migration ${next.owner}/${next.number}_${next.name} breaks a foreign key`)
      }
      connection.script('COMMIT')
      if (!next) break
      count++
    } catch (error) {
      connection.script('ROLLBACK')
      throw error
    }
  }
  connection.script('PRAGMA foreign_keys = ON')
  return count
}
