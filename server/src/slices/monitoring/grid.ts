/** Where the windows of a monitor lie in event time. */
import { readDuration } from '#kernel/units.ts'
import type { MonitorSpec } from './schema.ts'

export interface Grid {
  window_ms: number
  every_ms: number
  delay_ms: number
}

export const gridOf = (spec: MonitorSpec): Grid => {
  const window_ms = readDuration(spec.window)
  return {
    window_ms,
    every_ms: spec.every ? readDuration(spec.every) : window_ms,
    delay_ms: spec.label_delay ? readDuration(spec.label_delay) : 0,
  }
}

/** 1970-01-05: windows of whole weeks begin on Mondays, as ISO 8601 counts them. */
const MONDAY_MS = 4 * 86_400_000
const WEEK_MS = 7 * 86_400_000

/** Start of the first window that holds a moment: windows lie on multiples of `every` since the epoch, UTC. */
export function firstWindow({ window_ms, every_ms }: Grid, at_ms: number): number {
  const offset = every_ms % WEEK_MS === 0 ? MONDAY_MS : 0
  return Math.floor((at_ms - offset - window_ms) / every_ms) * every_ms + every_ms + offset
}

/** The watermark has passed the window, and its labels had their time. */
export const isDue = (grid: Grid, start_ms: number, watermark_ms: number): boolean =>
  start_ms + grid.window_ms + grid.delay_ms <= watermark_ms

/** Start of the first window that a watermark leaves open. */
export const firstOpenWindow = (grid: Grid, watermark_ms: number): number =>
  firstWindow(grid, watermark_ms - grid.delay_ms)
