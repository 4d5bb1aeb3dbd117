/** The whole server over PostgreSQL: killed under load, stopped with work under way, and with its store gone. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresIsHere, privatePostgres } from '#kit/postgres.ts'
import { applyProject } from '../../src/cli/apply.ts'
import { createOutput } from '../../src/cli/output.ts'
import { type ServerProcess, startServerProcess, until } from './server-process.ts'

const API = '/api/slipway/v1'
const MLFLOW = '/api/2.0/mlflow'
const KILLS = 2
const WRITERS = 6
const PROJECT = `project: naps
pipelines:
  nap:
    params: { file: none }
    steps: { sleep: { run: 'touch "$SLIPWAY_PARAM_FILE"; sleep 600' } }
`

const dir = mkdtempSync(join(tmpdir(), 'slipway-over-postgres-'))
let postgres: Awaited<ReturnType<typeof privatePostgres>> | undefined
let server: ServerProcess
const start = async () => {
  server = await startServerProcess({ data: join(dir, 'data'), env: { SLIPWAY_STORE: postgres!.url() } })
}

describe.skipIf(!postgresIsHere())('a server over PostgreSQL', () => {
  beforeAll(async () => {
    postgres = await privatePostgres()
    await start()
  }, 120_000)
  afterAll(async () => {
    await server?.end('SIGKILL')
    await postgres?.discard()
    rmSync(dir, { recursive: true, force: true })
  })

  test('that is killed with -9 under load starts again with all that it acknowledged, and nothing by half', async () => {
    const acknowledged: string[] = []
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { client } = server
      let going = true
      const write = async (writer: number) => {
        for (let n = 0; going; n += 1) {
          const run_name = `run-${kill}-${writer}-${n}`
          try {
            const { run } = await client.post<{ run: { info: { run_id: string } } }>(`${MLFLOW}/runs/create`, {
              experiment_id: '0',
              run_name,
            })
            const { run_id } = run.info
            await client.post(`${MLFLOW}/runs/log-batch`, {
              run_id,
              metrics: [1, 2, 3].map((step) => ({ key: 'loss', value: step / 10, timestamp: step, step })),
              params: [{ key: 'name', value: run_name }],
              tags: [{ key: 'whole', value: 'yes' }],
            })
            acknowledged.push(run_id)
          } catch {
            // Killed: what was not answered may be there or not.
            return
          }
        }
      }
      const before = acknowledged.length
      const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer))
      await until('enough writes to be under way', async () => acknowledged.length > before + 40)
      expect(await server.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
      going = false
      await Promise.all(writers)
      await start()
    }

    interface Run {
      info: { run_id: string }
      data: { metrics?: { key: string; step?: number }[]; params?: object[]; tags?: { key: string }[] }
    }
    const found = new Map<string, Run>()
    for (let page_token: string | undefined, first = true; first || page_token; first = false) {
      const page: { runs?: Run[]; next_page_token?: string } = await server.client.post(`${MLFLOW}/runs/search`, {
        experiment_ids: ['0'],
        max_results: 1000,
        ...(page_token && { page_token }),
      })
      for (const run of page.runs ?? []) found.set(run.info.run_id, run)
      page_token = page.next_page_token
    }
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
    for (const { info, data } of found.values()) {
      const whole = data.tags?.some(({ key }) => key === 'whole') ?? false
      expect(data.params?.length ?? 0, info.run_id).toBe(whole ? 1 : 0)
      expect(data.metrics?.length ?? 0, info.run_id).toBe(whole ? 1 : 0)
      if (acknowledged.includes(info.run_id)) expect(whole).toBe(true)
    }
    const history = await server.client.get<{ metrics: object[] }>(
      `${MLFLOW}/metrics/get-history?run_id=${acknowledged.at(-1)}&metric_key=loss`,
    )
    expect(history.metrics).toHaveLength(3)
    expect(await server.client.get(`${API}/audit/verify`)).toMatchObject({ ok: true, broken: null })
  }, 240_000)

  test('stops gracefully with a page open and a step running, which the next start takes up again', async () => {
    const code = join(dir, 'code')
    const begun = join(dir, 'begun')
    mkdirSync(code)
    writeFileSync(join(code, 'slipway.yaml'), PROJECT)
    const output = createOutput({ json: false, quiet: true })
    await applyProject(server.client, output, join(code, 'slipway.yaml'), false)
    const { id } = await server.client.post<{ id: string }>(`${API}/pipelines/naps/nap/runs`, {
      params: { file: begun },
    })
    await until('the step to run', async () => existsSync(begun))
    const page = await server.client.open(`${API}/live`)
    const read = page.text()

    const began = performance.now()
    expect(await server.end('SIGINT')).toEqual({ code: 0, signal: null })
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(await read).toContain(': hello')

    rmSync(begun)
    await start()
    await until('the step to run again', async () => existsSync(begun))
    const { items } = await server.client.get<{ items: { state: string; attempt: number; subject: unknown }[] }>(
      `${API}/jobs?state=running`,
    )
    // Given back, so neither lost nor tried twice.
    expect(items).toMatchObject([{ state: 'running', attempt: 1 }])
    await server.client.post(`${API}/pipeline-runs/${id}/cancel`)
    await until('the run to end', async () => {
      const { state } = await server.client.get<{ state: string }>(`${API}/pipeline-runs/${id}`)
      return state === 'cancelled'
    })
  }, 240_000)

  test('lives and is not ready while its store is away', async () => {
    const status = async (path: string) => (await fetch(server.url + path)).status
    expect(await status('/ready')).toBe(200)
    postgres!.signal('SIGKILL')
    await until('the store to be missed', async () => (await status('/ready')) === 503)
    expect(await status('/health')).toBe(200)
    const refused = await fetch(`${server.url}${MLFLOW}/experiments/set-experiment-tag`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ experiment_id: '0', key: 'a', value: 'b' }),
    })
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' })
    expect(await server.end('SIGTERM')).toMatchObject({ signal: null })
  }, 120_000)
})
