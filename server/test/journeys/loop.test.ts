/** The loop over real parts, small: data, training, gate, release, monitoring, retraining, and what can be told of it afterwards. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApp, startApp } from '#app/start.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { ENVIRONMENTS_DIR, testEnvironment } from '#kit/python.ts'
import { applyProject } from '../../src/cli/apply.ts'
import { type Client, createClient } from '../../src/cli/client.ts'
import { settle, uploadVersion } from '../../src/cli/data.ts'
import { createOutput } from '../../src/cli/output.ts'
import { readConfig } from '../../src/config.ts'

const API = '/api/slipway/v1'
const HOUR = 3_600_000
/** A Monday, on which the traffic begins. */
const START = Date.UTC(2024, 0, 1)
/** From this day on `x` says the opposite. */
const TURN = 6
const ROWS_AN_HOUR = 9
const PROJECT = `project: fares
datasets:
  rides: { time_column: at, checks: [{ check: row_count, min: 500 }] }
  rides-holdout: { time_column: at, checks: [{ check: row_count, min: 200 }] }
  rides-served: { time_column: event_time, checks: [{ check: row_count, min: 100 }] }
environments:
  python: { lock: environment.lock }
pipelines:
  train:
    triggers: [{ dataset: rides }]
    steps:
      train: { run: python train.py "$SLIPWAY_INPUT_TRAINING", reads: { training: { dataset: rides } }, environment: python, timeout: 5m }
  shuffled:
    steps:
      train: { run: python train.py "$SLIPWAY_INPUT_TRAINING" shuffle, reads: { training: { dataset: rides } }, environment: python, timeout: 5m }
  retrain:
    steps:
      train: { run: python train.py "$SLIPWAY_INPUT_SERVED", reads: { served: { dataset: rides-served } }, environment: python, timeout: 5m }
endpoints:
  fare: { model: fare, alias: champion, clock: replay, task: binary, score: 1, positive: 1 }
releases:
  fare:
    gate:
      replay: { last: 10d }
      evaluate_on: { dataset: rides-holdout, label: tipped }
      rules:
        - { metric: roc_auc, at_least: 0.6 }
        - { metric: roc_auc, versus: champion, at_least: -0.05, confidence: 0.9 }
        - { latency_p99: 5s }
        - { data_verdict: passed }
    rollout:
      steps: [{ share: 0.5, requests: 10 }, { share: 1 }]
      guards: [{ errors: 0 }]
    retrain:
      on: [auc-falls]
      pipeline: retrain
      cooldown: 20d
      data: { last: 36h, holdout: 1d, dataset: rides-served, label: tipped }
monitors:
  fare-daily:
    endpoint: fare
    window: 1d
    label_delay: 1h
    labels_min: 50
    metrics: [roc_auc]
    alerts: [{ name: auc-falls, metric: roc_auc, below: 0.6, for: 2 }]
`

interface Release {
  id: string
  version: number
  state: string
  reason: string | null
}
interface Verdict {
  passed: boolean
  reason: string
  rules: { outcome: string; words: string }[]
  measured: {
    source: string
    source_words: string
    rows: number
    drawn: { by: string; count: number }
    latency_p99_ms: number
    metrics: { roc_auc: { candidate: { value: number }; difference: { value: number; high: number } | null } }
  }
}

const dir = mkdtempSync(join(tmpdir(), 'slipway-loop-'))
const output = createOutput({ json: false, quiet: true })
const random = seededRandom(17)
let app: RunningApp
let client: Client
/** Above 0 the registry's moves of the alias fail, and are counted. */
let broken = 0

const row = (sign: 1 | -1) => {
  const [x, z] = [random.next() * 4 - 2, random.next()]
  return { x, z, tipped: random.next() < 1 / (1 + Math.exp(-3 * sign * x)) ? 1 : 0 }
}
const items = async <T>(path: string) => (await client.get<{ items: T[] }>(`${API}${path}`)).items
const releases = () => items<Release>('/releases?endpoint=fare&limit=100')
const release = (id: string) =>
  client.get<Release & { verdict: Verdict; previous: string | null }>(`${API}/releases/${id}`)

async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 240_000; Date.now() < end; ) {
    const found = await ask()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const busy = await client.get(`${API}/busy`)
  throw new Error(`${what} did not come about: ${JSON.stringify({ busy, releases: await releases() })}`)
}
/** The version's release once it rests in that state; another resting state is told with its reason. */
const settled = (version: number, state: string) =>
  until(`version ${version} to be ${state}`, async () => {
    const found = (await releases()).find((one) => one.version === version)
    if (found?.state === state) return found
    if (found && ['refused', 'rolled_back', 'live'].includes(found.state))
      throw new Error(`version ${version} is ${found.state}: ${found.reason}`)
    return undefined
  })

async function add(name: string, from_day: number, to_day: number): Promise<void> {
  const lines = ['at,x,z,tipped']
  for (let hour = from_day * 24; hour < to_day * 24; hour += 0.25) {
    const { x, z, tipped } = row(1)
    lines.push(`${new Date(START + hour * HOUR).toISOString()},${x},${z},${tipped}`)
  }
  const path = join(dir, `${name}.csv`)
  writeFileSync(path, lines.join('\n'))
  const added = await settle(client, output, await uploadVersion(client, output, { name, paths: [path] }))
  expect(added.verdict).toBe('passed')
}

/** One hour of event time: a call of some rows, and their labels. Answers the id of its first row. */
async function hour(at: number): Promise<string> {
  const rows = Array.from({ length: ROWS_AN_HOUR }, () => row(at < TURN * 24 ? 1 : -1))
  const answer = await fetch(`${app.url}${API}/endpoints/fare/predict`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'slipway-event-time': new Date(START + at * HOUR).toISOString(),
      'slipway-key': `k${at}`,
    },
    body: JSON.stringify({ rows: rows.map(({ x, z }) => ({ x, z })) }),
  })
  const body = (await answer.json()) as { rows: { id: string }[] }
  expect(answer.status, JSON.stringify(body)).toBe(200)
  const labels = body.rows.map(({ id }, n) => ({ prediction: id, value: rows[n]!.tipped }))
  await client.post(`${API}/labels`, { labels })
  return body.rows[0]!.id
}
const idle = () => until('rest', async () => (await client.get<{ total: number }>(`${API}/busy`)).total === 0)
/** Days of traffic; at the end of each what is due is waited for. */
async function days(from: number, to: number): Promise<void> {
  for (let day = from; day < to; day++) {
    for (let at = day * 24; at < (day + 1) * 24; at++) await hour(at)
    await idle()
  }
}

beforeAll(async () => {
  await testEnvironment()
  const code = join(dir, 'code')
  mkdirSync(code)
  writeFileSync(join(code, 'slipway.yaml'), PROJECT)
  copyFileSync(join(import.meta.dirname, 'loop_train.py'), join(code, 'train.py'))
  copyFileSync(join(import.meta.dirname, '../../../python/environment.lock'), join(code, 'environment.lock'))
  const config = readConfig({
    flags: { data: join(dir, 'data'), port: '0', dev: 'true' },
    env: { SLIPWAY_ENVIRONMENTS_DIR: ENVIRONMENTS_DIR },
    cwd: dir,
  })
  app = await startApp(config, { log: silentLog })
  const { registry } = app.parts
  const { moveAlias } = registry
  registry.moveAlias = async (...args) => {
    if (broken > 0) {
      broken++
      throw new Error('the registry breaks in the middle of a promotion')
    }
    return moveAlias(...args)
  }
  client = createClient({ url: app.url })
  await applyProject(client, output, join(code, 'slipway.yaml'), false)
  await add('rides-holdout', -10, 0)
  await add('rides', -40, -10)
}, 600_000)

afterAll(async () => {
  await app?.stop()
  rmSync(dir, { recursive: true, force: true })
}, 120_000)

test('the first version is measured on rows that it never saw before it goes live', async () => {
  const { id } = await settled(1, 'live')
  const { verdict } = await release(id)
  expect(verdict.measured).toMatchObject({
    source: 'dataset',
    source_words: 'rides-holdout@1',
    rows: 960,
    drawn: { by: 'day', count: 10 },
  })
  expect(verdict.measured.metrics.roc_auc.candidate.value).toBeGreaterThan(0.8)
  expect(verdict.measured.latency_p99_ms).toBeGreaterThan(0)
  expect(verdict.rules.map(({ outcome }) => outcome)).toEqual([
    'passed',
    'not-applicable',
    'passed',
    'passed',
    'passed',
  ])
}, 300_000)

test('a model of shuffled labels is refused on real replayed traffic, with its numbers', async () => {
  await days(0, 3)
  await client.post(`${API}/pipelines/fares/shuffled/runs`, {})
  const { verdict } = await release((await settled(2, 'refused')).id)
  expect(verdict.measured).toMatchObject({
    source: 'replay',
    rows: 3 * 24 * ROWS_AN_HOUR,
    drawn: { by: 'hour', count: 72 },
  })
  expect(verdict.measured.metrics.roc_auc.difference!.high).toBeLessThan(-0.05)
  expect(verdict.reason).toMatch(/roc_auc is 0\.\d+ .* not at least 0\.6; roc_auc minus champion's is -0/)
}, 300_000)

test('the alert of a failing model retrains it; a promotion that breaks half-way leaves nothing half done, and goes on', async () => {
  await days(3, 8)
  for (let at = 8 * 24; at < 8 * 24 + 3; at++) await hour(at)
  const canary = await settled(3, 'canary')
  const [retraining] = await items<{ id: string; state: string; evidence: { alert_id: string } }>(
    '/retrainings?endpoint=fare&limit=10',
  )
  const { verdict, previous } = await release(canary.id)
  expect(verdict.measured.source).toBe('replay')
  expect(verdict.measured.metrics.roc_auc.difference!.value).toBeGreaterThan(0.4)

  broken = 1
  let at = 8 * 24 + 3
  await until('promotion to have failed twice', async () => {
    await hour(at++)
    return broken >= 3
  })
  const standing = async () => ({
    release: (await release(canary.id)).state,
    alias: (await app.parts.store.read((sql) => app.parts.registry.getAlias(sql, 'default', 'fare', 'champion')))
      ?.version,
    roles: (
      await client.get<{ traffic: { routes: { role: string; share: number }[] } }>(`${API}/endpoints/fare`)
    ).traffic.routes.map(({ role, share }) => `${role} ${share}`),
    holds: (await app.parts.store.read((sql) => sql.all('SELECT 1 AS one FROM hold WHERE by_id = ?', [canary.id])))
      .length,
    told: (
      await app.parts.store.read((sql) =>
        app.parts.events.list(sql, 'default', { name_prefix: 'releases.live', limit: 100 }),
      )
    ).filter(({ subject }) => subject.id === canary.id).length,
    served_by: (
      await app.parts.store.read((sql) =>
        sql.all("SELECT 1 AS one FROM lineage_edge WHERE from_id = ? AND relation = 'served-by'", [canary.id]),
      )
    ).length,
  })
  expect(await standing()).toEqual({
    release: 'canary',
    alias: 1,
    roles: ['canary 0.5', 'stable 0.5'],
    holds: 0,
    told: 0,
    served_by: 0,
  })
  await hour(at++)
  broken = 0
  await settled(3, 'live')
  const after = await standing()
  expect(after).toMatchObject({ release: 'live', alias: 3, roles: ['stable 1'], told: 1, served_by: 1 })
  expect(after.holds).toBeGreaterThan(3)
  expect((await release(previous!)).state).toBe('superseded')
  const [done] = await until('the retraining to end', async () => {
    const all = await items<{ state: string; release_id: string | null }>('/retrainings?endpoint=fare&limit=10')
    return all.some(({ state }) => state === 'done') && all.filter(({ state }) => state === 'done')
  })
  expect(done).toMatchObject({ id: retraining!.id, release_id: canary.id })

  // The rest of the day, and days on which the new version does well: hysteresis closes the alert, cooldown begins no other.
  for (; at < 9 * 24; at++) await hour(at)
  await days(9, 11)
  await hour(11 * 24 + 2)
  await idle()
  const alerts = await items<{ id: string; state: string }>('/alerts?endpoint=fare&limit=10')
  expect(alerts).toMatchObject([{ id: retraining!.evidence.alert_id, state: 'cleared' }])
}, 600_000)

test('why this prediction: from its id to release, gate, run, code, environment, data with its verdict, and label', async () => {
  const id = await hour(11 * 24 + 3)
  const why = await until('the prediction to be in the log', () =>
    client
      .get<Record<string, unknown> & { parts_missing: { part: string }[] }>(`${API}/why/${id}`)
      .catch(() => undefined),
  )
  const live = (await releases()).find(({ state }) => state === 'live')!
  expect(why).toMatchObject({
    prediction: { id, answered_version: 3, status: 'ok' },
    label: { value: expect.stringMatching(/^[01]$/) },
    endpoint: { name: 'fare', model: 'fare' },
    release: { id: live.id, version: 3, verdict: { passed: true }, decisions: expect.anything() },
    version: { version: 3 },
    preparation: { state: 'done' },
    run: expect.stringMatching(/^[0-9a-f]{32}$/),
    environment: expect.stringMatching(/^sha256:/),
    code: { digest: expect.stringMatching(/^sha256:/) },
    data: [{ name: 'rides-served', number: 1, verdict: 'passed' }],
  })
  expect(why.parts_missing.map(({ part }) => part).filter((part) => part !== 'attributions')).toEqual([])
}, 60_000)

test('each stage of the loop says that it is well, with what it stands on', async () => {
  const { projects } = await client.get<{
    projects: { stages: { stage: string; state: string; words: string; link: { id: string } | null }[] }[]
  }>(`${API}/overview`)
  expect(
    Object.fromEntries(projects[0]!.stages.map(({ stage, state, words }) => [stage, `${state}: ${words}`])),
  ).toEqual({
    Source: expect.stringContaining('ok: version 1, applied by '),
    Prepare: expect.stringMatching(/^ok: rides-served@1 passed, [\d,]+ rows$/),
    Build: 'ok: retrain #1 is done',
    Test: 'ok: version 3 passed its gate',
    Merge: expect.stringContaining('not-applicable'),
    Deploy: 'ok: version 3 serves fare',
    Monitor: expect.stringMatching(/^ok: AUC 0\.[789]\d+ in the last window$/),
  })
})
