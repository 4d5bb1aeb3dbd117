/** From segments to Parquet: sealing closed ones, and gathering many small files into few large ones. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { type Analytics, type FileSource, identifier } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Ids } from '#kernel/ids.ts'
import type { Log } from '#kernel/log.ts'
import { json, type Store, type Tx } from '#kernel/store/index.ts'
import { COLUMNS } from './record.ts'
import { readHeader, readSegment, type SegmentHeader } from './segment.ts'
import { type LogWriter, removeSegment, segmentsIn } from './writer.ts'

const TIMEOUT_MS = 120_000
/** Sealed files of an endpoint smaller than this are gathered once there are so many of them. */
const SMALL_BYTES = 16 * 1024 ** 2
const SMALL_COUNT = 64

export interface PlainLines {
  path: string
  header: SegmentHeader | undefined
  empty: boolean
  torn: boolean
}

export interface Sealer {
  /** Seals every segment that is not being written. What cannot be sealed now stays, and is tried again by the next call. */
  sealClosed(): Promise<void>
  /** Gathers endpoints' small files. */
  compact(): Promise<void>
  /** Segments of a workspace that no sealed file stands for yet, open ones included, with the bytes of them that are whole. */
  unsealed(
    workspace: string,
    endpoint?: string,
  ): Promise<{ path: string; endpoint: string; whole_bytes: number | undefined }[]>
  /** Copies the whole frames of a segment into plain lines. */
  lines(path: string, until?: number): Promise<PlainLines>
}

interface Sealed {
  workspace: string
  endpoint: string
  features: string[]
}

export async function createSealer(deps: {
  dir: string
  store: Pick<Store, 'write' | 'read'>
  blobs: Blobs
  analytics: Pick<Analytics, 'query' | 'copyTo'>
  clock: Clock
  ids: Ids
  log: Log
  writer: Pick<LogWriter, 'wholeBytes'>
  /** Small files of an endpoint that are gathered into one; 64 when left out. */
  small_count?: number
}): Promise<Sealer> {
  const { dir, store, blobs, analytics, clock, ids, log, writer } = deps
  const small_count = deps.small_count ?? SMALL_COUNT
  const scratch = join(dir, 'scratch')
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const headers = new Map<string, SegmentHeader>()
  let count = 0
  const scratchPath = (ending: string) => join(scratch, `${process.pid}-${count++}${ending}`)
  const isKnown = (id: string) =>
    store.read((sql) => sql.get('SELECT 1 AS one FROM prediction_segment WHERE id = ?', [id]))

  const lines: Sealer['lines'] = async (path, until) => {
    const to = scratchPath('.jsonl')
    const out = createWriteStream(to, { mode: 0o600 })
    const written = finished(out)
    // Whoever awaits it comes later: until then a failure must not be nobody's.
    written.catch(() => undefined)
    try {
      let empty = true
      const { header, torn } = await readSegment(
        path,
        async (payload) => {
          empty = false
          if (!out.write(payload))
            await Promise.race([new Promise<void>((resolve) => out.once('drain', resolve)), written])
        },
        until,
      )
      out.end()
      await written
      return { path: to, header, empty, torn }
    } catch (error) {
      out.destroy()
      await rm(to, { force: true })
      throw error
    }
  }

  /** Writes rows into a Parquet file of `blobs`, and its row into the store together with what `also` does. */
  const keep = async (
    id: string,
    sealed: Sealed,
    source: { sql: string; files: Record<string, FileSource> },
    also: (tx: Tx) => Promise<void>,
  ): Promise<void> => {
    const to = scratchPath('.parquet')
    try {
      await analytics.copyTo({ ...source, to, timeout_ms: TIMEOUT_MS })
      const { rows } = await analytics.query({
        sql: 'SELECT count(*), min(at_ms), max(at_ms), min(event_ms), max(event_ms) FROM rows',
        files: { rows: { files: [to], format: 'parquet' } },
      })
      const facts = rows[0] as number[]
      const blob = await blobs.putFile(to)
      await store.write(async (tx) => {
        await also(tx)
        await tx.run(
          `INSERT INTO prediction_segment (workspace, id, endpoint, digest, size_bytes, row_count, min_at_ms, max_at_ms, min_event_ms, max_event_ms, features, sealed_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO NOTHING`,
          [
            sealed.workspace,
            id,
            sealed.endpoint,
            blob.digest,
            blob.size_bytes,
            ...facts,
            json(sealed.features),
            clock.now(),
          ],
        )
      })
    } finally {
      await rm(to, { force: true })
    }
  }

  /** The row in the store comes before the segment goes: a crash between repeats the seal. */
  const sealOne = async (path: string): Promise<void> => {
    const id = basename(path, '.seg')
    if (await isKnown(id)) return removeSegment(path)
    const plain = await lines(path)
    try {
      if (plain.torn)
        log.warn({ segment: id }, 'a segment of predictions ended in a torn frame; what was whole is kept')
      if (!plain.header || plain.empty) return await removeSegment(path)
      const features = Object.keys(plain.header.features)
      await keep(
        id,
        { ...plain.header, features },
        {
          sql: `SELECT ${columnList(features)} FROM rows ORDER BY event_ms, id`,
          files: { rows: jsonSource([plain.path], plain.header.features) },
        },
        async () => undefined,
      )
      await removeSegment(path)
    } finally {
      headers.delete(path)
      await rm(plain.path, { force: true })
    }
  }

  const gather = async (workspace: string, endpoint: string): Promise<void> => {
    const small = await store.read((sql) =>
      sql.all<{ id: string; digest: string }>(
        'SELECT id, digest FROM prediction_segment WHERE workspace = ? AND endpoint = ? AND size_bytes < ? ORDER BY id LIMIT ?',
        [workspace, endpoint, SMALL_BYTES, small_count],
      ),
    )
    const lent = await Promise.all(small.map(({ digest }) => blobs.lend(digest)))
    try {
      const files: Record<string, FileSource> = { rows: { files: lent.map(({ path }) => path), format: 'parquet' } }
      const { columns } = await analytics.query({ sql: 'SELECT * FROM rows LIMIT 0', files })
      const features = columns.map(({ name }) => name).filter((name) => !(name in COLUMNS))
      await keep(
        ids.next('segment'),
        { workspace, endpoint, features: features.map((name) => name.slice('f_'.length)) },
        { sql: 'SELECT * FROM rows ORDER BY event_ms, id', files },
        async (tx) => {
          for (const { id } of small)
            await tx.run('DELETE FROM prediction_segment WHERE workspace = ? AND id = ?', [workspace, id])
        },
      )
    } finally {
      await Promise.all(lent.map((one) => one.done()))
    }
    // A crash before this leaves bytes that nothing names, never a name without bytes.
    for (const { digest } of small) await blobs.remove(digest)
  }

  return {
    lines,
    async sealClosed() {
      for (const path of await segmentsIn(dir)) {
        if (writer.wholeBytes(path) !== undefined) continue
        await sealOne(path).catch((error: unknown) =>
          log.error({ err: error, path }, 'a segment of predictions could not be sealed; it is tried again'),
        )
      }
    },
    async compact() {
      const many = await store.read((sql) =>
        sql.all<{ workspace: string; endpoint: string }>(
          'SELECT workspace, endpoint FROM prediction_segment WHERE size_bytes < ? GROUP BY workspace, endpoint HAVING count(*) >= ?',
          [SMALL_BYTES, small_count],
        ),
      )
      for (const { workspace, endpoint } of many)
        await gather(workspace, endpoint).catch((error: unknown) =>
          log.error({ err: error, endpoint }, 'small files of predictions could not be gathered; it is tried again'),
        )
    },
    async unsealed(workspace, endpoint) {
      const found = []
      for (const path of await segmentsIn(dir)) {
        const header = headers.get(path) ?? (await readHeader(path).catch(() => undefined))
        if (!header) continue
        headers.set(path, header)
        if (header.workspace !== workspace || (endpoint !== undefined && header.endpoint !== endpoint)) continue
        const whole_bytes = writer.wholeBytes(path)
        if (whole_bytes === undefined && (await isKnown(basename(path, '.seg')))) continue
        found.push({ path, endpoint: header.endpoint, whole_bytes })
      }
      return found
    },
  }
}

export function jsonSource(files: string[], features: Record<string, string>): FileSource {
  const struct = Object.entries(features).map(([name, type]) => `${identifier(name)} ${type}`)
  return {
    files,
    format: 'json',
    json: { types: { ...COLUMNS, ...(struct.length > 0 && { features: `STRUCT(${struct.join(', ')})` }) } },
  }
}

/** The columns of a sealed file, from rows of plain lines. */
export const columnList = (features: readonly string[]): string =>
  [
    ...Object.keys(COLUMNS).map(identifier),
    ...features.map((name) => `features.${identifier(name)} AS ${identifier(`f_${name}`)}`),
  ].join(', ')
