import type { Sql } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import { mustFindRun } from '../run-rows.ts'
import { BOARD_LIMITS, type BoardKind } from './model.ts'

export interface BoardTag {
  kind: BoardKind
  tag: string
  records: number
  first_step: Integer
  last_step: Integer
}

/** What a run shows beside numbers. Throws not-found for an unknown run. */
export async function boardTags(sql: Sql, workspace: string, run_id: string): Promise<BoardTag[]> {
  const run = await mustFindRun(sql, workspace, run_id)
  return await sql.all<BoardTag>(
    `SELECT kind, tag, count(*) AS records, min(step) AS first_step, max(step) AS last_step
     FROM board_record WHERE run_key = ? GROUP BY kind, tag ORDER BY kind, tag LIMIT ?`,
    [run.run_key, BOARD_LIMITS.tags],
  )
}

export interface BoardRow {
  step: Integer
  at_ms: number
  position: number
  body: string
}

export interface BoardAsk {
  workspace: string
  run_id: string
  kind: BoardKind
  tag: string
  limit: number
  /** Goes on after this record. */
  after?: { step: Integer; at_ms: number; position: number }
}

/** Records of one tag by step. */
export async function boardRecords(sql: Sql, ask: BoardAsk): Promise<BoardRow[]> {
  const run = await mustFindRun(sql, ask.workspace, ask.run_id)
  const { after } = ask
  return await sql.all<BoardRow>(
    `SELECT step, at_ms, position, body FROM board_record WHERE run_key = ? AND kind = ? AND tag = ?${
      after ? ' AND (step, at_ms, position) > (?, ?, ?)' : ''
    } ORDER BY step, at_ms, position LIMIT ?`,
    [run.run_key, ask.kind, ask.tag, ...(after ? [after.step, after.at_ms, after.position] : []), ask.limit],
  )
}

/** Whether the run shows an image of these bytes: nobody reads others by their digest. */
export async function showsImage(sql: Sql, workspace: string, run_id: string, digest: string): Promise<boolean> {
  const run = await mustFindRun(sql, workspace, run_id)
  const found = await sql.get(
    "SELECT 1 AS found FROM board_record WHERE run_key = ? AND kind = 'image' AND body = ? LIMIT 1",
    [run.run_key, JSON.stringify(digest)],
  )
  return found !== undefined
}
