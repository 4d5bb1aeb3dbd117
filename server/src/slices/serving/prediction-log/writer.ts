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
  /** Never waits and never throws. */
  append(stream: SegmentHeader, record: PredictionRecord): void
  /** Resolves when everything appended to the stream so far is synced; rejects with unavailable when that failed. */
  durable(stream: SegmentHeader): Promise<void>
  /** Writes what waits. */
  flush(): Promise<void>
  /** Closes the current segment of each stream that `wants` it; they are sealed next. */
  rotate(wants: (header: SegmentHeader, facts: { size_bytes: number; age_ms: number }) => boolean): Promise<void>
  /** The segment being written, if any, with the bytes that are whole. */
  tail(workspace: string, endpoint: string): { path: string; size_bytes: number } | undefined
  isOpen(path: string): boolean
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
}): Promise<LogWriter> {
  const { dir, clock, ids, log } = deps
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const streams = new Map<string, Stream>()
  let waiting_bytes = 0
  let dropped = 0
  let told_ms = 0
  let timer: NodeJS.Timeout | undefined

  const nameOf = (header: { workspace: string; endpoint: string }) => `${header.workspace}/${header.endpoint}`
  const streamOf = (header: SegmentHeader): Stream => {
    const name = nameOf(header)
    let stream = streams.get(name)
    if (!stream) {
      stream = { header, segment: undefined, opened_ms: 0, lines: [], bytes: 0, waiting: [], flushing: undefined }
      streams.set(name, stream)
    }
    return stream
  }

  const drop = (rows: number) => {
    dropped += rows
    deps.onDrop?.(rows)
    if (clock.now() - told_ms > 5000) {
      told_ms = clock.now()
      log.error({ dropped }, 'predictions are dropped from the log: the disk is full or too slow; serving goes on')
    }
  }

  const flushStream = async (stream: Stream): Promise<void> => {
    while (stream.flushing) await stream.flushing
    if (stream.lines.length === 0 && stream.waiting.length === 0) return
    const { lines, bytes, waiting } = stream
    stream.lines = []
    stream.bytes = 0
    stream.waiting = []
    stream.flushing = (async () => {
      try {
        if (lines.length > 0) {
          if (!stream.segment) {
            stream.segment = await createSegment(join(dir, `${ids.next('segment')}.seg`), stream.header)
            stream.opened_ms = clock.now()
          }
          await stream.segment.append(lines.join(''))
        }
        if (waiting.length > 0) await stream.segment?.sync()
        for (const { resolve } of waiting) resolve()
      } catch (error) {
        drop(lines.length)
        for (const { reject } of waiting)
          reject(
            new DomainError('unavailable', 'the prediction could not be logged durably', {
              cause: error,
              remedy: 'The disk of the server is full or failing.',
            }),
          )
      } finally {
        waiting_bytes -= bytes
        stream.flushing = undefined
      }
    })()
    await stream.flushing
  }

  const flush = async () => {
    await Promise.all([...streams.values()].map(flushStream))
  }
  const arm = () => {
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, deps.interval_ms)
  }

  return {
    append(header, record) {
      const line = `${JSON.stringify(record)}\n`
      if (waiting_bytes + line.length > WAITING_BYTES_MAX) return drop(1)
      const stream = streamOf(header)
      // New features (another version's signature) start a new segment: a file has one set of columns.
      if (
        stream.header.features !== header.features &&
        JSON.stringify(stream.header.features) !== JSON.stringify(header.features)
      ) {
        stream.header = { ...header, features: { ...stream.header.features, ...header.features } }
        const old = stream.segment
        stream.segment = undefined
        void old?.close().catch(() => undefined)
      }
      waiting_bytes += line.length
      stream.bytes += line.length
      stream.lines.push(line)
      arm()
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
        const { segment } = stream
        if (
          !segment ||
          !wants(stream.header, { size_bytes: segment.size_bytes, age_ms: clock.now() - stream.opened_ms })
        )
          continue
        await flushStream(stream)
        while (stream.flushing) await stream.flushing
        if (stream.segment !== segment) continue
        stream.segment = undefined
        await segment
          .sync()
          .catch((error: unknown) => log.error({ err: error }, 'a segment of predictions could not be synced'))
        await segment.close()
      }
    },
    tail(workspace, endpoint) {
      const segment = streams.get(nameOf({ workspace, endpoint }))?.segment
      return segment && { path: segment.path, size_bytes: segment.size_bytes }
    },
    isOpen: (path) => [...streams.values()].some((stream) => stream.segment?.path === path),
    get dropped() {
      return dropped
    },
    async close() {
      clearTimeout(timer)
      await flush()
      for (const stream of streams.values()) {
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
