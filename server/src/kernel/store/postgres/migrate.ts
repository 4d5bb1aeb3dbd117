import type { PoolClient } from 'pg'
import type { MigrationSource } from '../index.ts'
import { expandWords } from '../marked-words.ts'
import { type AppliedMigration, loadMigrations, MIGRATION_TABLE, pendingMigrations } from '../migrations.ts'
import { lockNumber } from './lock.ts'

/**
 * Brings the schema up to date: each file in a transaction of its own that first takes the lock on migrating, so
 * that of several processes one applies it and the others find it applied.
 */
export async function migratePostgres(
  client: PoolClient,
  sources: readonly MigrationSource[],
  now_ms: number,
): Promise<number> {
  const known = loadMigrations(sources, 'postgres')
  const lock = { text: 'SELECT pg_advisory_xact_lock($1)', values: [lockNumber(['slipway', 'migrate'])] }
  for (let count = 0; ; count++) {
    await client.query('BEGIN')
    try {
      await client.query(lock)
      if (count === 0) await client.query(expandWords(MIGRATION_TABLE, 'postgres', { file: 'kernel', common: true }))
      const applied = await client.query<AppliedMigration>(
        'SELECT owner, number, name, digest, breaking FROM slipway_migration',
      )
      const next = pendingMigrations(known, applied.rows)[0]
      if (next) {
        try {
          await client.query(next.sql)
        } catch (error) {
          throw new Error(`migration ${next.owner}/${next.number}_${next.name} failed: ${(error as Error).message}`, {
            cause: error,
          })
        }
        await client.query(
          'INSERT INTO slipway_migration (owner, number, name, digest, breaking, applied_ms) VALUES ($1, $2, $3, $4, $5, $6)',
          [next.owner, next.number, next.name, next.digest, next.breaking ? 1 : 0, now_ms],
        )
      }
      await client.query('COMMIT')
      if (!next) return count
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {})
      throw error
    }
  }
}
