/** What must hold of a data folder after the flights story, whatever happened to its server: no half release, nothing half done. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import type { Client } from '../../src/cli/client.ts'
import { until } from '../hold/server-process.ts'

const API = '/api/slipway/v1'
const RESTING = ['refused', 'live', 'superseded', 'rolled_back']
const DONE = ['done', 'failed', 'cancelled']
const DONE_STEPS = [...DONE, 'cached', 'skipped']

type Row = Record<string, unknown>
/** Attributions of a version take minutes beside other work. */
const REST_MS_MAX = 15 * 60_000

/** Until nothing is under way and no job is left, the slow ones of explain included. */
export const comeToRest = (client: Client): Promise<true> =>
  until(
    'everything to come to rest',
    async () => {
      const { total } = await client.get<{ total: number }>(`${API}/busy`)
      const open = async (state: string) =>
        (await client.get<{ items: unknown[] }>(`${API}/jobs?state=${state}`)).items.length
      return total + (await open('running')) + (await open('waiting')) === 0
    },
    REST_MS_MAX,
  )

/** Through the API of the server that came back: the chain of the audit is whole, and the page shows the same traffic as is wanted. */
export async function expectWholeAudit(client: Client): Promise<number> {
  let checked = 0
  for (let cursor = ''; ; ) {
    const page = await client.get<{ ok: boolean; checked: number; broken: unknown; next_cursor?: string }>(
      `${API}/audit/verify${cursor && `?cursor=${encodeURIComponent(cursor)}`}`,
    )
    expect(page).toMatchObject({ ok: true, broken: null })
    checked += page.checked
    if (!page.next_cursor) return checked
    cursor = page.next_cursor
  }
}

/** On the folder of a server that has ended. */
export function expectNothingHalf(data: string, endpoint: string): void {
  const store = new DatabaseSync(join(data, 'slipway.db'), { readOnly: true })
  try {
    const all = (sql: string, ...values: string[]) => store.prepare(sql).all(...values) as Row[]
    const others = (sql: string, known: readonly string[]) =>
      all(sql).filter(({ state }) => !known.includes(String(state)))
    expect(all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(all('PRAGMA foreign_key_check')).toEqual([])

    // Everything has come to an end, and what tracking says of a step is what pipelines say of it.
    expect(others('SELECT id, kind, state FROM job', DONE)).toEqual([])
    expect(others('SELECT id, state FROM release', RESTING)).toEqual([])
    expect(others('SELECT id, state, reason FROM pipeline_run', DONE)).toEqual([])
    expect(others('SELECT id, state, reason FROM step_run', DONE_STEPS)).toEqual([])
    expect(others('SELECT id, state, reason FROM retraining', ['done', 'failed', 'skipped'])).toEqual([])
    expect(all("SELECT run_id, name FROM run WHERE status IN ('RUNNING', 'SCHEDULED')")).toEqual([])
    expect(all("SELECT subscriber, seq, last_error FROM event_delivery WHERE state = 'dead'")).toEqual([])

    // One bundle: the live release, the revision that has all traffic, the alias, and what the audit says of it.
    const live = all("SELECT id, model, version, revision FROM release WHERE endpoint = ? AND state = 'live'", endpoint)
    expect(live).toHaveLength(1)
    const { id, model, version, revision } = live[0]!
    const [traffic] = all('SELECT routes, release_id FROM traffic WHERE endpoint = ?', endpoint)
    expect(JSON.parse(String(traffic?.routes))).toMatchObject([{ revision, share: 1 }])
    expect(traffic?.release_id).toBe(id)
    expect(all('SELECT model, version, state FROM revision WHERE id = ?', String(revision))).toEqual([
      { model, version, state: 'wanted' },
    ])
    const [alias] = all(
      `SELECT a.version, e.alias FROM endpoint e JOIN registered_model m ON m.name = e.model
       JOIN model_alias a ON a.model_key = m.model_key AND a.alias = e.alias WHERE e.name = ?`,
      endpoint,
    )
    expect(alias?.version).toBe(version)
    const [moved] = all(
      "SELECT after_json FROM event WHERE name = 'registry.alias-moved' AND after_json ->> 'alias' = ? ORDER BY seq DESC LIMIT 1",
      String(alias?.alias),
    )
    expect(JSON.parse(String(moved?.after_json))).toMatchObject({ version, release: id })

    // Who is live holds; who was refused does not.
    const holders = all("SELECT DISTINCT by_id AS id FROM hold WHERE by_kind = 'release'").map((row) => row.id)
    expect(holders).toContain(id)
    for (const refused of all("SELECT id FROM release WHERE state = 'refused'"))
      expect(holders).not.toContain(refused.id)
  } finally {
    store.close()
  }
}

/** Values of all labels that the folder holds, by prediction row. */
export function labelsIn(data: string): Map<string, string> {
  const store = new DatabaseSync(join(data, 'slipway.db'), { readOnly: true })
  try {
    const rows = store.prepare('SELECT prediction, value FROM label').all() as { prediction: string; value: string }[]
    return new Map(rows.map(({ prediction, value }) => [prediction, value]))
  } finally {
    store.close()
  }
}
