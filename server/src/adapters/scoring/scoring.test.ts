/** Real models in their real environment: prepared, loaded, asked over HTTP, found in the log. */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createRoutes } from '#kernel/http/index.ts'
import { createServer, listen } from '#kernel/http/server.ts'
import { createLog, silentLog } from '#kernel/log.ts'
import { ada, type Case, type Harness, type Models, makeModels, openServing } from '#kit/serving.ts'
import { testStore } from '#kit/store.ts'
import { servingRoutes } from '#slices/serving'
import { scoring } from './index.ts'

const ROWS = [
  { dep: 17.5, dist: 700, stops: 1, carrier: 'B6' },
  { dep: 6, dist: null, stops: 0, carrier: 'ZZ' },
]
const columns = Object.keys(ROWS[0]!)
const data = ROWS.map((row) => Object.values(row))
const csv = `dep,dist,stops,carrier\n17.5,700.0,1,B6\n6.0,,0,ZZ\n`
const json = (body: unknown): Case => ({ type: 'application/json', body })
const GOOD = [
  json({ dataframe_split: { columns, data } }),
  json({
    dataframe_split: { index: [7, 8], columns: [...columns].reverse(), data: data.map((r) => [...r].reverse()) },
  }),
  json({ dataframe_records: ROWS }),
  json({ instances: ROWS }),
  json({ inputs: Object.fromEntries(columns.map((name, at) => [name, data.map((row) => row[at])])) }),
  { type: 'text/csv', body: csv },
  { type: 'text/csv; charset=utf-8', body: csv },
]
const BAD = [
  json({ dataframe_split: { columns, data }, instances: ROWS }),
  json({ rows: ROWS }),
  json([1, 2]),
  json({ dataframe_records: [{ dep: 1, dist: 2, stops: 1 }] }),
  json({ dataframe_records: [{ ...ROWS[0], dep: 'late' }] }),
]

let models: Models
let at: Harness
let url: string
let stopServer: () => Promise<void>
/** What the server said of its own accord, warnings and errors alone. */
const said: string[] = []

beforeAll(async () => {
  models = await makeModels([...GOOD, ...BAD])
  const log = createLog({ level: 'warn', destination: { write: (line) => void said.push(line) } })
  at = await openServing(testStore, models, log)
  await at.serving.start()
  const routes = createRoutes({ ...at, doorman: { identify: async () => ada } })
  const app = createServer({ log: silentLog, ids: at.ids, dev: true, hosts: [] })
  await app.register(async (own) => servingRoutes(own, { routes, serving: at.serving, store: at.store }))
  await app.register((own) => scoring(own, { routes, serving: at.serving, root_endpoint: 'late', log: silentLog }))
  url = await listen(app, '127.0.0.1', 0)
  stopServer = async () => void (await app.close())
  await at.apply('late', { model: 'late', task: 'binary', score: 1, clock: 'replay' })
  await at.serving.node.settle()
}, 600_000)
afterAll(async () => {
  await stopServer?.()
  await at?.close()
  await models?.close()
})

const post = async (path: string, { type, body }: Case, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: answer.status, text: await answer.text(), id: answer.headers.get('slipway-prediction-id') }
}
const scores = (text: string) => JSON.parse(text).predictions as number[][]

describe('a scikit-learn pipeline', () => {
  test('is refused while it has no release, and says so to probes', async () => {
    expect((await fetch(`${url}/serve/late/ping`)).status).toBe(503)
    expect((await fetch(`${url}/serve/nothing/ping`)).status).toBe(404)
    expect(await post('/serve/late/invocations', GOOD[0]!)).toMatchObject({ status: 503 })
  })

  test('without training rows its own Python serves, and the reason says what is missing', async () => {
    await at.addVersion('late', 1, join(models.dir, 'late'))
    const prepared = await at.prepare('late', 1)
    expect(prepared).toMatchObject({ state: 'done', form: 'python', reason: expect.stringContaining('no rows') })
    const revision = await at.load('late', 1)
    expect(revision).toMatchObject({ state: 'ready', form: 'python' })
    await at.route('late', revision.id)
    expect((await fetch(`${url}/serve/late/ping`)).status).toBe(200)
  }, 120_000)

  test('with them it is compiled and proven', async () => {
    at.trainOn(join(models.dir, 'rows.parquet'))
    await at.addVersion('late', 2, join(models.dir, 'late'))
    const prepared = await at.prepare('late', 2)
    expect(prepared).toMatchObject({ state: 'done', form: 'onnx', compiled_digest: expect.any(String) })
    expect(prepared.report?.parity).toMatchObject({ ok: true })
  }, 120_000)

  test.each(['python', 'onnx'] as const)(
    'its %s form answers every form of request as MLflow does',
    async (form) => {
      const revision = await at.load('late', form === 'python' ? 1 : 2)
      expect(revision).toMatchObject({ state: 'ready', form })
      await at.route('late', revision.id)
      for (const [n, one] of GOOD.entries()) {
        const theirs = models.answers[n]!
        const ours = await post('/serve/late/invocations', one)
        expect([n, theirs.status, ours.status]).toEqual([n, 200, 200])
        for (const [row, answer] of scores(ours.text).entries())
          for (const [column, score] of answer.entries())
            expect(score).toBeCloseTo(scores(theirs.text)[row]![column]!, 6)
      }
      for (const [n, one] of BAD.entries()) {
        expect([n, models.answers[GOOD.length + n]!.status]).toEqual([n, 400])
        const ours = await post('/invocations', one)
        expect([n, ours.status, JSON.parse(ours.text).error_code]).toEqual([n, 400, 'BAD_REQUEST'])
      }
      expect((await post('/serve/late/invocations', { type: 'text/plain', body: 'x' })).status).toBe(415)
    },
    60_000,
  )

  test('rows that come at once are answered together by its Python, each with its own answer', async () => {
    await at.route('late', (await at.load('late', 1)).id)
    const many = Array.from({ length: 150 }, (_, n) => ({ ...ROWS[n % 2], dep: n / 7 }))
    const expected = scores((await post('/serve/late/invocations', json({ instances: many }))).text)
    const single = await Promise.all(many.map((row) => post('/serve/late/invocations', json({ instances: [row] }))))
    for (const [n, { status, text }] of single.entries()) {
      expect([n, status]).toEqual([n, 200])
      expect(scores(text)[0]![1]).toBeCloseTo(expected[n]![1]!, 9)
    }
    await at.route('late', (await at.load('late', 2)).id)
  }, 60_000)

  test('says which feature is unknown, missing or of the wrong type', async () => {
    const ask = async (row: object) =>
      JSON.parse((await post('/serve/late/invocations', json({ instances: [row] }))).text)
    expect(await ask({ ...ROWS[0], gate: 'B7' })).toMatchObject({ field: 'instances[0].gate' })
    expect(await ask({ dep: 1, dist: 1, carrier: 'AA' })).toMatchObject({ field: 'instances[0].stops' })
    expect(await ask({ ...ROWS[0], carrier: 4 })).toMatchObject({ field: 'instances[0].carrier' })
    // MLflow would cut it to 1 without a word.
    expect(await ask({ ...ROWS[0], stops: 1.5 })).toMatchObject({ field: 'instances[0].stops' })
    expect(await ask({ ...ROWS[0], stops: null })).toMatchObject({ field: 'instances[0].stops' })
  })

  test('a batch runs in a thread, where a refusal is still the caller’s mistake', async () => {
    const many = Array.from({ length: 500 }, (_, n) => ({ ...ROWS[n % 2], dep: n / 25 }))
    const answer = await post('/serve/late/invocations', json({ dataframe_records: many }))
    expect(scores(answer.text)).toHaveLength(500)
    const one = scores((await post('/serve/late/invocations', json({ instances: [many[77]] }))).text)[0]!
    expect(scores(answer.text)[77]).toEqual(one)
    many[400] = { ...ROWS[0]!, stops: 2 ** 60 }
    expect(await post('/serve/late/invocations', json({ dataframe_records: many }))).toMatchObject({ status: 400 })
  })

  test('each answer is found by its id, with features, score and label', async () => {
    const answer = await post('/api/slipway/v1/endpoints/late/predict', json({ rows: ROWS }), {
      'slipway-event-time': '2013-04-01T07:00:00Z',
      'slipway-key': 'flight 7',
    })
    const body = JSON.parse(answer.text)
    expect(body).toMatchObject({ version: 'late/2', fallback: false, prediction_id: answer.id })
    const found = await fetch(`${url}/api/slipway/v1/predictions/${body.rows[1].id}`)
    expect(await found.json()).toMatchObject({
      endpoint: 'late',
      event_ms: Date.UTC(2013, 3, 1, 7),
      key: 'flight 7',
      features: ROWS[1],
      score: body.rows[1].score,
      label: String(body.rows[1].label),
      status: 'ok',
    })
    expect((await fetch(`${url}/api/slipway/v1/predictions/prd_${'0'.repeat(12)}7${'0'.repeat(19)}`)).status).toBe(404)
    expect((await post('/serve/late/invocations', GOOD[0]!, { 'slipway-event-time': 'noon' })).status).toBe(400)
    await at.serving.flushWatermarks()
    expect(await at.store.read((sql) => at.serving.watermark(sql, 'w', 'late'))).toBeGreaterThan(0)
  })

  test('a compiled canary that answers at once, but past its time, is stood in for', async () => {
    const spec = { model: 'late', task: 'binary', score: 1, clock: 'replay' } as const
    await at.apply('late', { ...spec, canary_timeout: '0.001ms' })
    // Both are loaded already: the Python form of version 1, the compiled one of version 2.
    const [stable, canary] = [(await at.load('late', 1)).id, (await at.load('late', 2)).id]
    const before = at.serving.stats(canary)!
    await at.route('late', stable, { revision: canary, share: 0.999 })
    const answer = JSON.parse((await post('/api/slipway/v1/endpoints/late/predict', json({ rows: ROWS }))).text)
    expect(answer).toMatchObject({ fallback: true, revision: stable, version: 'late/1' })
    expect(at.serving.stats(canary)).toMatchObject({
      requests: before.requests + 1,
      errors: before.errors,
      over_time: 1,
    })
    await at.apply('late', spec)
    await at.route('late', canary)
  }, 60_000)

  test('an endpoint that is made anew has nothing of the one before: no watermark, no predictions', async () => {
    const make = async () => {
      await at.apply('again', { model: 'late', task: 'binary', score: 1, clock: 'replay' })
      await at.route('again', (await at.load('again', 2)).id)
    }
    const predict = async (month: string) =>
      JSON.parse(
        (
          await post('/api/slipway/v1/endpoints/again/predict', json({ rows: ROWS.slice(0, 1) }), {
            'slipway-event-time': `2013-${month}-01T00:00:00Z`,
          })
        ).text,
      ).prediction_id as string
    const watermark = async () => {
      await at.serving.flushWatermarks()
      return at.store.read((sql) => at.serving.watermark(sql, 'w', 'again'))
    }
    await make()
    const first = await predict('12')
    expect(await watermark()).toBe(Date.UTC(2013, 11))
    await predict('12')
    await at.store.write((tx) => at.serving.removeEndpoint(tx, ada, 'again'))
    at.clock.advance(1000)
    await make()
    expect(await watermark()).toBeUndefined()
    expect(await at.serving.recentPredictions('w', 'again', 10)).toEqual([])
    const second = await predict('04')
    expect(await watermark()).toBe(Date.UTC(2013, 3))
    expect((await at.serving.recentPredictions('w', 'again', 10)).map(({ id }) => id)).toEqual([`${second}.0`])
    const found = await at.serving.predictions('w', 'again')
    const count = `SELECT count(*) FROM ${found.from}`
    expect((await at.analytics.query({ sql: count, files: found.sources })).rows).toEqual([[1]])
    await found.done()
    // By its id it is still found, with the model that answered.
    expect(await at.serving.findPrediction('w', first)).toMatchObject({ endpoint: 'again', model: 'late' })
  }, 60_000)

  test('scores rows beside traffic by the same form, and tells the rows that it refuses', async () => {
    const scorer = await at.serving.openScorer('w', 'late', 2, { score: 1, task: 'binary' })
    const scored = await scorer.score([...ROWS, { ...ROWS[0], stops: 'two' }])
    await scorer.close()
    expect(scored).toMatchObject({ failed: 1, failures: [{ row: 2, error: expect.stringContaining('stops') }] })
    const [first] = scores((await post('/serve/late/invocations', GOOD[0]!)).text)
    expect(scored.scores).toEqual([first![1], expect.any(Number), null])
  })
})

describe('a model of Python alone', () => {
  const ask = (word: string, number = 1, headers = {}) =>
    post(
      '/serve/wayward/invocations',
      json({ dataframe_split: { columns: ['word', 'number'], data: [[word, number]] } }),
      headers,
    )
  const stats = (revision: string) => at.serving.stats(revision)!
  let stable: string

  beforeAll(async () => {
    await at.apply('wayward', { model: 'wayward', task: 'regression', timeout: '20s', canary_timeout: '300ms' })
    await at.addVersion('wayward', 1, join(models.dir, 'wayward'))
    await at.addVersion('wayward', 2, join(models.dir, 'wayward'))
    for (const version of [1, 2]) await at.takeAsPrepared('wayward', version)
    const revision = await at.load('wayward', 1)
    stable = revision.id
    await at.route('wayward', stable)
  }, 120_000)

  test('NaN and the infinities come through as MLflow writes them', async () => {
    expect((await ask('nan')).text).toBe('{"predictions": [NaN]}')
    const there = json({ instances: [{ word: 'a', number: 'Infinity' }] })
    expect((await post('/serve/wayward/invocations', there)).text).toBe('{"predictions": [Infinity]}')
    const ours = await post('/api/slipway/v1/endpoints/wayward/predict', json({ rows: [{ word: 'nan', number: 1 }] }))
    expect(JSON.parse(ours.text).rows[0]).toMatchObject({ output: 'NaN', score: null })
  })

  test('what it raises is an error in answer, count and log', async () => {
    const before = stats(stable).errors
    const answer = await ask('raise')
    expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('this destination is new to me')])
    expect(stats(stable)).toMatchObject({ errors: before + 1, last_error: expect.stringContaining('new to me') })
    const [last] = await at.serving.recentPredictions('w', 'wayward', 1)
    expect(last).toMatchObject({ status: 'error', error: expect.stringContaining('new to me') })
  })

  test('a process that dies takes one request with it; those behind it wait for the next process', async () => {
    const answers = await Promise.all([ask('die'), ask('a', 2), ask('a', 3)])
    expect(answers.map(({ status }) => status)).toEqual([500, 200, 200])
    expect(answers[2]!.text).toBe('{"predictions": [3]}')
  }, 30_000)

  test('a canary that raises or is over its time never fails a request', async () => {
    const canary = (await at.load('wayward', 2)).id
    await at.route('wayward', stable, { revision: canary, share: 0.999 })
    const before = stats(stable)
    const raised = JSON.parse(
      (await post('/api/slipway/v1/endpoints/wayward/predict', json({ rows: [{ word: 'sleep', number: 1 }] }))).text,
    )
    expect(raised).toMatchObject({ fallback: true, revision: stable, version: 'wayward/1', rows: [{ output: 1 }] })
    expect(stats(canary)).toMatchObject({ requests: 1, errors: 0, over_time: 1 })
    expect(stats(stable)).toMatchObject({ stood_in: before.stood_in + 1, requests: before.requests })
    const found = await at.serving.findPrediction('w', raised.prediction_id)
    expect(found).toMatchObject({
      status: 'fallback',
      revision: canary,
      version: 2,
      answered_by: stable,
      answered_version: 1,
      error: expect.stringContaining('300 ms'),
    })
    // Both refuse it: the caller's mistake, counted against nobody.
    const refused = await post('/serve/wayward/invocations', json({ instances: [{ word: 'a' }] }))
    expect([refused.status, stats(canary).errors]).toEqual([400, 0])
  }, 30_000)

  test('a switch away from a Python version, retired at once, fails none of the requests that it has', async () => {
    const next = (await at.load('wayward', 2)).id
    await at.route('wayward', stable)
    said.length = 0
    // One at work, one handed over, and two that still wait for the process.
    const under_way = [ask('sleep', 1.5), ask('a', 2), ask('a', 3), ask('a', 4)]
    await vi.waitFor(() => expect(at.serving.node.loaded(stable)?.in_flight).toBe(4))
    await at.route('wayward', next)
    await at.store.write((tx) => at.serving.retireRevision(tx, ada, stable))
    await at.serving.node.settle()
    expect(at.serving.stats(stable)).toBeUndefined()
    expect((await ask('a', 5)).text).toBe('{"predictions": [5]}')
    expect((await Promise.all(under_way)).map(({ status, text }) => [status, text])).toEqual(
      [1.5, 2, 3, 4].map((number) => [200, `{"predictions": [${number}]}`]),
    )
    // One that is retired while its process starts goes without a word, too.
    const { id } = await at.store.write((tx) => at.serving.addRevision(tx, ada, { endpoint: 'wayward', version: 1 }))
    await vi.waitFor(async () => {
      await at.serving.node.settle()
      expect((await at.store.read((sql) => at.serving.readiness(sql, 'w', id))).state).toBe('loading')
    })
    await at.store.write((tx) => at.serving.retireRevision(tx, ada, id))
    await at.serving.node.settle()
    expect(said).toEqual([])
  }, 60_000)

  test('files of a loaded model that somebody changed are not loaded again', async () => {
    const look = async () => {
      const home = await at.serving.openPython('w', 'wayward', 1)
      await home.done()
      return join(home.model_dir, 'MLmodel')
    }
    const path = await look()
    const right = await readFile(path, 'utf8')
    expect((await stat(path)).mode & 0o777).toBe(0o444)
    await chmod(path, 0o600)
    await writeFile(path, right.replace('a', 'b'))
    await chmod(path, 0o444)
    expect(await look()).toBe(path)
    expect(await readFile(path, 'utf8')).toBe(right)
  })

  test('a version that does not load is failed with its reason, and takes no traffic', async () => {
    await at.addVersion('wayward', 3, join(models.dir, 'broken'))
    expect(await at.prepare('wayward', 3)).toMatchObject({ state: 'failed', reason: expect.stringContaining('load') })
    const revision = await at.load('wayward', 3)
    expect(revision).toMatchObject({ state: 'failed', reason: expect.stringContaining('load') })
    await expect(at.route('wayward', revision.id)).rejects.toMatchObject({ problem: 'conflict' })
  }, 60_000)

  test('a model without a signature takes what comes, and the log keeps it', async () => {
    await at.apply('nameless', { model: 'nameless', task: 'none' })
    await at.addVersion('nameless', 1, join(models.dir, 'nameless'))
    await at.takeAsPrepared('nameless', 1)
    await at.route('nameless', (await at.load('nameless', 1)).id)
    const answer = await post('/serve/nameless/invocations', json({ dataframe_records: [{ a: 1 }, { a: 2 }] }))
    expect(answer.text).toBe('{"predictions": {"rows":2}}')
    const found = await at.serving.findPrediction('w', answer.id!)
    expect(found).toMatchObject({ inputs: '{"a":1}', output: '{"rows":2}', features: {} })
  }, 60_000)
})
