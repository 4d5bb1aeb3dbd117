/**
 * The beginning of the flights example (data, training, first release, days of real traffic with labels, a candidate that must not
 * stay) while the server is killed at random moments. The story knows nothing of it: it asks again. At the end nothing is half done.
 */
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { createGunzip } from 'node:zlib'
import { expect, test } from 'vitest'
import { setUp } from '../../../examples/flights/demo/set-up.ts'
import { applyProject } from '../../src/cli/apply.ts'
import { settle, uploadVersion, type Version } from '../../src/cli/data.ts'
import { createOutput } from '../../src/cli/output.ts'
import { type ServerProcess, startServerProcess, until } from '../hold/server-process.ts'

const API = '/api/slipway/v1'
const KILLS = 12
/** Between two kills: now and then long enough for a training to end, or nothing would ever be released. */
const KILL_MS = { least: 3_000, most: 45_000 }
const FLIGHTS = 20_000
const CLIENTS = 8
const STORY_MS_MAX = 20 * 60_000
const RESTING = ['refused', 'live', 'superseded', 'rolled_back']
const EXAMPLE = join(import.meta.dirname, '..', '..', '..', 'examples', 'flights')

test('killed again and again during its story, the server comes back each time and leaves nothing half done', async () => {
  const prepared = await setUp(() => {})
  const data = mkdtempSync(join(tmpdir(), 'slipway-kills-'))
  const output = createOutput({ json: false, quiet: true })
  let server: ServerProcess = await startServerProcess({ data })
  const port = Number(new URL(server.url).port)
  let kills = 0
  const killer = (async () => {
    while (kills < KILLS) {
      await new Promise((resolve) =>
        setTimeout(resolve, KILL_MS.least + Math.random() * (KILL_MS.most - KILL_MS.least)),
      )
      await server.end('SIGKILL')
      kills += 1
      server = await startServerProcess({ data, port })
    }
  })()
  const items = async <T>(path: string) => (await server.client.get<{ items: T[] }>(`${API}${path}`)).items
  const again = <T>(what: string, ask: () => Promise<T | undefined | false>) => until(what, ask, STORY_MS_MAX)
  type Release = { id: string; version: number; state: string; reason: string | null }
  const releases = () => items<Release>('/releases?endpoint=delay&limit=100')

  const story = async () => {
    await again('the project to be applied', () =>
      applyProject(server.client, output, join(EXAMPLE, 'slipway.yaml'), false),
    )
    // An upload whose answer was lost is there all the same: equal bytes are not registered twice by this story.
    for (const [name, file] of [
      ['flights-holdout', 'holdout.parquet'],
      ['flights-training', 'training.parquet'],
    ] as const) {
      const version = await again('the data to be registered', async () => {
        const [known] = await items<Version>(`/datasets/${name}/versions?limit=1`).catch(() => [])
        const paths = [join(prepared.data, file)]
        return known ?? uploadVersion(server.client, output, { name, paths, time_column: 'event_time' })
      })
      await again('the checks of the data', async () => {
        const settled = await settle(server.client, output, version)
        return settled.verdict === 'passed' && settled
      })
    }
    // A step that was killed too often fails with its reason: then a person starts it again.
    await again('version 1 to be live', async () => {
      const all = await releases()
      if (all.some(({ state }) => state === 'live')) return true
      const runs = await items<{ state: string }>('/pipeline-runs?project=flights&pipeline=train&limit=50')
      const idle = runs.every(({ state }) => state !== 'running') && all.every(({ state }) => RESTING.includes(state))
      const { total } = await server.client.get<{ total: number }>(`${API}/busy`)
      if (idle && total === 0) await server.client.post(`${API}/pipelines/flights/train/runs`, {})
      return false
    })

    const ids: string[] = []
    const lines = createInterface({
      input: createReadStream(
        join(prepared.data, 'replay', readdirSync(join(prepared.data, 'replay')).sort()[0]!),
      ).pipe(createGunzip()),
    })[Symbol.asyncIterator]()
    let sent = 0
    const client = async () => {
      for (let next = await lines.next(); !next.done && sent < FLIGHTS; next = await lines.next()) {
        sent += 1
        const [event_ms, key, features] = JSON.parse(next.value) as [number, string, object]
        const id = await again('a prediction', async () => {
          const answer = await fetch(`${server.url}/serve/delay/invocations`, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              'slipway-key': key,
              'slipway-event-time': new Date(event_ms).toISOString(),
            },
            body: JSON.stringify({ dataframe_records: [features] }),
          })
          await answer.text()
          return answer.status === 200 && (answer.headers.get('slipway-prediction-id') ?? undefined)
        })
        ids.push(id)
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
    for (let at = 0; at < ids.length; at += 1000) {
      const labels = ids.slice(at, at + 1000).map((prediction, n) => ({ prediction, value: n % 5 === 0 ? 1 : 0 }))
      await again('labels to be taken', () => server.client.post(`${API}/labels`, { labels }))
    }
    const before = (await again('the releases', releases)).length
    await again('a candidate to be trained', () =>
      server.client.post(`${API}/pipelines/flights/candidate-shuffled/runs`, {}),
    )
    await again('the candidate to be judged or its run to end', async () => {
      const runs = await items<{ state: string }>('/pipeline-runs?project=flights&pipeline=candidate-shuffled&limit=50')
      const all = await releases()
      return (
        runs.every(({ state }) => state !== 'running') &&
        all.every(({ state }) => RESTING.includes(state)) &&
        (all.length > before || runs.every(({ state }) => state !== 'done'))
      )
    })
    return ids
  }

  try {
    const ids = await story()
    await killer
    expect(new Set(ids).size).toBe(ids.length)
    await again('everything to come to rest', async () => {
      const { total } = await server.client.get<{ total: number }>(`${API}/busy`)
      return total === 0
    })
    expect((await releases()).filter(({ state }) => state === 'live')).toHaveLength(1)
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 })

    const store = new DatabaseSync(join(data, 'slipway.db'), { readOnly: true })
    const all = (sql: string) => store.prepare(sql).all() as Record<string, unknown>[]
    expect(all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(all('PRAGMA foreign_key_check')).toEqual([])
    expect(
      all('SELECT DISTINCT state FROM release')
        .map(({ state }) => state)
        .filter((state) => !RESTING.includes(String(state))),
    ).toEqual([])
    expect(all("SELECT id FROM job WHERE state = 'running'")).toEqual([])
    // Who holds and who is live: the same releases, in both directions.
    const live = all("SELECT id FROM release WHERE state = 'live'").map(({ id }) => String(id))
    const holders = all("SELECT DISTINCT by_id FROM hold WHERE by_kind = 'release'").map(({ by_id }) => String(by_id))
    for (const id of live) expect(holders).toContain(id)
    const ended = all("SELECT id FROM release WHERE state = 'refused'").map(({ id }) => String(id))
    for (const id of ended) expect(holders).not.toContain(id)
    store.close()
  } finally {
    kills = KILLS
    await killer.catch(() => {})
    await server.end('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  }
})
