import type { Analytics, AnalyticsResult, FileSource, Statement } from '#kernel/analytics/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Datasets, DatasetVersion } from '#slices/datasets'
import { type Judgement, judgementOf, notMade } from './judge.ts'
import type { Check, CheckResult } from './model.ts'

const PASS_MS_MAX = 10 * 60_000

interface Deps {
  analytics: Pick<Analytics, 'queries'>
  datasets: Pick<Datasets, 'lend'>
}

/**
 * Makes all checks of a version: one pass for what can be counted together, one for each `unique`, and one for the failing rows of each
 * check that has any. Throws what may pass (DomainError unavailable, internal); a check that cannot be made says so in its result.
 */
export async function verify(
  { analytics, datasets }: Deps,
  version: DatasetVersion,
  checks: readonly Check[],
  now_ms: number,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const judgements = checks.map((check) => judgementOf(check, version, now_ms))
  if (judgements.every(({ aggregates, statement }) => aggregates.length === 0 && statement === undefined))
    return judgements.map(({ conclude }) => conclude([]))
  const { source, done, reword } = await datasets.lend(version)
  const ask = (statements: readonly Statement[]): Promise<AnalyticsResult[]> =>
    analytics.queries({ files: { data: loaded(source) }, statements, timeout_ms: PASS_MS_MAX, signal })
  try {
    const results = await conclusions(judgements, ask)
    await addRows(judgements, results, ask)
    return results.map((result) => ({
      ...result,
      error: result.error === null ? null : wordsOf(reword(new DomainError('invalid', result.error))),
    }))
  } catch (error) {
    throw reword(error)
  } finally {
    await done()
  }
}

/** CSV is parsed once for all statements of a call; Parquet is better left where it lies, for few columns are read. */
const loaded = (source: FileSource): FileSource => ({ ...source, load: source.format === 'csv' })

type Ask = (statements: readonly Statement[]) => Promise<AnalyticsResult[]>

async function conclusions(judgements: readonly Judgement[], ask: Ask): Promise<CheckResult[]> {
  try {
    return await together(judgements, ask)
  } catch (error) {
    if (!isOfTheCheck(error)) throw error
    // One of them cannot be made, and nothing says which: each by itself, so that the others are.
    const results: CheckResult[] = []
    for (const judgement of judgements) {
      try {
        results.push((await together([judgement], ask))[0]!)
      } catch (failure) {
        if (!isOfTheCheck(failure)) throw failure
        results.push(notMade(judgement.check, wordsOf(failure)))
      }
    }
    return results
  }
}

async function together(judgements: readonly Judgement[], ask: Ask): Promise<CheckResult[]> {
  const aggregates = judgements.flatMap((judgement) => judgement.aggregates)
  const statements = [
    ...(aggregates.length === 0 ? [] : [{ sql: `SELECT ${aggregates.join(',\n  ')} FROM data` }]),
    ...judgements.flatMap(({ statement }) => (statement === undefined ? [] : [{ sql: statement }])),
  ]
  const answers = statements.length === 0 ? [] : await ask(statements)
  const counts = aggregates.length === 0 ? [] : [...answers.shift()!.rows[0]!]
  return judgements.map((judgement) =>
    judgement.conclude(
      judgement.statement === undefined ? counts.splice(0, judgement.aggregates.length) : answers.shift()!.rows[0]!,
    ),
  )
}

async function addRows(judgements: readonly Judgement[], results: CheckResult[], ask: Ask): Promise<void> {
  const wanted = judgements.flatMap((judgement, at) =>
    judgement.rows !== undefined && (results[at]!.unexpected ?? 0) > 0 ? [{ at, rows: judgement.rows }] : [],
  )
  if (wanted.length === 0) return
  const answers = await ask(wanted.map(({ rows }) => ({ sql: rows.sql })))
  for (const [index, { at, rows }] of wanted.entries()) {
    const answer = answers[index]!
    results[at] = { ...results[at]!, rows: rows.read(answer.rows, answer.columns) }
  }
}

/** A mistake in a check, or a check that this data cannot bear; everything else is not the check's. */
const isOfTheCheck = (error: unknown): boolean =>
  error instanceof DomainError && (error.problem === 'invalid' || error.problem === 'too-large')

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
