/**
 * Event files' records as plain data (tensorflow/core/util/event.proto, summary.proto, tensorboard/plugins/hparams).
 * What a tag is said to be comes with its first value alone, so a file is read with a memory of its tags.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

export type Step = number | bigint

export interface Bucket {
  left: number
  right: number
  count: number
}

export type Shown =
  | { kind: 'scalar'; tag: string; value: number }
  | { kind: 'histogram'; tag: string; buckets: Bucket[] }
  | { kind: 'text'; tag: string; text: string[] }
  | { kind: 'image'; tag: string; images: Uint8Array[] }
  | { kind: 'hparams'; params: Record<string, string> }
  | { kind: 'ended'; status: 'FINISHED' | 'FAILED' | 'RUNNING' }
  /** A value of a kind that is not taken in: audio, graphs, point clouds. */
  | { kind: 'other'; tag: string; plugin: string }

export interface Happened {
  step: Step
  wall_ms: number
  /** The writer began again at this step: what was logged from there on does not count. */
  restarted: boolean
  shown: Shown[]
}

/** Plugin of each tag of a file, as its first value said. */
export type Tags = Map<string, string>

/** Fields of one message, a repeated one as often as it comes. Throws for bytes that are no message. */
type Field = { no: number; number?: number; bytes?: Uint8Array; big?: bigint }

function* fields(bytes: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag()
    switch (type) {
      case WireType.Varint:
        yield { no, big: BigInt(reader.int64()) }
        break
      case WireType.Bit64:
        yield { no, number: reader.double() }
        break
      case WireType.Bit32:
        yield { no, number: reader.float() }
        break
      case WireType.LengthDelimited:
        yield { no, bytes: reader.bytes() }
        break
      default:
        reader.skip(type, no)
    }
  }
}

const utf8 = new TextDecoder()
const text = (bytes: Uint8Array | undefined): string => (bytes ? utf8.decode(bytes) : '')
const plain = (value: bigint): Step =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

const SESSION_START = 1n

/** One record. Throws an Error when it is no event. */
export function readEvent(data: Uint8Array, tags: Tags): Happened {
  let step: Step = 0
  let wall_ms = 0
  let restarted = false
  let summary: Uint8Array | undefined
  for (const field of fields(data)) {
    if (field.no === 1) wall_ms = Math.max(0, Math.round((field.number ?? 0) * 1000))
    else if (field.no === 2) step = plain(field.big ?? 0n)
    else if (field.no === 5) summary = field.bytes
    else if (field.no === 7)
      for (const log of fields(field.bytes!)) if (log.no === 1 && log.big === SESSION_START) restarted = true
  }
  const shown: Shown[] = []
  if (summary) {
    for (const field of fields(summary)) {
      if (field.no === 1) shown.push(...readValue(field.bytes!, tags))
    }
  }
  return { step, wall_ms: Number.isFinite(wall_ms) ? wall_ms : 0, restarted, shown }
}

function readValue(bytes: Uint8Array, tags: Tags): Shown[] {
  let tag = ''
  let metadata: Uint8Array | undefined
  let value: Field | undefined
  for (const field of fields(bytes)) {
    if (field.no === 1) tag = text(field.bytes)
    else if (field.no === 9) metadata = field.bytes
    else if ([2, 4, 5, 6, 8].includes(field.no)) value = field
  }
  const said = metadata ? pluginOf(metadata) : undefined
  if (said) tags.set(tag, said.name)
  const plugin = tags.get(tag) ?? ''
  if (plugin === 'hparams' && said) return readHparams(said.content)
  switch (value?.no) {
    case 2:
      return [{ kind: 'scalar', tag, value: value.number ?? 0 }]
    case 4:
      return [{ kind: 'image', tag, images: [readImage(value.bytes!)] }]
    case 5:
      return [{ kind: 'histogram', tag, buckets: readHistogram(value.bytes!) }]
    case 6:
      return [{ kind: 'other', tag, plugin: 'audio' }]
    case 8:
      return [readTensorValue(tag, plugin, value.bytes!)]
    default:
      return []
  }
}

function pluginOf(metadata: Uint8Array): { name: string; content: Uint8Array } | undefined {
  let found: { name: string; content: Uint8Array } | undefined
  for (const field of fields(metadata)) {
    if (field.no !== 1) continue
    found = { name: '', content: new Uint8Array() }
    for (const part of fields(field.bytes!)) {
      if (part.no === 1) found.name = text(part.bytes)
      else if (part.no === 2) found.content = part.bytes!
    }
  }
  return found
}

function readTensorValue(tag: string, plugin: string, bytes: Uint8Array): Shown {
  const tensor = readTensor(bytes)
  switch (plugin) {
    case 'scalars':
      if (tensor.numbers.length === 1) return { kind: 'scalar', tag, value: tensor.numbers[0]! }
      break
    case 'histograms':
      return { kind: 'histogram', tag, buckets: bucketsOf(tensor.numbers) }
    case 'text':
      // The tag on the page is the one that the program gave; its writer put this behind it.
      return { kind: 'text', tag: tag.replace(/\/text_summary$/, ''), text: tensor.strings.map((each) => text(each)) }
    case 'images':
      return { kind: 'image', tag, images: tensor.strings.slice(2) }
  }
  return { kind: 'other', tag, plugin: plugin || 'tensor' }
}

function bucketsOf(numbers: readonly number[]): Bucket[] {
  const buckets: Bucket[] = []
  for (let at = 0; at + 2 < numbers.length; at += 3)
    buckets.push({ left: numbers[at]!, right: numbers[at + 1]!, count: numbers[at + 2]! })
  return buckets
}

/** The form of TensorFlow 1: right edges, the first bucket beginning at the least value, the last ending at the greatest. */
function readHistogram(bytes: Uint8Array): Bucket[] {
  let [least, greatest] = [0, 0]
  const edges: number[] = []
  const counts: number[] = []
  for (const field of fields(bytes)) {
    if (field.no === 1) least = field.number ?? 0
    else if (field.no === 2) greatest = field.number ?? 0
    else if (field.no === 6) edges.push(...(field.bytes ? doubles(field.bytes) : [field.number ?? 0]))
    else if (field.no === 7) counts.push(...(field.bytes ? doubles(field.bytes) : [field.number ?? 0]))
  }
  const filled = counts.flatMap((count, at) => (count > 0 ? [at] : []))
  if (filled.length === 0) return []
  const [first, last] = [filled[0]!, filled.at(-1)!]
  return counts.slice(first, last + 1).map((count, at) => ({
    left: at === 0 ? Math.max(least, first > 0 ? edges[first - 1]! : least) : edges[first + at - 1]!,
    right: first + at === last ? Math.min(greatest, edges[last]!) : edges[first + at]!,
    count,
  }))
}

function readImage(bytes: Uint8Array): Uint8Array {
  for (const field of fields(bytes)) if (field.no === 4) return field.bytes!
  return new Uint8Array()
}

interface Tensor {
  numbers: number[]
  strings: Uint8Array[]
}

const FLOAT = 1n
const DOUBLE = 2n
const INT32 = 3n
const INT64 = 9n

/** Values of the types that the plugins write; none of another type. */
function readTensor(bytes: Uint8Array): Tensor {
  let type = 0n
  let content: Uint8Array | undefined
  const tensor: Tensor = { numbers: [], strings: [] }
  for (const field of fields(bytes)) {
    if (field.no === 1) type = field.big ?? 0n
    else if (field.no === 4) content = field.bytes
    else if (field.no === 8) tensor.strings.push(field.bytes!)
    else if (field.no === 5) tensor.numbers.push(...(field.bytes ? floats(field.bytes) : [field.number ?? 0]))
    else if (field.no === 6) tensor.numbers.push(...(field.bytes ? doubles(field.bytes) : [field.number ?? 0]))
  }
  if (content && content.length > 0) {
    if (type === FLOAT) tensor.numbers = floats(content)
    else if (type === DOUBLE) tensor.numbers = doubles(content)
    else if (type === INT32) tensor.numbers = every(content, 4, (view, at) => view.getInt32(at, true))
    else if (type === INT64) tensor.numbers = every(content, 8, (view, at) => Number(view.getBigInt64(at, true)))
  }
  return tensor
}

function every(bytes: Uint8Array, size: number, read: (view: DataView, at: number) => number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, at) => read(view, at * size))
}
const floats = (bytes: Uint8Array) => every(bytes, 4, (view, at) => view.getFloat32(at, true))
const doubles = (bytes: Uint8Array) => every(bytes, 8, (view, at) => view.getFloat64(at, true))

const STATUS = { 1: 'FINISHED', 2: 'FAILED', 3: 'RUNNING' } as const

function readHparams(content: Uint8Array): Shown[] {
  const shown: Shown[] = []
  for (const field of fields(content)) {
    if (field.no === 3) {
      const params: Record<string, string> = Object.create(null)
      for (const part of fields(field.bytes!)) {
        if (part.no !== 1) continue
        let key = ''
        let value = ''
        for (const entry of fields(part.bytes!)) {
          if (entry.no === 1) key = text(entry.bytes)
          else if (entry.no === 2) value = readAny(entry.bytes!)
        }
        params[key] = value
      }
      shown.push({ kind: 'hparams', params })
    } else if (field.no === 4) {
      for (const part of fields(field.bytes!)) {
        const status = part.no === 1 ? STATUS[Number(part.big) as keyof typeof STATUS] : undefined
        if (status) shown.push({ kind: 'ended', status })
      }
    }
  }
  return shown
}

/** `google.protobuf.Value`, as the text of a param. */
function readAny(bytes: Uint8Array): string {
  for (const field of fields(bytes)) {
    if (field.no === 2) return String(field.number)
    if (field.no === 3) return text(field.bytes)
    if (field.no === 4) return field.big === 0n ? 'False' : 'True'
  }
  return ''
}
