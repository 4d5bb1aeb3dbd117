/**
 * Sealing runs into segments, in steps that others may come between: `openSegment` takes loose runs, `packSegment` reads
 * them beside the database, `sealSegment` puts the columns in. A run that is changed meanwhile is loose again.
 */
import type { Sql, Tx } from '#kernel/store/index.ts'
import { allIn, insertMany } from '../../lists.ts'
import { FRAME_COLUMNS, type FrameRow, readAllColumns } from './build.ts'
import { emptyColumn, type NumberColumn } from './column.ts'
import { decodeNumbers, packColumns, packKeys, readHead, readKeys, unpackPage } from './encode.ts'
import { PAGES_MAX, pageKey } from './sealed.ts'

export interface LooseRuns {
  experiment: number
  runs: number
}

/** Experiments with loose runs, those with most first. */
export async function looseRuns(sql: Sql, ask: { least: number; most: number }): Promise<LooseRuns[]> {
  const rows = await sql.all<LooseRuns>(
    `SELECT experiment, count(*) AS runs FROM run WHERE segment IS NULL
     GROUP BY experiment HAVING count(*) >= ? ORDER BY count(*) DESC, experiment LIMIT ?`,
    [ask.least, ask.most],
  )
  return rows.map(({ experiment, runs }) => ({ experiment, runs: Number(runs) }))
}

/** Whether the loose runs of an experiment have as many metrics, params and tags together. */
export async function looseCells(sql: Sql, ask: { experiment: number; least: number }): Promise<boolean> {
  let cells = 0
  for (const table of ['run_metric', 'run_param', 'run_tag']) {
    const counted = await sql.get<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT 1 AS one FROM run r JOIN ${table} c ON c.run_key = r.run_key
       WHERE r.experiment = ? AND r.segment IS NULL LIMIT ?) AS counted`,
      [ask.experiment, ask.least],
    )
    cells += Number(counted!.n)
  }
  return cells >= ask.least
}

/** Segments of which more than a share are dead, and open ones that nobody has sealed since. */
export async function wornSegments(sql: Sql, ask: { dead_share: number; opened_before_ms: number }): Promise<number[]> {
  const dead = await sql.all<{ segment: number }>(
    `SELECT s.segment FROM run_segment s
     JOIN (SELECT segment, count(*) AS n FROM run_segment_dead GROUP BY segment) d ON d.segment = s.segment
     WHERE d.n > s.runs * CAST(? AS REAL) LIMIT 20`,
    [ask.dead_share],
  )
  const left = await sql.all<{ segment: number }>(
    `SELECT segment FROM run_segment WHERE state = 'open' AND opened_ms < ? LIMIT 20`,
    [ask.opened_before_ms],
  )
  return [...dead, ...left].map(({ segment }) => segment)
}

export interface OpenSegment {
  experiment: number
  runs_max: number
  now_ms: number
  /** PostgreSQL: runs that somebody is changing are left for later. */
  skip_locked: boolean
}

/** Takes loose runs of an experiment, oldest first. Undefined when there are none. */
export async function openSegment(tx: Tx, input: OpenSegment): Promise<{ segment: number } | undefined> {
  await tx.lock('seal', String(input.experiment))
  const rows = await tx.all<{ run_key: number }>(
    `SELECT run_key FROM run WHERE experiment = ? AND segment IS NULL ORDER BY run_key LIMIT ?
     ${input.skip_locked ? 'FOR UPDATE SKIP LOCKED' : ''}`,
    [input.experiment, input.runs_max],
  )
  if (rows.length === 0) return undefined
  const keys = rows.map(({ run_key }) => run_key)
  const made = await tx.get<{ segment: number }>(
    `INSERT INTO run_segment (experiment, state, runs, opened_ms, head) VALUES (?, 'open', ?, ?, ?) RETURNING segment`,
    [input.experiment, keys.length, input.now_ms, packKeys(keys)],
  )
  await mark(tx, keys, 'UPDATE run SET segment = ? WHERE segment IS NULL AND run_key IN', [made!.segment])
  return { segment: made!.segment }
}

async function mark(tx: Tx, keys: readonly number[], text: string, before: readonly number[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 512) {
    const some = keys.slice(at, at + 512)
    await tx.run(`${text} (${some.map(() => '?').join(', ')})`, [...before, ...some])
  }
}

export interface PackedSegment {
  segment: number
  runs: number
  /** Of the last run that is in it; those after it are left for another. */
  last_key: number
  head: Uint8Array
  /** The pages one after another, and how long each is. */
  body: Uint8Array
  sizes: number[]
}

/** The columns of an open segment. Undefined when none of its runs is left. */
export async function packSegment(
  sql: Sql,
  ask: { segment: number; cells_max: number },
): Promise<PackedSegment | undefined> {
  const { segment } = ask
  const open = await sql.get<{ head: Uint8Array }>(
    `SELECT head FROM run_segment WHERE segment = ? AND state = 'open'`,
    [segment],
  )
  if (!open) return undefined
  const rows = await allIn<FrameRow>(
    sql,
    `SELECT ${FRAME_COLUMNS} FROM run r JOIN experiment e ON e.experiment = r.experiment
     WHERE r.segment = ? AND r.run_key IN`,
    [segment],
    readKeys(open.head),
  )
  if (rows.length === 0) return undefined
  rows.sort((a, b) => a.run_key - b.run_key)
  const { runs, columns } = await readAllColumns(sql, rows, ask.cells_max)
  const { head, pages } = packColumns(runs, columns)
  if (pages.length >= PAGES_MAX) throw new Error(`segment ${segment} has too many pages`)
  return {
    segment,
    runs,
    last_key: rows[runs - 1]!.run_key,
    head,
    body: Buffer.concat(pages),
    sizes: pages.map((page) => page.length),
  }
}

/** Puts the columns of an open segment in. Does nothing when it is not open any more. */
export async function sealSegment(tx: Tx, packed: PackedSegment): Promise<void> {
  const { segment, last_key } = packed
  const open = await tx.get<{ head: Uint8Array }>(`SELECT head FROM run_segment WHERE segment = ? AND state = 'open'`, [
    segment,
  ])
  if (!open) return
  let from = 0
  const rows = packed.sizes.map((size, page) => {
    const body = packed.body.subarray(from, from + size)
    from += size
    return [pageKey(segment, page), segment, body]
  })
  await insertMany(tx, 'run_segment_page (page_key, segment, body)', rows)
  const left = readKeys(open.head).filter((key) => key > last_key)
  await mark(tx, left, 'UPDATE run SET segment = NULL WHERE segment = ? AND run_key IN', [segment])
  await tx.run('DELETE FROM run_segment_dead WHERE segment = ? AND run_key > ?', [segment, last_key])
  await tx.run(`UPDATE run_segment SET state = 'sealed', runs = ?, head = ? WHERE segment = ?`, [
    packed.runs,
    packed.head,
    segment,
  ])
}

/** Lets the runs of a segment loose again, and forgets it. */
export async function dropSegment(tx: Tx, { segment }: { segment: number }): Promise<void> {
  const found = await tx.get<{ state: string; head: Uint8Array }>(
    'SELECT state, head FROM run_segment WHERE segment = ?',
    [segment],
  )
  if (!found) return
  const keys = found.state === 'open' ? readKeys(found.head) : await sealedKeys(tx, segment, found.head)
  // First, so that no place of it is noted as dead.
  await tx.run('DELETE FROM run_segment WHERE segment = ?', [segment])
  await mark(tx, keys, 'UPDATE run SET segment = NULL WHERE segment = ? AND run_key IN', [segment])
}

/** Before all runs of an experiment change at once: cheaper than noting each of their places as dead. */
export async function loosenExperiment(tx: Tx, experiment: number): Promise<void> {
  await tx.run('DELETE FROM run_segment WHERE experiment = ?', [experiment])
  await tx.run('UPDATE run SET segment = NULL WHERE experiment = ? AND segment IS NOT NULL', [experiment])
}

async function sealedKeys(tx: Tx, segment: number, bytes: Uint8Array): Promise<number[]> {
  const head = readHead(bytes)
  const [page, offset, length] = head.columns.get('k')!
  const row = await tx.get<{ body: Uint8Array }>('SELECT body FROM run_segment_page WHERE page_key = ?', [
    pageKey(segment, page),
  ])
  const column = emptyColumn('number', head.runs) as NumberColumn
  decodeNumbers(unpackPage(row!.body).slice(offset, offset + length), head.runs, column, 0)
  return Array.from(column.values)
}
