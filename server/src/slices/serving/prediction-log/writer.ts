/**
 * Takes predictions without ever making a request wait: they are gathered in memory and written once per interval. Full or slow
 * disk: what does not fit the bounded memory is dropped, counted and said aloud.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Log } from '#kernel/log.ts'
import type { PredictionRecord } from './record.ts'
import { createSegment, type Segment, type SegmentHeader } from './segment.ts'

/** Memory that waiting predictions of all endpoints may take. */
const WAITING_BYTES_MAX = 64 * 1024 ** 2
export const SEAL_BYTES = 64 * 1024 ** 2
export const SEAL_MS = 60_000

/** A disk that refused is asked again after this. */
const AGAIN_MS = 1000
const TELL_MS = 5000

/** One endpoint and one set of feature columns: a file has one set, and two versions may be live at once. */
interface Stream {
  header: SegmentHeader
  segment: Segment | undefined
  opened_ms: number
  /** Lines not yet handed to the disk. */
  lines: string[]
  bytes: number
  /** Resolvers of durable answers that wait for the next sync. */
  waiting: { resolve(): void; reject(error: unknown): void }[]
  flushing: Promise<void> | undefined
}

export interface LogWriter {
  /** Never waits and never throws. False: there was no room, the row is not logged. */
  append(stream: SegmentHeader, record: PredictionRecord): boolean
  /** Resolves when everything appended to the stream so far is synced; rejects with unavailable when that failed. */
  durable(stream: SegmentHeader): Promise<void>
  /** Writes what waits. */
  flush(): Promise<void>
  /** Closes the current segment of each stream that `wants` it; they are sealed next. */
  rotate(wants: (header: SegmentHeader, facts: { size_bytes: number; age_ms: number }) => boolean): Promise<void>
  /** Bytes of an open segment that are whole; undefined when the path is not being written. */
  wholeBytes(path: string): number | undefined
  readonly dropped: number
  close(): Promise<void>
}

export async function createLogWriter(deps: {
  dir: string
  interval_ms: number
  clock: Clock
  ids: Ids
  log: Log
  onDrop?: (rows: number) => void
  /** Memory that waiting predictions may take; 64 MiB when left out. */
  waiting_bytes_max?: number
}): Promise<LogWriter> {
  const { dir, clock, ids, log } = deps
  const waiting_bytes_max = deps.waiting_bytes_max ?? WAITING_BYTES_MAX
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const streams = new Map<string, Stream>()
  const byHeader = new WeakMap<SegmentHeader, Stream>()
  /** Files that are there already but are no stream's segment yet: nobody may take them for left behind. */
  const begun = new Set<string>()
  let waiting_bytes = 0
  let dropped = 0
  let told_ms = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let refused = false

  const streamOf = (header: SegmentHeader): Stream => {
    let stream = byHeader.get(header)
    if (stream) return stream
    const name = JSON.stringify([header.workspace, header.endpoint, header.features])
    stream = streams.get(name)
    if (!stream) {
      stream = { header, segment: undefined, opened_ms: 0, lines: [], bytes: 0, waiting: [], flushing: undefined }
      streams.set(name, stream)
    }
    byHeader.set(header, stream)
    return stream
  }

  const drop = (rows: number, error?: unknown) => {
    dropped += rows
    deps.onDrop?.(rows)
    if (performance.now() - told_ms > TELL_MS) {
      told_ms = performance.now()
      log.error(
        { dropped, err: error },
        'predictions are dropped from the log: the disk is full or too slow; serving goes on',
      )
    }
  }

  const write = async (stream: Stream): Promise<void> => {
    const { lines, bytes, waiting } = stream
    stream.lines = []
    stream.bytes = 0
    stream.waiting = []
    let written = lines.length === 0
    try {
      if (!written) {
        if (!stream.segment) {
          const path = join(dir, `${ids.next('segment')}.seg`)
          begun.add(path)
          try {
            stream.segment = await createSegment(path, stream.header)
          } finally {
            begun.delete(path)
          }
          stream.opened_ms = clock.now()
        }
        await stream.segment.append(lines.join(''))
        written = true
      }
      if (waiting.length > 0) await stream.segment?.sync()
      for (const { resolve } of waiting) resolve()
      waiting_bytes -= bytes
      refused = false
    } catch (error) {
      if (written) {
        // After a failed sync the kernel may forget what it could not write: what comes next goes into another file.
        void stream.segment?.close().catch(() => undefined)
        stream.segment = undefined
        waiting_bytes -= bytes
      } else if (waiting.length > 0) {
        // These callers are told that it failed: their rows are not to appear later.
        waiting_bytes -= bytes
        drop(lines.length, error)
      } else {
        stream.lines = [...lines, ...stream.lines]
        stream.bytes += bytes
        if (!refused)
          log.error({ err: error }, 'predictions cannot be written to the log; they wait in memory and are tried again')
        refused = true
        arm(AGAIN_MS)
      }
      for (const { reject } of waiting)
        reject(
          new DomainError('unavailable', 'the prediction could not be logged durably', {
            cause: error,
            remedy: 'The disk of the server is full or failing.',
          }),
        )
    }
  }

  const flushStream = async (stream: Stream): Promise<void> => {
    while (stream.flushing) await stream.flushing
    if (stream.lines.length === 0 && stream.waiting.length === 0) return
    stream.flushing = write(stream).finally(() => {
      stream.flushing = undefined
    })
    await stream.flushing
  }

  const flush = async () => {
    await Promise.all([...streams.values()].map(flushStream))
  }
  const arm = (ms: number) => {
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, ms)
  }

  return {
    append(header, record) {
      const line = `${JSON.stringify(record)}\n`
      if (waiting_bytes + line.length > waiting_bytes_max) {
        drop(1)
        return false
      }
      const stream = streamOf(header)
      waiting_bytes += line.length
      stream.bytes += line.length
      stream.lines.push(line)
      arm(deps.interval_ms)
      return true
    },
    async durable(header) {
      const stream = streamOf(header)
      const done = new Promise<void>((resolve, reject) => stream.waiting.push({ resolve, reject }))
      void flushStream(stream)
      await done
    },
    flush,
    async rotate(wants) {
      for (const stream of streams.values()) {
        await flushStream(stream)
        const { segment } = stream
        const facts = segment && { size_bytes: segment.size_bytes, age_ms: clock.now() - stream.opened_ms }
        if (!facts || !wants(stream.header, facts)) continue
        while (stream.flushing) await stream.flushing
        if (stream.segment !== segment) continue
        stream.segment = undefined
        await segment
          .sync()
          .catch((error: unknown) => log.error({ err: error }, 'a segment of predictions could not be synced'))
        await segment.close()
      }
    },
    wholeBytes: (path) => {
      for (const { segment } of streams.values()) if (segment?.path === path) return segment.size_bytes
      return begun.has(path) ? 0 : undefined
    },
    get dropped() {
      return dropped
    },
    async close() {
      await flush()
      clearTimeout(timer)
      timer = undefined
      for (const stream of streams.values()) {
        if (stream.lines.length > 0) drop(stream.lines.length)
        await stream.segment?.sync().catch(() => undefined)
        await stream.segment?.close()
      }
      streams.clear()
    },
  }
}

/** Segments that lie in the folder, oldest first. */
export async function segmentsIn(dir: string): Promise<string[]> {
  return (await readdir(dir))
    .filter((name) => /^seg_[0-9a-f]{32}\.seg$/.test(name))
    .sort()
    .map((name) => join(dir, name))
}

export const removeSegment = (path: string): Promise<void> => rm(path, { force: true })
