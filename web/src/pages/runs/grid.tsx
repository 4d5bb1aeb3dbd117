import { memo, type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef } from 'react'
import styles from './grid.module.css'
import { columnsSeen, useBox } from './window.ts'

export interface GridColumn<R> {
  id: string
  width: number
  /** Stays in place when the others scroll. */
  fixed: boolean
  align?: 'right'
  sort?: 'ascending' | 'descending' | undefined
  head: ReactNode
  cell: (row: R, index: number) => ReactNode
}

export interface GridHandle {
  focus: () => void
  toTop: () => void
}

interface GridProps<R> {
  label: string
  count: number
  row_px: number
  columns: readonly GridColumn<R>[]
  /** Undefined while it is fetched. */
  rowAt: (index: number) => R | undefined
  /** Rows that are seen or about to be: [from, to). */
  onSeen: (from: number, to: number) => void
  cursor: number
  onCursor: (index: number) => void
  /** Keys beside those that move: `x`, `Enter`, `ArrowRight`, … True when it did something. */
  onKey: (key: string, index: number, shift: boolean) => boolean
  isChosen?: (row: R) => boolean
  /** What the row leads to when it is clicked anywhere. */
  onOpen: (index: number, newTab: boolean) => void
  stale?: boolean
  handle?: RefObject<GridHandle | null>
}

const HEAD_PX = 34
/** Of the scroll bar along the bottom. */
const BAR_PX = 16

/** A table of any length: draws the rows and columns that are seen. The arrows, j and k move along the rows. */
export function Grid<R>(props: GridProps<R>) {
  const { label, count, row_px, columns, rowAt, onSeen, cursor, onCursor, onKey, isChosen, onOpen, stale, handle } =
    props
  const scroller = useRef<HTMLDivElement>(null)
  const [box, look] = useBox(scroller, count, row_px)
  const { from, to } = box
  useEffect(() => onSeen(from, to), [onSeen, from, to])
  useEffect(() => {
    if (!handle) return
    handle.current = {
      focus: () => scroller.current?.focus({ preventScroll: true }),
      toTop: () => scroller.current?.scrollTo({ top: 0 }),
    }
  }, [handle])

  const fixed = useMemo(() => columns.filter((column) => column.fixed), [columns])
  const loose = useMemo(() => columns.filter((column) => !column.fixed), [columns])
  const fixed_px = sum(fixed)
  const total_px = fixed_px + sum(loose)
  const seen = columnsSeen(
    loose.map(({ width }) => width),
    box,
    fixed_px,
  )
  // The same object until another column comes into sight: rows are drawn anew only then.
  const parts = useMemo(() => {
    let left = 0
    const own = fixed.map((column) => {
      const place = { column, left, index: columns.indexOf(column) }
      left += column.width
      return place
    })
    return {
      fixed: own,
      loose: loose.slice(seen.from, seen.to).map((column) => ({ column, index: columns.indexOf(column) })),
      before_px: seen.before_px,
    }
  }, [columns, fixed, loose, seen.from, seen.to, seen.before_px])

  const reveal = useCallback(
    (index: number) => {
      const element = scroller.current
      if (!element) return
      const top = index * row_px
      if (top < element.scrollTop) element.scrollTop = top
      const bottom = top + row_px + HEAD_PX - element.clientHeight
      if (bottom > element.scrollTop) element.scrollTop = bottom
    },
    [row_px],
  )
  const press = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return
    const screen = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - HEAD_PX) / row_px) - 1)
    const own = event.target === event.currentTarget
    const to = moved(event.key, cursor, count, screen)
    if (to !== undefined && (own || event.key === 'j' || event.key === 'k')) {
      event.preventDefault()
      onCursor(to)
      reveal(to)
    } else if ((own || event.key === 'x') && onKey(event.key, Math.max(0, cursor), event.shiftKey))
      event.preventDefault()
  }
  const click = (event: React.MouseEvent) => {
    const target = event.target as HTMLElement
    const row = target.closest<HTMLElement>('[data-index]')
    if (!row || target.closest('a, button, input, label') || window.getSelection()?.toString()) return
    onCursor(Number(row.dataset.index))
    onOpen(Number(row.dataset.index), event.ctrlKey || event.metaKey)
  }

  const rows: ReactNode[] = []
  for (let index = from; index < Math.min(to, count); index++) {
    const row = rowAt(index)
    rows.push(
      <GridRow
        key={index}
        row={row}
        index={index}
        top={index * row_px}
        parts={parts as Parts<unknown>}
        chosen={row !== undefined && (isChosen?.(row) ?? false)}
        active={index === cursor}
      />,
    )
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element cannot leave out the rows that are not seen
    <div
      ref={scroller}
      className={styles.grid}
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      aria-multiselectable={isChosen !== undefined}
      {...(cursor >= from && cursor < to && { 'aria-activedescendant': `row-${cursor}` })}
      tabIndex={0}
      data-stale={stale || undefined}
      onScroll={look}
      onKeyDown={press}
      onClick={click}
      style={{ '--row': `${row_px}px`, '--all': `${count * row_px + HEAD_PX + BAR_PX}px` } as React.CSSProperties}
    >
      <Head parts={parts as Parts<unknown>} width={total_px} />
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div role="rowgroup" className={styles.body} style={{ height: count * row_px, width: total_px }}>
        {rows}
      </div>
    </div>
  )
}

interface Parts<R> {
  fixed: { column: GridColumn<R>; left: number; index: number }[]
  loose: { column: GridColumn<R>; index: number }[]
  before_px: number
}

const Head = memo(function Head({ parts, width }: { parts: Parts<unknown>; width: number }) {
  const cell = (column: GridColumn<unknown>, index: number, style: React.CSSProperties) => (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: the sorting button within is
    <div
      key={column.id}
      role="columnheader"
      aria-colindex={index + 1}
      className={styles.th}
      data-align={column.align}
      data-fixed={column.fixed || undefined}
      {...(column.sort && { 'aria-sort': column.sort })}
      style={{ width: column.width, ...style }}
    >
      {column.head}
    </div>
  )
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div role="rowgroup" className={styles.head} style={{ width }}>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names its row */}
      <div role="row" aria-rowindex={1} className={styles.headRow}>
        {parts.fixed.map(({ column, left, index }) => cell(column, index, { left }))}
        {parts.loose.map(({ column, index }, at) =>
          cell(column, index, at === 0 ? { marginLeft: parts.before_px } : {}),
        )}
      </div>
    </div>
  )
})

interface GridRowProps {
  row: unknown
  index: number
  top: number
  parts: Parts<unknown>
  chosen: boolean
  active: boolean
}

const GridRow = memo(function GridRow({ row, index, top, parts, chosen, active }: GridRowProps) {
  const cell = (column: GridColumn<unknown>, at: number, style: React.CSSProperties) => (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names its row
    <div
      key={column.id}
      role="gridcell"
      aria-colindex={at + 1}
      className={styles.td}
      data-align={column.align}
      data-fixed={column.fixed || undefined}
      style={{ width: column.width, ...style }}
    >
      {row === undefined ? <i className={styles.waiting} /> : column.cell(row, index)}
    </div>
  )
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names its row
    <div
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + 2}
      aria-selected={chosen}
      className={styles.tr}
      data-index={index}
      data-active={active || undefined}
      style={{ top }}
    >
      {parts.fixed.map(({ column, left, index: at }) => cell(column, at, { left }))}
      {parts.loose.map(({ column, index: at }, place) =>
        cell(column, at, place === 0 ? { marginLeft: parts.before_px } : {}),
      )}
    </div>
  )
})

const sum = (columns: readonly { width: number }[]) => columns.reduce((all, { width }) => all + width, 0)

/** Where the caller's letters belong into a text. Boxes to tick take none. */
const isField = (target: EventTarget) =>
  target instanceof HTMLElement &&
  (/^(TEXTAREA|SELECT)$/.test(target.tagName) || (target instanceof HTMLInputElement && target.type !== 'checkbox'))

function moved(key: string, cursor: number, count: number, screen: number): number | undefined {
  const within = (index: number) => Math.max(0, Math.min(count - 1, index))
  switch (key) {
    case 'j':
    case 'ArrowDown':
      return within(cursor + 1)
    case 'k':
    case 'ArrowUp':
      return within(cursor - 1)
    case 'PageDown':
      return within(cursor + screen)
    case 'PageUp':
      return within(cursor - screen)
    case 'Home':
      return within(0)
    case 'End':
      return within(count - 1)
    default:
      return undefined
  }
}
