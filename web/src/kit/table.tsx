import { Button } from '@mantine/core'
import type { UseInfiniteQueryResult } from '@tanstack/react-query'
import { type ReactNode, useMemo, useRef } from 'react'
import type { Page } from '../api/types.ts'
import { Loading, Problem } from './condition.tsx'
import { useGo } from './link.tsx'
import styles from './table.module.css'
import { useUrlState } from './url-state.ts'

export interface Column<R> {
  key: string
  head: ReactNode
  cell: (row: R) => ReactNode
  align?: 'right'
  /** Sorts what is loaded by this value. */
  sortBy?: (row: R) => number | string | null
  /** The server sorts by this: the page reads `sort` from the address. */
  serverSort?: boolean
  /** Left out on narrow screens. */
  wide?: boolean
  /** Takes what room is left. */
  grow?: boolean
}

interface TableProps<R> {
  label: string
  rows: readonly R[]
  columns: readonly Column<R>[]
  keyOf: (row: R) => string
  /** Where a row leads: clicking it, or Enter on it, goes there. */
  hrefOf?: (row: R) => string | undefined
  activeKey?: string | undefined
  /** Field of the address that holds the order; two tables on a page need two. */
  sortField?: string
  defaultSort?: string
}

/** Rows of one kind. j and k, or the arrows, move along rows; Enter opens. The order is part of the address. */
export function Table<R>({
  label,
  rows,
  columns,
  keyOf,
  hrefOf,
  activeKey,
  sortField = 'sort',
  defaultSort = '',
}: TableProps<R>) {
  const go = useGo()
  const body = useRef<HTMLTableSectionElement>(null)
  const [sort, setSort] = useUrlState(sortField, defaultSort)
  const [sortKey, descending] = sort.startsWith('-') ? [sort.slice(1), true] : [sort, false]
  const sorted = useMemo(() => {
    const by = columns.find(({ key }) => key === sortKey)?.sortBy
    return by ? [...rows].sort((a, b) => compare(by(a), by(b), descending)) : rows
  }, [rows, columns, sortKey, descending])

  const move = (event: React.KeyboardEvent<HTMLTableRowElement>, row: R) => {
    const step =
      event.key === 'j' || event.key === 'ArrowDown' ? 1 : event.key === 'k' || event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && event.target === event.currentTarget) {
      event.preventDefault()
      const all = [...(body.current?.rows ?? [])]
      all[all.indexOf(event.currentTarget) + step]?.focus()
    }
    const href = hrefOf?.(row)
    if (event.key === 'Enter' && event.target === event.currentTarget && href) go(href)
  }
  const click = (event: React.MouseEvent, row: R) => {
    const href = hrefOf?.(row)
    if (!href || (event.target as HTMLElement).closest('a, button, input, label') || window.getSelection()?.toString())
      return
    go(href)
  }

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard
    <section className={styles.scroll} aria-label={label} tabIndex={0}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map(({ key, head, align, wide, grow, sortBy, serverSort }) => {
              const active = sortKey === key
              const sortable = Boolean(sortBy) || serverSort
              const order = active ? (descending ? 'descending' : 'ascending') : undefined
              return (
                <th
                  key={key}
                  scope="col"
                  data-align={align}
                  data-wide={wide}
                  data-grow={grow}
                  {...(order && { 'aria-sort': order as 'ascending' })}
                >
                  {sortable ? (
                    <button type="button" onClick={() => setSort(active ? (descending ? key : undefined) : `-${key}`)}>
                      {head}
                      <span aria-hidden="true">{active ? (descending ? ' ↓' : ' ↑') : ''}</span>
                    </button>
                  ) : (
                    head
                  )}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody ref={body}>
          {sorted.map((row, at) => {
            const key = keyOf(row)
            const leads = hrefOf?.(row) !== undefined
            return (
              <tr
                key={key}
                data-leads={leads || undefined}
                data-active={key === activeKey || undefined}
                {...(leads && { tabIndex: at === 0 ? 0 : -1 })}
                onClick={(event) => click(event, row)}
                onKeyDown={(event) => move(event, row)}
              >
                {columns.map(({ key: column, cell, align, wide, grow }) => (
                  <td key={column} data-align={align} data-wide={wide} data-grow={grow}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

/** Nothing known comes last, whichever way. */
function compare(a: number | string | null, b: number | string | null, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  const order =
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true })
  return descending ? -order : order
}

interface ListProps<R> extends Omit<TableProps<R>, 'rows'> {
  query: UseInfiniteQueryResult<{ pages: Page<R>[] }>
  what: string
  empty: ReactNode
  /** Narrows down what was loaded. */
  keep?: (row: R) => boolean
}

/** A table over pages of the server: its conditions, and more on request. */
export function List<R>({ query, what, empty, keep, ...table }: ListProps<R>) {
  const all = useMemo(() => query.data?.pages.flatMap(({ items }) => items), [query.data])
  const rows = useMemo(() => (all && keep ? all.filter(keep) : all), [all, keep])
  if (!rows)
    return query.isError ? <Problem error={query.error} retry={() => void query.refetch()} /> : <Loading what={what} />
  return (
    <>
      {query.isError && <Problem error={query.error} retry={() => void query.refetch()} inline />}
      {rows.length === 0 ? empty : <Table rows={rows} {...table} />}
      {query.hasNextPage && (
        <div className={styles.more}>
          <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Show more
          </Button>
          <span className="muted small">{rows.length} shown</span>
        </div>
      )}
    </>
  )
}
