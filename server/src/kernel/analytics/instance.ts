import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  StatementType,
} from '@duckdb/node-api'
import { invalid } from '../errors.ts'
import { bindings, COLUMN_TYPES, cell, columnValues } from './cells.ts'
import { fileProblem, lastProblemOf, pathsOf, problemOf, sayingOf } from './failures.ts'
import type { Cell, FileSource, Statement, TableSource } from './index.ts'
import type { Limits } from './protocol.ts'
import { identifier, literal } from './words.ts'

/** Rows of one DuckDB vector. */
const VECTOR_ROWS = 2048

/** A DuckDB of one call: sees the files it is given and nothing else, takes SELECT alone. */
export interface Instance {
  define(files: Record<string, FileSource>, tables: Record<string, TableSource>): Promise<void>
  append(table: string, columns: (readonly Cell[])[]): Promise<void>
  /** Hands rows to `each` until it answers false. */
  select(statement: Statement, each: (rows: Cell[][]) => Promise<boolean>): Promise<{ name: string; type: string }[]>
  /** Writes the rows of a SELECT to `to`; answers how many. */
  copy(statement: Statement, to: string): Promise<number>
  interrupt(): void
  close(): void
}

export async function openInstance(
  limits: Limits,
  files: Record<string, FileSource>,
  copy_to: string | null,
): Promise<Instance> {
  const spill = mkdtempSync(join(limits.temp_dir, 'spill-'))
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: `${Math.floor(limits.memory_bytes / 1024)}KiB`,
    temp_directory: spill,
    max_temp_directory_size: `${Math.floor(limits.temp_bytes_max / 1024)}KiB`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_unsigned_extensions: 'false',
    enable_object_cache: 'false',
  })
  const connection = await instance.connect()
  const close = () => {
    connection.closeSync()
    instance.closeSync()
    rmSync(spill, { recursive: true, force: true })
  }
  try {
    await lock(connection, copy_to === null ? pathsOf(files) : [...pathsOf(files), copy_to])
  } catch (error) {
    close()
    throw error
  }

  const appended: Record<string, { types: (keyof typeof COLUMN_TYPES)[]; names: string[] }> = {}

  /** A failure that no file has been blamed for yet: read each file alone to find the one. */
  const blame = async (error: unknown): Promise<Error> => {
    const known = problemOf(error, files)
    if (known !== undefined) return known
    if (sayingOf(error).kind === 'interrupt') return error as Error
    for (const source of Object.values(files)) {
      for (const path of source.files) {
        try {
          await connection.run(`SELECT max(hash(t)) FROM ${reader({ ...source, files: [path] })} t`)
        } catch (failure) {
          if (sayingOf(failure).kind === 'interrupt') return failure as Error
          return fileProblem(path, sayingOf(failure).text)
        }
      }
    }
    return lastProblemOf(error, files)
  }

  const prepare = async (statement: Statement): Promise<DuckDBPreparedStatement> => {
    const extracted = await connection.extractStatements(statement.sql)
    if (extracted.count !== 1) throw invalid('a call takes one SELECT statement', { field: 'sql' })
    const prepared = await extracted.prepare(0)
    if (prepared.statementType !== StatementType.SELECT) {
      const was = StatementType[prepared.statementType]
      prepared.destroySync()
      throw invalid(`a call takes one SELECT statement, not ${was}`, { field: 'sql' })
    }
    return prepared
  }

  return {
    async define(sources, tables) {
      for (const [name, source] of Object.entries(sources)) {
        const made = source.load ? 'TABLE' : 'VIEW'
        try {
          await connection.run(`CREATE ${made} ${identifier(name)} AS SELECT * FROM ${reader(source)}`)
        } catch (error) {
          // The statement is ours: what is wrong with it is wrong with a file.
          const problem = problemOf(error, sources)
          if (problem?.field === 'sql' && problem.problem === 'invalid' && source.files.length === 1)
            throw fileProblem(source.files[0]!, sayingOf(error).text)
          throw await blame(error)
        }
      }
      for (const [name, table] of Object.entries(tables)) {
        const columns = Object.entries(table.columns)
        const list = columns.map(([column, { type }]) => `${identifier(column)} ${type}`)
        await connection.run(`CREATE TABLE ${identifier(name)} (${list.join(', ')})`)
        appended[name] = { types: columns.map(([, { type }]) => type), names: columns.map(([column]) => column) }
      }
    },

    async append(name, columns) {
      const { types, names } = appended[name]!
      const appender = await connection.createAppender(name)
      const values = columns.map((column, at) => {
        try {
          return columnValues(types[at]!, column)
        } catch (error) {
          throw invalid(`column ${names[at]} of table ${name} ${(error as Error).message}`, { field: `tables.${name}` })
        }
      })
      const rows = values[0]?.length ?? 0
      for (let from = 0; from < rows; from += VECTOR_ROWS) {
        const count = Math.min(VECTOR_ROWS, rows - from)
        const chunk = DuckDBDataChunk.create(
          types.map((type) => COLUMN_TYPES[type]),
          count,
        )
        chunk.setColumns(values.map((column) => column.slice(from, from + count)))
        appender.appendDataChunk(chunk)
      }
      appender.flushSync()
      appender.closeSync()
    },

    async select(statement, each) {
      try {
        const prepared = await prepare(statement)
        try {
          bind(prepared, statement)
          const result = await prepared.stream()
          const names = result.columnNames()
          const columns = result.columnTypes().map((type, at) => ({ name: names[at]!, type: String(type) }))
          for (;;) {
            const chunk = await result.fetchChunk()
            if (chunk === null || chunk.rowCount === 0) return columns
            if (!(await each(chunk.getRows().map((row) => row.map(cell))))) return columns
          }
        } finally {
          prepared.destroySync()
        }
      } catch (error) {
        throw await blame(error)
      }
    },

    async copy(statement, to) {
      try {
        // Prepared alone first, so that nothing but one SELECT can stand between the parentheses.
        ;(await prepare(statement)).destroySync()
        const { values, types } = bindings(statement.params ?? [])
        const done = await connection.runAndReadAll(
          `COPY (${statement.sql.replace(/[\s;]+$/, '')}\n) TO ${literal(to)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
          values,
          types,
        )
        return Number(done.getRows()[0]?.[0] ?? 0)
      } catch (error) {
        throw await blame(error)
      }
    },

    interrupt: () => connection.interrupt(),

    close,
  }
}

/** From here on DuckDB itself opens only these paths, and no statement can change that. */
async function lock(connection: DuckDBConnection, paths: readonly string[]): Promise<void> {
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`SET allowed_paths = [${paths.map(literal).join(', ')}]`)
  await connection.run('SET enable_external_access = false')
  await connection.run('SET lock_configuration = true')
}

function bind(prepared: DuckDBPreparedStatement, statement: Statement): void {
  const { values, types } = bindings(statement.params ?? [])
  const given = Array.isArray(values) ? values.length : Object.keys(values).length
  if (given < prepared.parameterCount)
    throw invalid(`the statement has ${prepared.parameterCount} parameters, ${given} were given`, { field: 'params' })
  try {
    prepared.bind(values, types)
  } catch (error) {
    throw invalid(`the parameters do not fit the statement: ${sayingOf(error).text}`, { field: 'params' })
  }
}

/** The table function that reads a source. Everything that DuckDB would guess from a path is said. */
function reader(source: FileSource): string {
  const files = `[${source.files.map(literal).join(', ')}]`
  if (source.format === 'parquet') return `read_parquet(${files}, union_by_name = true, hive_partitioning = false)`
  if (source.format === 'json') {
    const types = Object.entries(source.json?.types ?? {}).map(([name, type]) => `${literal(name)}: ${literal(type)}`)
    const columns = types.length > 0 ? `, format = 'newline_delimited', columns = {${types.join(', ')}}` : ''
    return `read_json(${files}, union_by_name = true, hive_partitioning = false${columns})`
  }
  const { delimiter, header, compression, types, fixed = false } = source.csv ?? {}
  const options = [
    `union_by_name = ${!fixed}, hive_partitioning = false`,
    `header = ${header ?? true}`,
    // What does not fit the first line's shape is an error, never a row left out.
    "skip = 0, strict_mode = true, null_padding = false, ignore_errors = false, comment = ''",
    `compression = ${literal(compression ?? 'none')}`,
    ...(delimiter === undefined ? [] : [`delim = ${literal(delimiter)}`, `quote = '"', escape = '"'`]),
    typing(types, fixed),
  ]
  return `read_csv(${files}, ${options.join(', ')})`
}

function typing(types: Readonly<Record<string, string>> | undefined, fixed: boolean): string {
  const list = Object.entries(types ?? {}).map(([name, type]) => `${literal(name)}: ${literal(type)}`)
  if (list.length === 0) return 'sample_size = -1'
  return fixed ? `columns = {${list.join(', ')}}, auto_detect = false` : `types = {${list.join(', ')}}`
}
