/** The whole prediction log of a node: writing, sealing into Parquet, and handing out what to read. */
import { rm } from 'node:fs/promises'
import type { Analytics, FileSource, Cell as ResultCell } from '#kernel/analytics/index.ts'
import { identifier } from '#kernel/analytics/index.ts'
import type { Blobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { DomainError } from '#kernel/errors.ts'
import { type Ids, timeOfId } from '#kernel/ids.ts'
import type { Log } from '#kernel/log.ts'
import { parseJson, type Store } from '#kernel/store/index.ts'
import { COLUMNS, type PredictionRecord } from './record.ts'
import { columnList, createSealer, jsonSource, type PlainLines } from './seal.ts'
import { createLogWriter, type LogWriter, SEAL_BYTES, SEAL_MS } from './writer.ts'

/** A tail larger than this is sealed before it is read. */
const TAIL_BYTES_MAX = 8 * 1024 ** 2
const SEAL_EVERY_MS = 5000
/** Files that one call may read: the limit of `analytics`. Small ones are gathered long before. */
const FILES_MAX = 9000
/** How far the time in an id may lie from the time in its row: a clock that was set back. */
const NEAR_MS = 60_000

export interface PredictionFiles {
  /** Sources for one `analytics` call: sealed files and the tail, each with the same columns where they have them. */
  sources: Record<string, FileSource>
  /** A FROM clause over all of them: `SELECT … FROM ${from}`. Columns: those of the record, features as `f_<name>`. Undefined: no predictions. */
  from: string | undefined
  /** Feature columns that any of the files has. */
  features: string[]
  done(): Promise<void>
}

export interface PredictionRange {
  from_ms?: number
  to_ms?: number
  since_ms?: number
}

export interface PredictionLog {
  readonly writer: Pick<LogWriter, 'append' | 'durable' | 'dropped' | 'flush'>
  /** What to read for event times in [from_ms, to_ms), answered at `since_ms` of the wall clock or later. */
  files(workspace: string, endpoint: string, range?: PredictionRange): Promise<PredictionFiles>
  /** The row with this id (`prd_…` means its row 0), or undefined. */
  find(workspace: string, id: string): Promise<(PredictionRecord & { endpoint: string }) | undefined>
  /** Newest rows, newest first; at most 1,000. */
  recent(
    workspace: string,
    endpoint: string,
    limit: number,
    range?: Pick<PredictionRange, 'since_ms'>,
  ): Promise<PredictionRecord[]>
  /** Seals every segment that is closed, full or old; `all` also those in use. */
  seal(all?: boolean): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

interface SegmentRow {
  endpoint: string
  digest: string
  features: string
}

export async function createPredictionLog(deps: {
  dir: string
  interval_ms: number
  store: Pick<Store, 'write' | 'read'>
  blobs: Blobs
  analytics: Pick<Analytics, 'query' | 'copyTo'>
  clock: Clock
  ids: Ids
  log: Log
  onDrop?: (rows: number) => void
  small_count?: number
}): Promise<PredictionLog> {
  const { store, blobs, analytics, log } = deps
  const writer = await createLogWriter(deps)
  const sealer = await createSealer({ ...deps, writer })
  let timer: NodeJS.Timeout | undefined
  let busy: Promise<unknown> = Promise.resolve()

  /** One at a time: a seal moves rows from a segment into a file, and a reader must not look between. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = busy.then(work)
    busy = done.catch(() => undefined)
    return done
  }

  const isDue: Parameters<LogWriter['rotate']>[0] = (_, facts) =>
    facts.size_bytes >= SEAL_BYTES || facts.age_ms >= SEAL_MS
  const seal = (wants: Parameters<LogWriter['rotate']>[0]): Promise<void> =>
    alone(async () => {
      await writer.rotate(wants)
      await sealer.sealClosed()
      await sealer.compact()
    })

  /** Lends files and copies tails; runs within `alone`. */
  const open = async (
    rows: readonly SegmentRow[],
    tails: readonly { path: string; whole_bytes: number | undefined }[],
    filter: string,
  ): Promise<PredictionFiles> => {
    if (rows.length > FILES_MAX)
      throw new DomainError('too-large', `the log holds more than ${FILES_MAX} files for this time`, {
        remedy: 'Ask for a shorter time.',
      })
    const lent: { path: string; done(): Promise<void> }[] = []
    const plain: PlainLines[] = []
    const done = async () => {
      await Promise.all([...lent.map((one) => one.done()), ...plain.map(({ path }) => rm(path, { force: true }))])
    }
    try {
      for (const { digest } of rows) lent.push(await blobs.lend(digest))
      for (const { path, whole_bytes } of tails) plain.push(await sealer.lines(path, whole_bytes))
    } catch (error) {
      await done()
      throw error
    }
    const features = new Set(rows.flatMap((row) => parseJson<string[]>(row.features, [])))
    const sources: Record<string, FileSource> = {}
    const parts: string[] = []
    if (lent.length > 0) {
      sources.sealed = { files: lent.map(({ path }) => path), format: 'parquet' }
      parts.push('sealed')
    }
    for (const [at, { path, header, empty }] of plain.entries()) {
      if (empty || !header) continue
      const names = Object.keys(header.features)
      for (const name of names) features.add(name)
      sources[`tail_${at}`] = jsonSource([path], header.features)
      parts.push(`(SELECT ${columnList(names)} FROM ${identifier(`tail_${at}`)})`)
    }
    const union = parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL BY NAME ')
    return {
      sources,
      from: parts.length === 0 ? undefined : `(SELECT * FROM (${union}) WHERE ${filter})`,
      features: [...features],
      done,
    }
  }

  const files: PredictionLog['files'] = async (
    workspace,
    endpoint,
    { from_ms = 0, to_ms = Number.MAX_SAFE_INTEGER, since_ms = 0 } = {},
  ) => {
    await writer.flush()
    const waiting = await sealer.unsealed(workspace, endpoint)
    if (waiting.reduce((sum, { whole_bytes }) => sum + (whole_bytes ?? 0), 0) > TAIL_BYTES_MAX)
      await seal((header) => header.workspace === workspace && header.endpoint === endpoint)
    return alone(async () => {
      const tails = await sealer.unsealed(workspace, endpoint)
      const rows = await store.read((sql) =>
        sql.all<SegmentRow>(
          'SELECT endpoint, digest, features FROM prediction_segment WHERE workspace = ? AND endpoint = ? AND max_event_ms >= ? AND min_event_ms < ? AND max_at_ms >= ? ORDER BY min_event_ms LIMIT ?',
          [workspace, endpoint, from_ms, to_ms, since_ms, FILES_MAX + 1],
        ),
      )
      return open(rows, tails, `event_ms >= ${from_ms} AND event_ms < ${to_ms} AND at_ms >= ${since_ms}`)
    })
  }

  /** Per endpoint, what may hold rows answered around `at_ms`. */
  const near = (workspace: string, at_ms: number): Promise<{ endpoint: string; found: PredictionFiles }[]> =>
    alone(async () => {
      const tails = await sealer.unsealed(workspace)
      const rows = await store.read((sql) =>
        sql.all<SegmentRow>(
          'SELECT endpoint, digest, features FROM prediction_segment WHERE workspace = ? AND max_at_ms >= ? AND min_at_ms <= ? ORDER BY endpoint LIMIT ?',
          [workspace, at_ms - NEAR_MS, at_ms + NEAR_MS, FILES_MAX],
        ),
      )
      const opened: { endpoint: string; found: PredictionFiles }[] = []
      for (const endpoint of new Set([...tails, ...rows].map((one) => one.endpoint))) {
        const mine = (one: { endpoint: string }) => one.endpoint === endpoint
        opened.push({ endpoint, found: await open(rows.filter(mine), tails.filter(mine), 'true') })
      }
      return opened
    })

  const find: PredictionLog['find'] = async (workspace, id) => {
    const row = id.includes('.') ? id : `${id}.0`
    const at_ms = timeOfId(id)
    // The id is checked here because it stands in the SQL: `prd_`, 32 hex digits, a row number.
    if (at_ms === undefined || !/^prd_[0-9a-f]{32}\.\d{1,6}$/.test(row)) return undefined
    await writer.flush()
    const opened = await near(workspace, at_ms)
    try {
      for (const { endpoint, found } of opened) {
        if (!found.from) continue
        const { columns, rows } = await analytics.query({
          sql: `SELECT * FROM ${found.from} WHERE id = '${row}' LIMIT 1`,
          files: found.sources,
          rows_max: 1,
        })
        if (rows[0]) return { ...recordOf(columns, rows[0]), endpoint }
      }
      return undefined
    } finally {
      await Promise.all(opened.map(({ found }) => found.done()))
    }
  }

  return {
    writer,
    files,
    find,
    async recent(workspace, endpoint, limit, range) {
      const found = await files(workspace, endpoint, range)
      try {
        if (!found.from) return []
        const { columns, rows } = await analytics.query({
          sql: `SELECT * FROM ${found.from} ORDER BY id DESC LIMIT ${Math.min(1000, Math.max(1, Math.trunc(limit)))}`,
          files: found.sources,
        })
        return rows.map((row) => recordOf(columns, row))
      } finally {
        await found.done()
      }
    },
    seal: (all = false) => seal((header, facts) => all || isDue(header, facts)),
    async start() {
      const due = () =>
        void seal(isDue).catch((error: unknown) => log.error({ err: error }, 'predictions could not be sealed'))
      // Segments of a process that is gone: whatever is whole in them becomes Parquet now.
      due()
      timer = setInterval(due, SEAL_EVERY_MS)
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

function recordOf(columns: readonly { name: string }[], row: readonly ResultCell[]): PredictionRecord {
  const features: Record<string, ResultCell> = {}
  const record: Record<string, unknown> = { features }
  for (const [at, { name }] of columns.entries()) {
    if (name.startsWith('f_') && !(name in COLUMNS)) features[name.slice(2)] = row[at]!
    else record[name] = row[at]!
  }
  return record as unknown as PredictionRecord
}
