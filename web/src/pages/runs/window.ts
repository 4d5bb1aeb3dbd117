/** Which rows and columns of a large table are within its box: only these are drawn. */
import { type RefObject, useCallback, useEffect, useState } from 'react'

export interface Box {
  /** First row and the one after the last, with some to spare. */
  from: number
  to: number
  /** How far it is scrolled sideways, rounded so that not each pixel is a change, and how wide it is. */
  left: number
  width: number
}

/** Rows drawn above and below what is seen: the browser scrolls ahead of the script. */
const SPARE_ROWS = 12
/** Rows come and go by so many at once. */
const STEP_ROWS = 4
const STEP_PX = 80

export function boxOf(
  at: { top: number; left: number; height: number; width: number },
  rows: number,
  row_px: number,
): Box {
  const first = Math.floor(at.top / row_px / STEP_ROWS) * STEP_ROWS
  const shown = Math.ceil(at.height / row_px) + STEP_ROWS
  return {
    from: Math.max(0, Math.min(first - SPARE_ROWS, rows - shown - SPARE_ROWS)),
    to: Math.min(rows, first + shown + SPARE_ROWS),
    left: Math.floor(at.left / STEP_PX) * STEP_PX,
    width: at.width,
  }
}

/** Follows the scrolling of an element. `rows` all of `row_px` height. */
export function useBox(scroller: RefObject<HTMLElement | null>, rows: number, row_px: number): [Box, () => void] {
  const [box, setBox] = useState<Box>(() => boxOf({ top: 0, left: 0, height: 600, width: 1200 }, rows, row_px))
  const look = useCallback(() => {
    const { scrollTop = 0, scrollLeft = 0, clientHeight = 600, clientWidth = 1200 } = scroller.current ?? {}
    const next = boxOf({ top: scrollTop, left: scrollLeft, height: clientHeight, width: clientWidth }, rows, row_px)
    setBox((before) => (same(before, next) ? before : next))
  }, [scroller, rows, row_px])
  useEffect(() => {
    look()
    const observer = new ResizeObserver(look)
    if (scroller.current) observer.observe(scroller.current)
    return () => observer.disconnect()
  }, [look, scroller])
  return [box, look]
}

const same = (a: Box, b: Box) => a.from === b.from && a.to === b.to && a.left === b.left && a.width === b.width

/** The columns that are seen, of those after the fixed ones: the first, the one after the last, and what is before them in px. */
export function columnsSeen(
  widths: readonly number[],
  box: Pick<Box, 'left' | 'width'>,
  fixed_px: number,
): { from: number; to: number; before_px: number } {
  const end = box.left + box.width - fixed_px + 2 * STEP_PX
  let from = 0
  let before_px = 0
  while (from < widths.length && before_px + widths[from]! < box.left - STEP_PX) before_px += widths[from++]!
  let to = from
  for (let at = before_px; to < widths.length && at < end; to++) at += widths[to]!
  return { from, to, before_px }
}
