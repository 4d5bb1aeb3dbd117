import { writeFileSync } from 'node:fs'

/** How many things were looked at. A file that would not load, or an error outside any test, counts as one failed. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** The parts of Vitest's JSON report that are counted. */
export interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  success: boolean
  testResults: { name: string; status: string; assertionResults: unknown[] }[]
}

/**
 * True counts of one Vitest run. `report` is undefined when Vitest ended without writing one; `exit` is its exit code.
 * A run that failed without any failed test (an unhandled rejection, a crashed worker) still counts one failure.
 */
export function countVitest(report: VitestReport | undefined, exit: number): Counts {
  if (!report) return { passed: 0, failed: 1, skipped: 0 }
  const notLoaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  const failed = report.numFailedTests + notLoaded.length
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (exit !== 0 || !report.success) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** `12 passed, 0 failed`, with `, 3 skipped` where something was. The last line of `npm test` and `npm run check`. */
export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Prints the line last, leaves the counts where `.ci/run` asked for them, and sets the exit code. */
export function conclude(counts: Counts): void {
  const file = process.env.COUNTS_FILE
  if (file) writeFileSync(file, `${counts.passed} ${counts.failed} ${counts.skipped}\n`)
  process.stdout.write(`${countsLine(counts)}\n`)
  process.exitCode = counts.failed > 0 ? 1 : 0
}
