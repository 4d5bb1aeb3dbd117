/** The whole prediction log of a node: writing, sealing into Parquet, and handing out what to read. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Analytics, FileSource, Cell as ResultCell } from '#kernel/analytics/index.ts'
import { identifier } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { type Ids, timeOfId } from '#kernel/ids.ts'
import type { Log } from '#kernel/log.ts'
import { json, parseJson, type Sql, type Store } from '#kernel/store/index.ts'
import { COLUMNS, type PredictionRecord } from './record.ts'
import { readSegment, type SegmentHeader } from './segment.ts'
import { createLogWriter, type LogWriter, removeSegment, SEAL_BYTES, SEAL_MS, segmentsIn } from './writer.ts'

/** A tail larger than this is sealed before it is read. */
const TAIL_BYTES_MAX = 8 * 1024 ** 2

export interface PredictionFiles {
  /** Sources for one `analytics` call: sealed files and the tail, each with the same columns where they have them. */
  sources: Record<string, FileSource>
  /** A FROM clause over all of them: `SELECT … FROM ${from}`. Columns: those of the record, features as `f_<name>`. Undefined: no predictions. */
  from: string | undefined
  /** Feature columns that any of the files has. */
  features: string[]
  done(): Promise<void>
}

export interface PredictionLog {
  readonly writer: Pick<LogWriter, 'append' | 'durable' | 'dropped' | 'flush'>
  /** What to read for event times in [from_ms, to_ms). */
  files(workspace: string, endpoint: string, range?: { from_ms?: number; to_ms?: number }): Promise<PredictionFiles>
  /** The row with this id (`prd_…` means its row 0), or undefined. */
  find(workspace: string, id: string): Promise<(PredictionRecord & { endpoint: string }) | undefined>
  /** Newest rows, newest first; at most 1,000. */
  recent(workspace: string, endpoint: string, limit: number): Promise<PredictionRecord[]>
  /** Seals every segment that is closed, full or old; `all` also those in use. */
  seal(all?: boolean): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

interface SegmentRow {
  id: string
  endpoint: string
  digest: string
  features: string
}

export async function createPredictionLog(deps: {
  dir: string
  interval_ms: number
  store: Pick<Store, 'write' | 'read'>
  blobs: Blobs
  analytics: Analytics
  clock: Clock
  ids: Ids
  log: Log
  onDrop?: (rows: number) => void
}): Promise<PredictionLog> {
  const { dir, store, blobs, analytics, clock, log } = deps
  const scratch = join(dir, 'scratch')
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const writer = await createLogWriter({ ...deps, interval_ms: deps.interval_ms })
  let sealing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let count = 0
  const scratchPath = (ending: string) => join(scratch, `${process.pid}-${count++}${ending}`)

  /** Copies the whole frames of a segment into plain lines. */
  const lines = async (
    path: string,
    until?: number,
  ): Promise<{ path: string; header: SegmentHeader; empty: boolean; torn: boolean }> => {
    const to = scratchPath('.jsonl')
    const out = createWriteStream(to, { mode: 0o600 })
    let empty = true
    const { header, torn } = await readSegment(
      path,
      async (payload) => {
        empty = false
        if (!out.write(payload)) await new Promise((resolve) => out.once('drain', resolve))
      },
      until,
    )
    out.end()
    await finished(out)
    return { path: to, header, empty, torn }
  }

  /** One segment into one Parquet file, its row in the store, and only then the segment away: a crash between repeats the seal. */
  const sealOne = async (path: string): Promise<void> => {
    const id = path.slice(path.lastIndexOf('/') + 1, -'.seg'.length)
    const known = await store.read((sql) => sql.get('SELECT 1 AS one FROM prediction_segment WHERE id = ?', [id]))
    if (known) return removeSegment(path)
    const plain = await lines(path)
    const to = scratchPath('.parquet')
    try {
      if (plain.torn)
        log.warn({ segment: id }, 'a segment of predictions ended in a torn frame; what was whole is kept')
      if (plain.empty) return await removeSegment(path)
      const source = jsonSource([plain.path], plain.header.features)
      const features = Object.keys(plain.header.features)
      await analytics.copyTo({
        sql: `SELECT ${columnList(features)} FROM rows ORDER BY event_ms, id`,
        files: { rows: source },
        to,
        timeout_ms: 120_000,
      })
      const { rows } = await analytics.query({
        sql: 'SELECT count(*), min(at_ms), max(at_ms), min(event_ms), max(event_ms) FROM rows',
        files: { rows: { files: [to], format: 'parquet' } },
      })
      const [row_count, min_at, max_at, min_event, max_event] = rows[0] as number[]
      const blob = await blobs.putFile(to)
      await store.write((tx) =>
        tx.run(
          `INSERT INTO prediction_segment (workspace, id, endpoint, digest, size_bytes, row_count, min_at_ms, max_at_ms, min_event_ms, max_event_ms, features, sealed_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO NOTHING`,
          [
            plain.header.workspace,
            id,
            plain.header.endpoint,
            blob.digest,
            blob.size_bytes,
            row_count!,
            min_at!,
            max_at!,
            min_event!,
            max_event!,
            json(features),
            clock.now(),
          ],
        ),
      )
      await removeSegment(path)
    } finally {
      await Promise.all([rm(plain.path, { force: true }), rm(to, { force: true })])
    }
  }

  const sealClosed = async () => {
    for (const path of await segmentsIn(dir)) {
      if (writer.isOpen(path)) continue
      await sealOne(path).catch((error: unknown) =>
        log.error({ err: error, path }, 'a segment of predictions could not be sealed; it is tried again'),
      )
    }
  }
  const seal = (wants: Parameters<LogWriter['rotate']>[0]): Promise<void> => {
    sealing = sealing.then(async () => {
      await writer.rotate(wants)
      await sealClosed()
    })
    return sealing
  }

  const sealed = (sql: Sql, workspace: string, endpoint: string, from_ms: number, to_ms: number) =>
    sql.all<SegmentRow>(
      'SELECT id, endpoint, digest, features FROM prediction_segment WHERE workspace = ? AND endpoint = ? AND max_event_ms >= ? AND min_event_ms < ? ORDER BY min_event_ms LIMIT 10000',
      [workspace, endpoint, from_ms, to_ms],
    )

  const open = async (
    rows: readonly SegmentRow[],
    tail: { path: string; size_bytes: number } | undefined,
    filter: string,
  ): Promise<PredictionFiles> => {
    const lent = await Promise.all(rows.map((row) => blobs.lend(row.digest)))
    const features = new Set(rows.flatMap((row) => parseJson<string[]>(row.features, [])))
    const sources: Record<string, FileSource> = {}
    const parts: string[] = []
    if (lent.length > 0) {
      sources.sealed = { files: lent.map(({ path }) => path), format: 'parquet' }
      parts.push('sealed')
    }
    let plain: Awaited<ReturnType<typeof lines>> | undefined
    if (tail) {
      plain = await lines(tail.path, tail.size_bytes)
      if (!plain.empty) {
        const names = Object.keys(plain.header.features)
        for (const name of names) features.add(name)
        sources.tail_rows = jsonSource([plain.path], plain.header.features)
        parts.push(`(SELECT ${columnList(names)} FROM tail_rows)`)
      }
    }
    const union = parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL BY NAME ')
    return {
      sources,
      from: parts.length === 0 ? undefined : `(SELECT * FROM (${union}) WHERE ${filter})`,
      features: [...features],
      async done() {
        await Promise.all(lent.map((one) => one.done()))
        if (plain) await rm(plain.path, { force: true })
      },
    }
  }

  const files: PredictionLog['files'] = async (
    workspace,
    endpoint,
    { from_ms = 0, to_ms = Number.MAX_SAFE_INTEGER } = {},
  ) => {
    await writer.flush()
    if ((writer.tail(workspace, endpoint)?.size_bytes ?? 0) > TAIL_BYTES_MAX)
      await seal((header) => header.workspace === workspace && header.endpoint === endpoint)
    // A seal in between would move rows from the tail into a file: wait for it, and hold the next one off while we look.
    const held = sealing.then(async () => {
      const tail = writer.tail(workspace, endpoint)
      const rows = await store.read((sql) => sealed(sql, workspace, endpoint, from_ms, to_ms))
      return open(rows, tail, `event_ms >= ${from_ms} AND event_ms < ${to_ms}`)
    })
    sealing = held.then(
      () => undefined,
      () => undefined,
    )
    return held
  }

  /** Runs one SELECT over the segments that may hold rows answered around `at_ms`. */
  const near = async (
    workspace: string,
    at_ms: number,
    sqlOf: (from: string) => string,
  ): Promise<{ row: Record<string, ResultCell>; endpoint: string } | undefined> => {
    await writer.flush()
    await sealing
    const rows = await store.read((sql) =>
      sql.all<SegmentRow>(
        'SELECT id, endpoint, digest, features FROM prediction_segment WHERE workspace = ? AND max_at_ms >= ? AND min_at_ms <= ? ORDER BY endpoint LIMIT 1000',
        [workspace, at_ms - 1000, at_ms + 10 * 60_000],
      ),
    )
    const endpoints = new Set([...rows.map((row) => row.endpoint), ...(await openEndpoints(workspace))])
    for (const endpoint of endpoints) {
      const found = await open(
        rows.filter((row) => row.endpoint === endpoint),
        writer.tail(workspace, endpoint),
        'true',
      )
      try {
        if (!found.from) continue
        const { columns, rows: hits } = await analytics.query({
          sql: sqlOf(found.from),
          files: found.sources,
          rows_max: 1,
        })
        if (hits[0]) return { row: Object.fromEntries(columns.map(({ name }, at) => [name, hits[0]![at]!])), endpoint }
      } finally {
        await found.done()
      }
    }
    return undefined
  }

  const openEndpoints = async (workspace: string): Promise<string[]> => {
    const all = await store.read((sql) =>
      sql.all<{ name: string }>('SELECT name FROM endpoint WHERE workspace = ?', [workspace]),
    )
    return all.map(({ name }) => name).filter((name) => writer.tail(workspace, name))
  }

  return {
    writer,
    files,
    async find(workspace, id) {
      const row = id.includes('.') ? id : `${id}.0`
      const at_ms = timeOfId(id)
      // The id is checked here because it stands in the SQL: `prd_`, 32 hex digits, a row number.
      if (at_ms === undefined || !/^prd_[0-9a-f]{32}\.\d{1,6}$/.test(row)) return undefined
      const found = await near(workspace, at_ms, (from) => `SELECT * FROM ${from} WHERE id = '${row}' LIMIT 1`)
      return found && { ...recordOf(found.row), endpoint: found.endpoint }
    },
    async recent(workspace, endpoint, limit) {
      const found = await files(workspace, endpoint)
      try {
        if (!found.from) return []
        const { columns, rows } = await analytics.query({
          sql: `SELECT * FROM ${found.from} ORDER BY id DESC LIMIT ${Math.min(1000, Math.max(1, Math.trunc(limit)))}`,
          files: found.sources,
        })
        return rows.map((row) => recordOf(Object.fromEntries(columns.map(({ name }, at) => [name, row[at]!]))))
      } finally {
        await found.done()
      }
    },
    seal: (all = false) => seal((_, facts) => all || facts.size_bytes >= SEAL_BYTES || facts.age_ms >= SEAL_MS),
    async start() {
      // Segments of a process that is gone: whatever is whole in them becomes Parquet now.
      void seal(() => false)
      timer = setInterval(
        () => void seal((_, facts) => facts.size_bytes >= SEAL_BYTES || facts.age_ms >= SEAL_MS),
        5000,
      )
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      await writer.flush()
      await seal(() => true)
      await writer.close()
    },
  }
}

function jsonSource(files: string[], features: Record<string, string>): FileSource {
  const struct = Object.entries(features).map(([name, type]) => `${identifier(name)} ${type}`)
  return {
    files,
    format: 'json',
    json: { types: { ...COLUMNS, ...(struct.length > 0 && { features: `STRUCT(${struct.join(', ')})` }) } },
  }
}

const columnList = (features: readonly string[]): string =>
  [
    ...Object.keys(COLUMNS).map(identifier),
    ...features.map((name) => `features.${identifier(name)} AS ${identifier(`f_${name}`)}`),
  ].join(', ')

function recordOf(row: Record<string, ResultCell>): PredictionRecord {
  const features: Record<string, ResultCell> = {}
  const record: Record<string, unknown> = { features }
  for (const [name, value] of Object.entries(row)) {
    if (name.startsWith('f_') && !(name in COLUMNS)) features[name.slice(2)] = value
    else record[name] = value
  }
  return record as unknown as PredictionRecord
}
