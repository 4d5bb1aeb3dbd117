import type { Analytics, AnalyticsResult, Statement } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import { DomainError, invalid, type Problem } from '#kernel/errors.ts'
import { readHeader } from './csv.ts'
import type { Column, CsvDialect, DatasetFile, DatasetVersion, Profile } from './model.ts'
import { profilePlan, readSurvey, type Survey, schemaOf, surveyStatements } from './profile.ts'
import { inUsersNames, type Lent, lendFiles, sourceOf } from './reading.ts'

/** Reading a version once; it is read two or three times. */
const PASS_MS_MAX = 10 * 60_000
export const COLUMNS_MAX = 2000
/** Statements of one call: more columns are profiled in several. */
const STATEMENTS_AT_ONCE = 400

/** Problems that lie in the data and stay however often they are met; every other one may pass. */
const OF_THE_DATA: readonly Problem[] = ['invalid', 'too-large', 'forbidden', 'not-found', 'unsupported']

export interface Findings {
  csv: CsvDialect | null
  schema: Column[]
  profile: Profile
  time_from_ms: number | null
  time_to_ms: number | null
}

interface Deps {
  analytics: Pick<Analytics, 'queries'>
  blobs: Pick<Blobs, 'lend' | 'open'>
}

/**
 * Reads a version whole. Answers what it found, or why the data cannot be used; throws what may pass
 * (DomainError unavailable, internal).
 */
export async function readVersion(
  { analytics, blobs }: Deps,
  version: DatasetVersion,
  files: readonly DatasetFile[],
  context: { signal: AbortSignal; progress(share: number | null, note?: string): void },
): Promise<Findings | { failure: string }> {
  let lent: Lent | undefined
  try {
    const header = version.format === 'csv' ? await readHeader(blobs, files[0]!) : undefined
    lent = await lendFiles(blobs, files)
    const read = { ...version, csv: header?.dialect ?? null }
    context.progress(0.1, 'reading columns and rows')
    const survey = await surveyOf(analytics, read, lent, header?.names, context.signal)
    if (survey.columns.length > COLUMNS_MAX)
      throw invalid(`the data have ${survey.columns.length} columns, at most ${COLUMNS_MAX} are taken`, {
        field: 'files',
      })
    checkTimeColumn(version.time_column, survey)
    context.progress(0.4, 'computing the profile')
    const profile = await profileOf(analytics, read, lent, survey, context.signal)
    const time = profile.columns.find(({ name }) => name === version.time_column)
    return {
      csv: read.csv,
      schema: schemaOf(survey),
      profile,
      time_from_ms: typeof time?.min === 'number' ? time.min : null,
      time_to_ms: typeof time?.max === 'number' ? time.max : null,
    }
  } catch (error) {
    const worded = lent === undefined ? error : inUsersNames(error, lent)
    if (worded instanceof DomainError && OF_THE_DATA.includes(worded.problem))
      return { failure: worded.remedy === undefined ? worded.message : `${worded.message}. ${worded.remedy}` }
    throw worded
  } finally {
    await lent?.done()
  }
}

async function surveyOf(
  analytics: Deps['analytics'],
  version: DatasetVersion,
  lent: Lent,
  header: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Survey> {
  const data = sourceOf({ ...version, schema: null }, lent)
  const options = { files: { data }, timeout_ms: PASS_MS_MAX, signal }
  try {
    return readSurvey(await analytics.queries({ ...options, statements: surveyStatements }))
  } catch (error) {
    if (header === undefined || !(error instanceof DomainError) || error.problem !== 'invalid') throw error
    // DuckDB says no more than that it could not make out the file. Read as text it names the line.
    const types = Object.fromEntries(header.map((name) => [name, 'VARCHAR']))
    const text = { ...data, csv: { ...data.csv, types, fixed: true } }
    await analytics.queries({
      ...options,
      files: { data: text },
      statements: [{ sql: 'SELECT count(*), max(hash(data)) FROM data' }],
    })
    throw error
  }
}

function checkTimeColumn(time_column: string | null, survey: Survey): void {
  if (time_column === null) return
  const column = survey.columns.find(({ name }) => name === time_column)
  const have = survey.columns.map(({ name }) => name)
  if (column === undefined)
    throw invalid(`there is no column '${time_column}'`, {
      field: 'time_column',
      remedy: `Name one of: ${have.slice(0, 30).join(', ')}${have.length > 30 ? ', …' : ''}`,
    })
  if (!/^(DATE|TIMESTAMP)/.test(column.type))
    throw invalid(`the time column '${time_column}' is of type ${column.type}`, {
      field: 'time_column',
      remedy: 'Write it as a timestamp: in CSV as 2013-01-31 17:05:00 or 2013-01-31T17:05:00Z.',
    })
}

async function profileOf(
  analytics: Deps['analytics'],
  version: DatasetVersion,
  lent: Lent,
  survey: Survey,
  signal: AbortSignal,
): Promise<Profile> {
  const schema = survey.columns.map((column) => ({ ...column, nullable: true }))
  const data = sourceOf({ ...version, schema }, lent)
  const plan = profilePlan(survey)
  const options = {
    files: { data: { ...data, load: version.format === 'csv' } },
    timeout_ms: PASS_MS_MAX,
    signal,
  }
  // Values at the ends of what a type holds make a figure overflow: that one is left out, found by halves.
  const ask = async (statements: readonly Statement[]): Promise<(AnalyticsResult | undefined)[]> => {
    try {
      return await analytics.queries({ ...options, statements })
    } catch (error) {
      if (!isOfAStatement(error)) throw error
      if (statements.length === 1) return [undefined]
      const half = Math.ceil(statements.length / 2)
      return [...(await ask(statements.slice(0, half))), ...(await ask(statements.slice(half)))]
    }
  }
  const results: (AnalyticsResult | undefined)[] = []
  for (let from = 0; from < plan.statements.length; from += STATEMENTS_AT_ONCE)
    results.push(...(await ask(plan.statements.slice(from, from + STATEMENTS_AT_ONCE))))
  return plan.read(results)
}

/** A file at fault is named; what is left is arithmetic. */
const isOfAStatement = (error: unknown): boolean =>
  error instanceof DomainError && error.problem === 'invalid' && error.field === 'sql'
