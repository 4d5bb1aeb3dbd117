import type { Tensor } from 'onnxruntime-node'
import { invalid } from '#kernel/errors.ts'
import type { Cell } from '../signature.ts'
import type { Report } from './runtime.ts'

type TensorMaker = new (type: never, data: never, dims: readonly number[]) => Tensor

/** How the values of one column become a tensor of shape [rows, 1]. Made once per loaded model. */
export interface ColumnFeed {
  onnx_name: string
  /** Places of this input's columns in a row, in order: more than one for a model with one matrix input. */
  places: number[]
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
export function feedsOf(inputs: Report['inputs'], columns: readonly string[]): ColumnFeed[] {
  const feeds = new Map<string, ColumnFeed>()
  for (const input of inputs) {
    const type = TYPES[input.type]
    if (type === undefined)
      throw new Error(`the compiled form wants an input of type '${input.type}', which is not known here`)
    const place = columns.indexOf(input.name)
    if (place < 0) throw new Error(`the compiled form wants column '${input.name}', which the signature does not name`)
    const feed = feeds.get(input.onnx_name)
    if (feed) feed.places.push(place)
    else feeds.set(input.onnx_name, { onnx_name: input.onnx_name, places: [place], type })
  }
  return [...feeds.values()]
}

export function tensorOf(Maker: TensorMaker, feed: ColumnFeed, rows: readonly Cell[][]): Tensor {
  const width = feed.places.length
  const size = rows.length * width
  const dims = [rows.length, width]
  const fill = <V, T extends { [at: number]: V }>(data: T, read: (cell: Cell) => V): T => {
    let at = 0
    for (const row of rows) for (const place of feed.places) data[at++] = read(row[place]!)
    return data
  }
  switch (feed.type) {
    case 'float32':
      return new Maker('float32' as never, fill(new Float32Array(size), numberOf) as never, dims)
    case 'float64':
      return new Maker('float64' as never, fill(new Float64Array(size), numberOf) as never, dims)
    case 'int64':
      return new Maker(
        'int64' as never,
        fill(new BigInt64Array(size), (cell) =>
          cell === null ? missing(feed) : BigInt(cell as number | string),
        ) as never,
        dims,
      )
    case 'int32':
      return new Maker(
        'int32' as never,
        fill(new Int32Array(size), (cell) => (cell === null ? missing(feed) : Number(cell))) as never,
        dims,
      )
    case 'bool':
      return new Maker(
        'bool' as never,
        fill<number, Uint8Array>(new Uint8Array(size), (cell) =>
          cell === null ? missing(feed) : cell ? 1 : 0,
        ) as never,
        dims,
      )
    case 'string':
      // A null text is what pandas hands an encoder as missing; the compiled form was proven with the empty text in its place.
      return new Maker(
        'string' as never,
        fill(new Array<string>(size), (cell) => (cell === null ? '' : String(cell))) as never,
        dims,
      )
  }
}

const numberOf = (cell: Cell): number =>
  cell === null ? Number.NaN : typeof cell === 'boolean' ? (cell ? 1 : 0) : Number(cell)

function missing(feed: ColumnFeed): never {
  throw invalid(`input '${feed.onnx_name}' has no missing value`, { field: feed.onnx_name })
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
