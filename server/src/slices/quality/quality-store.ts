import { json, parseJson, type Row, type Sql, type Tx } from '#kernel/store/index.ts'
import type { Check, CheckResult, Override, Verdict, VerdictCounts, VerdictSummary } from './model.ts'

export interface StatedChecks {
  dataset: string
  checks: Check[]
  digest: string
  who: { kind: string; id: string; name: string }
  set_ms: number
}

const SUMMARY = 'workspace, id, version, dataset, number, state, note, checks_digest, counts, created_ms'
const nobody = { kind: '', id: '', name: '' }

export async function checksOf(sql: Sql, workspace: string, dataset: string): Promise<StatedChecks | undefined> {
  const row = await sql.get(
    'SELECT dataset, checks, digest, who, set_ms FROM quality_checks WHERE workspace = ? AND dataset = ?',
    [workspace, dataset],
  )
  if (row === undefined) return undefined
  return {
    dataset: row.dataset as string,
    checks: parseJson<Check[]>(row.checks, []),
    digest: row.digest as string,
    who: parseJson(row.who, nobody),
    set_ms: Number(row.set_ms),
  }
}

export async function putChecks(tx: Tx, workspace: string, stated: StatedChecks): Promise<void> {
  await tx.run(
    `INSERT INTO quality_checks (workspace, dataset, checks, digest, who, set_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, dataset) DO UPDATE SET checks = excluded.checks, digest = excluded.digest, who = excluded.who, set_ms = excluded.set_ms`,
    [workspace, stated.dataset, json(stated.checks), stated.digest, json(stated.who), stated.set_ms],
  )
}

export async function insertVerdict(tx: Tx, verdict: Verdict): Promise<void> {
  await tx.run(`INSERT INTO quality_verdict (${SUMMARY}, results) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
    verdict.workspace,
    verdict.id,
    verdict.version,
    verdict.dataset,
    verdict.number,
    verdict.state,
    verdict.note,
    verdict.checks_digest,
    json(verdict.counts),
    verdict.created_ms,
    json(verdict.results),
  ])
}

const toSummary = (row: Row): VerdictSummary => ({
  id: row.id as string,
  workspace: row.workspace as string,
  version: row.version as string,
  dataset: row.dataset as string,
  number: Number(row.number),
  state: row.state as Verdict['state'],
  note: row.note as string | null,
  checks_digest: row.checks_digest as string,
  counts: parseJson<VerdictCounts>(row.counts, { checks: 0, passed: 0, failed: 0, warned: 0 }),
  created_ms: Number(row.created_ms),
})

export async function verdictById(sql: Sql, workspace: string, id: string): Promise<Verdict | undefined> {
  const row = await sql.get(`SELECT ${SUMMARY}, results FROM quality_verdict WHERE workspace = ? AND id = ?`, [
    workspace,
    id,
  ])
  return row === undefined ? undefined : { ...toSummary(row), results: parseJson<CheckResult[]>(row.results, []) }
}

/** Newest first. */
export async function listVerdicts(
  sql: Sql,
  workspace: string,
  filter: { version?: string | undefined; dataset?: string | undefined; before?: string | undefined; limit: number },
): Promise<VerdictSummary[]> {
  const tests = ['workspace = ?']
  const params: (string | number)[] = [workspace]
  for (const [column, value] of [
    ['version', filter.version],
    ['dataset', filter.dataset],
  ] as const) {
    if (value === undefined) continue
    tests.push(`${column} = ?`)
    params.push(value)
  }
  if (filter.before !== undefined) {
    tests.push('id < ?')
    params.push(filter.before)
  }
  const rows = await sql.all(
    `SELECT ${SUMMARY} FROM quality_verdict WHERE ${tests.join(' AND ')} ORDER BY id DESC LIMIT ?`,
    [...params, filter.limit],
  )
  return rows.map(toSummary)
}

export async function putOverride(
  tx: Tx,
  workspace: string,
  version: string,
  checks_digest: string,
  override: Override,
): Promise<void> {
  await tx.run(
    `INSERT INTO quality_override (workspace, version, checks_digest, reason, who, at_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, version, checks_digest) DO UPDATE SET reason = excluded.reason, who = excluded.who, at_ms = excluded.at_ms`,
    [workspace, version, checks_digest, override.reason, json(override.who), override.at_ms],
  )
}

export async function overrideOf(
  sql: Sql,
  workspace: string,
  version: string,
  checks_digest: string,
): Promise<Override | undefined> {
  const row = await sql.get(
    'SELECT reason, who, at_ms FROM quality_override WHERE workspace = ? AND version = ? AND checks_digest = ?',
    [workspace, version, checks_digest],
  )
  if (row === undefined) return undefined
  return { reason: row.reason as string, who: parseJson(row.who, nobody), at_ms: Number(row.at_ms) }
}
