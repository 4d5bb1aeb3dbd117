/**
 * What was logged in this process (on SQLite: in this thread) and is not sealed: counted in memory, because a mark in the store
 * would cost every point a statement. What a restart forgets, the sweep of the sealer finds again.
 */
import type { Integer } from '../model.ts'
import { BATCHES_OPEN_MAX, BLOCK_POINTS, SEAL_POINTS_MIN } from './limits.ts'

/** Series counted at once. */
const SERIES_MAX = 100_000

interface Run {
  batches: number
  /** Points by series. */
  series: Map<Integer, number>
}

const runs = new Map<number, Run>()
let series_counted = 0
const due_series = new Set<Integer>()
const due_runs = new Set<number>()
const ended = new Set<number>()

function runOf(run_key: number): Run {
  let run = runs.get(run_key)
  if (!run) {
    run = { batches: 0, series: new Map() }
    runs.set(run_key, run)
  }
  return run
}

export function noteLogged(run_key: number, series: Integer, points: number): void {
  const before = runs.get(run_key)?.series.get(series)
  if (before === undefined) {
    if (series_counted >= SERIES_MAX) noteEnded(runs.keys().next().value!)
    series_counted++
  }
  const now = (before ?? 0) + points
  if (now >= BLOCK_POINTS) due_series.add(series)
  runOf(run_key).series.set(series, now % BLOCK_POINTS)
}

export function noteBatch(run_key: number): void {
  const run = runOf(run_key)
  if (++run.batches < BATCHES_OPEN_MAX) return
  run.batches = 0
  due_runs.add(run_key)
}

/** Nothing more is expected of the run: what is worth a block is due. */
export function noteEnded(run_key: number): void {
  const run = runs.get(run_key)
  if (!run) {
    if (ended.size < SERIES_MAX) ended.add(run_key)
    return
  }
  runs.delete(run_key)
  series_counted -= run.series.size
  for (const [series, points] of run.series) {
    if (points < SEAL_POINTS_MIN) continue
    due_series.add(series)
    if (run.batches > 0) due_runs.add(run_key)
  }
}

/** Runs that ended here and were not logged here: told to where they were. */
export function takeEnded(): number[] {
  const taken = [...ended]
  ended.clear()
  return taken
}

export interface Due {
  /** Whose batches are to be taken apart. */
  runs: number[]
  series: Integer[]
}

/** A bounded part of what is due; it is not due any more. */
export const takeDue = (limit: number): Due => ({ runs: taken(due_runs, limit), series: taken(due_series, limit) })

export function noteDue({ runs, series }: { runs: readonly number[]; series: readonly Integer[] }): void {
  for (const each of runs) due_runs.add(each)
  for (const each of series) due_series.add(each)
}

function taken<T>(from: Set<T>, limit: number): T[] {
  const some: T[] = []
  for (const each of from) {
    if (some.length === limit) break
    some.push(each)
  }
  for (const each of some) from.delete(each)
  return some
}
