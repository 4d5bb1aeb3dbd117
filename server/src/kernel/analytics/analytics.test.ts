import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DomainError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { seededRandom } from '../random.ts'
import { type Analytics, createAnalytics } from './index.ts'

const dir = mkdtempSync(join(tmpdir(), 'slipway-analytics-'))
const at = (name: string) => join(dir, name)
const parquet = at('numbers.parquet')
const source = { files: [parquet], format: 'parquet' as const }
let analytics: Analytics

beforeAll(async () => {
  analytics = createAnalytics({ temp_dir: at('temp'), log: silentLog, memory_bytes: 512 * 2 ** 20 })
  await analytics.copyTo({
    sql: `SELECT i, i / 4 AS quarter, 's' || i AS s, CASE WHEN i % 10 = 0 THEN NULL ELSE i END AS n,
                 TIMESTAMP '2013-01-01' + to_seconds(i) AS t FROM range(20000) r(i)`,
    to: parquet,
  })
  writeFileSync(at('secret.csv'), 'secret\n42\n')
  writeFileSync(at('corrupt.parquet'), spoiled(readFileSync(parquet)))
  writeFileSync(at('cut.parquet'), readFileSync(parquet).subarray(0, 2000))
})
afterAll(async () => {
  await analytics.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** Whole at both ends, broken between: the footer reads well, the pages do not. */
function spoiled(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let position = 500; position < bytes.length - 2000; position += 3) copy[position]! ^= 0x5a
  return copy
}

const problem = async (work: Promise<unknown>): Promise<DomainError> => {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(DomainError)
  return error as DomainError
}

describe('a query', () => {
  test('reads the files it names, with parameters by place and by name', async () => {
    const files = { numbers: source }
    const byPlace = await analytics.query({
      sql: 'SELECT i, s FROM numbers WHERE i >= ? ORDER BY i LIMIT ?',
      params: [7, 2],
      files,
    })
    expect(byPlace).toEqual({
      columns: [
        { name: 'i', type: 'BIGINT' },
        { name: 's', type: 'VARCHAR' },
      ],
      rows: [
        [7, 's7'],
        [8, 's8'],
      ],
      truncated: false,
    })
    const byName = await analytics.query({
      sql: 'SELECT count(*) FROM numbers WHERE quarter > $least',
      params: { least: 4999.5 },
      files,
    })
    expect(byName.rows).toEqual([[1]])
  })

  test('answers values that JSON would bend as text, and times as epoch milliseconds', async () => {
    const { rows } = await analytics.query({
      sql: `SELECT 9007199254740993::BIGINT, 'nan'::DOUBLE, '-inf'::DOUBLE, 170141183460469231731687303715884105727::HUGEINT,
                   TIMESTAMP '2013-01-01 00:00:00.0015', TIMESTAMPTZ '2013-01-01 00:00:00+01', DATE '2013-02-03', TIME '01:02:03',
                   1.25::DECIMAL(5,2), 12345678901234567890.12::DECIMAL(38,2), [1, NULL], {'a': [DATE '2013-01-01']}, MAP {'k': 1},
                   'ab'::BLOB, NULL, true, 'infinity'::TIMESTAMP, TIMESTAMP_NS '2013-01-01', 0.1::FLOAT < 0.2`,
    })
    expect(rows[0]).toEqual([
      '9007199254740993',
      'NaN',
      '-Infinity',
      '170141183460469231731687303715884105727',
      Date.UTC(2013, 0, 1) + 1.5,
      Date.UTC(2012, 11, 31, 23),
      '2013-02-03',
      '01:02:03',
      1.25,
      '12345678901234567890.12',
      '[1,null]',
      '{"a":["2013-01-01"]}',
      '[["k",1]]',
      'YWI=',
      null,
      true,
      'Infinity',
      Date.UTC(2013, 0, 1),
      true,
    ])
  })

  test('answers many rows whole, and says when there were more than asked for', async () => {
    const files = { numbers: source }
    const whole = await analytics.query({ sql: 'SELECT i, s, quarter, n FROM numbers', files, rows_max: 50_000 })
    expect(whole.rows).toHaveLength(20_000)
    expect(whole.rows[19_999]).toEqual([19_999, 's19999', 4999.75, 19_999])
    expect(whole.truncated).toBe(false)
    const cut = await analytics.query({ sql: 'SELECT i FROM numbers', files, rows_max: 3 })
    expect(cut.rows).toEqual([[0], [1], [2]])
    expect(cut.truncated).toBe(true)
    const exact = await analytics.query({ sql: 'SELECT i FROM numbers LIMIT 3', files, rows_max: 3 })
    expect(exact.truncated).toBe(false)
  })

  test('joins small tables that are sent along', async () => {
    const values = Array.from({ length: 12_345 }, (_, index) => index)
    const { rows } = await analytics.query({
      sql: 'SELECT count(*), sum(score), max(label), count(flag) FROM numbers JOIN labels ON labels.id = numbers.i',
      files: { numbers: source },
      tables: {
        labels: {
          columns: {
            id: { type: 'BIGINT', values },
            score: { type: 'DOUBLE', values: values.map((value) => (value === 3 ? null : value / 2)) },
            label: { type: 'VARCHAR', values: values.map((value) => `é${value % 10}`) },
            flag: { type: 'BOOLEAN', values: values.map((value) => (value % 2 === 0 ? true : null)) },
          },
        },
      },
    })
    expect(rows).toEqual([[12_345, (12_344 * 12_345) / 4 - 1.5, 'é9', 6173]])
    const wrong = await problem(
      analytics.query({ sql: 'SELECT 1', tables: { labels: { columns: { id: { type: 'BIGINT', values: ['x'] } } } } }),
    )
    expect(wrong).toMatchObject({ problem: 'invalid', field: 'tables.labels' })
  })

  test('runs several statements over files that are read once', async () => {
    const results = await analytics.queries({
      files: { numbers: { ...source, load: true } },
      statements: [
        { sql: 'SELECT count(*) FROM numbers' },
        { sql: 'SELECT max(i) FROM numbers WHERE i < ?', params: [10] },
      ],
    })
    expect(results.map(({ rows }) => rows[0]![0])).toEqual([20_000, 9])
  })

  test('reads CSV by the form it is told, compressed too, and JSON lines', async () => {
    writeFileSync(at('a.csv'), 'id;name\n1;"x;y"\n')
    writeFileSync(at('b.csv'), 'name;id\nNA;2\n')
    writeFileSync(at('c'), gzipSync('id,name\n007,ä\n'))
    writeFileSync(at('d.json'), '{"a":1}\n{"a":2}\n')
    const [both] = await analytics.queries({
      files: {
        t: {
          files: [at('a.csv'), at('b.csv')],
          format: 'csv',
          csv: { delimiter: ';', types: { id: 'BIGINT', name: 'VARCHAR' } },
        },
      },
      statements: [{ sql: 'SELECT id, name FROM t ORDER BY id' }],
    })
    expect(both!.rows).toEqual([
      [1, 'x;y'],
      [2, 'NA'],
    ])
    const zipped = await analytics.query({
      sql: 'SELECT * FROM t',
      files: {
        t: { files: [at('c')], format: 'csv', csv: { delimiter: ',', compression: 'gzip', types: { id: 'VARCHAR' } } },
      },
    })
    expect(zipped.rows).toEqual([['007', 'ä']])
    const lines = await analytics.query({
      sql: 'SELECT sum(a) FROM t',
      files: { t: { files: [at('d.json')], format: 'json' } },
    })
    expect(lines.rows).toEqual([[3]])
  })

  test('copies its result to a new Parquet file and leaves nothing behind on failure', async () => {
    const to = at('copy.parquet')
    const done = await analytics.copyTo({
      sql: 'SELECT i FROM numbers WHERE i < ? -- few',
      params: [50],
      files: { numbers: source },
      to,
    })
    expect(done.rows).toBe(50)
    expect(readFileSync(to).length).toBe(done.size_bytes)
    expect(await problem(analytics.copyTo({ sql: 'SELECT 1', to }))).toMatchObject({
      problem: 'already-exists',
      field: 'to',
    })
    const failed = at('failed.parquet')
    expect(
      await problem(
        analytics.copyTo({ sql: "SELECT error('no') FROM numbers", files: { numbers: source }, to: failed }),
      ),
    ).toMatchObject({
      problem: 'invalid',
    })
    expect(readdirSync(dir).filter((name) => name.startsWith('failed') || name.endsWith('.partial'))).toEqual([])
    expect(await problem(analytics.copyTo({ sql: "SELECT 1) TO '/tmp/elsewhere' --", to: failed }))).toMatchObject({
      problem: 'invalid',
    })
  })

  test.each([
    ['SELEC 1', { problem: 'invalid', field: 'sql' }],
    ['SELECT nothing FROM numbers', { problem: 'invalid', field: 'sql' }],
    ['SELECT 1; SELECT 2', { problem: 'invalid', field: 'sql', message: 'a call takes one SELECT statement' }],
    ['SELECT s::BIGINT FROM numbers', { problem: 'invalid', field: 'sql' }],
    ['SELECT ?', { problem: 'invalid', field: 'params' }],
  ])('tells of the mistake in %s', async (sql, expected) => {
    expect(await problem(analytics.query({ sql, files: { numbers: source } }))).toMatchObject(expected)
  })

  test.each([
    [{ rows_max: -1 }, 'rows_max'],
    [{ timeout_ms: 0 }, 'timeout_ms'],
    [{ files: { t: { files: ['relative.parquet'], format: 'parquet' } } }, 'files.t'],
    [{ files: { t: { files: ['/tmp/*.parquet'], format: 'parquet' } } }, 'files.t'],
    [{ files: { t: { files: [], format: 'parquet' } } }, 'files.t'],
    [
      { tables: { t: { columns: { a: { type: 'BIGINT', values: [1] }, b: { type: 'BIGINT', values: [] } } } } },
      'tables.t',
    ],
  ] as const)('is refused when it asks for too much or too little: %j', async (options, field) => {
    expect(await problem((async () => analytics.query({ sql: 'SELECT 1', ...options }))())).toMatchObject({
      problem: 'invalid',
      field,
    })
  })
})

describe('a statement', () => {
  test.each([
    "SELECT * FROM read_csv('SECRET')",
    "SELECT * FROM 'SECRET'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('SECRET')",
    "SELECT * FROM read_parquet('https://example.com/a.parquet')",
    'SELECT * FROM duckdb_secrets()',
  ])('reads no other file: %s', async (sql) => {
    const error = await problem(
      analytics.query({ sql: sql.replace('SECRET', at('secret.csv')), files: { numbers: source } }),
    )
    expect(error.problem).toMatch(/forbidden|invalid/)
    expect(error.message).not.toContain('42')
  })

  test.each([
    "ATTACH '/tmp/other.db'",
    "COPY (SELECT 1) TO 'INPUT' (FORMAT csv, USE_TMP_FILE false)",
    "COPY (SELECT 1) TO '/tmp/slipway-should-not-be.csv'",
    "EXPORT DATABASE '/tmp/slipway-should-not-be'",
    'INSTALL httpfs',
    'LOAD httpfs',
    'SET threads = 8',
    "PRAGMA memory_limit = '9GB'",
    'RESET lock_configuration',
    "CALL enable_logging(storage = 'file', storage_path = '/tmp/slipway-should-not-be')",
    'EXPLAIN ANALYZE SELECT 1',
    'CREATE TABLE t (a INTEGER)',
    'DROP VIEW numbers',
    "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/slipway-should-not-be''')",
  ])('does nothing but select: %s', async (sql) => {
    const before = readFileSync(parquet)
    const error = await problem(analytics.query({ sql: sql.replace('INPUT', parquet), files: { numbers: source } }))
    expect(error.problem).toMatch(/forbidden|invalid/)
    expect(readFileSync(parquet).equals(before)).toBe(true)
    expect(existsSync('/tmp/slipway-should-not-be')).toBe(false)
  })

  test('sees nothing of the call before it', async () => {
    await analytics.query({ sql: 'SELECT 1', tables: { mine: { columns: { a: { type: 'BIGINT', values: [1] } } } } })
    expect(await problem(analytics.query({ sql: 'SELECT * FROM mine' }))).toMatchObject({
      problem: 'invalid',
      field: 'sql',
    })
  })

  test.runIf(process.platform === 'linux')("finds none of the server's secrets in its environment", async () => {
    process.env.SLIPWAY_TEST_SECRET = 'x'
    const { rows } = await analytics.query({ sql: 'SELECT 1' })
    expect(rows).toEqual([[1]])
    const environ = readFileSync(`/proc/${analytics.pid}/environ`, 'utf8')
    expect(environ).not.toContain('SLIPWAY_TEST_SECRET')
    delete process.env.SLIPWAY_TEST_SECRET
  })
})

describe('a file that cannot be read', () => {
  test.each(['corrupt.parquet', 'cut.parquet', 'secret.csv', 'missing.parquet'])('is named: %s', async (name) => {
    const files = { t: { files: [parquet, at(name)], format: 'parquet' as const } }
    const error = await problem(
      analytics.query({ sql: 'SELECT max(i), max(s), max(n), max(quarter), max(t) FROM t', files }),
    )
    expect(error).toMatchObject({ problem: 'invalid', field: 'files', facts: { file: at(name) } })
    expect(error.message).toContain(name)
  })

  test('in whatever way its bytes are damaged, is an answer that names it, and the process lives', async () => {
    const random = seededRandom(7)
    const whole = readFileSync(parquet).subarray(0)
    const footer = whole.readUInt32LE(whole.length - 8) + 8
    const pid = analytics.pid
    for (let round = 0; round < 40; round += 1) {
      const bytes = Buffer.from(whole)
      // Footers, pages and anywhere in turn: footers are where decoders break.
      const [from, to] = [
        [whole.length - footer, whole.length],
        [4, whole.length - footer],
        [0, whole.length],
      ][round % 3]!
      for (let flip = 0; flip < 4; flip += 1)
        bytes[from! + Math.floor(random.next() * (to! - from!))] = Math.floor(random.next() * 256)
      writeFileSync(at('damaged.parquet'), bytes)
      const files = { t: { files: [at('damaged.parquet')], format: 'parquet' as const } }
      const sql = 'SELECT max(i), max(s), max(n), max(quarter), max(t), count(*) FROM t'
      const error = await analytics.query({ sql, files }).catch((thrown: DomainError) => thrown)
      if (error instanceof Error)
        expect(error).toMatchObject({ problem: 'invalid', facts: { file: at('damaged.parquet') } })
    }
    expect(analytics.pid).toBe(pid)
  })

  test('with a row of another shape is named with its line', async () => {
    writeFileSync(at('ragged.csv'), 'a,b\n1,2\n3\n')
    const files = {
      t: {
        files: [at('ragged.csv')],
        format: 'csv' as const,
        csv: { delimiter: ',', types: { a: 'BIGINT', b: 'BIGINT' } },
      },
    }
    expect(await problem(analytics.query({ sql: 'SELECT * FROM t', files }))).toMatchObject({
      problem: 'invalid',
      facts: { file: at('ragged.csv') },
    })
  })
})
