import { conflict, DomainError, invalid, notFound } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/index.ts'
import { json, parseJson, type Sql, type Tx } from '#kernel/store/index.ts'
import { TABLE_LIMITS } from './limits.ts'

/** A saved arrangement of the run table, shared by the workspace. */
export interface RunView {
  id: string
  name: string
  experiments: string[]
  state: Record<string, unknown>
  by: string
  updated: string
}

interface ViewRow {
  view_id: string
  name: string
  experiments_json: string
  state_json: string
  by_name: string
  updated_ms: number
}

const COLUMNS = 'view_id, name, experiments_json, state_json, by_name, updated_ms'

const word = (row: ViewRow): RunView => ({
  id: row.view_id,
  name: row.name,
  experiments: parseJson<string[]>(row.experiments_json, []),
  state: parseJson<Record<string, unknown>>(row.state_json, {}),
  by: row.by_name,
  updated: new Date(row.updated_ms).toISOString(),
})

export interface ViewGiven {
  name: string
  experiments: string[]
  state: Record<string, unknown>
}

/** By name; those of one experiment and those of none in particular when one is named. */
export async function listViews(sql: Sql, workspace: string, experiment?: string): Promise<RunView[]> {
  const rows = await sql.all<ViewRow>(`SELECT ${COLUMNS} FROM run_view WHERE workspace = ? ORDER BY name LIMIT ?`, [
    workspace,
    TABLE_LIMITS.views,
  ])
  const views = rows.map(word)
  if (experiment === undefined) return views
  return views.filter(({ experiments }) => experiments.length === 0 || experiments.includes(experiment))
}

export async function getView(sql: Sql, workspace: string, id: string): Promise<RunView> {
  const row = await sql.get<ViewRow>(`SELECT ${COLUMNS} FROM run_view WHERE workspace = ? AND view_id = ?`, [
    workspace,
    id,
  ])
  if (!row) throw notFound(`no saved view ${id}`, { field: 'view_id' })
  return word(row)
}

interface Put {
  who: Who
  id: string
  now_ms: number
  given: ViewGiven
}

function checked({ state }: ViewGiven): string {
  const text = json(state)
  if (Buffer.byteLength(text) <= TABLE_LIMITS.view_state_bytes) return text
  throw new DomainError('too-large', `the state of a view has at most ${TABLE_LIMITS.view_state_bytes} bytes`, {
    field: 'state',
    remedy: 'Save fewer columns or a shorter filter.',
  })
}

const nameOf = ({ name }: ViewGiven): string => {
  const trimmed = name.trim()
  if (trimmed === '') throw invalid('a view needs a name', { field: 'name' })
  return trimmed
}

async function refuseTaken(tx: Tx, workspace: string, name: string, except: string): Promise<void> {
  const taken = await tx.get<{ view_id: string }>('SELECT view_id FROM run_view WHERE workspace = ? AND name = ?', [
    workspace,
    name,
  ])
  if (taken && taken.view_id !== except) {
    throw new DomainError('already-exists', `a view called '${name}' is there already`, {
      field: 'name',
      remedy: 'Choose another name, or change that view.',
    })
  }
}

export async function createView(tx: Tx, { who, id, now_ms, given }: Put): Promise<RunView> {
  const state = checked(given)
  const name = nameOf(given)
  await tx.lock('run-views', who.workspace)
  await refuseTaken(tx, who.workspace, name, id)
  const counted = await tx.get<{ n: number }>('SELECT count(*) AS n FROM run_view WHERE workspace = ?', [who.workspace])
  if (Number(counted?.n ?? 0) >= TABLE_LIMITS.views) {
    throw conflict(`a workspace keeps at most ${TABLE_LIMITS.views} saved views`, { remedy: 'Delete some first.' })
  }
  await tx.run(`INSERT INTO run_view (workspace, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
    who.workspace,
    id,
    name,
    json(given.experiments),
    state,
    who.name,
    now_ms,
  ])
  return await getView(tx, who.workspace, id)
}

export async function changeView(tx: Tx, { who, id, now_ms, given }: Put): Promise<RunView> {
  const state = checked(given)
  const name = nameOf(given)
  await tx.lock('run-views', who.workspace)
  await getView(tx, who.workspace, id)
  await refuseTaken(tx, who.workspace, name, id)
  await tx.run(
    `UPDATE run_view SET name = ?, experiments_json = ?, state_json = ?, by_name = ?, updated_ms = ?
     WHERE workspace = ? AND view_id = ?`,
    [name, json(given.experiments), state, who.name, now_ms, who.workspace, id],
  )
  return await getView(tx, who.workspace, id)
}

export async function deleteView(tx: Tx, workspace: string, id: string): Promise<void> {
  const { changes } = await tx.run('DELETE FROM run_view WHERE workspace = ? AND view_id = ?', [workspace, id])
  if (changes === 0) throw notFound(`no saved view ${id}`, { field: 'view_id' })
}
