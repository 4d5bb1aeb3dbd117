import { execFile } from 'node:child_process'
import { appendFile, cp, mkdtemp, open as openFile, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testEnvironments } from '#kit/python.ts'
import { eachStore } from '#kit/store.ts'
import { type Client, createClient } from '../../src/cli/client.ts'
import { importTensorboard } from '../../src/cli/import-tensorboard.ts'

type Points = [step: number, value: unknown][]
interface Shown {
  scalars: Record<string, Points>
  histograms: Record<string, Points>
  images: Record<string, Points>
  texts: Record<string, Points>
}
interface Report {
  runs: number
  points: number
  records: number
  damaged: { file: string; why: string }[]
}

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, 'write_events.py')
let python: string
let written: string

beforeAll(async () => {
  const lock = await readFile(join(import.meta.dirname, 'environment.lock'), 'utf8')
  python = (await testEnvironments().ensure({ lock })).python
  written = await mkdtemp(join(tmpdir(), 'slipway-boards-'))
  await script('write', written)
}, 600_000)
afterAll(() => rm(written, { recursive: true, force: true }))

const script = async (what: string, folder: string) =>
  (
    await run(python, [SCRIPT, what, folder], {
      maxBuffer: 64 << 20,
      env: { PATH: process.env.PATH ?? '', PYTHONWARNINGS: 'ignore' },
    })
  ).stdout

const bringIn = async (client: Client, folder: string, experiment: string): Promise<Report> => {
  let report: unknown
  await importTensorboard(
    {
      cwd: folder,
      client,
      output: {
        json: true,
        answer: (value) => {
          report = value
        },
        say: () => undefined,
        warn: () => undefined,
        progress: () => ({ update: () => undefined, done: () => undefined }),
      },
    },
    folder,
    { experiment, watch: false },
  )
  return report as Report
}

/** What Slipway shows, in the form of the script's answer. */
async function shownBy(client: Client, experiment: string): Promise<Record<string, Shown>> {
  const { items: files } = await client.get<{ items: { folder: string; run_id: string }[] }>(
    `/api/slipway/v1/tensorboard/files?experiment=${experiment}`,
  )
  const shown: Record<string, Shown> = {}
  for (const { folder, run_id } of files) {
    const one: Shown = { scalars: {}, histograms: {}, images: {}, texts: {} }
    const detail = await client.get<{ run: { data: { metrics?: { key: string }[] } } }>(
      `/api/2.0/mlflow/runs/get?run_id=${run_id}`,
    )
    for (const { key } of detail.run.data.metrics ?? []) {
      const { metrics } = await client.get<{ metrics: { step: number; value: unknown }[] }>(
        `/api/2.0/mlflow/metrics/get-history?run_id=${run_id}&metric_key=${encodeURIComponent(key)}`,
      )
      one.scalars[key] = metrics.map(({ step, value }): [number, unknown] => [step, value]).sort(([a], [b]) => a - b)
    }
    const { items: tags } = await client.get<{ items: { kind: 'histogram' | 'text' | 'image'; tag: string }[] }>(
      `/api/slipway/v1/runs/${run_id}/board`,
    )
    for (const { kind, tag } of tags) {
      const { items } = await client.get<{
        items: { step: number; buckets?: [number, number, number][]; text?: string; image?: string }[]
      }>(`/api/slipway/v1/runs/${run_id}/board/records?${new URLSearchParams({ kind, tag, limit: '200' })}`)
      if (kind === 'histogram')
        one.histograms[tag] = items.map(({ step, buckets }) => [step, buckets!.reduce((sum, [, , n]) => sum + n, 0)])
      else if (kind === 'text') one.texts[tag] = items.map(({ step, text }) => [step, [text]])
      else {
        one.images[tag] = []
        for (const { step, image } of items) {
          const bytes = await (await client.open(`/api/slipway/v1/runs/${run_id}/board/images/${image}`)).arrayBuffer()
          one.images[tag].push([step, bytes.byteLength])
        }
      }
    }
    shown[folder] = one
  }
  return shown
}

/** The only tags that differ: what a metric may not be called. */
const RENAMED = { 'odd (name) %': 'odd _name_ _' }
const renamed = (runs: Record<string, Shown>): Record<string, Shown> =>
  Object.fromEntries(
    Object.entries(runs).map(([folder, one]) => [
      folder,
      {
        ...one,
        scalars: Object.fromEntries(
          Object.entries(one.scalars).map(([tag, points]) => [RENAMED[tag as keyof typeof RENAMED] ?? tag, points]),
        ),
      },
    ]),
  )

eachStore("TensorBoard's log folders", (open) => {
  let server: MlflowServer
  let client: Client
  let logs: string

  beforeAll(async () => {
    logs = await mkdtemp(join(tmpdir(), 'slipway-boards-'))
    await cp(written, logs, { recursive: true })
    server = await startMlflowServer(open)
    client = createClient({ url: server.url })
  }, 60_000)
  afterAll(async () => {
    await server?.close()
    await rm(logs, { recursive: true, force: true })
  })

  test('show the same tags, steps and values as in TensorBoard, also what came later, and nothing twice', async () => {
    const first = await bringIn(client, logs, 'boards')
    expect(first.damaged).toEqual([])
    const theirs = renamed(JSON.parse(await script('read', logs)) as Record<string, Shown>)
    expect(Object.keys(theirs).length).toBe(4)
    expect(await shownBy(client, 'boards')).toEqual(theirs)
    expect(await bringIn(client, logs, 'boards')).toMatchObject({ points: 0, records: 0 })

    await script('append', logs)
    expect(await bringIn(client, logs, 'boards')).toMatchObject({ points: 200, records: 0 })
    expect(await shownBy(client, 'boards')).toEqual(
      renamed(JSON.parse(await script('read', logs)) as Record<string, Shown>),
    )
  }, 120_000)

  test('hyperparameters are params of their run, whose parent is the run of the folder above', async () => {
    const { items } = await client.get<{ items: { folder: string; run_id: string }[] }>(
      '/api/slipway/v1/tensorboard/files?experiment=boards',
    )
    const { run_id } = items.find(({ folder }) => folder === 'trial-1/h')!
    const { run: found } = await client.get<{
      run: {
        info: { status: string; end_time: number }
        data: { params: unknown; tags: { key: string; value: string }[] }
      }
    }>(`/api/2.0/mlflow/runs/get?run_id=${run_id}`)
    expect(found.data.params).toEqual([
      { key: 'lr', value: '0.1' },
      { key: 'nesterov', value: 'True' },
      { key: 'optimiser', value: 'adam' },
    ])
    expect(found.info.status).toBe('FINISHED')
    expect(found.info.end_time).toBeGreaterThan(0)
    const parent = items.find(({ folder }) => folder === 'trial-1')!
    expect(found.data.tags).toContainEqual({ key: 'mlflow.parentRunId', value: parent.run_id })
  })

  describe('a file that is still being written', () => {
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'slipway-boards-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    test('is taken in up to its last whole record, each byte once, however often it is sent', async () => {
      const [name] = (await readdir(join(written, 'again'))).sort()
      const whole = await readFile(join(written, 'again', name!))
      const copy = join(folder, name!)
      await appendFile(copy, whole.subarray(0, whole.length - 7))
      expect(await bringIn(client, folder, 'growing')).toMatchObject({ points: 59, damaged: [] })
      const again = await client.upload<{ taken_bytes: number; points: number }>(
        `/api/slipway/v1/tensorboard/files?${new URLSearchParams({ experiment: 'growing', folder: '.', file: name!, from: '0' })}`,
        whole,
      )
      expect(again.points).toBe(0)
      await appendFile(copy, whole.subarray(whole.length - 7))
      expect(await bringIn(client, folder, 'growing')).toMatchObject({ points: 1, damaged: [] })
    })

    test('is read no further than to its damage, which is told', async () => {
      const [name] = (await readdir(join(written, 'again'))).sort()
      const bytes = await readFile(join(written, 'again', name!))
      const copy = join(folder, `${name}.damaged`)
      await appendFile(copy, bytes)
      const handle = await openFile(copy, 'r+')
      await handle.write(Buffer.from([bytes[1000]! ^ 1]), 0, 1, 1000)
      await handle.close()
      const report = await bringIn(client, folder, 'damaged')
      const damaged = report.damaged.find(({ file }) => file.endsWith('.damaged'))
      expect(damaged?.why).toMatch(/^the record at byte \d+ is damaged/)
      await truncate(copy, 500)
      expect((await bringIn(client, folder, 'damaged')).points).toBe(0)
    })
  })
})
