/** What to ask of a version's rows, and how the answers become its profile. No I/O here. */
import { type AnalyticsResult, type Cell, identifier, type Statement } from '#kernel/analytics/index.ts'
import type { Column, ColumnKind, ColumnProfile, Histogram, Profile } from './model.ts'

/** Columns that are profiled; a version may have more. */
export const PROFILED_COLUMNS_MAX = 300
const BINS_MAX = 30
const TOP_MAX = 20
const TEXT_CHARS_MAX = 200
/** Up to so many different values are counted exactly. */
const EXACT_DISTINCT_MAX = 1_000_000
/** Up to so many different values are ranked by frequency; of floating-point numbers fewer, for theirs rarely repeat. */
const RANKED_DISTINCT_MAX = 100_000
const RANKED_FLOATS_MAX = 1_000
/** Up to so many rows have exact quantiles: DuckDB holds all values of a column for them. */
const EXACT_QUANTILE_ROWS_MAX = 5_000_000
const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]

export function kindOf(type: string): ColumnKind {
  if (/^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type)) return 'number'
  if (/^(DATE|TIMESTAMP.*)$/.test(type) && !type.endsWith('[]')) return 'time'
  if (/^(VARCHAR|UUID|ENUM\(.*\))$/.test(type)) return 'text'
  return type === 'BOOLEAN' ? 'boolean' : 'other'
}

const isFloat = (type: string): boolean => type === 'FLOAT' || type === 'DOUBLE'
const isWhole = (type: string): boolean => /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/.test(type)

/** First pass: the columns, the rows, and about how many different values each column has. */
export const surveyStatements: readonly Statement[] = [
  { sql: 'SELECT * FROM data LIMIT 0' },
  { sql: 'SELECT count(*), count(COLUMNS(*)) FROM data' },
  { sql: 'SELECT approx_count_distinct(COLUMNS(*)) FROM data' },
]

export interface Survey {
  columns: { name: string; type: string }[]
  rows: number
  /** By column, in their order: rows that have a value, and about how many different ones. */
  filled: number[]
  distinct: number[]
}

export const readSurvey = ([shape, count, distinct]: readonly AnalyticsResult[]): Survey => ({
  columns: shape!.columns,
  rows: Number(count!.rows[0]![0]),
  filled: count!.rows[0]!.slice(1).map(Number),
  distinct: distinct!.rows[0]!.map(Number),
})

/** The value of a column as a finite DOUBLE, or NULL; times in epoch milliseconds. */
function number(column: { name: string; type: string }): string {
  const name = identifier(column.name)
  if (kindOf(column.type) === 'time') {
    // Times with a zone are instants as they are; the others are taken as UTC. Days beyond what a timestamp holds are left out.
    const instant = column.type.endsWith('TIME ZONE') ? name : `TRY_CAST(${name} AS TIMESTAMP)`
    return `CASE WHEN isfinite(${name}) THEN epoch(${instant}) * 1000 END`
  }
  if (isFloat(column.type)) return `CASE WHEN isfinite(${name}) THEN ${name}::DOUBLE END`
  return `${name}::DOUBLE`
}

interface Asked {
  statement: Statement
  take(profile: ColumnProfile, result: AnalyticsResult): void
}

/** Second pass: what to ask of one column, and where each answer goes. */
function questions(column: { name: string; type: string }, rows: number, about: number): Asked[] {
  const kind = kindOf(column.type)
  const name = identifier(column.name)
  const asked: Asked[] = [figures(column, kind, rows)]
  if (kind === 'other') return asked
  if (about <= EXACT_DISTINCT_MAX * 1.05)
    asked.push({
      statement: { sql: `SELECT count(DISTINCT ${name}) FROM data` },
      take: (profile, result) => {
        profile.distinct = Number(result.rows[0]![0])
        profile.distinct_approximate = false
      },
    })
  if (kind === 'number' || kind === 'time') asked.push(bins(column))
  if (about <= (isFloat(column.type) ? RANKED_FLOATS_MAX : RANKED_DISTINCT_MAX))
    asked.push({
      statement: {
        sql: `SELECT left(${name}::VARCHAR, ${TEXT_CHARS_MAX}) AS value, count(*) AS n FROM data WHERE ${name} IS NOT NULL
              GROUP BY ${name} ORDER BY n DESC, value LIMIT ${TOP_MAX}`,
      },
      take: (profile, result) => {
        profile.top = result.rows.map(([value, count]) => ({ value: String(value), count: Number(count) }))
      },
    })
  return asked
}

function figures(column: { name: string; type: string }, kind: ColumnKind, rows: number): Asked {
  const name = identifier(column.name)
  const exact = rows <= EXACT_QUANTILE_ROWS_MAX
  const quantiles = (value: string) =>
    exact
      ? `quantile_cont(${value}, [${QUANTILES.join(', ')}])`
      : `approx_quantile(${value}, [${QUANTILES.join(', ')}])`
  const notFinite = isFloat(column.type) ? `count(*) FILTER (WHERE NOT isfinite(${name}))` : '0'
  const parts: Record<ColumnKind, string> = {
    number: `min(${isWhole(column.type) ? name : 'v'}), max(${isWhole(column.type) ? name : 'v'}), avg(v), stddev_samp(v), ${quantiles('v')}`,
    time: `min(v), max(v), NULL, NULL, ${quantiles('v')}`,
    boolean: `NULL, NULL, avg(${name}::INTEGER), stddev_samp(${name}::INTEGER), NULL`,
    text: `left(min(${name})::VARCHAR, ${TEXT_CHARS_MAX}), left(max(${name})::VARCHAR, ${TEXT_CHARS_MAX}), avg(length(${name}::VARCHAR)), stddev_samp(length(${name}::VARCHAR)), NULL`,
    other: 'NULL, NULL, NULL, NULL, NULL',
  }
  const from = kind === 'number' || kind === 'time' ? `(SELECT ${name}, ${number(column)} AS v FROM data)` : 'data'
  return {
    statement: { sql: `SELECT ${notFinite}, ${parts[kind]} FROM ${from}` },
    take: (profile, result) => {
      const [not_finite, min, max, mean, std, values] = result.rows[0]!
      profile.not_finite = Number(not_finite)
      profile.min = plain(min)
      profile.max = plain(max)
      profile.mean = finite(mean)
      profile.std = finite(std)
      profile.quantiles_approximate = !exact
      const list = typeof values === 'string' ? (JSON.parse(values) as unknown[]) : []
      profile.quantiles = list.flatMap((value, at) => (typeof value === 'number' ? [{ q: QUANTILES[at]!, value }] : []))
    },
  }
}

/**
 * Counts by bin in one statement that finds its own range. Whole numbers get bins of whole width, so that no bin holds more
 * values than its neighbour by construction; days likewise.
 */
function bins(column: { name: string; type: string }): Asked {
  const unit = isWhole(column.type) ? 1 : column.type === 'DATE' ? 86_400_000 : 0
  const width =
    unit === 0 ? `(hi - lo) / ${BINS_MAX}` : `greatest(1, ceil(((hi - lo) / ${unit} + 1) / ${BINS_MAX})) * ${unit}`
  return {
    statement: {
      sql: `WITH value AS (SELECT ${number(column)} AS v FROM data),
                 span AS (SELECT min(v) AS lo, max(v) AS hi FROM value),
                 step AS (SELECT lo, hi, ${width} AS width FROM span)
            SELECT any_value(lo), any_value(hi), any_value(width),
                   least(greatest(CASE WHEN width > 0 AND isfinite(width) THEN floor((v - lo) / width) ELSE 0 END, 0), ${BINS_MAX - 1})::INTEGER AS bin,
                   count(*) FROM value, step WHERE v IS NOT NULL GROUP BY bin ORDER BY bin`,
    },
    take: (profile, result) => {
      profile.histogram = histogram(result.rows, unit > 0)
    },
  }
}

function histogram(rows: readonly Cell[][], stepped: boolean): Histogram | null {
  const [first] = rows
  if (first === undefined) return null
  const lo = Number(first[0])
  const hi = Number(first[1])
  const width = Number(first[2])
  if (!(width > 0) || !Number.isFinite(width)) {
    const count = rows.reduce((sum, row) => sum + Number(row[4]), 0)
    return { edges: [lo, hi], counts: [count] }
  }
  const bins = stepped ? Math.floor((hi - lo) / width) + 1 : BINS_MAX
  const counts = new Array<number>(bins).fill(0)
  for (const row of rows) counts[Math.min(Number(row[3]), bins - 1)]! += Number(row[4])
  const edges = Array.from({ length: bins + 1 }, (_, at) => lo + at * width)
  // The last edge of an even split is the greatest value itself, not what rounding made of it.
  if (!stepped) edges[bins] = hi
  return { edges, counts }
}

const finite = (value: Cell | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

const plain = (value: Cell | undefined): number | string | null =>
  typeof value === 'number' || typeof value === 'string' ? value : null

/** The second pass as one list of statements, and the reader of its results. */
export function profilePlan(survey: Survey): {
  statements: Statement[]
  /** A statement that a column's values do not bear has no result: its figures stay unknown. */
  read(results: readonly (AnalyticsResult | undefined)[]): Profile
} {
  const profiled = survey.columns.slice(0, PROFILED_COLUMNS_MAX)
  const plan = profiled.map((column, at) => ({
    column,
    asked: questions(column, survey.rows, survey.distinct[at] ?? 0),
    about: survey.distinct[at] ?? 0,
    filled: survey.filled[at] ?? 0,
  }))
  return {
    statements: plan.flatMap(({ asked }) => asked.map(({ statement }) => statement)),
    read(results) {
      let next = 0
      const columns = plan.map(({ column, asked, about, filled }) => {
        const profile = blank(column, about, survey.rows - filled)
        for (const { take } of asked) {
          const result = results[next]
          if (result !== undefined) take(profile, result)
          next += 1
        }
        return profile
      })
      return { row_count: survey.rows, columns, columns_left_out: survey.columns.length - profiled.length }
    },
  }
}

const blank = (column: { name: string; type: string }, about: number, nulls: number): ColumnProfile => ({
  name: column.name,
  type: column.type,
  kind: kindOf(column.type),
  nulls,
  distinct: kindOf(column.type) === 'other' ? null : about,
  distinct_approximate: true,
  not_finite: 0,
  min: null,
  max: null,
  mean: null,
  std: null,
  quantiles: [],
  quantiles_approximate: false,
  histogram: null,
  top: null,
})

/** Columns with what was seen of their nulls. */
export function schemaOf(survey: Survey): Column[] {
  return survey.columns.map(({ name, type }, at) => ({ name, type, nullable: survey.filled[at]! < survey.rows }))
}
