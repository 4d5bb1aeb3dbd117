/** What an import compared, in one table. */
import { table } from '../output.ts'

export interface Row {
  what: string
  source: number
  here: number
  added: number
}

export interface Report {
  source: string
  rows: Row[]
  /** Things that are at the source and are not, or not so, here. */
  wrong: string[]
  /** What a reader should know, and which is no fault. */
  notes: string[]
  unchanged_runs: number
  /** Only counted, not taken in. */
  dry_run: boolean
  seconds: number
}

const SHOWN_MAX = 20

export function reportWords(report: Report): string {
  const shown = (lines: readonly string[]) => [
    ...lines.slice(0, SHOWN_MAX),
    ...(lines.length > SHOWN_MAX ? [`… and ${lines.length - SHOWN_MAX} more (--json has them all)`] : []),
  ]
  const number = (value: number) => value.toLocaleString('en')
  const verdict = report.dry_run
    ? 'Nothing was taken in.'
    : report.wrong.length === 0
      ? 'All of it is here: counts and digests are equal.'
      : `${report.wrong.length} things are not here as they are at the source:`
  return [
    table(
      ['', 'source', 'here', 'new'],
      report.rows.map(({ what, source, here, added }) => [what, number(source), number(here), number(added)]),
    ),
    '',
    ...shown(report.notes).map((note) => `note: ${note}`),
    verdict,
    ...shown(report.wrong).map((line) => `  ${line}`),
    `${report.unchanged_runs} runs were as they had been before; ${report.seconds.toFixed(1)} s`,
  ].join('\n')
}
