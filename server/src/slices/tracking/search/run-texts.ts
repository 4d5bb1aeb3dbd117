/** Whole runs as text, for wires that word them beside the database. */
import type { Sql } from '#kernel/store/index.ts'
import type { Run } from '../model.ts'
import { fillRuns, findRun, type RunRow, runNotFound } from '../run-rows.ts'
import { sortsOf } from './columns/order.ts'
import { type Page, runKeyAt, selectPage } from './columns/select.ts'
import { RUNS } from './grammar.ts'
import { parseOrder } from './parse.ts'
import { pageRows, type SearchRuns, selectionOf } from './runs.ts'

/** Texts kept by one thread, in characters. */
const KEPT_CHARS_MAX = 32 * 1024 * 1024

export interface RunTexts {
  /** Throws not-found. */
  get(sql: Sql, ask: { workspace: string; run_id: string }): Promise<string>
  /** As searchRuns. */
  search(sql: Sql, ask: SearchRuns): Promise<{ texts: string[]; next?: unknown }>
}

/**
 * Runs worded as JSON by `word`. A run that is sealed does not change while it stays in its segment, so its text is
 * kept under both; that of a loose one under the version of all data, where that is known.
 */
export function createRunTexts(word: (run: Run) => unknown): RunTexts {
  const kept = new Map<string, string>()
  let chars = 0

  const keep = (name: string, text: string) => {
    if (kept.has(name)) return
    kept.set(name, text)
    chars += text.length
    for (const [oldest, gone] of kept) {
      if (chars <= KEPT_CHARS_MAX) return
      kept.delete(oldest)
      chars -= gone.length
    }
  }

  /** By what the text of a run is kept; undefined when it may have changed at the next look. */
  const nameOf = (sql: Sql, segment: number | null | undefined, run_key: number) => {
    if (segment !== null && segment !== undefined) return `${segment} ${run_key}`
    return sql.version && `v${sql.version()} ${run_key}`
  }

  const textOf = (run: Run) => JSON.stringify(word(run))

  const wholePage = async (sql: Sql, page: Page): Promise<string[]> => {
    const names = page.runs.map(({ ordered, place }, at) =>
      nameOf(sql, ordered.block.segmentAt(place), runKeyAt(page.runs[at]!)),
    )
    const texts = names.map((name) => (name === undefined ? undefined : kept.get(name)))
    const missing = [...texts.keys()].filter((at) => texts[at] === undefined)
    const rows = await pageRows(sql, { ...page, runs: missing.map((at) => page.runs[at]!) })
    const runs = await fillRuns(sql, rows)
    for (const [index, at] of missing.entries()) {
      const text = textOf(runs[index]!)
      texts[at] = text
      const name = names[at]
      if (name !== undefined) keep(name, text)
    }
    return texts as string[]
  }

  const isSealed = async (sql: Sql, { segment }: RunRow): Promise<boolean> =>
    segment !== null &&
    (await sql.get(`SELECT 1 AS found FROM run_segment WHERE segment = ? AND state = 'sealed'`, [segment])) !==
      undefined

  return {
    async get(sql, ask) {
      const row = await findRun(sql, ask.workspace, ask.run_id)
      if (!row) throw runNotFound(ask.run_id)
      const name = nameOf(sql, row.segment, row.run_key)
      const known = name === undefined ? undefined : kept.get(name)
      if (known !== undefined) return known
      const [run] = await fillRuns(sql, [row])
      const text = textOf(run!)
      if (name !== undefined && (row.segment === null || (await isSealed(sql, row)))) keep(name, text)
      return text
    },

    async search(sql, search) {
      const sorts = sortsOf(parseOrder(search.order_by ?? [], RUNS))
      const selection = await selectionOf(sql, search)
      if (selection.experiments.length === 0) return { texts: [] }
      const page = await selectPage(sql, selection, {
        sorts,
        offset: 0,
        limit: search.limit,
        ...(search.position !== undefined && { position: search.position }),
      })
      const texts = await wholePage(sql, page)
      return page.next ? { texts, next: page.next } : { texts }
    },
  }
}
