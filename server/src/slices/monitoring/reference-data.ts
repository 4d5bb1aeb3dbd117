/** What a version was trained on, feature by feature, as DuckDB counts it over all rows: the server sees bins, not rows. */
import { type Analytics, type FileSource, identifier } from '#kernel/analytics/index.ts'
import { type Reference, SAMPLE_MAX, VALUES_MAX } from './drift.ts'

const MS_MAX = 120_000
const NUMERIC =
  /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|UHUGEINT|FLOAT|DOUBLE|DECIMAL)/
const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

/** A column as a finite number; NaN and infinities count as nulls, as in the log. */
export const numberOf = (column: string): string =>
  `CASE WHEN isfinite(try_cast(${column} AS DOUBLE)) THEN try_cast(${column} AS DOUBLE) END`

export async function readReference(
  analytics: Analytics,
  source: FileSource,
  columns: readonly string[],
): Promise<Record<string, Reference>> {
  const files = { data: { ...source, load: source.format !== 'parquet' } }
  const list = columns.map(identifier).join(', ')
  if (columns.length === 0) return {}
  const { columns: found } = await analytics.query({
    sql: `SELECT ${list} FROM data LIMIT 0`,
    files,
    timeout_ms: MS_MAX,
  })
  const numeric = found.filter(({ type }) => NUMERIC.test(type)).map(({ name }) => name)
  const texts = found.filter(({ type }) => !NUMERIC.test(type)).map(({ name }) => name)
  const numbers = numeric.map((name) => numberOf(identifier(name)))
  const [counts, deciles, sample, ...tops] = await analytics.queries({
    files,
    timeout_ms: MS_MAX,
    rows_max: SAMPLE_MAX,
    statements: [
      {
        sql: `SELECT count(*)${[...numbers, ...texts.map(identifier)].map((column) => `, count(${column})`).join('')} FROM data`,
      },
      {
        sql: `SELECT ${['1', ...numbers.map((column) => `to_json(quantile_disc(${column}, [${DECILES}]))`)].join(', ')} FROM data`,
      },
      {
        sql: `SELECT ${['1', ...numbers].join(', ')} FROM data USING SAMPLE reservoir(${SAMPLE_MAX} ROWS) REPEATABLE (1)`,
      },
      ...texts.map((name) => ({
        sql: `SELECT ${identifier(name)}::VARCHAR AS value, count(*) AS n FROM data WHERE ${identifier(name)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${VALUES_MAX}`,
      })),
    ],
  })
  const [total, ...present] = counts!.rows[0] as number[]
  const nulls = (at: number) => (total ? 1 - present[at]! / total : 0)
  const edges = numeric.map((_, at) => [
    ...new Set(JSON.parse((deciles!.rows[0]![at + 1] as string | null) ?? '[]') as number[]),
  ])
  const binned = numeric.length === 0 ? [] : await countBins(analytics, files, numbers, edges)
  const reference: Record<string, Reference> = {}
  for (const [at, name] of numeric.entries()) {
    const values = sample!.rows.map((row) => row[at + 1]).filter((value) => value !== null) as number[]
    reference[name] = {
      kind: 'numeric',
      edges: edges[at]!,
      shares: binned[at]!.map((count) => (present[at] ? count / present[at]! : 0)),
      nulls: nulls(at),
      sample: Float64Array.from(values).sort(),
    }
  }
  for (const [at, name] of texts.entries()) {
    const count = present[numeric.length + at]!
    const top = tops[at]!.rows as [string, number][]
    const shares = top.map(([, n]) => (count ? n / count : 0))
    const rest = count - top.reduce((sum, [, n]) => sum + n, 0)
    reference[name] = {
      kind: 'categorical',
      values: top.map(([value]) => value),
      shares: [...shares, count ? rest / count : 0],
      nulls: nulls(numeric.length + at),
    }
  }
  return reference
}

/** Rows in each bin of each column; edges count into the bin below. */
async function countBins(
  analytics: Analytics,
  files: Record<string, FileSource>,
  numbers: readonly string[],
  edges: readonly (readonly number[])[],
): Promise<number[][]> {
  const cumulative = numbers.flatMap((column, at) => [
    `count(${column})`,
    // As text: a bare number would be read as a decimal first, and lose its last bit.
    ...edges[at]!.map((edge) => `count(*) FILTER (${column} <= '${edge}'::DOUBLE)`),
  ])
  const { rows } = await analytics.query({
    sql: `SELECT ${cumulative.join(', ')} FROM data`,
    files,
    timeout_ms: MS_MAX,
  })
  let place = 0
  return numbers.map((_, at) => {
    const all = rows[0]![place++] as number
    const upto = [...edges[at]!.map(() => rows[0]![place++] as number), all]
    return upto.map((count, bin) => count - (upto[bin - 1] ?? 0))
  })
}
