import { createHash } from 'node:crypto'
import { BOARD_LIMITS, type BoardPart, type BoardRecord } from '#slices/tracking'
import { type Happened, readEvent, type Shown, type Tags } from './events.ts'
import { recordAt } from './records.ts'

/** A stretch of a file as one transaction takes it in, with the images that have to be kept before. */
export interface Stretch
  extends Pick<
    BoardPart,
    'from' | 'to' | 'memory' | 'metrics' | 'params' | 'records' | 'damage' | 'restart_at' | 'status'
  > {
  span_ms?: [number, number]
  images: { digest: string; bytes: Uint8Array }[]
  /** Values of kinds that are not taken in, by plugin. */
  passed_over: Record<string, number>
}

const fresh = (from: number, tags: Tags): Stretch & { entries: number } => ({
  from,
  to: from,
  memory: memoryOf(tags),
  metrics: [],
  params: [],
  records: [],
  images: [],
  passed_over: Object.create(null) as Record<string, number>,
  entries: 0,
})

const memoryOf = (tags: Tags): string => JSON.stringify([...tags])

/** What names a param or metric may not hold becomes an underscore, as in MLflow's own exporters. */
export const cleanKey = (tag: string): string =>
  tag
    .replace(/[^\p{L}\p{N}_/.\- :]/gu, '_')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/')
    .slice(0, 250) || '_'

/**
 * Whole records of the bytes of a file that begin at `from`, in stretches of bounded size. What is torn at the end waits for
 * more; a damaged record ends the reading of its file, as in TensorBoard.
 */
export function* readStretches(bytes: Uint8Array, from: number, memory: string): Generator<Stretch> {
  const tags: Tags = new Map(memory ? (JSON.parse(memory) as [string, string][]) : [])
  let now = fresh(from, tags)
  let remembered = tags.size
  for (let at = 0; ; ) {
    const found = recordAt(bytes, at)
    if (found.kind === 'torn') break
    const happened = found.kind === 'record' ? asEvent(found.data, tags) : found.why
    if (typeof happened === 'string') {
      now.damage = `the record at byte ${from + at} is damaged: ${happened}`
      break
    }
    // A restart takes out what stands before it, so it begins a stretch.
    if (happened.restarted) {
      if (now.to > now.from) yield finished(now, tags)
      now = fresh(from + at, tags)
      now.restart_at = happened.step
    }
    for (const shown of happened.shown) note(now, happened, shown)
    if (happened.shown.length > 0) {
      const [first] = now.span_ms ?? [happened.wall_ms]
      now.span_ms = [Math.min(first, happened.wall_ms), Math.max(now.span_ms?.[1] ?? 0, happened.wall_ms)]
    }
    at = found.kind === 'record' ? found.end : at
    now.to = from + at
    // The memory is worded again only when a tag has come: files have millions of records and few tags.
    const outgrown = tags.size > remembered && memoryOf(tags).length > BOARD_LIMITS.memory_chars
    remembered = tags.size
    if (now.entries >= BOARD_LIMITS.part_entries || outgrown) {
      yield finished(now, tags)
      now = fresh(from + at, tags)
    }
  }
  if (now.to > now.from || now.damage !== undefined) yield finished(now, tags)
}

function finished({ entries: _, ...stretch }: Stretch & { entries: number }, tags: Tags): Stretch {
  const memory = memoryOf(tags)
  if (memory.length <= BOARD_LIMITS.memory_chars) return { ...stretch, memory }
  return { ...stretch, damage: `its tags take more than ${BOARD_LIMITS.memory_chars} characters`, memory: '[]' }
}

function asEvent(data: Uint8Array, tags: Tags): Happened | string {
  try {
    return readEvent(data, tags)
  } catch (error) {
    return (error as Error).message
  }
}

function note(now: Stretch & { entries: number }, { step, wall_ms }: Happened, shown: Shown): void {
  now.entries += 1
  switch (shown.kind) {
    case 'scalar':
      now.metrics.push({ key: cleanKey(shown.tag), value: shown.value, step, timestamp_ms: wall_ms })
      return
    case 'hparams':
      for (const [key, value] of Object.entries(shown.params)) now.params.push({ key: cleanKey(key), value })
      return
    case 'ended':
      now.status = shown.status
      return
    case 'other':
      now.passed_over[shown.plugin] = (now.passed_over[shown.plugin] ?? 0) + 1
      return
    case 'histogram':
      record(now, {
        body: JSON.stringify(shown.buckets.map(({ left, right, count }) => [left, right, count])),
        ...{ kind: 'histogram', tag: shown.tag, step, at_ms: wall_ms, position: 0 },
      })
      return
    case 'text':
      for (const [position, text] of shown.text.entries())
        record(now, { kind: 'text', tag: shown.tag, step, at_ms: wall_ms, position, body: JSON.stringify(text) })
      return
    case 'image':
      for (const [position, bytes] of shown.images.entries()) {
        const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
        now.images.push({ digest, bytes })
        // A stretch with many bytes is written in good time.
        now.entries += Math.ceil(bytes.length / 4096)
        record(now, { kind: 'image', tag: shown.tag, step, at_ms: wall_ms, position, body: JSON.stringify(digest) })
      }
  }
}

function record(now: Stretch, one: BoardRecord): void {
  if (one.body.length > BOARD_LIMITS.body_chars || one.tag.length > BOARD_LIMITS.tag_chars || one.tag === '')
    now.passed_over[`${one.kind} that is too large`] = (now.passed_over[`${one.kind} that is too large`] ?? 0) + 1
  else now.records.push(one)
}
