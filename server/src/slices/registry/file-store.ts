import type { Sql } from '#kernel/store/index.ts'
import type { VersionFile } from './model.ts'

const FILES_IN_ONE_STATEMENT = 200

export async function insertFiles(tx: Sql, version_key: number, files: readonly VersionFile[]): Promise<void> {
  for (let first = 0; first < files.length; first += FILES_IN_ONE_STATEMENT) {
    const some = files.slice(first, first + FILES_IN_ONE_STATEMENT)
    await tx.run(
      `INSERT INTO model_version_file (version_key, path, digest, size_bytes)
       VALUES ${some.map(() => '(?, ?, ?, ?)').join(', ')}`,
      some.flatMap((file) => [version_key, file.path, file.digest, file.size_bytes]),
    )
  }
}

export async function filesOf(sql: Sql, version_key: number): Promise<VersionFile[]> {
  const rows = await sql.all(
    'SELECT path, digest, size_bytes FROM model_version_file WHERE version_key = ? ORDER BY path',
    [version_key],
  )
  return rows.map((row) => ({
    path: row.path as string,
    digest: row.digest as string,
    size_bytes: Number(row.size_bytes),
  }))
}

export async function fileAt(sql: Sql, version_key: number, path: string): Promise<VersionFile | undefined> {
  const row = await sql.get(
    'SELECT path, digest, size_bytes FROM model_version_file WHERE version_key = ? AND path = ?',
    [version_key, path],
  )
  return row && { path: row.path as string, digest: row.digest as string, size_bytes: Number(row.size_bytes) }
}

export async function pins(sql: Sql, digest: string): Promise<boolean> {
  return (await sql.get('SELECT version_key FROM model_version_file WHERE digest = ? LIMIT 1', [digest])) !== undefined
}
