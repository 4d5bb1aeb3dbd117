/** What goes wrong in a day, at a real server process: each ends in a clear error, and what worked before works on. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testEnvironment } from '#kit/python.ts'
import { applyProject } from '../../src/cli/apply.ts'
import { settle, uploadVersion } from '../../src/cli/data.ts'
import { createOutput } from '../../src/cli/output.ts'
import { MAIN, type ServerProcess, startServerProcess, until } from '../hold/server-process.ts'

const API = '/api/slipway/v1'
const LOCK = join(import.meta.dirname, '..', '..', '..', 'python', 'environment.lock')
const MIB = 1024 ** 2
const DISK_MIB = 400
const RESERVE_MIB = 32
const PROJECT = `project: fares
endpoints:
  fare: { model: fare, alias: champion, task: binary, score: 1, positive: 1 }
releases:
  fare:
    gate: { rules: [{ parity: reported }] }
    rollout: { steps: [{ share: 1 }] }
`

/** A disk of our own, where that is allowed: the whole file's data lie on it, so that it can be filled. */
const disk = mkdtempSync(join(tmpdir(), 'slipway-failures-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', disk]).status === 0
if (!mounted && process.env.CI) throw new Error('no disk of our own can be mounted here, so nothing would be proven')
const data = join(disk, 'data')
const work = join(disk, 'work')
const output = createOutput({ json: false, quiet: true })
let server: ServerProcess

const start = (port = 0) => startServerProcess({ data, port, env: { SLIPWAY_STORE_RESERVE: `${RESERVE_MIB}MiB` } })

interface Release {
  id: string
  version: number
  state: string
  reason: string | null
}
const releases = async () =>
  (await server.client.get<{ items: Release[] }>(`${API}/releases?endpoint=fare&limit=100`)).items

const post = async (path: string, body: unknown) => {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}
const predict = (row: Record<string, unknown>) => post(`${API}/endpoints/fare/predict`, { rows: [row] })
const GOOD = { distance: 6.5, passengers: 2 }

async function register(kind: 'serves' | 'raises'): Promise<void> {
  const { python } = await testEnvironment()
  const child = spawn(python, [join(import.meta.dirname, 'failures_models.py'), kind, LOCK], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      LANG: 'C.UTF-8',
      MLFLOW_TRACKING_URI: server.url,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      GIT_PYTHON_REFRESH: 'quiet',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk).slice(-5000)
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`failures_models.py ${kind} ended with ${code}: ${words}`)
}

beforeAll(async () => {
  mkdirSync(work)
  writeFileSync(join(work, 'slipway.yaml'), PROJECT)
  server = await start()
  await applyProject(server.client, output, join(work, 'slipway.yaml'), false)
  await register('serves')
  await until('the first release to be live', async () => {
    const [first] = await releases()
    if (first && ['refused', 'rolled_back'].includes(first.state)) throw new Error(`${first.state}: ${first.reason}`)
    return first?.state === 'live'
  })
}, 600_000)

afterAll(async () => {
  await server?.end('SIGKILL')
  if (mounted) spawnSync('umount', ['-l', disk])
  rmSync(disk, { recursive: true, force: true })
})

test('a malformed slipway.yaml is refused whole: every mistake with its line, exit 2, and nothing of it is applied', async () => {
  const bad = join(disk, 'bad')
  mkdirSync(bad)
  writeFileSync(
    join(bad, 'slipway.yaml'),
    `${PROJECT.replace('task: binary', 'task: trinary')}pipelines:\n  train: { steps: { fit: { run: a, timeout: soon } } }\nmonitor: {}\n`,
  )
  const child = spawn(process.execPath, [MAIN, '--url', server.url, 'apply', join(bad, 'slipway.yaml')])
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk
  })
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2)
  expect(words).toMatch(/\b3\b.*task/)
  expect(words).toMatch(/\b9\b.*timeout/)
  expect(words).toMatch(/\b10\b.*monitor/)
  const project = await server.client.get<{ yaml: string; history: unknown[] }>(`${API}/projects/fares`)
  expect(project).toMatchObject({ yaml: PROJECT })
  expect(project.history).toHaveLength(1)
  expect((await predict(GOOD)).status).toBe(200)
})

describe('a prediction', () => {
  test('with an unknown feature is refused with its name, on both wires', async () => {
    const own = await predict({ ...GOOD, colour: 'red' })
    expect(own.status).toBe(400)
    expect(JSON.stringify(own.body)).toContain('colour')
    expect(own.body.field).toMatch(/colour/)
    const mlflow = await post('/serve/fare/invocations', { dataframe_records: [{ distance: 1, passenger: 2 }] })
    expect(mlflow.status).toBe(400)
    expect(JSON.stringify(mlflow.body)).toMatch(/passenger/)
  })

  test('with a value of the wrong type is refused with its field', async () => {
    for (const passengers of ['many', 2.5, { n: 2 }]) {
      const answer = await predict({ distance: 1, passengers })
      expect(answer.status, JSON.stringify(answer.body)).toBe(400)
      expect(answer.body.field).toMatch(/passengers/)
      const mlflow = await post('/serve/fare/invocations', { dataframe_records: [{ distance: 1, passengers }] })
      expect(mlflow.status, JSON.stringify(mlflow.body)).toBe(400)
      expect(mlflow.body.field).toMatch(/passengers/)
    }
    expect((await predict(GOOD)).status).toBe(200)
  })
})

test('a label for an id that nobody was given is kept, and disturbs nothing', async () => {
  const prediction = `prd_${'0'.repeat(31)}7`
  const answer = await post(`${API}/labels`, { labels: [{ prediction, value: 1 }] })
  expect(answer).toMatchObject({ status: 200, body: { accepted: 1 } })
  const kept = await server.client.get<{ items: { value: unknown }[] }>(`${API}/predictions/${prediction}/labels`)
  expect(kept.items).toHaveLength(1)
})

test('a corrupt Parquet becomes a version that says so, and no input', async () => {
  const path = join(disk, 'rows.parquet')
  writeFileSync(path, Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(5000, 7), Buffer.from('PAR1')]))
  const version = await settle(
    server.client,
    output,
    await uploadVersion(server.client, output, { name: 'rides', paths: [path] }),
  )
  expect(version.state).toBe('failed')
  expect(version.failure).toMatch(/parquet/i)
  expect(version.row_count).toBeNull()
  expect((await predict(GOOD)).status).toBe(200)
}, 120_000)

test('a model that cannot be loaded ends its release with the reason, and the endpoint serves on', async () => {
  const before = await predict(GOOD)
  await register('raises')
  const ended = await until('the release of the model that raises to end', async () => {
    const [newest] = await releases()
    return newest?.version === 2 && ['refused', 'rolled_back', 'live'].includes(newest.state) ? newest : undefined
  })
  expect(ended.state).not.toBe('live')
  expect(ended.reason).toContain('the weights in /mnt/ada/weights.bin are not here')
  expect((await releases()).find(({ version }) => version === 1)?.state).toBe('live')
  expect((await predict(GOOD)).body).toMatchObject({ version: before.body.version })
}, 300_000)

describe.skipIf(!mounted)('a disk that is full', () => {
  const filler = join(disk, 'filler')
  const putTag = () =>
    post('/api/2.0/mlflow/experiments/set-experiment-tag', { experiment_id: '0', key: 'note', value: 'x' })

  test('refuses writes with 507 and the path, while reads and predictions go on', async () => {
    expect((await putTag()).status).toBe(200)
    const { bavail, bsize } = statfsSync(disk)
    writeFileSync(filler, Buffer.alloc(bavail * bsize - (RESERVE_MIB / 2) * MIB))
    const refused = await until('writes to be refused', async () => {
      const answer = await putTag()
      return answer.status === 507 ? answer : undefined
    })
    expect(JSON.stringify(refused.body)).toContain(data)
    const upload = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts/file.bin`, {
      method: 'PUT',
      body: Buffer.alloc(1000),
    })
    expect(upload.status).toBe(507)
    expect((await releases()).length).toBe(2)
    for (let n = 0; n < 50; n += 1) expect((await predict(GOOD)).status).toBe(200)
  }, 120_000)

  test('does not keep a killed server from starting again: it serves and reads, and writes when there is room', async () => {
    await server.end('SIGKILL')
    server = await start()
    await until('the endpoint to answer', async () => (await predict(GOOD)).status === 200)
    expect((await releases()).map(({ state }) => state)).toContain('live')
    expect((await putTag()).status).toBe(507)
    rmSync(filler)
    await until('writes to be taken again', async () => (await putTag()).status === 200)
    expect((await predict(GOOD)).status).toBe(200)
    // What the node could not say while the disk was full it says now.
    const endpoint = () => server.client.get<{ revisions: { state: string }[] }>(`${API}/endpoints/fare`)
    await until('the loaded revision to be reported', async () => /"ready"/.test(JSON.stringify(await endpoint())))
  }, 180_000)
})

describe.each(['SIGINT', 'SIGKILL'] as const)('after %s', (signal) => {
  test('the same folder starts again: the model serves, what was acknowledged is there, what was under way goes on', async () => {
    const tag = `after-${signal}`
    const set = await post('/api/2.0/mlflow/experiments/set-experiment-tag', {
      experiment_id: '0',
      key: tag,
      value: 'kept',
    })
    expect(set.status).toBe(200)
    const path = join(disk, `${signal}.csv`)
    const lines = Array.from({ length: 20_000 }, (_, n) => `${n},${n % 7}`)
    writeFileSync(path, `id,kind\n${lines.join('\n')}\n`)
    // Registered, and not yet read: that is the job of the next process.
    const version = await uploadVersion(server.client, output, { name: `rides-${signal}`, paths: [path] })
    const end = await server.end(signal)
    if (signal === 'SIGINT') expect(end).toEqual({ code: 0, signal: null })
    server = await start()
    const found = await server.client.get<{ experiment: { tags?: { key: string; value: string }[] } }>(
      '/api/2.0/mlflow/experiments/get?experiment_id=0',
    )
    expect(found.experiment.tags).toContainEqual({ key: tag, value: 'kept' })
    expect(await until('the endpoint to answer', async () => (await predict(GOOD)).status === 200)).toBe(true)
    expect((await releases()).map(({ state }) => state)).toContain('live')
    expect(await settle(server.client, output, version)).toMatchObject({ state: 'ready', row_count: 20_000 })
  }, 240_000)
})

test('a second server over the same folder is told who has it', async () => {
  const second = startServerProcess({ data })
  await expect(second).rejects.toThrow(new RegExp(`${server.pid}`))
  expect((await predict(GOOD)).status).toBe(200)
}, 120_000)
