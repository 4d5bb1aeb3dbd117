// The tables of both databases as all migrations together make them: what a reviewer of a migration looks at.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { migrations } from '../server/src/app/migrations.ts'
import { silentLog } from '../server/src/kernel/log.ts'
import { openStore } from '../server/src/kernel/store/index.ts'
import { endRun, freshDatabase, postgresIsHere } from '../server/test/kit/postgres.ts'
import { keep } from './generated.ts'

const HEAD = '-- Made from all migrations by `npm run gen`; `npm run check` compares. Do not edit.\n'

const files = { 'server/schema.sqlite.sql': await sqlite() }
if (postgresIsHere()) Object.assign(files, { 'server/schema.postgres.sql': await postgres() })
else process.stdout.write('warning: PostgreSQL is not here: its tables were not looked at\n')
keep(files)
await endRun()

async function migrated(url: string): Promise<void> {
  const store = await openStore({ url, migrations, log: silentLog, disk_reserve_bytes: 0 })
  await store.close()
}

async function sqlite(): Promise<string> {
  const dir = mkdtempSync(path.join(tmpdir(), 'slipway-schema-'))
  try {
    const file = path.join(dir, 'slipway.db')
    await migrated(`sqlite:${file}`)
    const db = new DatabaseSync(file, { readOnly: true })
    const rows = db
      .prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY tbl_name, type DESC, name",
      )
      .all() as { sql: string }[]
    db.close()
    return HEAD + rows.map(({ sql }) => `\n${sql};\n`).join('')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function postgres(): Promise<string> {
  const database = await freshDatabase()
  const client = new Client({ connectionString: database.url })
  try {
    await migrated(database.url)
    await client.connect()
    const { rows: tables } = await client.query<{
      name: string
      columns: string
      constraints: string | null
      indexes: string | null
    }>(`
      SELECT c.relname AS name,
        (SELECT string_agg(format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
            CASE WHEN a.attidentity <> '' THEN ' GENERATED AS IDENTITY'
                 WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END), E',\n' ORDER BY a.attnum)
          FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
        (SELECT string_agg('  ' || pg_get_constraintdef(k.oid), E',\n' ORDER BY k.contype DESC, k.conname)
          FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c')) AS constraints,
        (SELECT string_agg(pg_get_indexdef(i.indexrelid) || ';', E'\n' ORDER BY i.indexrelid::regclass::text)
          FROM pg_index i WHERE i.indrelid = c.oid
          AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)) AS indexes
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname`)
    return (
      HEAD +
      tables
        .map(({ name, columns, constraints, indexes }) =>
          [`\nCREATE TABLE ${name} (\n${[columns, constraints].filter(Boolean).join(',\n')}\n);`, indexes]
            .filter(Boolean)
            .join('\n'),
        )
        .join('\n') +
      '\n'
    )
  } finally {
    await client.end()
    await database.drop()
  }
}
