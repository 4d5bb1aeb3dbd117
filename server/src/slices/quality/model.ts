/** Names of the checks; in Great Expectations' words they are expect_column_values_to_not_be_null and so on. */
export const CHECK_KINDS = [
  'not_null',
  'between',
  'in_set',
  'unique',
  'regex',
  'row_count',
  'columns',
  'freshness',
] as const
export type CheckKind = (typeof CHECK_KINDS)[number]

/** error: fails the version. warn: is shown, and the version passes. */
export type Severity = 'error' | 'warn'

interface Common {
  /** Unique within the dataset; made of the kind and its columns when left out. */
  name: string
  severity: Severity
}

interface OfValues extends Common {
  column: string
  /** Share of the values that must be as expected, 0 to 1. Missing values are left out of it, except by not_null. */
  mostly: number
}

export interface NotNull extends OfValues {
  check: 'not_null'
}
export interface Between extends OfValues {
  check: 'between'
  /** Numbers; for times text such as 2013-01-31 or 2013-01-31T17:05:00Z; for text text. */
  min?: number | string
  max?: number | string
  /** The ends themselves are out. */
  strict: boolean
}
export interface InSet extends OfValues {
  check: 'in_set'
  values: (string | number | boolean)[]
}
export interface Regex extends OfValues {
  check: 'regex'
  /** RE2; found anywhere in the value unless anchored by ^ and $. */
  pattern: string
}
export interface Unique extends Common {
  check: 'unique'
  /** Together. Rows in which all of them are missing are left out. */
  columns: string[]
  mostly: number
}
export interface RowCount extends Common {
  check: 'row_count'
  min?: number
  max?: number
}
export interface Columns extends Common {
  check: 'columns'
  /** These and no others, in any order. */
  exactly?: string[]
  /** These and no others, in this order. */
  ordered?: string[]
  /** At least these. */
  contains?: string[]
}
export interface Freshness extends Common {
  check: 'freshness'
  /** The dataset's time column when left out. */
  column?: string
  /** `36h`, `2d`: how old the newest row may be. */
  max_age: string
  /** RFC 3339: the moment that the age is counted to; when left out, the moment of checking. */
  at?: string
}

export type Check = NotNull | Between | InSet | Regex | Unique | RowCount | Columns | Freshness

export interface FailingRow {
  /** From 1, over all files of the version in the order of their paths. */
  row: number
  values: Record<string, string | number | boolean | null>
}

export interface CheckResult {
  name: string
  check: CheckKind
  severity: Severity
  passed: boolean
  /** In words, for people; the numbers are beside. */
  expected: string
  observed: string
  /** Values (or rows) judged; null for checks of the whole. */
  evaluated: number | null
  /** Of these not as expected. */
  unexpected: number | null
  unexpected_share: number | null
  /** Values that were not there to be judged: null, or NaN. */
  missing: number | null
  /** Why the check could not be made; it counts as failed then. */
  error: string | null
  /** Up to 20 of the unexpected. */
  rows: FailingRow[]
}

export interface VerdictCounts {
  checks: number
  passed: number
  /** With severity error. */
  failed: number
  /** Failed, with severity warn. */
  warned: number
}

export interface Override {
  reason: string
  who: { kind: string; id: string; name: string }
  at_ms: number
}

export interface Verdict {
  /** `ver_…` */
  id: string
  workspace: string
  /** Id of the dataset version. */
  version: string
  dataset: string
  number: number
  state: 'passed' | 'failed'
  /** What the counts do not tell: `no checks`, or why the data could not be read. */
  note: string | null
  checks_digest: string
  counts: VerdictCounts
  results: CheckResult[]
  created_ms: number
}

/** Without what each check found: for lists and events. */
export type VerdictSummary = Omit<Verdict, 'results'>

/** Whether a run may take a version as its input. */
export interface Admission {
  may: boolean
  /** Not known yet: ask again after `quality.verdict-reached`. */
  pending: boolean
  /** Why not, or why although it failed. */
  reason: string | null
}
