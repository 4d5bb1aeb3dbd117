/** Databases that MLflow keeps its store in, opened so that nothing in them can change and nobody waits for us. */
import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DomainError, invalid, notFound } from '#kernel/errors.ts'

export type SqlRow = Record<string, unknown>

/** `?` for parameters. Each statement reads one state of the store and lets go of it. */
export interface SourceDatabase {
  readonly kind: 'sqlite' | 'postgres' | 'mysql'
  readonly id: string
  readonly words: string
  /** What relative artifact paths start from. */
  readonly folder: string
  all(text: string, params?: readonly unknown[]): Promise<SqlRow[]>
  /** Names of the table's columns; none for a table that is not there. */
  columns(table: string): Promise<Set<string>>
  close(): Promise<void>
}

const idOf = (kind: string, where: string) => `${kind}:${createHash('sha256').update(where).digest('hex').slice(0, 32)}`

/** `sqlite:///x.db`, `postgresql+psycopg2://…`, `mysql+pymysql://…`, as SQLAlchemy writes them. */
export async function openDatabase(uri: string, cwd: string): Promise<SourceDatabase> {
  const [, scheme = ''] = /^([a-z0-9]+)(?:\+[a-z0-9]+)?:/i.exec(uri) ?? []
  if (scheme === 'sqlite') return await openSqlite(uri, cwd)
  if (scheme === 'postgresql' || scheme === 'postgres') return await openPostgres(plainUrl(uri), cwd)
  if (scheme === 'mysql' || scheme === 'mariadb') return await openMysql(plainUrl(uri), cwd)
  throw invalid(`there is no way to read '${scheme}'`, {
    field: 'source',
    remedy: 'Name a folder mlruns, or sqlite:///…, postgresql://… or mysql://….',
  })
}

function plainUrl(uri: string): URL {
  try {
    return new URL(uri.replace(/^([a-z0-9]+)\+[a-z0-9]+:/i, '$1:'))
  } catch {
    throw invalid('the address of the database cannot be read', {
      field: 'source',
      remedy: 'Write postgresql://user:password@host:port/name.',
    })
  }
}

async function openSqlite(uri: string, cwd: string): Promise<SourceDatabase> {
  const path = uri.replace(/^sqlite(?:\+[a-z0-9]+)?:\/\/\/?/i, '').replace(/\?.*$/s, '')
  const full = resolve(cwd, path)
  if (!(await stat(full).catch(() => undefined))?.isFile())
    throw notFound(`there is no file ${full}`, { field: 'source', remedy: 'An absolute path has four slashes.' })
  const file = await realpath(full)
  // Waits for a writer that is about to end, and keeps no lock from one statement to the next.
  const database = new DatabaseSync(file, { readOnly: true, timeout: 30_000, readBigInts: true })
  database.exec('PRAGMA query_only = 1')
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const all = async (text: string, params: readonly unknown[] = []): Promise<SqlRow[]> => {
    let statement = statements.get(text)
    if (!statement) {
      statement = database.prepare(text)
      statements.set(text, statement)
    }
    return statement.all(...(params as never[])).map(withNumbers)
  }
  return {
    kind: 'sqlite',
    id: idOf('sqlite', `${hostname()}\n${file}`),
    words: file,
    folder: dirname(file),
    all,
    async columns(table) {
      return new Set((await all(`SELECT name FROM pragma_table_info('${table}')`)).map(({ name }) => String(name)))
    },
    close: async () => database.close(),
  }
}

/** Integers that fit are numbers; the others stay what they are. */
function withNumbers(row: SqlRow): SqlRow {
  for (const [key, value] of Object.entries(row)) {
    if (typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER)
      row[key] = Number(value)
  }
  return row
}

const COLUMNS = 'SELECT column_name AS name FROM information_schema.columns WHERE table_name = ? AND table_schema ='

const unreachable = (error: unknown) =>
  new DomainError(
    'unavailable',
    `the source cannot be reached: ${(error as Error).message || (error as { code?: string }).code}`,
    {
      remedy: 'Look at its address, and whether it is running.',
    },
  )

async function openPostgres(url: URL, cwd: string): Promise<SourceDatabase> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    connectionString: url.href.replace(/^postgres:/, 'postgresql:'),
    application_name: 'slipway import',
    options: '-c default_transaction_read_only=on',
    connectionTimeoutMillis: 30_000,
  })
  await client.connect().catch((error: unknown) => {
    throw unreachable(error)
  })
  // Eight-byte integers come as text.
  client.setTypeParser(
    20,
    (text: string) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)) as never,
  )
  const all = async (text: string, params: readonly unknown[] = []): Promise<SqlRow[]> => {
    let at = 0
    return (
      await client.query(
        text.replaceAll('?', () => `$${++at}`),
        params as unknown[],
      )
    ).rows as SqlRow[]
  }
  return {
    kind: 'postgres',
    id: idOf('postgres', `${url.hostname}:${url.port || 5432}${url.pathname}${url.search}`),
    words: `${url.hostname}${url.pathname}`,
    folder: cwd,
    all,
    async columns(table) {
      return new Set((await all(`${COLUMNS} current_schema()`, [table])).map(({ name }) => String(name)))
    },
    close: () => client.end(),
  }
}

async function openMysql(url: URL, cwd: string): Promise<SourceDatabase> {
  const { createConnection } = await import('mysql2/promise')
  const socket = url.searchParams.get('unix_socket') ?? url.searchParams.get('socketPath')
  const connection = await createConnection({
    ...(socket === null ? { host: url.hostname, port: Number(url.port || 3306) } : { socketPath: socket }),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    supportBigNumbers: true,
    charset: 'utf8mb4',
    connectTimeout: 30_000,
    ...(url.searchParams.has('ssl_ca') && { ssl: {} }),
  }).catch((error: unknown) => {
    throw unreachable(error)
  })
  await connection.query('SET SESSION TRANSACTION READ ONLY')
  const all = async (text: string, params: readonly unknown[] = []): Promise<SqlRow[]> => {
    const [rows] = await connection.query(text, params as never)
    return rows as SqlRow[]
  }
  return {
    kind: 'mysql',
    id: idOf('mysql', `${socket ?? `${url.hostname}:${url.port || 3306}`}${url.pathname}`),
    words: `${url.hostname || socket}${url.pathname}`,
    folder: cwd,
    all,
    async columns(table) {
      const rows = await all(`${COLUMNS} database()`, [table])
      return new Set(rows.map(({ name }) => String(name)))
    },
    close: () => connection.end(),
  }
}
