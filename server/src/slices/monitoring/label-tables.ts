/** The labels of a range of predictions as one table for DuckDB: sent along while few, a file while many. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { FileSource, TableSource } from '#kernel/analytics/index.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Store } from '#kernel/store/index.ts'
import type { LabelPage } from './queries.ts'

const PAGE = 50_000
/** Above this they go through a file: a call of analytics takes 200,000 rows along. */
const TABLE_MAX = 100_000
const LABELS_MAX = 10_000_000

export interface LabelTable {
  /** Source of a table `labels` (prediction, truth), whichever way it goes. */
  files: Record<string, FileSource>
  tables: Record<string, TableSource>
  done(): Promise<void>
}

export type ReadLabels = (range: { workspace: string; from_id: string; to_id: string }) => Promise<LabelTable>

/** `dir` is made on first use; what a table needs of it goes with `done`. Throws too-large above 10 million labels. */
export function createLabelTables({
  store,
  dir,
  page_rows = PAGE,
  table_max = TABLE_MAX,
}: {
  store: Pick<Store, 'query'>
  dir: string
  page_rows?: number
  table_max?: number
}): ReadLabels {
  let count = 0
  const page = (workspace: string, from_id: string, to_id: string) =>
    store.query<LabelPage>('monitoring.labelsBetween', { workspace, from_id, to_id, limit: page_rows })

  return async ({ workspace, from_id, to_id }) => {
    const predictions: string[] = []
    const values: string[] = []
    let next: string | null = from_id
    while (next !== null && predictions.length < table_max) {
      const read: LabelPage = await page(workspace, next, to_id)
      for (const [at, prediction] of read.predictions.entries()) {
        predictions.push(prediction)
        values.push(read.values[at]!)
      }
      next = read.next
    }
    if (next === null)
      return {
        files: {},
        tables: {
          labels: {
            columns: {
              prediction: { type: 'VARCHAR', values: predictions },
              truth: { type: 'VARCHAR', values },
            },
          },
        },
        done: async () => undefined,
      }
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const path = join(dir, `labels-${process.pid}-${count++}.jsonl`)
    const done = () => rm(path, { force: true })
    const out = createWriteStream(path, { mode: 0o600 })
    const closed = finished(out)
    closed.catch(() => undefined)
    try {
      let written = 0
      const write = async (read: Pick<LabelPage, 'predictions' | 'values'>) => {
        written += read.predictions.length
        if (written > LABELS_MAX)
          throw new DomainError('too-large', `more than ${LABELS_MAX} labels lie between the predictions asked for`, {
            remedy: 'Use shorter windows, or ask for fewer days at once.',
          })
        const lines = read.predictions.map((prediction, at) => JSON.stringify({ prediction, truth: read.values[at] }))
        if (lines.length > 0 && !out.write(`${lines.join('\n')}\n`))
          await Promise.race([new Promise((resolve) => out.once('drain', resolve)), closed])
      }
      await write({ predictions, values })
      while (next !== null) {
        const read: LabelPage = await page(workspace, next, to_id)
        await write(read)
        next = read.next
      }
      out.end()
      await closed
    } catch (error) {
      out.destroy()
      await done()
      throw error
    }
    const types = { prediction: 'VARCHAR', truth: 'VARCHAR' }
    return { files: { labels: { files: [path], format: 'json', json: { types }, load: true } }, tables: {}, done }
  }
}
