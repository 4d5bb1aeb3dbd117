import type { Tensor } from 'onnxruntime-node'
import { invalid } from '#kernel/errors.ts'
import type { Cell } from '../signature.ts'
import type { InputGuard } from './runtime.ts'

type TensorMaker = new (type: never, data: never, dims: readonly number[]) => Tensor

/** How the values of one column become a tensor of shape [rows, 1]. Made once per loaded model. */
export interface ColumnFeed {
  onnx_name: string
  /** This input's columns, in order: more than one for a model with one matrix input. */
  columns: { place: number; guard: InputGuard; known: ReadonlySet<string | number> | undefined }[]
  type: 'float32' | 'float64' | 'int64' | 'int32' | 'bool' | 'string'
}

const TYPES: Record<string, ColumnFeed['type']> = {
  float: 'float32',
  float32: 'float32',
  double: 'float64',
  float64: 'float64',
  long: 'int64',
  int64: 'int64',
  int32: 'int32',
  integer: 'int32',
  boolean: 'bool',
  bool: 'bool',
  string: 'string',
}

/** Groups the report's inputs by ONNX input; several columns of one input make a matrix. */
export function feedsOf(inputs: readonly InputGuard[], columns: readonly string[]): ColumnFeed[] {
  const feeds = new Map<string, ColumnFeed>()
  for (const input of inputs) {
    const type = TYPES[input.type]
    if (type === undefined)
      throw new Error(`the compiled form wants an input of type '${input.type}', which is not known here`)
    const place = columns.indexOf(input.name)
    if (place < 0) throw new Error(`the compiled form wants column '${input.name}', which the signature does not name`)
    const feed = feeds.get(input.onnx_name)
    const column = { place, guard: input, known: input.values && new Set(input.values) }
    if (feed) feed.columns.push(column)
    else feeds.set(input.onnx_name, { onnx_name: input.onnx_name, columns: [column], type })
  }
  return [...feeds.values()]
}

export function tensorOf(Maker: TensorMaker, feed: ColumnFeed, rows: readonly Cell[][]): Tensor {
  const size = rows.length * feed.columns.length
  const dims = [rows.length, feed.columns.length]
  const fill = <V, T extends { [at: number]: V }>(
    data: T,
    read: (cell: Cell, column: ColumnFeed['columns'][number]) => V,
  ): T => {
    let at = 0
    for (const row of rows) for (const column of feed.columns) data[at++] = read(row[column.place]!, column)
    return data
  }
  const make = (type: string, data: unknown): Tensor => new Maker(type as never, data as never, dims)
  switch (feed.type) {
    case 'float32':
      return make('float32', fill(new Float32Array(size), numberOf))
    case 'float64':
      return make('float64', fill(new Float64Array(size), numberOf))
    case 'int64':
      return make(
        'int64',
        fill(new BigInt64Array(size), (cell, column) => BigInt(wholeOf(cell, column))),
      )
    case 'int32':
      return make(
        'int32',
        fill(new Int32Array(size), (cell, column) => wholeOf(cell, column)),
      )
    case 'bool':
      return make(
        'bool',
        fill<number, Uint8Array>(new Uint8Array(size), (cell, column) =>
          cell === null ? refuse(column.guard, 'must not be null') : cell ? 1 : 0,
        ),
      )
    case 'string':
      return make('string', fill(new Array<string>(size), textOf))
  }
}

type Column = ColumnFeed['columns'][number]

function numberOf(cell: Cell, { guard, known }: Column): number {
  if (cell === null) return guard.nullable ? Number.NaN : refuse(guard, 'must not be null')
  const value = typeof cell === 'boolean' ? (cell ? 1 : 0) : Number(cell)
  if (Number.isNaN(value)) return guard.nullable ? value : refuse(guard, 'must not be null')
  if ((guard.minimum !== undefined && value < guard.minimum) || (guard.maximum !== undefined && value > guard.maximum))
    refuse(guard, `must be between ${guard.minimum ?? '-∞'} and ${guard.maximum ?? '∞'}`)
  if (known && !known.has(value)) refuse(guard, `must be one of the ${known.size} values that the model knows`)
  return value
}

function wholeOf(cell: Cell, column: Column): number {
  const value = numberOf(cell, column)
  return Number.isInteger(value) ? value : refuse(column.guard, 'must be a whole number')
}

function textOf(cell: Cell, { guard, known }: Column): string {
  if (cell === null) return guard.nullable ? (guard.null_as ?? '') : refuse(guard, 'must not be null')
  const value = String(cell)
  if (known && !known.has(value)) refuse(guard, `must be one of the ${known.size} values that the model knows`)
  return value
}

function refuse(guard: InputGuard, words: string): never {
  throw invalid(`feature '${guard.name}' ${words}`, { field: guard.name })
}

/** One plain output per row of a tensor: a scalar for [n] and [n, 1] labels or values, a list otherwise. */
export function outputsOf(tensor: Tensor, rows: number, flat: boolean): unknown[] {
  const data = tensor.data as unknown as ArrayLike<number | bigint | string>
  const width = rows === 0 ? 0 : data.length / rows
  const plain = (value: number | bigint | string): unknown => (typeof value === 'bigint' ? Number(value) : value)
  if (flat && width === 1) return Array.from({ length: rows }, (_, row) => plain(data[row]!))
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_, column) => plain(data[row * width + column]!)),
  )
}
