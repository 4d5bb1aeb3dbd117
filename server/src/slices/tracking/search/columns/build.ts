/** Columns from rows: of the runs that are loose, and of those that are being sealed. */
import type { Sql } from '#kernel/store/index.ts'
import { allIn } from '../../lists.ts'
import { artifactUriOf, RUN_COLUMNS, type RunRow } from '../../run-rows.ts'
import {
  type Column,
  type ColumnName,
  emptyColumn,
  NOT_A_NUMBER,
  NUMBER,
  type NumberColumn,
  type TextColumn,
} from './column.ts'
import type { Cells } from './encode.ts'

/** A run as columns need it. */
export type FrameRow = RunRow

export const FRAME_COLUMNS = RUN_COLUMNS

/** A text column that grows. */
export class TextBuilder {
  readonly codes: Int32Array
  readonly texts: string[] = []
  readonly #known = new Map<string, number>()

  constructor(n: number) {
    this.codes = new Int32Array(n).fill(-1)
  }

  codeOf = (text: string): number => {
    let code = this.#known.get(text)
    if (code === undefined) {
      code = this.texts.length
      this.texts.push(text)
      this.#known.set(text, code)
    }
    return code
  }

  /**
   * Adds texts as they are, though some may be there already; answers the code of the first. Far cheaper than looking
   * each up, which later texts can be by those that are remembered.
   */
  append(texts: readonly string[], remember = false): number {
    const first = this.texts.length
    for (const text of texts) {
      if (remember && !this.#known.has(text)) this.#known.set(text, this.texts.length)
      this.texts.push(text)
    }
    return first
  }

  put(at: number, text: string): void {
    this.codes[at] = this.codeOf(text)
  }

  get column(): TextColumn {
    return { kind: 'text', codes: this.codes, texts: this.texts }
  }
}

const TEXTS: Record<string, (row: FrameRow) => string> = {
  run_id: (row) => row.run_id,
  run_name: (row) => row.name,
  status: (row) => row.status,
  user_id: (row) => row.user_id,
  lifecycle: (row) => row.lifecycle,
  artifact_uri: (row) => row.artifact_uri ?? artifactUriOf(row.artifact_location, row.run_id),
}

const put = (column: NumberColumn, at: number, value: number, is_nan: boolean) => {
  column.state[at] = is_nan ? NOT_A_NUMBER : NUMBER
  if (!is_nan) column.values[at] = value
}

export function attributeColumn(key: string, rows: readonly FrameRow[]): Column {
  const text = TEXTS[key]
  if (text) {
    const built = new TextBuilder(rows.length)
    for (const [at, row] of rows.entries()) built.put(at, text(row))
    return built.column
  }
  const column = emptyColumn('number', rows.length) as NumberColumn
  for (const [at, row] of rows.entries()) {
    const value = key === 'start_time' ? row.start_ms : row.end_ms
    if (value !== null) put(column, at, Number(value), false)
  }
  return column
}

type MetricCell = { run_key: number; key: string; value: number; is_nan: number }
type TextCell = { run_key: number; key: string; value: string }
interface InputCell {
  run_key: number
  dataset_key: number
  name: string
  digest: string
  context: string | null
}

const METRICS = 'SELECT run_key, key, value, is_nan FROM run_metric WHERE run_key IN'
const PARAMS = 'SELECT run_key, key, value FROM run_param WHERE run_key IN'
const TAGS = 'SELECT run_key, key, value FROM run_tag WHERE run_key IN'
const INPUTS = `SELECT i.run_key, i.dataset_key, d.name, d.digest, t.value AS context
  FROM run_input i JOIN input_dataset d ON d.dataset_key = i.dataset_key
  LEFT JOIN run_input_tag t ON t.run_key = i.run_key AND t.dataset_key = i.dataset_key AND t.key = 'mlflow.data.context'
  WHERE i.run_key IN`

const placesOf = (rows: readonly FrameRow[]): Map<number, number> => new Map(rows.map((row, at) => [row.run_key, at]))

const DATASET_KEYS = ['name', 'digest', 'context'] as const

/** The texts of each run's datasets. */
function datasetCells(
  inputs: readonly InputCell[],
  places: Map<number, number>,
): Map<ColumnName, Map<number, string[]>> {
  const columns = new Map<ColumnName, Map<number, string[]>>()
  for (const key of DATASET_KEYS) {
    const lists = new Map<number, string[]>()
    for (const input of inputs) {
      const text = input[key]
      if (text === null) continue
      const at = places.get(input.run_key)!
      const list = lists.get(at)
      if (list) list.push(text)
      else lists.set(at, [text])
    }
    columns.set(`d${key}`, lists)
  }
  return columns
}

/** One column of these runs, read from the rows. */
export async function readColumn(sql: Sql, name: ColumnName, rows: readonly FrameRow[]): Promise<Column> {
  const key = name.slice(1)
  if (name[0] === 'a') return attributeColumn(key, rows)
  const keys = rows.map((row) => row.run_key)
  const places = placesOf(rows)
  if (name[0] === 'd') {
    const lists = datasetCells(await allIn<InputCell>(sql, INPUTS, [], keys), places).get(name)
    return { kind: 'list', lists: rows.map((_, at) => lists?.get(at)) }
  }
  if (name[0] === 'm') {
    const column = emptyColumn('number', rows.length) as NumberColumn
    const cells = await allIn<MetricCell>(
      sql,
      'SELECT run_key, value, is_nan FROM run_metric WHERE key = ? AND run_key IN',
      [key],
      keys,
    )
    for (const { run_key, value, is_nan } of cells) put(column, places.get(run_key)!, value, is_nan === 1)
    return column
  }
  const built = new TextBuilder(rows.length)
  const table = name[0] === 'p' ? 'run_param' : 'run_tag'
  const cells = await allIn<TextCell>(
    sql,
    `SELECT run_key, value FROM ${table} WHERE key = ? AND run_key IN`,
    [key],
    keys,
  )
  for (const { run_key, value } of cells) built.put(places.get(run_key)!, value)
  return built.column
}

/** How many of these runs have each key. */
export async function countKeys(sql: Sql, rows: readonly FrameRow[]): Promise<Map<ColumnName, number>> {
  const counts = new Map<ColumnName, number>()
  for (const [letter, table] of [
    ['m', 'run_metric'],
    ['p', 'run_param'],
    ['t', 'run_tag'],
  ] as const) {
    const cells = await allIn<{ key: string; n: number }>(
      sql,
      `SELECT key, count(*) AS n FROM ${table} WHERE run_key IN`,
      [],
      rows.map((row) => row.run_key),
      ' GROUP BY key',
    )
    for (const { key, n } of cells) {
      const name = `${letter}${key}` as ColumnName
      counts.set(name, (counts.get(name) ?? 0) + Number(n))
    }
  }
  return counts
}

/** Runs whose rows are read at once. */
const RUNS_AT_ONCE = 64

/**
 * All columns of as many of these runs, from the first on, as have about `cells_max` cells together; at least of one.
 * Columns come sorted by name.
 */
export async function readAllColumns(
  sql: Sql,
  rows: readonly FrameRow[],
  cells_max: number,
): Promise<{ runs: number; columns: [ColumnName, Cells][] }> {
  const cells: { metrics: MetricCell[]; params: TextCell[]; tags: TextCell[]; inputs: InputCell[] } = {
    metrics: [],
    params: [],
    tags: [],
    inputs: [],
  }
  let runs = 0
  let count = 0
  while (runs < rows.length && count < cells_max) {
    // Wide runs one by one, so that a segment is not much larger than it should be.
    const size = runs > 0 && (count / runs) * RUNS_AT_ONCE < cells_max ? RUNS_AT_ONCE : 1
    const keys = rows.slice(runs, runs + size).map((row) => row.run_key)
    cells.metrics.push(...(await allIn<MetricCell>(sql, METRICS, [], keys)))
    cells.params.push(...(await allIn<TextCell>(sql, PARAMS, [], keys)))
    cells.tags.push(...(await allIn<TextCell>(sql, TAGS, [], keys)))
    cells.inputs.push(...(await allIn<InputCell>(sql, INPUTS, [], keys)))
    count = cells.metrics.length + cells.params.length + cells.tags.length
    runs += keys.length
  }
  const own = rows.slice(0, runs)
  const places = placesOf(own)
  const columns = new Map<ColumnName, Cells>()
  const put = (name: ColumnName, place: number, value: Cells['values'][number]) => {
    let column = columns.get(name)
    if (!column) {
      column = { places: [], values: [] }
      columns.set(name, column)
    }
    column.places.push(place)
    column.values.push(value)
  }
  for (const [place, row] of own.entries()) {
    put('k', place, row.run_key)
    put('astart_time', place, Number(row.start_ms))
    if (row.end_ms !== null) put('aend_time', place, Number(row.end_ms))
    for (const [key, text] of Object.entries(TEXTS)) put(`a${key}`, place, text(row))
  }
  for (const { run_key, key, value, is_nan } of cells.metrics) {
    put(`m${key}`, places.get(run_key)!, is_nan === 1 ? Number.NaN : value)
  }
  for (const { run_key, key, value } of cells.params) put(`p${key}`, places.get(run_key)!, value)
  for (const { run_key, key, value } of cells.tags) put(`t${key}`, places.get(run_key)!, value)
  for (const [name, lists] of datasetCells(cells.inputs, places)) {
    for (const [place, list] of lists) put(name, place, list)
  }
  return { runs, columns: [...columns].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) }
}
