/**
 * What was logged in this process (on SQLite: in this thread) and is not sealed: counted in memory, because a mark in the store
 * would cost every point a statement. What a restart forgets, the sweep of the sealer finds again.
 */
import type { Integer } from '../model.ts'
import { BLOCK_POINTS, SEAL_POINTS_MIN } from './limits.ts'

/** Series counted at once. */
const SERIES_MAX = 100_000

const counts = new Map<number, Map<Integer, number>>()
const due = new Set<Integer>()
const ended = new Set<number>()
let series_counted = 0

export function noteLogged(run_key: number, series: Integer, points: number): void {
  const before = counts.get(run_key)?.get(series)
  if (before === undefined) {
    if (series_counted >= SERIES_MAX) noteEnded(counts.keys().next().value!)
    series_counted++
  }
  let run = counts.get(run_key)
  if (!run) {
    run = new Map()
    counts.set(run_key, run)
  }
  const now = (before ?? 0) + points
  if (now >= BLOCK_POINTS) due.add(series)
  run.set(series, now % BLOCK_POINTS)
}

/** Nothing more is expected of the run: what is worth a block is due. */
export function noteEnded(run_key: number): void {
  const run = counts.get(run_key)
  if (!run) {
    if (ended.size < SERIES_MAX) ended.add(run_key)
    return
  }
  counts.delete(run_key)
  series_counted -= run.size
  for (const [series, points] of run) if (points >= SEAL_POINTS_MIN) due.add(series)
}

/** Runs that ended here and were not logged here: told to where they were. */
export function takeEnded(): number[] {
  const taken = [...ended]
  ended.clear()
  return taken
}

/** At most `limit` series that are due; they are not due any more. */
export function takeDue(limit: number): Integer[] {
  const taken: Integer[] = []
  for (const series of due) {
    if (taken.length === limit) break
    taken.push(series)
  }
  for (const series of taken) due.delete(series)
  return taken
}

export function noteDue(series: readonly Integer[]): void {
  for (const each of series) due.add(each)
}
