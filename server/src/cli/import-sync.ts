import { DomainError } from '#kernel/errors.ts'
import { EXIT } from './exit.ts'
import type { Report } from './import/report.ts'
import { bring } from './import-mlflow.ts'
import type { CommandAction } from './program.ts'

interface SyncOptions {
  watch: boolean
  experiment: string[]
  artifactRoot?: string
}

/** Between two looks at a source that grows. */
const LOOK_MS = 2000
const AWAY_MS_MAX = 60_000

const addedOf = (report: Report, what: string): number => report.rows.find((row) => row.what === what)?.added ?? 0

const words = (report: Report): string => {
  const new_things = report.rows.filter(({ added }) => added > 0)
  const sent =
    new_things.length === 0
      ? 'nothing new'
      : new_things.map(({ what, added }) => `${added.toLocaleString('en')} ${what}`).join(', ')
  return [`${report.source}: ${sent}`, ...report.wrong.slice(0, 20).map((line) => `  ${line}`)].join('\n')
}

/** Whether it is worth trying again: the server is away, overloaded or starting. */
const passes = (error: unknown): boolean =>
  (error instanceof DomainError && ['unavailable', 'too-many', 'internal'].includes(error.problem)) ||
  (error as Error).name === 'TimeoutError' ||
  (error as { code?: string }).code === 'ECONNRESET'

/** Sends what an offline store holds and the server has not: the import, again and again. */
export const sync: CommandAction<[string, SyncOptions]> = async (context, where, options) => {
  const ask = { ...options, artifacts: 'copy', dryRun: false }
  if (!options.watch) {
    const report = await bring(context, where, ask)
    context.output.answer(report, () => words(report))
    return report.wrong.length > 0 ? EXIT.failed : undefined
  }
  let left = false
  let wake = () => {}
  process.once('SIGINT', () => {
    left = true
    wake()
  })
  let away_ms = LOOK_MS
  let last: Report | undefined
  while (!left) {
    try {
      last = await bring(context, where, ask)
      away_ms = LOOK_MS
      if (last.rows.some(({ added }) => added > 0)) context.output.say(words(last))
    } catch (error) {
      if (!passes(error)) throw error
      context.output.warn(`${(error as Error).message}; the next try is in ${away_ms / 1000} s`)
      away_ms = Math.min(AWAY_MS_MAX, away_ms * 2)
    }
    if (left) break
    await new Promise<void>((resolve) => {
      wake = resolve
      setTimeout(resolve, away_ms === LOOK_MS ? LOOK_MS : away_ms / 2)
    })
  }
  if (last && context.output.json) context.output.answer({ ...last, points: addedOf(last, 'metric points') }, () => '')
  return last && last.wrong.length > 0 ? EXIT.failed : undefined
}
