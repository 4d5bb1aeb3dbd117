/** All runs of some experiments as blocks of columns: each experiment's sealed runs, and the loose ones together. */
import type { Sql } from '#kernel/store/index.ts'
import { allIn, groupBy } from '../../lists.ts'
import { countKeys, FRAME_COLUMNS, type FrameRow, readColumn } from './build.ts'
import type { Column, ColumnName, ListColumn, NumberColumn, TextColumn } from './column.ts'
import { readKeys } from './encode.ts'
import { type Sealed, sealedOf, trimSealed } from './sealed.ts'

/** Runs side by side; a place is an index into every column. Columns are loaded before they are asked for. */
export interface Block {
  readonly n: number
  /** What kept results are kept by; none for what is new with every query. */
  readonly identity: { of: object; dead: string } | undefined
  /** 0 where a place stands for no run any more. */
  readonly alive: Uint8Array | undefined
  load(sql: Sql, names: Iterable<ColumnName>): Promise<void>
  column(name: ColumnName): Column
  experimentAt(place: number): number
  /** The sealed segment that a place belongs to; undefined where the run may change. */
  segmentAt(place: number): number | undefined
  /** Where a run stands; -1 when it does not. */
  placeOf(run_key: number): number
  /** How many runs have each metric, param and tag; counts dead places too. */
  counts(sql: Sql): Promise<ReadonlyMap<ColumnName, number>>
}

export const numbers = (block: Block, name: ColumnName): NumberColumn => block.column(name) as NumberColumn
export const texts = (block: Block, name: ColumnName): TextColumn => block.column(name) as TextColumn
export const lists = (block: Block, name: ColumnName): ListColumn => block.column(name) as ListColumn

interface SegmentRow {
  segment: number
  experiment: number
  state: 'open' | 'sealed'
}

const FRAMES_MAX = 16
/** Of the newest version of the data that this thread has seen. */
const frames = { version: -1, blocks: new Map<string, Block[]>() }

/** The blocks of these experiments, as they are in this snapshot: the very same ones while nothing at all was written. */
export async function openFrame(sql: Sql, experiments: readonly number[]): Promise<Block[]> {
  trimSealed()
  if (!sql.version) return await readFrame(sql, experiments, false)
  const version = sql.version()
  if (frames.version !== version) {
    frames.version = version
    frames.blocks.clear()
  }
  const name = experiments.join()
  let blocks = frames.blocks.get(name)
  if (!blocks) {
    blocks = await readFrame(sql, experiments, true)
    if (frames.blocks.size >= FRAMES_MAX) frames.blocks.delete(frames.blocks.keys().next().value!)
    frames.blocks.set(name, blocks)
  }
  return blocks
}

async function readFrame(sql: Sql, experiments: readonly number[], stays: boolean): Promise<Block[]> {
  const segments = await allIn<SegmentRow>(
    sql,
    'SELECT segment, experiment, state FROM run_segment WHERE experiment IN',
    [],
    experiments,
  )
  const sealed = groupBy(
    segments.filter(({ state }) => state === 'sealed'),
    ({ experiment }) => experiment,
  )
  const blocks: Block[] = []
  if (sealed.size > 0) {
    const dead = groupBy(
      await allIn<{ experiment: number; segment: number; run_key: number }>(
        sql,
        'SELECT experiment, segment, run_key FROM run_segment_dead WHERE experiment IN',
        [],
        [...sealed.keys()],
      ),
      ({ experiment }) => experiment,
    )
    for (const [experiment, rows] of sealed) {
      const ids = rows.map(({ segment }) => segment).sort((a, b) => a - b)
      blocks.push(await sealedBlock(sql, await sealedOf(sql, experiment, ids), dead.get(experiment) ?? []))
    }
  }
  const open = segments.filter(({ state }) => state === 'open').map(({ segment }) => segment)
  const select = `SELECT ${FRAME_COLUMNS} FROM run r JOIN experiment e ON e.experiment = r.experiment WHERE`
  const rows = [
    ...(await allIn<FrameRow>(sql, `${select} r.segment IS NULL AND r.experiment IN`, [], experiments)),
    ...(open.length === 0 ? [] : await openRows(sql, select, open)),
  ]
  if (rows.length > 0) blocks.push(looseBlock(rows, stays))
  return blocks
}

/** Runs that are just being sealed: the keys stand in the segment, and a run that was changed since is among the loose. */
async function openRows(sql: Sql, select: string, segments: readonly number[]): Promise<FrameRow[]> {
  const rows: FrameRow[] = []
  const heads = await allIn<{ segment: number; head: Uint8Array }>(
    sql,
    'SELECT segment, head FROM run_segment WHERE segment IN',
    [],
    segments,
  )
  for (const { segment, head } of heads) {
    rows.push(...(await allIn<FrameRow>(sql, `${select} r.segment = ? AND r.run_key IN`, [segment], readKeys(head))))
  }
  return rows
}

async function sealedBlock(
  sql: Sql,
  sealed: Sealed,
  dead: readonly { segment: number; run_key: number }[],
): Promise<Block> {
  const columns = await sealed.load(sql, ['k'])
  let alive: Uint8Array | undefined
  // Those of one snapshot are a growing set, told apart by how many they are and their sum.
  let sum = 0
  if (dead.length > 0) {
    const keys = (columns.get('k') as NumberColumn).values
    alive = new Uint8Array(sealed.n).fill(1)
    for (const { segment, run_key } of dead) {
      sum += run_key
      const place = sealed.placeOf(segment, run_key, keys)
      if (place >= 0) alive[place] = 0
    }
  }
  return {
    n: sealed.n,
    identity: { of: sealed, dead: `${dead.length} ${sum}` },
    alive,
    async load(sql, names) {
      const wanted = [...names].filter((name) => !columns.has(name))
      for (const [name, column] of await sealed.load(sql, wanted)) columns.set(name, column)
    },
    column: (name) => found(columns, name),
    experimentAt: () => sealed.experiment,
    segmentAt: (place) => sealed.segmentAt(place),
    placeOf(run_key) {
      const place = sealed.placeOfRun(run_key, (columns.get('k') as NumberColumn).values)
      return place >= 0 && (!alive || alive[place] === 1) ? place : -1
    },
    counts: async () => sealed.counts,
  }
}

function looseBlock(rows: readonly FrameRow[], stays: boolean): Block {
  let places: Map<number, number> | undefined
  const columns = new Map<ColumnName, Column>()
  columns.set('k', {
    kind: 'number',
    values: Float64Array.from(rows, (row) => row.run_key),
    state: new Uint8Array(rows.length).fill(1),
  })
  return {
    n: rows.length,
    identity: stays ? { of: columns, dead: '' } : undefined,
    alive: undefined,
    async load(sql, names) {
      for (const name of new Set(names)) {
        if (!columns.has(name)) columns.set(name, await readColumn(sql, name, rows))
      }
    },
    column: (name) => found(columns, name),
    experimentAt: (place) => rows[place]!.experiment,
    segmentAt: () => undefined,
    placeOf(run_key) {
      places ??= new Map(rows.map((row, place) => [row.run_key, place]))
      return places.get(run_key) ?? -1
    },
    counts: (sql) => countKeys(sql, rows),
  }
}

function found(columns: ReadonlyMap<ColumnName, Column>, name: ColumnName): Column {
  const column = columns.get(name)
  if (!column) throw new Error(`column ${name} was not loaded`)
  return column
}
