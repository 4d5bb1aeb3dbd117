import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import type { Chart, Charts } from '../charts.ts'
import type { Integer, Metric, MetricInput, Run, SearchPage } from '../model.ts'
import { createSealer, type Sealer } from './sealer.ts'

interface Plain {
  step: Integer
  timestamp_ms: Integer
  value: number
}

const bounded = (value: number) => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value))
const nameOf = ({ step, timestamp_ms, value }: Plain) => `${step} ${timestamp_ms} ${value}`
const orderOf = (value: number) => (Number.isNaN(value) ? 0 : value)
const compare = (a: Integer, b: Integer) => (a < b ? -1 : a > b ? 1 : 0)
const byTime = (a: Plain, b: Plain) =>
  compare(a.timestamp_ms, b.timestamp_ms) ||
  compare(a.step, b.step) ||
  compare(orderOf(a.value), orderOf(b.value)) ||
  Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value))
const byStep = (a: Plain, b: Plain) => compare(a.step, b.step) || byTime(a, b)

/** What the series is, kept the plainest way. */
function once(points: readonly Plain[]): Plain[] {
  const kept = new Map(points.map((point) => [nameOf(point), point]))
  return [...kept.values()].map(({ step, timestamp_ms, value }) => ({ step, timestamp_ms, value: bounded(value) }))
}

eachStore('metric points', (open, database) => {
  let at: MlflowServer
  let sealer: Sealer
  const random = seededRandom(11)
  const int = (most: number) => Math.floor(random.next() * most)

  beforeAll(async () => {
    at = await startMlflowServer(open)
    sealer = createSealer({ store: at.store, log: silentLog })
  })
  afterAll(() => at?.close())

  const newRun = (start_ms = 1000) =>
    at.store.command<Run>('tracking.createRun', {
      ...at.tracking.draw.run(at.who()),
      experiment_id: '0',
      tags: [],
      start_ms,
    })
  const end = (run_id: string) =>
    at.store.command('tracking.updateRun', { ...at.tracking.draw.stamp(at.who()), run_id, status: 'FINISHED' })
  const log = (run_id: string, points: readonly Plain[], key = 'm') =>
    at.store.command('tracking.logBatch', {
      ...at.tracking.draw.stamp(at.who()),
      run_id,
      metrics: points.map((point): MetricInput => ({ key, ...point })),
      params: [],
      tags: [],
    })
  /** Few points of each of several keys: one batch of the run. */
  const logMixed = (run_id: string, points: readonly Plain[], step: number) =>
    at.store.command('tracking.logBatch', {
      ...at.tracking.draw.stamp(at.who()),
      run_id,
      metrics: [
        ...points.map((point): MetricInput => ({ key: 'm', ...point })),
        ...Array.from({ length: 6 }, (_, n) => ({ key: `other${n}`, step, timestamp_ms: n, value: n })),
      ],
      params: [],
      tags: [],
    })
  const logAll = async (run_id: string, points: readonly Plain[], key = 'm') => {
    for (let first = 0; first < points.length; first += 1000) await log(run_id, points.slice(first, first + 1000), key)
  }
  const page = (run_id: string, more: object = {}, key = 'm') =>
    at.store.query<SearchPage<Metric>>('tracking.history', { workspace: 'default', run_id, key, ...more })
  const plain = (items: readonly Metric[]): Plain[] =>
    items.map(({ step, timestamp_ms, value }) => ({ step, timestamp_ms, value }))
  const count = (table: string) =>
    at.store.read(async (sql) => Number((await sql.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))!.n))
  const chart = (run_id: string, more: object = {}) =>
    at.store.query<Chart>('tracking.chart', { workspace: 'default', run_id, keys: ['m'], points: 300, ...more })

  const anyPoint = (): Plain => ({
    step: random.next() < 0.02 ? 2n ** 62n + BigInt(int(3)) : int(60) - 10,
    timestamp_ms: random.next() < 0.02 ? 2n ** 61n : 1_700_000_000_000 + int(40),
    value: [random.next(), Number.NaN, Infinity, -Infinity, 0, 1, -1][int(7)]!,
  })

  test('are exact whatever was logged twice, late or out of order, and however far it is sealed', async () => {
    for (let round = 0; round < 6; round++) {
      const { run_id } = await newRun()
      const all: Plain[] = []
      // An ended run is sealed from 32 points on: small blocks that overlap.
      await end(run_id)
      for (let batch = 0; batch < 12; batch++) {
        const points = Array.from({ length: [1, 3, 40, 120][int(4)]! }, anyPoint)
        if (all.length > 0) points.push(all[int(all.length)]!)
        if (points.length < 5) await logMixed(run_id, points, batch)
        else await log(run_id, points)
        all.push(...points)
        if (random.next() < 0.4) await sealer.sealAll()
      }
      const expected = once(all).sort(byTime)
      expect(plain((await page(run_id)).items)).toEqual(expected)
      const drawn = await at.store.query<Metric[]>('tracking.intervalHistory', {
        workspace: 'default',
        run_ids: [run_id],
        key: 'm',
        limit: 2500,
      })
      expect(plain(drawn)).toEqual([...expected].sort(byStep))
      const within = await at.store.query<Metric[]>('tracking.intervalHistory', {
        workspace: 'default',
        run_ids: [run_id],
        key: 'm',
        start_step: 5,
        end_step: 30,
        limit: 2500,
      })
      expect(plain(within)).toEqual(expected.filter(({ step }) => step >= 5 && step <= 30).sort(byStep))
      const bulk = { workspace: 'default', run_ids: [run_id], key: 'm', limit: 100 }
      expect(plain(await at.store.query<Metric[]>('tracking.bulkHistory', bulk))).toEqual(expected.slice(0, 100))
    }
    expect(await count('metric_block')).toBeGreaterThan(5)
  })

  test('come in exact pages while they are sealed between one page and the next', async () => {
    const { run_id } = await newRun()
    const all = Array.from({ length: 2600 }, (_, step) => ({
      step,
      timestamp_ms: 1_700_000_000_000 + Math.floor(step / 3) + (step % 50 === 0 ? -40 : 0),
      value: step % 7,
    }))
    await logAll(run_id, all.slice(0, 1500))
    for (const point of all.slice(1500, 1600)) await log(run_id, [point])
    await logAll(run_id, all.slice(1600))
    const before = await count('metric_block')
    const got: Plain[] = []
    let position: unknown
    for (let pages = 0; ; pages++) {
      const { items, next }: SearchPage<Metric> = await page(run_id, { limit: 400, ...(position ? { position } : {}) })
      got.push(...plain(items))
      if (next === undefined) break
      position = next
      if (pages === 0) await sealer.sealAll()
      if (pages === 2) await end(run_id).then(() => sealer.sealAll())
    }
    expect(got).toEqual(once(all).sort(byTime))
    expect(await count('metric_block')).toBeGreaterThan(before)
    // What was cut into full blocks and one open one has no rows left.
    const rest = await at.store.read(async (sql) =>
      sql.get<{ n: number }>(
        `SELECT (SELECT count(*) FROM metric_point p WHERE p.series = m.series)
           + (SELECT count(*) FROM metric_chunk c WHERE c.series = m.series) AS n
         FROM run_metric m JOIN run r ON r.run_key = m.run_key WHERE r.run_id = ?`,
        [run_id],
      ),
    )
    expect(Number(rest!.n)).toBe(0)
  })

  test('of many keys are one batch each, taken apart when there are some', async () => {
    const { run_id } = await newRun()
    const all = Array.from({ length: 150 }, (_, step) => ({
      step,
      timestamp_ms: 5,
      value: step % 9 === 0 ? Number.NaN : step,
    }))
    for (const [at, point] of all.entries()) await logMixed(run_id, [point], at)
    const batches = () =>
      at.store.read(async (sql) =>
        Number(
          (await sql.get<{ n: number }>(
            'SELECT count(*) AS n FROM metric_batch b JOIN run r ON r.run_key = b.run_key WHERE r.run_id = ?',
            [run_id],
          ))!.n,
        ),
      )
    expect(await batches()).toBe(150)
    const whole = await chart(run_id, { keys: [] })
    const small = await chart(run_id, { keys: [], points: 30 })
    await sealer.sealAll()
    expect(await batches()).toBe(0)
    expect(await chart(run_id, { keys: [] })).toEqual(whole)
    expect(await chart(run_id, { keys: [], points: 30 })).toEqual(small)
    const others = { step: Array.from({ length: 150 }, (_, step) => step), value: new Array(150).fill(3) }
    expect(whole.series.find(({ key }) => key === 'other3')).toMatchObject(others)
    await end(run_id)
    const { body } = await at.call('POST', '/api/slipway/v1/runs/copy', { run_ids: [run_id], to_experiment: '0' })
    const [copy] = (body as { runs: { run_id: string }[] }).runs
    for (const id of [run_id, copy!.run_id]) expect(plain((await page(id)).items)).toEqual(all)
  })

  test('are sealed by themselves once there are enough, and the rest when the run ends', async () => {
    const { run_id } = await newRun()
    const blocksOf = async () =>
      await at.store.read((sql) =>
        sql.all<{ points: number }>(
          `SELECT b.points FROM run r JOIN run_metric m ON m.run_key = r.run_key JOIN metric_block b ON b.series = m.series
           WHERE r.run_id = ? ORDER BY b.block_key`,
          [run_id],
        ),
      )
    const own = createSealer({ store: at.store, log: silentLog })
    own.start()
    try {
      await logAll(
        run_id,
        Array.from({ length: 1100 }, (_, step) => ({ step, timestamp_ms: 1, value: step })),
      )
      await vi.waitFor(async () => expect(await blocksOf()).toEqual([{ points: 1024 }]), 20_000)
      // One by a command, one by a callback: on SQLite they happen in different threads.
      await at.store.write((tx) => at.tracking.updateRun(tx, at.who(), run_id, { status: 'FINISHED' }))
      await vi.waitFor(async () => expect(await blocksOf()).toEqual([{ points: 1024 }, { points: 76 }]), 20_000)
    } finally {
      await own.stop()
    }
  })

  test('logged while the series is being sealed are all there', async () => {
    const { run_id } = await newRun()
    const all = Array.from({ length: 3000 }, (_, i) => ({ step: i, timestamp_ms: 1, value: 1 }))
    let logging = true
    const sealing = (async () => {
      while (logging) await sealer.sealAll()
    })()
    await Promise.all(
      Array.from({ length: 6 }, async (_, client) => {
        for (let first = client * 500; first < (client + 1) * 500; first += 25)
          await log(run_id, all.slice(first, first + 25))
      }),
    )
    logging = false
    await sealing
    await sealer.sealAll()
    expect(plain((await page(run_id)).items)).toEqual(all)
    expect(await count('metric_block')).toBeGreaterThan(0)
  })

  describe('for drawing', () => {
    test('keep the least, greatest and last of each part of the axis, by steps and by time, whole and zoomed', async () => {
      const { run_id } = await newRun(1_700_000_000_000)
      const all = Array.from({ length: 9000 }, (_, step) => ({
        step,
        timestamp_ms: 1_700_000_000_000 + step * 10,
        value: step === 4321 ? 99 : step === 7000 ? -99 : step % 100 === 50 ? Number.NaN : Math.sin(step / 300),
      }))
      await logAll(run_id, all)
      const raw = (await chart(run_id)).series[0]!
      await end(run_id)
      await sealer.sealAll()
      const sealed = (await chart(run_id)).series[0]!
      expect(sealed).toEqual(raw)
      expect(sealed.count).toBe(9000)
      expect(sealed.step.length).toBeLessThanOrEqual(300)
      expect(sealed.step.at(-1)).toBe(8999)
      expect(sealed.value).toContain(99)
      expect(sealed.value).toContain(-99)
      // Each part of 90 steps against the plainest reading.
      for (let part = 0; part < 99; part++) {
        const [low, high] = [(part * 8999) / 100, ((part + 1) * 8999) / 100]
        const inside = all.filter(({ step, value }) => step >= low && step < high && !Number.isNaN(value))
        const drawn = sealed.value.filter((_, i) => sealed.step[i]! >= low && sealed.step[i]! < high)
        expect(drawn).toContain(Math.max(...inside.map(({ value }) => value)))
        expect(drawn).toContain(Math.min(...inside.map(({ value }) => value)))
      }
      const zoomed = (await chart(run_id, { from: 4300.5, to: 4400 })).series[0]!
      expect([zoomed.count, zoomed.step[0], zoomed.step.at(-1)]).toEqual([100, 4301, 4400])
      const timed = await chart(run_id, { x: 'time', from: 1_700_000_000_000 + 40_000, to: 1_700_000_000_000 + 50_000 })
      expect([timed.series[0]!.step[0], timed.series[0]!.step.at(-1)]).toEqual([4000, 5000])
      expect(timed.series[0]!.value).toContain(99)
      const relative = await chart(run_id, { x: 'relative', from: 40_000, to: 50_000 })
      expect(relative).toEqual(timed)
      expect((await chart(run_id, { x: 'time' })).series[0]).toEqual(sealed)
      expect((await chart(run_id, { from: 9500 })).series[0]).toMatchObject({ count: 0, step: [] })
    })

    test('come for several runs and keys in one answer', async () => {
      const runs = await Promise.all([newRun(5), newRun(6)])
      for (const [at, { run_id }] of runs.entries()) {
        await logAll(run_id, [{ step: at, timestamp_ms: 7, value: at }], 'loss')
        if (at === 0) await logAll(run_id, [{ step: 3, timestamp_ms: 7, value: Number.NaN }], 'acc')
      }
      const [a, b] = runs.map(({ run_id }) => run_id)
      const ask = (body: object) => at.call('POST', '/api/slipway/v1/runs/charts', body)
      const { status, body } = await ask({ run_ids: [b, a, b], keys: ['loss', 'acc', 'none'] })
      expect(status).toBe(200)
      expect(body as unknown as Charts).toEqual({
        series: [
          { run_id: b, key: 'loss', count: 1, step: [1], timestamp_ms: [7], value: [1] },
          { run_id: a, key: 'loss', count: 1, step: [0], timestamp_ms: [7], value: [0] },
          { run_id: a, key: 'acc', count: 1, step: [3], timestamp_ms: [7], value: [null] },
        ],
        runs: [
          { run_id: b, name: runs[1]!.name, status: 'RUNNING', start_ms: 6 },
          { run_id: a, name: runs[0]!.name, status: 'RUNNING', start_ms: 5 },
        ],
        left_out: [],
      })
      expect((await ask({ run_ids: ['none'], keys: ['loss'] })).status).toBe(404)
      expect((await ask({ run_ids: [], keys: ['loss'] })).status).toBe(400)
      expect((await ask({ run_ids: [a], keys: ['loss'], from: 1e300 })).status).toBe(200)
    })
  })

  test('go with their run', async () => {
    const { run_id } = await newRun()
    await logAll(
      run_id,
      Array.from({ length: 1200 }, (_, step) => ({ step, timestamp_ms: 1, value: step })),
    )
    await log(run_id, [{ step: 5000, timestamp_ms: 1, value: 1 }])
    await sealer.sealAll()
    await logMixed(run_id, [], 1)
    const forms = ['metric_point', 'metric_batch', 'metric_chunk', 'metric_block', 'metric_block_body']
    const before = await Promise.all(forms.map(count))
    await at.store.write((tx) => tx.run('DELETE FROM run WHERE run_id = ?', [run_id]))
    const after = await Promise.all(forms.map(count))
    expect(after.every((n, form) => n < before[form]! || before[form] === 0)).toBe(true)
    expect((await page(run_id)).items).toEqual([])
  })

  test('are copied with their run in all their forms', async () => {
    const { run_id } = await newRun()
    const all = Array.from({ length: 1500 }, (_, step) => ({ step, timestamp_ms: 1, value: step }))
    await logAll(run_id, all.slice(0, 1400))
    await sealer.sealAll()
    await logAll(run_id, all.slice(1400, 1498))
    for (const point of all.slice(1498)) await log(run_id, [point])
    const { body } = await at.call('POST', '/api/slipway/v1/runs/copy', { run_ids: [run_id], to_experiment: '0' })
    const [copy] = (body as { runs: { run_id: string }[] }).runs
    expect(plain((await page(copy!.run_id)).items)).toEqual(all)
  })

  test.skipIf(database !== 'sqlite')('take at most 14 bytes each once they are sealed', async () => {
    const used = () =>
      at.store.read(async (sql) => {
        const of = async (name: string) => Object.values((await sql.get<Record<string, number>>(`PRAGMA ${name}`))!)[0]!
        return ((await of('page_count')) - (await of('freelist_count'))) * (await of('page_size'))
      })
    const { run_id } = await newRun()
    const before = await used()
    const [series, points] = [20, 10_000]
    for (let key = 0; key < series; key++) {
      const all = Array.from({ length: points }, (_, step) => ({
        step,
        timestamp_ms: 1_700_000_000_000 + step * 1000 + int(100),
        value: key % 2 === 0 ? random.next() : Math.fround(random.next()),
      }))
      await logAll(run_id, all, `k${key}`)
    }
    await end(run_id)
    await sealer.sealAll()
    expect((await page(run_id, {}, 'k3')).items).toHaveLength(points)
    // Logged in order, they lie in order: a reader decodes no block twice.
    const overlapping = await at.store.read((sql) =>
      sql.all(
        `SELECT a.block_key FROM run r JOIN run_metric m ON m.run_key = r.run_key
         JOIN metric_block a ON a.series = m.series JOIN metric_block b ON b.series = a.series
         WHERE r.run_id = ? AND a.block_key <> b.block_key AND a.min_step <= b.max_step AND a.max_step >= b.min_step`,
        [run_id],
      ),
    )
    expect(overlapping).toEqual([])
    expect(((await used()) - before) / (series * points)).toBeLessThan(14)
  })
})
