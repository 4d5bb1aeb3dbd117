import { json, parseJson, type Sql, type Tx } from '#kernel/store/index.ts'

export type Space = 'probability' | 'log-odds' | 'value' | 'log-value' | 'label'

/** Importance of each original column over a sample of the training data. */
export interface Importance {
  method: 'tree' | 'permutation'
  /** Why not by trees; null for those. */
  method_reason: string | null
  space: Space
  /** The class that all of it speaks of; null without classes, or where each row speaks of its own. */
  class: unknown
  /** Rows that were explained, of as many in the file. */
  rows: number
  source_rows: number
  base_value: number
  /** Mean absolute attribution, greatest first. */
  importance: { feature: string; value: number }[]
  /** Up to 500 rows; inputs and attributions of each in the order of `features`. */
  beeswarm: { features: string[]; inputs: unknown[][]; attributions: number[][] }
}

export interface Explanation {
  model: string
  version: number
  state: 'waiting' | 'done' | 'failed'
  reason: string | null
  report: Importance | null
  job: string | null
  created_ms: number
  ended_ms: number | null
}

export interface AttributionFacts {
  method: 'tree' | 'permutation'
  space: Space
  class: unknown
  /** What the model answers on the whole; base_value and all attributions add up to output, in `space`. */
  base_value: number
  output: number
  /** Largest first. `value` is the attribution, `input` what was asked. */
  attributions: { feature: string; value: number; input: unknown }[]
}

export interface Attribution extends AttributionFacts {
  prediction: string
  endpoint: string
  model: string
  version: number
  took_ms: number
  made_ms: number
}

const EXPLANATION = 'model, version, state, reason, report, job, created_ms, ended_ms'

export async function explanationOf(
  sql: Sql,
  workspace: string,
  model: string,
  version: number,
): Promise<Explanation | undefined> {
  const row = await sql.get<Omit<Explanation, 'report'> & { report: string }>(
    `SELECT ${EXPLANATION} FROM explanation WHERE workspace = ? AND model = ? AND version = ?`,
    [workspace, model, version],
  )
  return row && { ...row, report: parseJson<Importance | null>(row.report, null) }
}

export const putExplanation = (tx: Tx, workspace: string, one: Explanation) =>
  tx.run(
    `INSERT INTO explanation (workspace, ${EXPLANATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, model, version) DO UPDATE SET state = excluded.state, reason = excluded.reason, report = excluded.report, job = excluded.job, ended_ms = excluded.ended_ms`,
    [workspace, one.model, one.version, one.state, one.reason, json(one.report), one.job, one.created_ms, one.ended_ms],
  )

export async function attributionOf(sql: Sql, workspace: string, prediction: string): Promise<Attribution | undefined> {
  const row = await sql.get<Omit<Attribution, keyof AttributionFacts> & { facts: string }>(
    'SELECT prediction, endpoint, model, version, facts, took_ms, made_ms FROM attribution WHERE workspace = ? AND prediction = ?',
    [workspace, prediction],
  )
  if (!row) return undefined
  const { facts, ...rest } = row
  return { ...rest, ...parseJson<AttributionFacts>(facts, {} as AttributionFacts) }
}

export async function putAttribution(tx: Tx, workspace: string, one: Attribution): Promise<void> {
  const { prediction, endpoint, model, version, took_ms, made_ms, ...facts } = one
  await tx.run(
    `INSERT INTO attribution (workspace, prediction, endpoint, model, version, facts, took_ms, made_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, prediction) DO UPDATE SET endpoint = excluded.endpoint, model = excluded.model, version = excluded.version, facts = excluded.facts, took_ms = excluded.took_ms, made_ms = excluded.made_ms`,
    [workspace, prediction, endpoint, model, version, json(facts), took_ms, made_ms],
  )
}
