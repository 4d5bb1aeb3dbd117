import { invalid } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { isLonger } from '../checks.ts'
import { findExperimentByName } from '../experiment-rows.ts'
import { allIn, insertMany } from '../lists.ts'
import { dropFromStep } from '../metrics/drop.ts'
import { isEnded, type KeyValue } from '../model.ts'
import { mustFindRun, type RunRow } from '../run-rows.ts'
import type { Tracking } from '../tracking.ts'
import {
  BOARD_LIMITS,
  type BoardFile,
  type BoardPart,
  type BoardRecord,
  type BoardSource,
  type BoardTaken,
} from './model.ts'

type Needs = Pick<Tracking, 'createExperiment' | 'createRun' | 'updateRun' | 'logBatch'>

/** As many as one batch of MLflow's may hold. */
const BATCH_METRICS = 1000
const BATCH_PARAMS = 100

const experimentOf = (sql: Sql, workspace: string, name: string) => findExperimentByName(sql, workspace, name)

/** Files of an experiment's log folder, as far as they are taken in. */
export async function boardSources(sql: Sql, workspace: string, experiment: string): Promise<BoardSource[]> {
  const found = await experimentOf(sql, workspace, experiment)
  if (!found) return []
  return await sql.all<BoardSource>(
    'SELECT folder, file, run_id, taken_bytes, damage FROM board_source WHERE experiment = ? ORDER BY folder, file LIMIT ?',
    [found.experiment, BOARD_LIMITS.files],
  )
}

/** Where a file's reader stands; undefined before its first bytes. */
export async function boardPlace(
  sql: Sql,
  workspace: string,
  { experiment, folder, file }: BoardFile,
): Promise<(BoardTaken & { damage: string | null }) | undefined> {
  const found = await experimentOf(sql, workspace, experiment)
  if (!found) return undefined
  return await sql.get<BoardTaken & { damage: string | null }>(
    'SELECT run_id, taken_bytes, memory, damage FROM board_source WHERE experiment = ? AND folder = ? AND file = ?',
    [found.experiment, folder, file],
  )
}

export function checkBoardFile({ experiment, folder, file }: BoardFile): void {
  if (experiment === '') throw invalid('the experiment has no name', { field: 'experiment' })
  for (const [field, value, most] of [
    ['folder', folder, BOARD_LIMITS.folder_chars],
    ['file', file, BOARD_LIMITS.file_chars],
  ] as const) {
    if (value === '' || isLonger(value, most) || value.includes('\0'))
      throw invalid(`'${field}' has 1 to ${most} characters`, { field })
  }
}

/**
 * Takes in a part of a file, once: it answers where the file stands, and has changed nothing when that is not where the part
 * begins. All files of a folder make one run.
 */
export async function appendBoard(tracking: Needs, tx: Tx, who: Who, part: BoardPart): Promise<BoardTaken> {
  checkBoardFile(part)
  const { workspace } = who
  await tx.lock('board', workspace, part.experiment)
  const experiment = await ensureExperiment(tracking, tx, who, part.experiment)
  const before = await boardPlace(tx, workspace, part)
  if ((before?.taken_bytes ?? 0) !== part.from)
    return { run_id: before?.run_id ?? '', taken_bytes: before?.taken_bytes ?? 0, memory: before?.memory ?? '' }
  const run = await ensureRun(tracking, tx, who, experiment, part)
  const { run_id } = run
  if (part.restart_at !== undefined) {
    await dropFromStep(tx, run.run_key, part.restart_at)
    await tx.run('DELETE FROM board_record WHERE run_key = ? AND step >= ?', [run.run_key, part.restart_at])
  }
  for (let at = 0; at < part.metrics.length; at += BATCH_METRICS)
    await tracking.logBatch(tx, who, run_id, { metrics: part.metrics.slice(at, at + BATCH_METRICS) })
  const params = await newParams(tx, run, part.params)
  for (let at = 0; at < params.length; at += BATCH_PARAMS)
    await tracking.logBatch(tx, who, run_id, { params: params.slice(at, at + BATCH_PARAMS) })
  await putRecords(tx, run.run_key, part.records)
  if (part.status && isEnded(part.status))
    await tracking.updateRun(tx, who, run_id, { status: part.status, ...(part.span_ms && { end_ms: part.span_ms[1] }) })
  await tx.run(
    `INSERT INTO board_source (experiment, folder, file, run_id, taken_bytes, memory, damage) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (experiment, folder, file)
     DO UPDATE SET taken_bytes = excluded.taken_bytes, memory = excluded.memory, damage = excluded.damage`,
    [experiment, part.folder, part.file, run_id, part.to, part.memory, part.damage ?? null],
  )
  return { run_id, taken_bytes: part.to, memory: part.memory }
}

const boardRun = (sql: Sql, experiment: number, folder: string) =>
  sql.get<{ run_id: string }>('SELECT run_id FROM board_source WHERE experiment = ? AND folder = ? LIMIT 1', [
    experiment,
    folder,
  ])

async function ensureExperiment(tracking: Needs, tx: Tx, who: Who, name: string): Promise<number> {
  const found = await experimentOf(tx, who.workspace, name)
  return found ? found.experiment : Number(await tracking.createExperiment(tx, who, { name, tags: [] }))
}

/** The run of the file's folder. Its parent is that of the next folder above that has one, as sub-runs of a trial have. */
async function ensureRun(tracking: Needs, tx: Tx, who: Who, experiment: number, part: BoardPart): Promise<RunRow> {
  const known = await boardRun(tx, experiment, part.folder)
  if (known) return await mustFindRun(tx, who.workspace, known.run_id)
  let parent: string | undefined
  for (let above = part.folder; above.includes('/') && !parent; ) {
    above = above.slice(0, above.lastIndexOf('/'))
    parent = (await boardRun(tx, experiment, above))?.run_id
  }
  const made = await tracking.createRun(tx, who, {
    experiment_id: String(experiment),
    name: part.folder === '.' ? part.experiment : part.folder,
    ...(part.span_ms && { start_ms: part.span_ms[0] }),
    tags: [
      { key: 'mlflow.source.name', value: part.folder },
      { key: 'mlflow.source.type', value: 'TENSORBOARD' },
      ...(parent ? [{ key: 'mlflow.parentRunId', value: parent }] : []),
    ],
  })
  return await mustFindRun(tx, who.workspace, made.run_id)
}

/** A param is written once; a later file that says another value changes nothing. */
async function newParams(tx: Tx, run: RunRow, params: readonly KeyValue[]): Promise<KeyValue[]> {
  const unique = new Map(params.map((param) => [param.key, param]))
  if (unique.size === 0) return []
  const there = await allIn<{ key: string }>(
    tx,
    'SELECT key FROM run_param WHERE run_key = ? AND key IN',
    [run.run_key],
    [...unique.keys()],
  )
  for (const { key } of there) unique.delete(key)
  return [...unique.values()]
}

async function putRecords(tx: Tx, run_key: number, records: readonly BoardRecord[]): Promise<void> {
  await insertMany(
    tx,
    'board_record (run_key, kind, tag, step, at_ms, position, body)',
    records.map(({ kind, tag, step, at_ms, position, body }) => [run_key, kind, tag, step, at_ms, position, body]),
    'ON CONFLICT DO NOTHING',
  )
}

/** The run of a folder of which no more is expected: it ended with its last point, unless its files said how it ended. */
export async function finishBoard(
  tracking: Needs,
  tx: Tx,
  who: Who,
  { experiment, folder }: Pick<BoardFile, 'experiment' | 'folder'>,
): Promise<void> {
  const found = await experimentOf(tx, who.workspace, experiment)
  const source = found && (await boardRun(tx, found.experiment, folder))
  if (!source) return
  const run = await mustFindRun(tx, who.workspace, source.run_id)
  if (isEnded(run.status)) return
  const last = await tx.get<{ at_ms: number | null }>(
    `SELECT max(at_ms) AS at_ms FROM (SELECT max(at_ms) AS at_ms FROM run_metric WHERE run_key = ?
       UNION ALL SELECT max(at_ms) FROM board_record WHERE run_key = ?) AS times`,
    [run.run_key, run.run_key],
  )
  await tracking.updateRun(tx, who, run.run_id, { status: 'FINISHED', end_ms: last!.at_ms ?? run.start_ms })
}
