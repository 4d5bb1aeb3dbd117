import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '#kernel/random.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { eachStore } from '#kit/store.ts'
import type { Run } from '../model.ts'

const API = '/api/slipway/v1'

eachStore('the run table over HTTP', (open) => {
  let at: MlflowServer
  let one: string
  let two: string
  const ids: string[] = []

  const call = (method: string, path: string, body?: unknown) => at.call(method, `${API}${path}`, body)
  const good = async (method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body)
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
    return answer.body as any
  }
  const table = (more: object = {}) => good('POST', '/runs/table', { experiments: [one], ...more })

  beforeAll(async () => {
    at = await startMlflowServer(open)
    const who = at.who()
    const experiment = (name: string) =>
      at.store.write((tx) => at.tracking.createExperiment(tx, who, { name, tags: [] }))
    one = await experiment('one')
    two = await experiment('two')
    for (let i = 0; i < 6; i++) {
      const { run_id } = await at.store.command<Run>('tracking.createRun', {
        ...at.tracking.draw.run(who),
        experiment_id: one,
        name: `run ${i}`,
        start_ms: 1000 + i,
        tags: [
          { key: 'stage', value: i < 3 ? '=early' : 'late' },
          ...(i === 5 ? [{ key: 'mlflow.parentRunId', value: ids[0]! }] : []),
        ],
      })
      await at.store.command('tracking.logBatch', {
        ...at.tracking.draw.stamp(who),
        run_id,
        metrics: [
          { key: 'auc', value: i === 4 ? Number.NaN : i / 10, timestamp_ms: 1, step: 1 },
          { key: 'auc', value: 0.01, timestamp_ms: 0, step: 0 },
        ],
        params: [
          { key: 'lr', value: String(10 ** -i) },
          { key: 'model', value: i % 2 ? 'tree' : 'linear' },
        ],
        tags: [],
      })
      ids.push(run_id)
    }
  })
  afterAll(() => at?.close())

  test('answers chosen columns of a page, and how many there are', async () => {
    const columns = ['metrics.auc', 'params.lr', 'tags.stage', 'tags.none', 'attributes.status']
    const first = await table({ columns, limit: 2 })
    expect(first).toMatchObject({ total: 6, total_capped: false })
    expect(first.rows).toMatchObject([
      {
        run_id: ids[5],
        experiment_id: one,
        name: 'run 5',
        status: 'RUNNING',
        user: 'ada',
        start_time: '1970-01-01T00:00:01.005Z',
        end_time: null,
        parent_run_id: ids[0],
        lifecycle: 'active',
        values: [0.5, '0.00001', 'late', null, 'RUNNING'],
      },
      { run_id: ids[4], values: ['NaN', '0.0001', 'late', null, 'RUNNING'] },
    ])
    expect(first.rows[1]).not.toHaveProperty('parent_run_id')
    const ordered = await table({ order_by: ['metrics.auc DESC'], filter: 'metrics.auc < 0.35', limit: 2, offset: 1 })
    expect(ordered.total).toBe(4)
    expect(ordered.rows.map((row: { run_id: string }) => row.run_id)).toEqual([ids[2], ids[1]])
  })

  test('groups with mean, least and greatest', async () => {
    const grouped = await table({ group_by: ['params.model'], columns: ['metrics.auc', 'params.lr', 'tags.stage'] })
    expect(grouped.total).toBe(2)
    const groups = Object.fromEntries(grouped.groups.map((group: { key: string[] }) => [group.key[0], group]))
    expect(groups.tree).toMatchObject({ runs: 3 })
    expect(groups.tree.aggregates[0].mean).toBeCloseTo(0.3)
    expect(groups.tree.aggregates[0]).toMatchObject({ min: 0.1, max: 0.5 })
    expect(groups.linear.aggregates[0].max).toBe(0.2)
    expect(groups.linear.aggregates[1]).toMatchObject({ min: 0.0001, max: 1 })
    expect(groups.linear.aggregates[2]).toBeNull()
  })

  test('lists columns by part of their key, in pages', async () => {
    const page = await good('GET', `/runs/columns?experiment=${one}&limit=2`)
    expect(page.items).toEqual([
      { kind: 'metric', key: 'auc', runs: 6 },
      { kind: 'param', key: 'lr', runs: 6 },
    ])
    const rest = await good('GET', `/runs/columns?experiment=${one}&limit=50&cursor=${page.next_cursor}`)
    expect(rest.items.map(({ key }: { key: string }) => key)).toEqual([
      'model',
      'mlflow.parentRunId',
      'mlflow.runName',
      'stage',
    ])
    expect(rest.next_cursor).toBeUndefined()
    const found = await good('GET', `/runs/columns?experiment=${one}&kind=tag&q=PARENT`)
    expect(found.items).toEqual([{ kind: 'tag', key: 'mlflow.parentRunId', runs: 1 }])
    expect((await call('GET', `/runs/columns?experiment=${one}&cursor=forged`)).status).toBe(400)
  })

  test('refuses what it cannot read, and never fails over it', async () => {
    const random = seededRandom(21)
    const pieces =
      "metrics.auc params.lr tags.stage status AND OR NOT IN MATCHES LIKE IS NULL ( ) , < = != ~ 1 -2e9 'a' '[' \"q\" `k` . \u0000 🦊 %".split(
        ' ',
      )
    const text = () =>
      Array.from(
        { length: 1 + Math.floor(random.next() * 9) },
        () => pieces[Math.floor(random.next() * pieces.length)],
      ).join(' ')
    const seen = new Set<number>()
    for (let i = 0; i < 150; i++) {
      const body = {
        experiments: [one],
        filter: text(),
        ...(i % 3 === 0 && { order_by: [text()] }),
        ...(i % 5 === 0 && { group_by: [text()] }),
      }
      const { status } = await call('POST', '/runs/table', body)
      expect(status, JSON.stringify(body)).toBeLessThan(500)
      seen.add(status)
    }
    expect(seen).toContain(400)
    const refused = await call('POST', '/runs/table', { experiments: [one], filter: 'metrics.auc > 1 AND' })
    expect(refused.body).toMatchObject({ status: 400, field: 'filter', facts: { at: 16 } })
    expect((await call('POST', '/runs/table', { experiments: [one], columns: ['nonsense'] })).status).toBe(400)
  })

  test('as CSV does no harm to a spreadsheet', async () => {
    const answer = await fetch(`${at.url}${API}/runs/table.csv`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        experiments: [one],
        columns: ['tags.stage', 'metrics.auc'],
        order_by: ['start_time ASC'],
      }),
    })
    expect(answer.headers.get('content-type')).toContain('text/csv')
    const lines = (await answer.text()).split('\r\n')
    expect(lines[0]).toBe('run_id,experiment_id,name,status,user,start_time,end_time,lifecycle,tags.stage,metrics.auc')
    expect(lines[1]).toMatch(new RegExp(`^${ids[0]},${one},run 0,RUNNING,ada,.*,,active,'=early,0$`))
    expect(lines).toHaveLength(8)
    expect((await call('POST', '/runs/table.csv', { experiments: [one], filter: 'nonsense' })).status).toBe(400)
  })

  test('compares runs and says what differs', async () => {
    const compared = await good('POST', '/runs/compare', { run_ids: [ids[2], ids[0], ids[2]] })
    expect(compared.runs.map((run: { run_id: string }) => run.run_id)).toEqual([ids[2], ids[0]])
    expect(compared.params).toEqual([
      { key: 'lr', differs: true, values: ['0.01', '1'] },
      { key: 'model', differs: false, values: ['linear', 'linear'] },
    ])
    expect(compared.metrics).toEqual([{ key: 'auc', differs: true, values: [0.2, 0] }])
    expect(compared.left_out).toBe(0)
    expect((await call('POST', '/runs/compare', { run_ids: ['none'] })).status).toBe(404)
  })

  test('keeps views', async () => {
    const given = { name: 'mine', experiments: [one], state: { columns: ['metrics.auc'], __odd: null } }
    const made = await good('POST', '/run-views', given)
    expect(made).toMatchObject({ ...given, by: 'ada' })
    expect((await call('POST', '/run-views', given)).status).toBe(409)
    expect((await call('POST', '/run-views', { ...given, state: { long: 'x'.repeat(40_000) } })).status).toBe(413)
    await good('PUT', `/run-views/${made.id}`, { ...given, name: 'ours', experiments: [] })
    expect((await good('GET', `/run-views?experiment=${two}`)).items).toMatchObject([{ id: made.id, name: 'ours' }])
    expect(await good('GET', `/run-views/${made.id}`)).toMatchObject({ name: 'ours' })
    await good('DELETE', `/run-views/${made.id}`)
    expect((await call('GET', `/run-views/${made.id}`)).status).toBe(404)
  })

  test('puts experiments into folders', async () => {
    expect(await good('PATCH', `/experiments/${one}`, { folder: 'team/vision' })).toMatchObject({ name: 'one' })
    expect((await good('GET', '/experiments/folders')).items).toEqual([{ folder: 'team/vision', experiments: 1 }])
    expect((await good('GET', '/experiments?folder=team/vision')).items).toMatchObject([{ name: 'one' }])
    expect((await good('GET', '/experiments?folder=')).items).toMatchObject([{ name: 'two' }, { name: 'Default' }])
    await good('PATCH', `/experiments/${one}`, { folder: null })
    await good('PATCH', `/experiments/${one}`, { folder: null })
    expect((await good('GET', '/experiments/folders')).items).toEqual([])
    expect((await call('PATCH', `/experiments/${one}`, { folder: 'a/../b' })).status).toBe(400)
    expect((await call('PATCH', '/experiments/999999', { folder: 'a' })).status).toBe(404)
  })

  test('shows nothing of another workspace', async () => {
    await at.store.write((tx) => at.tracking.ensureDefaultExperiment(tx, 'elsewhere'))
    at.as(at.who('elsewhere'))
    try {
      const own = await at.store.write((tx) =>
        at.tracking.createExperiment(tx, at.who('elsewhere'), { name: 'own', tags: [] }),
      )
      expect(await table()).toMatchObject({ total: 0, rows: [] })
      expect((await table({ group_by: ['params.model'] })).groups).toEqual([])
      expect((await good('GET', `/runs/columns?experiment=${one}`)).items).toEqual([])
      expect((await call('POST', '/runs/compare', { run_ids: [ids[0]] })).status).toBe(404)
      expect((await call('POST', '/runs/move', { run_ids: [ids[0]], to_experiment: own })).status).toBe(404)
      expect((await call('POST', '/runs/copy', { run_ids: [ids[0]], to_experiment: own })).status).toBe(404)
      expect((await call('PATCH', `/experiments/${one}`, { folder: 'mine' })).status).toBe(404)
    } finally {
      at.as(undefined)
    }
    await good('POST', '/run-views', { name: 'here', experiments: [], state: {} })
    at.as(at.who('elsewhere'))
    expect((await good('GET', '/run-views')).items).toEqual([])
    at.as(undefined)
  })

  test('copies runs with all that was logged to them, and moves them without losing a file', async () => {
    const who = at.who()
    const ref = await at.blobs.put(Buffer.from('bytes'))
    await at.store.write((tx) => at.tracking.artifacts.put(tx, who, `${one}/${ids[0]}/artifacts/deep/er/f.txt`, ref))
    const dataset = { name: 'd', digest: '1', source_type: 'http', source: 'x' }
    await at.store.command('tracking.logInputs', {
      ...at.tracking.draw.stamp(who),
      run_id: ids[0],
      datasets: [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'train' }] }],
      models: [],
    })
    const before = await at.store.read((sql) => at.tracking.getRun(sql, 'default', ids[0]!))

    const copied = await good('POST', '/runs/copy', { run_ids: [ids[0], ids[5]], to_experiment: two })
    expect(copied.runs.map(({ from }: { from: string }) => from)).toEqual([ids[0], ids[5]])
    const [first, child] = copied.runs.map(({ run_id }: { run_id: string }) => run_id)
    const copy = await at.store.read((sql) => at.tracking.getRun(sql, 'default', first))
    expect(copy).toMatchObject({
      experiment_id: two,
      name: before.name,
      metrics: before.metrics,
      params: before.params,
      dataset_inputs: before.dataset_inputs,
    })
    expect(copy.tags).toContainEqual({ key: 'slipway.copied_from', value: ids[0] })
    expect((await good('GET', `/runs/${child}`)).parent).toMatchObject({ run_id: first })
    const file = (run: string) => fetch(`${at.url}${API}/runs/${run}/artifacts/file?path=deep/er/f.txt`)
    expect(await (await file(first)).text()).toBe('bytes')
    const history = await good('GET', `/runs/${first}/metrics?keys=auc`)
    expect(history.series[0].count).toBe(2)

    expect(await good('POST', '/runs/move', { run_ids: [ids[0], first], to_experiment: two })).toEqual({
      moved: 1,
      experiment_id: two,
    })
    const moved = await at.store.read((sql) => at.tracking.getRun(sql, 'default', ids[0]!))
    expect(moved).toEqual({ ...before, experiment_id: two })
    expect(await (await file(ids[0]!)).text()).toBe('bytes')
    expect((await good('POST', '/runs/table', { experiments: [two] })).total).toBe(3)

    await at.store.write((tx) =>
      at.holds.place(tx, 'default', { kind: 'run', id: ids[1]! }, { kind: 'release', id: 'rel_1' }, 'it serves'),
    )
    expect((await call('POST', '/runs/move', { run_ids: [ids[2], ids[1]], to_experiment: two })).status).toBe(409)
    expect((await table()).total).toBe(5)
    expect((await call('POST', '/runs/move', { run_ids: ['none'], to_experiment: two })).status).toBe(404)
    expect((await call('POST', '/runs/copy', { run_ids: [ids[1]], to_experiment: '4242' })).status).toBe(404)
  })
})
