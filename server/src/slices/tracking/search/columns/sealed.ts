/** The sealed runs of one experiment, with the columns that were asked for kept in memory. */
import type { Sql } from '#kernel/store/index.ts'
import { allIn } from '../../lists.ts'
import { TextBuilder } from './build.ts'
import { bytesOf, type Column, type ColumnName, emptyColumn, kindOf, type NumberColumn } from './column.ts'
import { decodeLists, decodeNumbers, decodeTexts, type Head, readHead, unpackPage } from './encode.ts'

export const PAGES_MAX = 65_536
export const pageKey = (segment: number, page: number): number => segment * PAGES_MAX + page

/** Columns kept by one thread, in bytes. */
const KEPT_BYTES_MAX = 96 * 1024 * 1024
const EXPERIMENTS_MAX = 1_000

/**
 * Segments never change, so neither does what was read from them: one `Sealed` stands for one list of segments. When
 * segments are added, the next one begins with the columns of the one before.
 */
export class Sealed {
  readonly experiment: number
  readonly segments: readonly number[]
  readonly n: number
  /** Where each segment begins. */
  readonly starts: readonly number[]
  readonly heads: readonly Head[]
  readonly #columns = new Map<ColumnName, Column>()
  #counts: ReadonlyMap<ColumnName, number> | undefined
  #places: ReadonlyMap<number, number> | undefined
  /** Columns of the first segments, from before the others were added. */
  readonly #before: { columns: Map<ColumnName, Column>; segments: number } | undefined

  constructor(experiment: number, segments: readonly number[], heads: readonly Head[], before: Sealed | undefined) {
    this.experiment = experiment
    this.segments = segments
    this.heads = heads
    const starts: number[] = []
    let n = 0
    for (const head of heads) {
      starts.push(n)
      n += head.runs
    }
    this.starts = starts
    this.n = n
    const grown =
      before !== undefined &&
      before.segments.length < segments.length &&
      before.segments.every((segment, at) => segment === segments[at])
    this.#before = grown ? { columns: new Map(before.#columns), segments: before.segments.length } : undefined
    for (const [name, column] of this.#before?.columns ?? []) kept.add(this, name, bytesOf(column))
  }

  /** How many runs have each column, dead places too. */
  get counts(): ReadonlyMap<ColumnName, number> {
    if (this.#counts) return this.#counts
    const counts = new Map<ColumnName, number>()
    for (const { columns } of this.heads) {
      for (const [name, [, , , runs]] of columns) counts.set(name, (counts.get(name) ?? 0) + runs)
    }
    this.#counts = counts
    return counts
  }

  forget(name: ColumnName): void {
    this.#columns.delete(name)
    this.#before?.columns.delete(name)
  }

  /** These columns, from memory where they are there. */
  async load(sql: Sql, names: Iterable<ColumnName>): Promise<Map<ColumnName, Column>> {
    const found = new Map<ColumnName, Column>()
    const missing: ColumnName[] = []
    for (const name of new Set(names)) {
      const column = this.#columns.get(name)
      if (!column) missing.push(name)
      else {
        found.set(name, column)
        kept.use(this, name)
      }
    }
    if (missing.length === 0) return found
    const keys = new Set<number>()
    for (const name of missing) {
      for (let at = this.#before?.columns.has(name) ? this.#before.segments : 0; at < this.segments.length; at++) {
        const place = this.heads[at]!.columns.get(name)
        if (place) keys.add(pageKey(this.segments[at]!, place[0]))
      }
    }
    const rows = await allIn<{ page_key: number; body: Uint8Array }>(
      sql,
      'SELECT page_key, body FROM run_segment_page WHERE page_key IN',
      [],
      [...keys],
    )
    const pages = new Map(rows.map(({ page_key, body }) => [page_key, unpackPage(body)]))
    for (const name of missing) {
      // Another query may have read it meanwhile.
      const column = this.#columns.get(name) ?? this.#assemble(name, pages)
      this.#columns.set(name, column)
      this.#before?.columns.delete(name)
      kept.add(this, name, bytesOf(column))
      found.set(name, column)
    }
    return found
  }

  *#parts(name: ColumnName, from: number, pages: ReadonlyMap<number, Uint8Array>) {
    for (let at = from; at < this.segments.length; at++) {
      const head = this.heads[at]!
      const place = head.columns.get(name)
      if (!place) continue
      const [page, offset, length] = place
      const bytes = pages.get(pageKey(this.segments[at]!, page))
      if (!bytes) throw new Error(`segment ${this.segments[at]} has no page ${page}`)
      yield { start: this.starts[at]!, runs: head.runs, bytes: bytes.subarray(offset, offset + length) }
    }
  }

  #assemble(name: ColumnName, pages: ReadonlyMap<number, Uint8Array>): Column {
    const before = this.#before?.columns.get(name)
    const from = before ? this.#before!.segments : 0
    const kind = kindOf(name)
    if (kind === 'number') {
      const column = emptyColumn('number', this.n) as NumberColumn
      if (before?.kind === 'number') {
        column.values.set(before.values)
        column.state.set(before.state)
      }
      for (const { start, runs, bytes } of this.#parts(name, from, pages)) decodeNumbers(bytes, runs, column, start)
      return column
    }
    if (kind === 'text') {
      const built = new TextBuilder(this.n)
      if (before?.kind === 'text') {
        built.append(before.texts, before.texts.length * 4 < before.codes.length)
        built.codes.set(before.codes)
      }
      for (const { start, runs, bytes } of this.#parts(name, from, pages)) {
        decodeTexts(bytes, runs, built, start)
      }
      return built.column
    }
    const lists = new Array<readonly string[] | undefined>(this.n).fill(undefined)
    for (const { start, bytes } of this.#parts(name, 0, pages)) {
      for (const [at, list] of decodeLists(bytes).entries()) lists[start + at] = list
    }
    return { kind, lists }
  }

  segmentAt(place: number): number {
    let low = 0
    let high = this.starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.starts[middle]! <= place) low = middle
      else high = middle - 1
    }
    return this.segments[low]!
  }

  /** Where a run stands in the newest segment that has it, by column `k`; -1 when none has. */
  placeOfRun(run_key: number, keys: Float64Array): number {
    this.#places ??= new Map(Array.from(keys, (key, place) => [key, place]))
    return this.#places.get(run_key) ?? -1
  }

  /** Where a run stands in one of the segments, by column `k`; -1 when it does not. */
  placeOf(segment: number, run_key: number, keys: Float64Array): number {
    const at = this.segments.indexOf(segment)
    if (at < 0) return -1
    let low = this.starts[at]!
    let high = low + this.heads[at]!.runs - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const key = keys[middle]!
      if (key === run_key) return middle
      if (key < run_key) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}

/** Columns in the order of their last use; the ones unused for longest go when there are too many. */
class Kept {
  readonly #uses = new Map<string, { of: Sealed; name: ColumnName; bytes: number }>()
  readonly #numbers = new WeakMap<Sealed, number>()
  #next = 1
  #bytes = 0

  #key(of: Sealed, name: ColumnName): string {
    let number = this.#numbers.get(of)
    if (number === undefined) {
      number = this.#next++
      this.#numbers.set(of, number)
    }
    return `${number} ${name}`
  }

  add(of: Sealed, name: ColumnName, bytes: number): void {
    const key = this.#key(of, name)
    this.#bytes += bytes - (this.#uses.get(key)?.bytes ?? 0)
    this.#uses.delete(key)
    this.#uses.set(key, { of, name, bytes })
  }

  use(of: Sealed, name: ColumnName): void {
    const key = this.#key(of, name)
    const entry = this.#uses.get(key)
    if (!entry) return
    this.#uses.delete(key)
    this.#uses.set(key, entry)
  }

  drop(of: Sealed): void {
    for (const [key, entry] of this.#uses) {
      if (entry.of !== of) continue
      this.#uses.delete(key)
      this.#bytes -= entry.bytes
    }
  }

  /** Queries hold the columns that they use; what is let go here is read again by the next one. */
  trim(): void {
    for (const [key, { of, name, bytes }] of this.#uses) {
      if (this.#bytes <= KEPT_BYTES_MAX) return
      this.#uses.delete(key)
      this.#bytes -= bytes
      of.forget(name)
    }
  }
}

const kept = new Kept()
const known = new Map<number, Sealed>()

/** The sealed runs of an experiment that has these segments, given in rising order. */
export async function sealedOf(sql: Sql, experiment: number, segments: readonly number[]): Promise<Sealed> {
  const before = known.get(experiment)
  if (before && before.segments.length === segments.length && before.segments.every((id, at) => id === segments[at])) {
    known.delete(experiment)
    known.set(experiment, before)
    return before
  }
  const heads = new Map(before?.segments.map((segment, at) => [segment, before.heads[at]!]))
  const rows = await allIn<{ segment: number; head: Uint8Array }>(
    sql,
    'SELECT segment, head FROM run_segment WHERE segment IN',
    [],
    segments.filter((segment) => !heads.has(segment)),
  )
  for (const { segment, head } of rows) heads.set(segment, readHead(head))
  const sealed = new Sealed(
    experiment,
    segments,
    segments.map((segment) => heads.get(segment)!),
    before,
  )
  if (before) kept.drop(before)
  known.delete(experiment)
  known.set(experiment, sealed)
  if (known.size > EXPERIMENTS_MAX) {
    const [oldest, gone] = known.entries().next().value!
    known.delete(oldest)
    kept.drop(gone)
  }
  return sealed
}

export const trimSealed = (): void => kept.trim()
