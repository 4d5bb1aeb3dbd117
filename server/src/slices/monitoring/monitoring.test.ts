import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ada, DAY, openTraffic, START } from '#kit/monitoring-traffic.ts'
import { eachStore } from '#kit/store.ts'

const at = (day: number) => START + day * DAY

/** `count` rows of one day: the first half positive, told apart by the score as well as `quality` allows. */
const dayOf = (day: number, count: number, quality = 1, version = 1) =>
  Array.from({ length: count }, (_, row) => {
    const positive = row < count / 2
    const right = row % 10 < quality * 10
    return { day: day + row / count, score: positive === right ? 0.9 - row / 1e4 : 0.1 + row / 1e4, version }
  })
const labelsOf = (ids: string[]) => ids.map((prediction, row) => ({ prediction, value: row < ids.length / 2 ? 1 : 0 }))

eachStore('monitoring', (open) => {
  let traffic: Awaited<ReturnType<typeof openTraffic>>
  let hook: Awaited<ReturnType<typeof receiver>>
  beforeAll(async () => {
    hook = await receiver()
    traffic = await openTraffic(open, [hook.host])
  })
  afterAll(async () => {
    await traffic.end()
    hook.close()
  })

  test('labels: the one observed last counts, all are kept, unknown predictions are taken', async () => {
    const prediction = `prd_${'0'.repeat(12)}7${'0'.repeat(19)}`
    const observed = (day: number) => new Date(at(day)).toISOString()
    expect(await traffic.label([{ prediction, value: true, observed_at: observed(2) }])).toEqual({ accepted: 1 })
    await traffic.label([{ prediction: `${prediction}.0`, value: 0, observed_at: observed(1) }])
    await traffic.label([{ prediction, value: 'late', observed_at: observed(1) }])
    const kept = await traffic.store.read((sql) => traffic.monitoring.labelsOf(sql, 'w', `${prediction}.0`))
    // The correction of the same moment stands beside what it corrects; the same sent again is kept once.
    await traffic.label([{ prediction, value: 'late', observed_at: observed(1) }])
    expect(kept.map(({ value }) => value)).toEqual(['0', 'late', '1'])
    const soon = new Date(traffic.clock.now() + 600_000).toISOString()
    expect(() => traffic.monitoring.readLabels(ada, [{ prediction, value: 1, observed_at: soon }])).toThrow('ahead of')
    expect(() => traffic.monitoring.readLabels(ada, [{ prediction, value: 1, observed_at: 'soon' }])).toThrow(
      "'soon' is not a time",
    )
    expect(() => traffic.monitoring.readLabels(ada, [{ prediction, value: null }])).toThrow('a label is a text')
  })

  test('a window closes when the watermark has passed it and its labels had their time', async () => {
    traffic.setEndpoint('e1')
    await traffic.apply('m1', { endpoint: 'e1', window: '1d', label_delay: '12h', labels_min: 10 })
    const ids = await traffic.predict('e1', dayOf(0, 40))
    await traffic.predict('e1', [{ day: 0.6, status: 'error', score: null }])
    await traffic.label(labelsOf(ids))
    traffic.passed('e1', 1.49)
    expect(await traffic.store.read((sql) => traffic.monitoring.due(sql, 'w'))).toBe(1)
    await traffic.settle()
    expect(await traffic.windows('m1')).toEqual([])
    traffic.passed('e1', 1.5)
    await traffic.settle()
    const [window, ...more] = await traffic.windows('m1')
    expect(more).toEqual([])
    expect(window).toMatchObject({ start_ms: at(0), end_ms: at(1), state: 'computed', revisions: 0 })
    expect(window!.facts).toMatchObject({
      requests: 41,
      rows: 41,
      errors: 1,
      labelled: 40,
      versions: { 1: 41 },
      positives: 20,
      latency_ms: { p50: 2, p95: 2, p99: 2 },
      seen: { from_ms: at(0), to_ms: at(0.975) },
    })
    expect(window!.facts.metrics).toMatchObject({ roc_auc: 1, accuracy: 1, f1: 1, error_rate: 1 / 41 })
  })

  test('late and corrected labels revise their window once, decide nothing, and touch no other', async () => {
    traffic.setEndpoint('e2')
    traffic.setEndpoint('e2-other')
    await traffic.apply('m2', {
      endpoint: 'e2',
      window: '1d',
      labels_min: 10,
      alerts: [{ name: 'falls', metric: 'roc_auc', below: 0.5 }],
    })
    const first = await traffic.predict('e2', dayOf(0, 20))
    // Made at the same wall time as those of e2: their labels lie between them.
    const other = await traffic.predict('e2-other', dayOf(0, 20))
    const second = await traffic.predict('e2', dayOf(1, 20))
    await traffic.label([...labelsOf(first), ...labelsOf(second).slice(0, 12)])
    traffic.passed('e2', 2)
    await traffic.settle()
    expect((await traffic.windows('m2')).map(({ facts, state }) => [state, facts.labelled])).toEqual([
      ['computed', 20],
      ['computed', 12],
    ])
    const told = (await traffic.told('monitoring.window-computed')).length

    await traffic.label(labelsOf(other))
    await traffic.label(labelsOf(second).map((label) => ({ ...label, value: 1 - label.value })))
    await traffic.settle()
    const [untouched, revised] = await traffic.windows('m2')
    expect(untouched).toMatchObject({ state: 'computed', revisions: 0 })
    expect(revised).toMatchObject({ state: 'revised', revisions: 1 })
    expect(revised!.facts.labelled).toBe(20)
    expect(revised!.facts.metrics.roc_auc).toBe(0)
    expect(await traffic.alerts('m2')).toEqual([])
    expect((await traffic.told('monitoring.window-computed')).slice(told).map(({ after }) => after)).toEqual([
      { monitor: 'm2', endpoint: 'e2', start_ms: at(1), end_ms: at(2), revised: true },
    ])
  })

  test('labels that come first after their window closed are judged, once and in order: an alert opens from them', async () => {
    traffic.setEndpoint('e2-late')
    const alert = { name: 'falls', metric: 'roc_auc' as const, below: 0.6, for: 2 }
    await traffic.apply('m2-late', { endpoint: 'e2-late', window: '1d', labels_min: 10, alerts: [alert] })
    const days = []
    for (const day of [0, 1, 2]) days.push(await traffic.predict('e2-late', dayOf(day, 20, 0.2)))
    traffic.passed('e2-late', 3)
    await traffic.settle()
    expect((await traffic.windows('m2-late')).map(({ facts }) => facts.metrics.roc_auc)).toEqual([null, null, null])
    await traffic.label(labelsOf(days[0]!))
    await traffic.settle()
    expect(await traffic.alerts('m2-late')).toEqual([])
    await traffic.label(labelsOf(days[1]!))
    await traffic.settle()
    const [raised, ...more] = await traffic.alerts('m2-late')
    expect(more).toEqual([])
    expect(raised).toMatchObject({ state: 'open', opened_window_ms: at(1), watermark_ms: at(3) })
    // Corrected labels revise what is shown; what was decided stays.
    await traffic.label(labelsOf(days[1]!).map((label) => ({ ...label, value: 1 - label.value })))
    await traffic.settle()
    expect(await traffic.alerts('m2-late')).toEqual([raised])
  })

  test('an alert opens after two windows, tells a signed webhook that failed at first, holds and clears', async () => {
    traffic.setEndpoint('e3')
    const alert = { name: 'falls', metric: 'roc_auc' as const, below_reference: 0.1, for: 2, webhook: hook.url }
    await traffic.apply('m3', { endpoint: 'e3', window: '1d', labels_min: 10, alerts: [alert] })
    hook.answers.push(500)
    for (const [day, quality] of [1, 0.7, 0.7, 0.7, 1].entries())
      await traffic.label(labelsOf(await traffic.predict('e3', dayOf(day, 40, quality))))
    traffic.passed('e3', 5)
    await traffic.settle()
    const [raised] = await traffic.alerts('m3')
    expect(raised).toMatchObject({
      name: 'falls',
      state: 'cleared',
      threshold: 0.9,
      reference: { value: 1, version: 1, window_ms: at(0) },
      opened_window_ms: at(2),
      cleared_window_ms: at(4),
      watermark_ms: at(5),
    })
    const moved = (await traffic.told('monitoring.alert')).filter(({ subject }) => subject.id === raised!.id)
    expect(moved.map(({ name, after }) => [name, (after as { streak: number }).streak])).toEqual([
      ['monitoring.alert-raised', 2],
      ['monitoring.alert-held', 3],
      ['monitoring.alert-cleared', 0],
    ])

    for (let round = 0; round < 4; round++) {
      traffic.clock.advance(20_000)
      await traffic.jobs.idle()
    }
    const bodies = hook.seen.map(({ body }) => JSON.parse(body))
    expect(bodies.map(({ type }) => type).sort()).toEqual([
      'monitoring.alert-cleared',
      'monitoring.alert-raised',
      'monitoring.alert-raised',
    ])
    const secret = Buffer.from(traffic.monitoring.webhookSecret('w').replace('whsec_', ''), 'base64')
    for (const { body, headers } of hook.seen) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', secret).update(signed).digest('base64')}`)
    }
    const ids = new Set(hook.seen.map(({ headers }) => headers['webhook-id']))
    expect(ids.size).toBe(2)
    const deliveries = await traffic.store.read((sql) => traffic.monitoring.deliveries(sql, 'w', raised!.id))
    expect(deliveries.map(({ state, status }) => [state, status])).toEqual([
      ['delivered', 200],
      ['delivered', 200],
    ])
    expect(traffic.monitoring.webhookSecret('elsewhere')).not.toBe(traffic.monitoring.webhookSecret('w'))
  })

  test('a version has a reference of its own, from its first full window', async () => {
    traffic.setEndpoint('e4')
    const alert = { name: 'falls', metric: 'accuracy' as const, below_reference: 0.1 }
    await traffic.apply('m4', { endpoint: 'e4', window: '1d', labels_min: 10, alerts: [alert] })
    for (const rows of [
      dayOf(0, 40),
      dayOf(1, 40, 0.8),
      dayOf(1, 20, 0.8, 2),
      dayOf(2, 40, 0.8, 2),
      dayOf(3, 40, 0.8, 2),
    ])
      await traffic.label(labelsOf(await traffic.predict('e4', rows)))
    traffic.passed('e4', 4)
    await traffic.settle()
    const [only, ...more] = await traffic.alerts('m4')
    expect(more).toEqual([])
    expect(only).toMatchObject({ reference: { version: 1 }, opened_window_ms: at(1), cleared_window_ms: at(2) })
    const references = await traffic.store.read((sql) =>
      sql.all("SELECT version, window_ms FROM monitor_reference WHERE monitor = 'm4' ORDER BY version"),
    )
    expect(references).toEqual([
      { version: 1, window_ms: at(0) },
      { version: 2, window_ms: at(2) },
    ])
  })

  test('a gap of years is one empty window, and one window that cannot be read does not hold up the rest', async () => {
    traffic.setEndpoint('e5')
    await traffic.apply('m5', { endpoint: 'e5', window: '1d', labels_min: 10 })
    await traffic.predict('e5', dayOf(0, 4))
    await traffic.predict('e5', dayOf(2000, 4))
    await traffic.predict('e5', dayOf(2001, 4))
    traffic.failing.add(at(2000))
    traffic.passed('e5', 4000)
    for (let round = 0; round < 6; round++) {
      await traffic.monitoring.look()
      await traffic.jobs.idle()
      traffic.clock.advance(60_000)
    }
    await traffic.settle()
    const windows = await traffic.windows('m5')
    expect(windows.map(({ start_ms, state, facts }) => [(start_ms - START) / DAY, state, facts.rows])).toEqual([
      [0, 'computed', 4],
      [1, 'computed', 0],
      [2000, 'failed', 0],
      [2001, 'computed', 4],
      [2002, 'computed', 0],
    ])
    expect(windows[2]!.facts.words[0]).toContain('it could not be computed')
  })

  test('a monitor of an endpoint whose log is empty begins at the watermark: nothing waits for ever', async () => {
    traffic.setEndpoint('e6')
    await traffic.apply('m6', { endpoint: 'e6', window: '1d' })
    traffic.passed('e6', 10.5)
    expect(await traffic.store.read((sql) => traffic.monitoring.due(sql, 'w'))).toBe(1)
    await traffic.monitoring.look()
    expect(await traffic.store.read((sql) => traffic.monitoring.due(sql, 'w'))).toBe(0)
  })

  test('a rule that is gone closes its alert; another grid begins anew; a removed monitor leaves nothing open', async () => {
    traffic.setEndpoint('e7')
    const falls = { name: 'falls', metric: 'roc_auc' as const, below: 0.9 }
    const spec = { endpoint: 'e7', window: '1d', labels_min: 10 }
    await traffic.apply('m7', { ...spec, alerts: [falls, { ...falls, name: 'other' }] })
    await traffic.label(labelsOf(await traffic.predict('e7', dayOf(0, 40, 0.5))))
    traffic.passed('e7', 1)
    await traffic.settle()
    const states = async () => Object.fromEntries((await traffic.alerts('m7')).map(({ name, state }) => [name, state]))
    expect(await states()).toEqual({ falls: 'open', other: 'open' })
    await traffic.apply('m7', { ...spec, alerts: [falls] })
    expect(await states()).toEqual({ falls: 'open', other: 'cleared' })
    expect(await traffic.windows('m7')).toHaveLength(1)
    await traffic.apply('m7', { ...spec, window: '2d' })
    expect(await traffic.windows('m7')).toEqual([])
    await traffic.store.write((tx) => traffic.monitoring.removeMonitor(tx, ada, 'm7'))
    expect(await states()).toEqual({ falls: 'cleared', other: 'cleared' })
  })

  describe('drift', () => {
    test('features against the training data of the version that answered, and scores against its first full window', async () => {
      const csv = ['x,kind', ...Array.from({ length: 500 }, (_, row) => `${row % 100},${'ab'[row % 2]}`)].join('\n')
      const blob = await traffic.blobs.put(Buffer.from(csv))
      const { version } = await traffic.store.write((tx) =>
        traffic.datasets.register(tx, ada, { name: 'training', files: [{ path: 'a.csv', ...blob }] }),
      )
      await traffic.settled()
      traffic.training.set(7, version.id)
      traffic.setEndpoint('e8')
      const drift = { psi: true, ks: true, reference: 'training' as const }
      await traffic.apply('m8', { endpoint: 'e8', window: '1d', drift })
      const rows = (day: number, moved: boolean) =>
        dayOf(day, 200, 1, 7).map((row, n) => ({
          ...row,
          score: moved ? 0.99 : row.score,
          features: { x: (n % 100) + (moved ? 50 : 0), kind: n % 10 === 9 ? null : 'ab'[n % 2]!, unknown: 1 },
        }))
      await traffic.predict('e8', rows(0, false))
      await traffic.predict('e8', rows(1, true))
      traffic.passed('e8', 2)
      await traffic.settle()
      const [still, moved] = (await traffic.windows('m8')).map(({ facts }) => facts)
      expect(still!.drift_version).toBe(7)
      expect(still!.drift.map(({ feature }) => feature).sort()).toEqual(['kind', 'x'])
      const of = (facts: typeof still, feature: string) => facts!.drift.find((one) => one.feature === feature)!
      expect(of(still, 'x').psi).toBeLessThan(0.01)
      expect(of(still, 'x').ks_p).toBeGreaterThan(0.9)
      expect(of(still, 'kind')).toMatchObject({ nulls: expect.closeTo(0.1, 9), nulls_reference: 0, ks: null })
      expect(of(still, 'kind').psi).toBeLessThan(0.02)
      expect(of(moved, 'x').psi).toBeGreaterThan(1)
      expect(of(moved, 'x').ks).toBeCloseTo(0.5, 2)
      expect(of(moved, 'x').ks_p).toBeLessThan(1e-9)
      expect(moved!.metrics.share_of_drifted_features).toBe(0.5)
      expect(still!.metrics.score_psi).toBeUndefined()
      expect(moved!.metrics.score_psi).toBeGreaterThan(1)
    })
  })

  test('rows of a dataset are of its newest version that did not fail, with their times where it has them', async () => {
    const register = async (rows: string[], time_column?: string) => {
      const blob = await traffic.blobs.put(Buffer.from(['x,late,at', ...rows].join('\n')))
      const files = [{ path: 'a.csv', ...blob }]
      const { version } = await traffic.store.write((tx) =>
        traffic.datasets.register(tx, ada, { name: 'held', files, ...(time_column && { time_column }) }),
      )
      await traffic.settled()
      return version
    }
    const asked = { workspace: 'w', dataset: 'held', label: 'late', rows_max: 10 }
    expect(await traffic.monitoring.rowsOfDataset(asked)).toBeUndefined()
    const judge = (id: string, verdict: string) =>
      traffic.store.write((tx) => tx.run('UPDATE dataset_version SET verdict = ? WHERE id = ?', [verdict, id]))
    const first = await register(['1,0,2013-04-01T00:00:00Z', '2,,2013-04-01T00:00:00Z'], 'at')
    await judge(first.id, 'passed')
    const second = await register(['3,1,2013-04-02T00:00:00Z'], 'at')
    await judge(second.id, 'failed')
    const row = { event_ms: START, label: '0', features: { x: 1, at: START } }
    expect(await traffic.monitoring.rowsOfDataset(asked)).toMatchObject({ id: first.id, number: 1, rows: [row] })
    await judge(second.id, 'none')
    expect(await traffic.monitoring.rowsOfDataset(asked)).toMatchObject({ id: second.id, number: 2 })
  })

  test('labelled rows for gates and retraining: numbers keep their fractions, labels of others do not matter', async () => {
    traffic.setEndpoint('e9', { task: 'regression' })
    const features = { x: 1.5 }
    const ids = await traffic.predict('e9', [
      { day: 0, score: 2, features },
      { day: 1, score: 3, features },
      { day: 2, score: 4, features },
    ])
    const [other] = await traffic.predict('e9-other', [{ day: 1 }])
    await traffic.label([
      { prediction: ids[0]!, value: 2.5 },
      { prediction: other!, value: 'a text' },
      { prediction: ids[1]!, value: 3 },
    ])
    const span = { workspace: 'w', endpoint: 'e9', from_ms: at(0), to_ms: at(3) }
    const newest = await traffic.monitoring.labelledRows({ ...span, rows_max: 1 })
    expect(newest).toMatchObject([{ id: ids[1], label: '3', score: 3, features }])
    const to = `${traffic.dir}/labelled.parquet`
    expect(await traffic.monitoring.copyLabelled({ ...span, label: 'y', to })).toMatchObject({ rows: 2 })
    const { columns, rows } = await traffic.analytics.query({
      sql: 'SELECT * FROM data',
      files: { data: { files: [to], format: 'parquet' } },
    })
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'prediction VARCHAR',
      'event_time TIMESTAMP',
      'x DOUBLE',
      'y DOUBLE',
    ])
    expect(rows).toEqual([
      [ids[0], at(0), 1.5, 2.5],
      [ids[1], at(1), 1.5, 3],
    ])
  })
})

/** A receiver of webhooks on loopback; answers 200 where nothing else is queued. */
async function receiver() {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = []
  const answers: number[] = []
  const server = createServer(async (request, reply) => {
    let body = ''
    for await (const part of request) body += part
    seen.push({ headers: request.headers, body })
    reply.writeHead(answers.shift() ?? 200).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { seen, answers, host, url: `http://${host}/hook`, close: () => server.close() }
}
