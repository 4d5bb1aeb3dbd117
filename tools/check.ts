// `npm run check`: the house rules as checks. Each is one line with a mark and its seconds, and counts as one test.
// With words as arguments only the checks whose names contain one of them: `npm run check -- types arrows`.
import { performance } from 'node:perf_hooks'
import { CHECKS, type Verdict } from './checks.ts'
import { type Counts, conclude } from './counts.ts'

/** Two cores are what we promise to run on; most checks keep one busy. */
const AT_ONCE = 2
const LINES_SHOWN = 80
const WARNINGS_SHOWN = 20

const words = process.argv.slice(2)
const chosen = CHECKS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
const waiting = [...chosen]
const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
const warnings: string[] = []

await Promise.all(Array.from({ length: AT_ONCE }, worker))
for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`)
if (chosen.length === 0) {
  process.stdout.write(`no check is called ${words.join(' or ')}: ${CHECKS.map(({ name }) => name).join(', ')}\n`)
  counts.failed++
}
conclude(counts)

async function worker(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const started = performance.now()
    const { problems, warnings: soft } = await check.run().catch(crashed)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`${problems.length === 0 ? '✓' : '✗'} ${check.name} (${seconds} s)\n`)
    for (const problem of problems) process.stdout.write(`${shown(problem).replaceAll(/^/gm, '    ')}\n`)
    for (const warning of (soft ?? []).slice(0, WARNINGS_SHOWN)) warnings.push(`${check.name}: ${warning}`)
    if (soft && soft.length > WARNINGS_SHOWN) warnings.push(`${check.name}: and ${soft.length - WARNINGS_SHOWN} more`)
    counts[problems.length === 0 ? 'passed' : 'failed']++
  }
}

/** A long report is cut: the check can be run alone for the whole of it. */
function shown(problem: string): string {
  const lines = problem.split('\n')
  if (lines.length <= LINES_SHOWN) return problem
  return [...lines.slice(0, LINES_SHOWN), `… and ${lines.length - LINES_SHOWN} lines more`].join('\n')
}

function crashed(error: unknown): Verdict {
  return {
    problems: [`the check itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
  }
}
