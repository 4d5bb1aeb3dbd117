import { afterAll, beforeAll, expect, test } from 'vitest'
import { DomainError } from '#kernel/errors.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { holds, plainOrder, rank } from '#kit/plain-runs.ts'
import { eachStore } from '#kit/store.ts'
import type { Run, SearchPage } from '../model.ts'
import { createRunSealer } from './columns/sealer.ts'
import { RUNS } from './grammar.ts'
import { parseFilter, parseOrder } from './parse.ts'

const VALUES = [
  'a',
  'A',
  'ab',
  'a%b',
  'a_b',
  "o'x",
  'back\\slash',
  '',
  '10',
  '9',
  '0.5',
  ' 1e1 ',
  'Z',
  '日本',
  '🦊',
  '\uffee',
]
const NUMBERS = [0, 1, -1, 0.5, 1e300, -1e-9, Number.NaN, Infinity, -Infinity, 3]

eachStore('searching runs', (open, database) => {
  let at: MlflowServer
  let all: Run[]
  const experiments: string[] = []
  const random = seededRandom(11)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!
  const some = <T>(values: readonly T[]) => values.filter(() => random.next() < 0.6)

  const search = (more: object) =>
    at.store.query<SearchPage<Run>>('tracking.searchRuns', {
      workspace: 'default',
      experiment_ids: experiments,
      limit: 1000,
      ...more,
    })
  const batch = (run_id: string) =>
    at.store.command('tracking.logBatch', {
      ...at.tracking.draw.stamp(at.who()),
      run_id,
      metrics: some(['m1', 'm2']).map((key) => ({
        key,
        value: pick(NUMBERS),
        timestamp_ms: 1,
        step: Math.floor(random.next() * 5),
      })),
      params: [],
      tags: some(['t1', 't2']).map((key) => ({ key, value: pick(VALUES) })),
    })

  // Sealed, changed after they were sealed, and never sealed: all at once.
  beforeAll(async () => {
    at = await startMlflowServer(open)
    const who = at.who()
    const sealer = createRunSealer({ store: at.store, now: Date.now, log: silentLog })
    for (const name of ['one', 'two']) {
      experiments.push(await at.store.write((tx) => at.tracking.createExperiment(tx, who, { name, tags: [] })))
    }
    const ids: string[] = []
    for (let i = 0; i < 90; i++) {
      const { run_id } = await at.store.command<Run>('tracking.createRun', {
        ...at.tracking.draw.run(who),
        experiment_id: pick(experiments),
        start_ms: 1000 + Math.floor(random.next() * 10),
        name: pick(VALUES) || 'unnamed',
        tags: some(['t1', 't2']).map((key) => ({ key, value: pick(VALUES) })),
      })
      ids.push(run_id)
      const stamp = () => at.tracking.draw.stamp(who)
      await batch(run_id)
      for (const key of some(['p1', 'p2'])) {
        await at.store.command('tracking.logParam', { ...stamp(), run_id, param: { key, value: pick(VALUES) } })
      }
      if (random.next() < 0.3) {
        const datasets = some(['d1', 'd2']).map((name) => ({
          dataset: { name, digest: pick(['1', '2']), source_type: 's', source: 's' },
          tags: some([{ key: 'mlflow.data.context', value: 'train' }]),
        }))
        await at.store.command('tracking.logInputs', { ...stamp(), run_id, datasets, models: [] })
      }
      if (random.next() < 0.5) {
        await at.store.command('tracking.updateRun', { ...stamp(), run_id, status: 'FINISHED', end_ms: 2000 + (i % 5) })
      }
      if (i === 35 || i === 70) {
        await sealer.sealAll()
        for (const changed of ids.filter(() => random.next() < 0.3)) {
          await pick([
            () => batch(changed),
            () =>
              at.store.command('tracking.updateRun', { ...stamp(), run_id: changed, status: 'KILLED', end_ms: 2001 }),
            () =>
              at.store.command('tracking.setTag', { ...stamp(), run_id: changed, tag: { key: 't1', value: 'new' } }),
            () => at.store.write((tx) => at.tracking.deleteRun(tx, who, changed)),
            () =>
              at.store.write((tx) =>
                at.tracking.moveRuns(tx, who, { run_ids: [changed], to_experiment: pick(experiments) }),
              ),
          ])().catch(() => {})
        }
      }
    }
    const whole = await at.store.read(async (sql) => {
      const runs: Run[] = []
      for (const id of ids) runs.push(await at.tracking.getRun(sql, 'default', id))
      return runs
    })
    all = whole.filter((run) => run.lifecycle === 'active').sort(plainOrder([]))
    const kinds = await at.store.read((sql) =>
      sql.all<{ sealed: number; n: number }>(
        'SELECT CASE WHEN segment IS NULL THEN 0 ELSE 1 END AS sealed, count(*) AS n FROM run GROUP BY 1 ORDER BY 1',
      ),
    )
    expect(kinds.map(({ n }) => Number(n)).every((n) => n > 20)).toBe(true)
    const dead = await at.store.read((sql) => sql.get<{ n: number }>('SELECT count(*) AS n FROM run_segment_dead'))
    expect(Number(dead!.n)).toBeGreaterThan(5)
  })
  afterAll(() => at?.close())

  const quote = (value: string) => `'${value.replaceAll("'", "''")}'`

  function randomCondition(): string {
    const one = () => pick([0, 1, -1, 0.5, 1e300, 3, 10, 1003, 2002, 1.5])
    const presence = () => `IS ${pick(['', 'NOT '])}NULL`
    const number = () =>
      pick([
        () => `${pick(['=', '!=', '<', '<=', '>', '>='])} ${one()}`,
        () => `${pick(['IN', 'NOT IN'])} (${one()}, ${one()})`,
        presence,
      ])()
    const text = () => {
      const operator = pick([
        '=',
        '!=',
        'LIKE',
        'ILIKE',
        'NOT LIKE',
        'NOT ILIKE',
        'IN',
        'NOT IN',
        'MATCHES',
        '!~',
        'IS',
      ])
      if (operator === 'IS') return presence()
      if (operator.endsWith('IN')) return `${operator} (${quote(pick(VALUES))}, ${quote(pick(VALUES))})`
      if (operator.endsWith('LIKE')) {
        return `${operator} ${quote(pick(['a%', '%', 'A_', '_', '%b', 'a\\%', 'o_x', '', '%_b%', '_%_']))}`
      }
      if (operator === 'MATCHES' || operator === '!~')
        return `${operator} ${quote(pick(['^a', 'b$', '[0-9]+', 'x|Z', '']))}`
      return `${operator} ${quote(pick(VALUES))}`
    }
    return pick([
      () => `metrics.${pick(['m1', 'm2', 'none'])} ${number()}`,
      () => `params.${pick(['p1', 'p2', 'none'])} ${text()}`,
      () => `params.${pick(['p1', 'p2'])} ${number()}`,
      () => `tags.${pick(['t1', 't2'])} ${text()}`,
      () => `${pick(['start_time', 'end_time'])} ${number()}`,
      () => `run_name ${text()}`,
      () => `status ${pick(['=', '!='])} 'FINISHED'`,
      () => `dataset.${pick(['name', 'digest', 'context'])} ${pick(['=', '!='])} ${quote(pick(['d1', '1', 'train']))}`,
    ])()
  }

  function randomFilter(depth = 0): string {
    if (depth > 2 || random.next() < 0.4) return randomCondition()
    return pick([
      () => `${randomFilter(depth + 1)} AND ${randomFilter(depth + 1)}`,
      () => `(${randomFilter(depth + 1)} OR ${randomFilter(depth + 1)})`,
      () => `NOT (${randomFilter(depth + 1)})`,
    ])()
  }

  const KEYS = [
    'metrics.m1',
    'metrics.m2',
    'metrics.none',
    'params.p1',
    'tags.t1',
    'start_time',
    'end_time',
    'run_name',
    'status',
    'run_id',
    'artifact_uri',
  ]
  const randomOrder = () =>
    [...new Set(some([pick(KEYS), pick(KEYS)]))].map((key) => `${key} ${pick(['ASC', 'DESC', ''])}`)
  const ids = (runs: readonly { run_id: string }[]) => runs.map(({ run_id }) => run_id)

  test('answers what a plain look at every run would, for whatever filter, order and page', async () => {
    let matched = 0
    const filters = database === 'sqlite' ? 1_500 : 400
    for (let i = 0; i < filters; i++) {
      const filter = randomFilter()
      const order_by = randomOrder()
      const tree = parseFilter(filter, RUNS)!
      const expected = all.filter((run) => holds(tree, run)).sort(plainOrder(parseOrder(order_by, RUNS)))
      const limit = pick([1, 3, 7, 1000])
      const offset = pick([0, 2, 10, 45, 60])
      const text = await at.store.query<string>('tracking.tableText', {
        ...{ workspace: 'default', experiments, filter, order_by, limit, offset },
      })
      const table = JSON.parse(text) as { total: number; rows: { run_id: string }[] }
      expect(table.total, filter).toBe(expected.length)
      expect(ids(table.rows), `${filter} by ${order_by} from ${offset}`).toEqual(
        ids(expected.slice(offset, offset + limit)),
      )
      matched += expected.length
      if (i % 10 > 0) continue
      const found = await search({ filter, order_by, limit })
      expect(ids(found.items), `${filter} by ${order_by}`).toEqual(ids(expected.slice(0, limit)))
      expect(found.next !== undefined, filter).toBe(expected.length > limit)
      if (!found.next) continue
      const rest = await search({ filter, order_by, position: found.next })
      expect(ids(rest.items), `the rest of ${filter} by ${order_by}`).toEqual(ids(expected.slice(limit)))
    }
    expect(matched).toBeGreaterThan(1000)
  })

  test('gives whole runs as they are, worded anew whenever one was changed', async () => {
    expect((await search({})).items).toEqual(all)
    const who = at.who()
    const worded = async () => {
      const found = await at.call('POST', '/api/2.0/mlflow/runs/search', { experiment_ids: experiments })
      const runs = found.body.runs as { info: { run_id: string; run_name: string } }[]
      for (const run of runs) {
        const one = await at.call('GET', `/api/2.0/mlflow/runs/get?run_id=${run.info.run_id}`)
        expect(one.body.run).toEqual(run)
      }
      return runs
    }
    const before = await worded()
    expect(await worded()).toEqual(before)
    for (const { info } of before.filter((_, i) => i % 9 === 0)) {
      const change = { ...at.tracking.draw.stamp(who), run_id: info.run_id }
      await at.store.command('tracking.setTag', { ...change, tag: { key: 'seen', value: 'yes' } })
      await at.store
        .command('tracking.logOutputs', { ...change, models: [{ model_id: 'm-1', step: 1 }] })
        .catch(() => {})
      const whole = await at.store.read((sql) => at.tracking.getRun(sql, 'default', info.run_id))
      const at_all = all.findIndex(({ run_id }) => run_id === info.run_id)
      all[at_all] = whole
    }
    const after = await worded()
    expect(after.filter((run) => JSON.stringify(run).includes('"seen"'))).toHaveLength(Math.ceil(before.length / 9))
    expect((await search({})).items).toEqual(all)
  })

  test('pages hold each run once and in order, while runs are sealed between them', async () => {
    const sealer = createRunSealer({ store: at.store, now: Date.now, log: silentLog })
    for (let i = 0; i < 20; i++) {
      const order_by = randomOrder()
      const whole = ids((await search({ order_by })).items)
      expect(whole, String(order_by)).toHaveLength(all.length)
      const paged: string[] = []
      let position: unknown
      do {
        const page = await search({ order_by, limit: 13, ...(position !== undefined && { position }) })
        paged.push(...ids(page.items))
        position = page.next
        if (i === 10 && paged.length === 26) await sealer.sealAll()
      } while (position !== undefined)
      expect(paged, String(order_by)).toEqual(whole)
    }
  })

  test('orders numbers, then NaN, then what is missing, in both directions', async () => {
    for (const direction of ['ASC', 'DESC']) {
      const { items } = await search({ order_by: [`metrics.m1 ${direction}`] })
      const values = items.map((run) => run.metrics.find(({ key }) => key === 'm1')?.value)
      const kinds = values.map(rank)
      expect(kinds).toEqual([...kinds].sort())
      const numbers = values.filter((value): value is number => value !== undefined && !Number.isNaN(value))
      expect(numbers).toEqual([...numbers].sort((a, b) => (direction === 'ASC' ? a - b : b - a)))
    }
  })

  test('refuses a page of another order, and wildcards without end', async () => {
    const { next } = await search({ limit: 1 })
    await expect(search({ order_by: ['metrics.m1'], position: next })).rejects.toBeInstanceOf(DomainError)
    await expect(search({ filter: `tags.t1 LIKE '${'%a'.repeat(30)}'` })).rejects.toMatchObject({ problem: 'invalid' })
    await expect(search({ experiment_ids: ['x'] })).rejects.toMatchObject({ problem: 'invalid' })
    expect((await search({ experiment_ids: [] })).items).toEqual([])
  })

  test('forgets segments of which nothing is left to see, and finds their runs all the same', async () => {
    const segments = await at.store.read((sql) =>
      sql.all<{ segment: number }>('SELECT segment FROM run_segment ORDER BY segment'),
    )
    const before = ids((await search({ order_by: ['metrics.m1'] })).items)
    for (const { segment } of segments) {
      await at.store.command('tracking.dropSegment', { segment })
      expect(ids((await search({ order_by: ['metrics.m1'] })).items)).toEqual(before)
    }
    const loose = await at.store.read((sql) =>
      sql.get<{ n: number }>('SELECT count(*) AS n FROM run WHERE segment IS NULL'),
    )
    expect(Number(loose!.n)).toBe(90)
    expect(await at.store.query('tracking.wornSegments', { dead_share: 0, opened_before_ms: 1e15 })).toEqual([])
  })
})
