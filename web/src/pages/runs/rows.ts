/** The rows of the table as one list of known length, whatever of it has been fetched; children stand below their parents. */
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { PAGE_ROWS, quoted, type Row, type TableAsk, type TablePage, tableOnce, tablePage } from './data.ts'

/** A place that is only scrolled past is not asked for. */
const SETTLED_MS = 60
/** Pages that are kept at hand, however far one scrolls. */
const PAGES_KEPT = 200
/** Children of one run that are shown below it. */
export const CHILDREN_MAX = 200
const PARENT = 'tags.`mlflow.parentRunId`'

export interface Pages {
  first: { error: unknown; retry: () => void; data: TablePage | undefined; stale: boolean }
  total: number
  /** Pages that were fetched, by number. */
  known: ReadonlyMap<number, TablePage>
  onSeen: (from: number, to: number) => void
}

export function usePages(ask: TableAsk): Pages {
  const [wanted, setWanted] = useState('0')
  const [seen, setSeen] = useState('0')
  useEffect(() => {
    const timer = window.setTimeout(() => setWanted(seen), SETTLED_MS)
    return () => window.clearTimeout(timer)
  }, [seen])
  const first = useQuery({ ...tablePage(ask, 0), placeholderData: keepPreviousData })
  const total = first.data?.total ?? 0
  const last = Math.max(0, Math.ceil(total / PAGE_ROWS) - 1)
  const pages = wanted
    .split(',')
    .map(Number)
    .filter((page) => page > 0 && page <= last)
  const fetched = useQueries({ queries: pages.map((page) => tablePage(ask, page)) })
  const kept = useRef({ ask, pages: new Map<number, TablePage>() })
  if (kept.current.ask !== ask) kept.current = { ask, pages: new Map() }
  const known = kept.current.pages
  if (first.data) known.set(0, first.data)
  for (const [at, page] of pages.entries()) {
    const data = fetched[at]?.data
    if (!data) continue
    known.delete(page)
    known.set(page, data)
  }
  for (const page of known.keys()) {
    if (known.size <= PAGES_KEPT) break
    if (page > 0) known.delete(page)
  }
  const onSeen = useCallback((from: number, to: number) => {
    const [least, most] = [Math.floor(from / PAGE_ROWS), Math.floor(Math.max(from, to - 1) / PAGE_ROWS)]
    setSeen(Array.from({ length: most - least + 1 }, (_, at) => least + at).join(','))
  }, [])
  const retry = () => {
    void first.refetch()
    for (const query of fetched) if (query.isError) void query.refetch()
  }
  const error = first.error ?? fetched.find(({ isError }) => isError)?.error
  return { first: { error, retry, data: first.data, stale: first.isPlaceholderData }, total, known, onSeen }
}

/** A run as it stands in the table. */
export interface Placed {
  run: Row
  depth: number
  /** How many runs have it for a parent; undefined while that is unknown. */
  children: number | undefined
  isOpen: boolean
}

interface RunList {
  count: number
  rowAt: (index: number) => Placed | undefined
}

/** With `nest` the children of opened runs stand below them, and theirs below those. */
export function useRunList(pages: Pages, ask: TableAsk, nest: boolean, open: readonly string[]): RunList {
  const opened = nest ? open : []
  const below = useQueries({
    queries: opened.map((id) =>
      tableOnce({ ...ask, filter: `${PARENT} = ${quoted(id)}`, group_by: [], limit: CHILDREN_MAX }),
    ),
  })
  const childrenOf = new Map(opened.map((id, at) => [id, below[at]?.data?.rows ?? []]))
  const known = nest && !pages.first.stale ? [...pages.known].sort(([a], [b]) => a - b) : []
  const counts = useCounts([...known.map(([, { rows }]) => rows ?? []), ...childrenOf.values()], ask)
  const flat = (index: number): Row | undefined =>
    pages.known.get(Math.floor(index / PAGE_ROWS))?.rows?.[index % PAGE_ROWS]
  if (!nest) return { count: pages.total, rowAt: (index) => placed(flat(index), 0, undefined, false) }

  const place = (run: Row | undefined, depth: number) =>
    placed(run, depth, run && counts.get(run.run_id), run !== undefined && childrenOf.has(run.run_id))
  const descend = (id: string, depth: number, above: readonly string[]): Placed[] =>
    (childrenOf.get(id) ?? []).flatMap((child) =>
      above.includes(child.run_id)
        ? []
        : [place(child, depth)!, ...descend(child.run_id, depth + 1, [...above, child.run_id])],
    )
  const inserted: { after: number; rows: Placed[] }[] = []
  for (const [page, { rows = [] }] of known) {
    for (const [at, { run_id }] of rows.entries()) {
      const own = descend(run_id, 1, [run_id])
      if (own.length > 0) inserted.push({ after: page * PAGE_ROWS + at, rows: own })
    }
  }
  const rowAt = (index: number): Placed | undefined => {
    let root = index
    for (const { after, rows } of inserted) {
      if (root <= after) break
      if (root <= after + rows.length) return rows[root - after - 1]
      root -= rows.length
    }
    return place(flat(root), 0)
  }
  return { count: pages.total + inserted.reduce((all, { rows }) => all + rows.length, 0), rowAt }
}

const before = new WeakMap<Row, Placed>()

/** The same object as long as nothing about it changes, so that its row is not drawn anew. */
function placed(
  run: Row | undefined,
  depth: number,
  children: number | undefined,
  isOpen: boolean,
): Placed | undefined {
  if (!run) return undefined
  const last = before.get(run)
  if (last && last.depth === depth && last.children === children && last.isOpen === isOpen) return last
  const next = { run, depth, children, isOpen }
  before.set(run, next)
  return next
}

/** How many children each run has, asked for in the parts given: at most a page or one family each. */
function useCounts(parts: readonly (readonly Row[])[], ask: TableAsk): Map<string, number> {
  const asked = parts.filter((part) => part.length > 0)
  const found = useQueries({
    queries: asked.map((part) =>
      tableOnce({
        experiments: ask.experiments,
        ...(ask.view && { view: ask.view }),
        filter: `${PARENT} IN (${part.map(({ run_id }) => quoted(run_id)).join(', ')})`,
        group_by: [PARENT],
        limit: CHILDREN_MAX,
      }),
    ),
  })
  const counts = new Map<string, number>()
  for (const [at, part] of asked.entries()) {
    const groups = found[at]?.data?.groups
    if (!groups) continue
    for (const { run_id } of part) counts.set(run_id, 0)
    for (const { key, runs } of groups) counts.set(String(key[0]), runs)
  }
  return counts
}
