import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DomainError } from '#kernel/errors.ts'
import { ruleWho } from '#kernel/http/index.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { eachStore } from '#kit/store.ts'
import { createDatasets, type Datasets, datasetsMigrations, datasetVersionProfiled } from '#slices/datasets'
import { createQuality, type Quality, qualityMigrations } from './index.ts'

const ada = person()
const CSV = `id,when,amount,city,code
1,2013-01-01 05:00:00,1.5,Paris,A1
2,2013-01-02 05:00:00,,Rome,B2
2,2013-01-03 05:00:00,99,Oslo,c3
4,,7.25,,D4
`

const problem = async (work: Promise<unknown>): Promise<DomainError> => {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(DomainError)
  return error as DomainError
}

eachStore('quality', (open) => {
  let kernel: TestKernel
  let datasets: Datasets
  let quality: Quality
  beforeAll(async () => {
    kernel = await openKernel(open, [datasetsMigrations, qualityMigrations])
    datasets = createDatasets(kernel)
    quality = createQuality({ ...kernel, datasets })
    kernel.events.on(datasetVersionProfiled, 'quality', ['quality.write'], (tx, who, event) =>
      quality.considerVersion(tx, who, event),
    )
    await kernel.events.start()
    await kernel.jobs.start()
  })
  afterAll(() => kernel.close())

  const setChecks = (dataset: string, checks: unknown) =>
    kernel.store.write((tx) => quality.setChecks(tx, ada, dataset, checks))
  const register = async (
    name: string,
    content: string | Buffer = CSV,
    more: { time_column?: string; file?: string } = {},
  ) => {
    const { file = 'a.csv', ...rest } = more
    const blob = await kernel.blobs.put(Buffer.from(content))
    const { version } = await kernel.store.write((tx) =>
      datasets.register(tx, ada, { name, files: [{ path: file, ...blob }], ...rest }),
    )
    await kernel.settled()
    return kernel.store.read((sql) => datasets.version(sql, 'w', version.id))
  }
  const verdictOf = (id: string) => kernel.store.read(async (sql) => (await quality.latestVerdict(sql, 'w', id))!)
  const admission = (id: string) => kernel.store.read((sql) => quality.mayBeInput(sql, 'w', id))

  test('a version that fulfils its checks passes and may be an input', async () => {
    await setChecks('good', [
      { check: 'not_null', column: 'id' },
      { check: 'columns', ordered: ['id', 'when', 'amount', 'city', 'code'] },
      { check: 'row_count', min: 4, max: 4 },
    ])
    const version = await register('good')
    expect(version).toMatchObject({ state: 'ready', verdict: 'passed' })
    expect(await admission(version.id)).toEqual({ may: true, pending: false, reason: null })
    const verdict = await verdictOf(version.id)
    expect(verdict).toMatchObject({
      state: 'passed',
      note: null,
      counts: { checks: 3, passed: 3, failed: 0, warned: 0 },
      override: null,
    })
    expect(verdict.results[0]).toMatchObject({
      evaluated: 4,
      unexpected: 0,
      missing: 0,
      expected: 'a value',
      observed: 'all 4 as expected',
    })
    const [event] = await kernel.store.read((sql) =>
      kernel.events.list(sql, 'w', { name_prefix: 'quality.verdict-reached', limit: 1 }),
    )
    expect(event).toMatchObject({
      subject: { kind: 'dataset-version', id: version.id },
      after: { version: version.id, passed: true, failed_checks: [] },
    })
  })

  test('a version that does not fails with counts and the failing rows, and may not be an input', async () => {
    await setChecks('bad', [
      { check: 'not_null', column: 'amount' },
      { check: 'between', column: 'amount', max: 50 },
      { check: 'between', column: 'amount', min: 1.5, strict: true, name: 'strict', mostly: 0.6 },
      { check: 'in_set', column: 'city', values: ['Paris', 'Rome'] },
      { check: 'unique', column: 'id' },
      { check: 'unique', columns: ['id', 'city'] },
      { check: 'regex', column: 'code', pattern: '^[A-Z]', severity: 'warn' },
      { check: 'row_count', min: 5 },
      { check: 'columns', exactly: ['id', 'when', 'amount', 'town'] },
      { check: 'freshness', max_age: '1d', at: '2013-01-04T06:00:00Z' },
    ])
    const version = await register('bad', CSV, { time_column: 'when' })
    expect(version.verdict).toBe('failed')
    const { results, counts, state } = await verdictOf(version.id)
    expect({ state, counts }).toEqual({ state: 'failed', counts: { checks: 10, passed: 2, failed: 7, warned: 1 } })
    const by = (name: string) => results.find((result) => result.name === name)
    expect(by('not_null(amount)')).toMatchObject({
      passed: false,
      evaluated: 4,
      unexpected: 1,
      unexpected_share: 0.25,
      missing: 1,
    })
    expect(by('not_null(amount)')!.rows).toEqual([
      { row: 2, values: { amount: null, when: '2013-01-02T05:00:00.000Z', id: 2, city: 'Rome', code: 'B2' } },
    ])
    expect(by('between(amount)')).toMatchObject({
      evaluated: 3,
      unexpected: 1,
      missing: 1,
      expected: 'at most 50',
      rows: [{ row: 3, values: { amount: 99 } }],
    })
    expect(by('strict')).toMatchObject({
      passed: true,
      unexpected: 1,
      expected: 'more than 1.5, for at least 60 %',
      observed: '66.666 % of 3 as expected, 1 not',
    })
    expect(by('in_set(city)')).toMatchObject({
      unexpected: 1,
      missing: 1,
      rows: [{ row: 3, values: { city: 'Oslo' } }],
    })
    expect(by('unique(id)')).toMatchObject({
      passed: false,
      evaluated: 4,
      unexpected: 2,
      rows: [{ row: 2 }, { row: 3 }],
    })
    expect(by('unique(id, city)')).toMatchObject({ passed: true, evaluated: 4, unexpected: 0 })
    expect(by('regex(code)')).toMatchObject({
      passed: false,
      severity: 'warn',
      rows: [{ row: 3, values: { code: 'c3' } }],
    })
    expect(by('row_count')).toMatchObject({
      passed: false,
      expected: 'at least 5 rows',
      observed: '4 rows',
      evaluated: null,
    })
    expect(by('columns')).toMatchObject({ passed: false, observed: 'missing: town; not expected: city, code' })
    expect(by('freshness')).toMatchObject({ passed: false, observed: '2013-01-03T05:00:00.000Z, 1d before' })
    expect(await admission(version.id)).toMatchObject({
      may: false,
      pending: false,
      reason: expect.stringMatching(/^bad@1 failed 7 of 10 checks: not_null\(amount\)/),
    })
  })

  test('a person may accept it with a reason; a rule may not; other checks undo it', async () => {
    const { id } = await kernel.store.read((sql) => datasets.find(sql, 'w', 'bad'))
    const override = (who: typeof ada, reason: string) =>
      kernel.store.write((tx) => quality.override(tx, who, id, reason))
    expect(await problem(override(ruleWho('w', 'retrain', ada.rights), 'because'))).toMatchObject({
      problem: 'forbidden',
    })
    expect(await problem(override(ada, '  '))).toMatchObject({ problem: 'invalid', field: 'reason' })
    expect(await override(ada, 'known outage')).toMatchObject({
      override: { reason: 'known outage', who: { name: 'Ada' } },
    })
    expect(await admission(id)).toEqual({ may: true, pending: false, reason: 'accepted by Ada: known outage' })
    await setChecks('bad', [{ check: 'row_count', min: 6 }])
    expect(await admission(id)).toMatchObject({ may: false, pending: true })
    await kernel.settled()
    expect(await admission(id)).toMatchObject({
      may: false,
      pending: false,
      reason: 'bad@1 failed 1 of 1 checks: row_count (4 rows)',
    })
    await setChecks('bad', [])
    await kernel.settled()
    expect(await admission(id)).toMatchObject({ may: true })
    expect(await problem(override(ada, 'again'))).toMatchObject({ problem: 'conflict' })
    const history = await kernel.store.read((sql) => quality.verdicts(sql, 'w', { version: id, limit: 10 }))
    expect(history.map(({ state, note }) => [state, note])).toEqual([
      ['passed', 'no checks'],
      ['failed', null],
      ['failed', null],
    ])
  })

  test('without checks a version passes, and says so; data that cannot be read fail', async () => {
    const version = await register('unchecked')
    expect(version.verdict).toBe('none')
    expect(await verdictOf(version.id)).toMatchObject({ state: 'passed', note: 'no checks', results: [] })
    const broken = await register('unreadable', 'a,b\n1\n2,3,4\n')
    expect(broken).toMatchObject({ state: 'failed', verdict: 'failed' })
    expect(await admission(broken.id)).toMatchObject({
      may: false,
      pending: false,
      reason: expect.stringContaining('unreadable@1 cannot be read'),
    })
    expect(await problem(kernel.store.write((tx) => quality.override(tx, ada, broken.id, 'x')))).toMatchObject({
      problem: 'conflict',
    })
  })

  test('a check that cannot be made fails with the reason, and the others are made', async () => {
    await setChecks('odd', [
      { check: 'not_null', column: 'nope' },
      { check: 'between', column: 'city', min: 1 },
      { check: 'regex', column: 'city', pattern: '[' },
      { check: 'in_set', column: 'id', values: ['x'] },
      { check: 'freshness', max_age: '1d' },
      { check: 'not_null', column: 'id' },
    ])
    const { id } = await register('odd')
    const { results } = await verdictOf(id)
    expect(results.map(({ passed }) => passed)).toEqual([false, false, false, false, false, true])
    expect(results.map(({ error }) => error)).toEqual([
      "there is no column 'nope'; there are id, when, amount, city, code",
      "column 'city' is VARCHAR, which cannot be compared with 1",
      expect.stringContaining('['),
      'column \'id\' is BIGINT, and "x" is no number',
      'the dataset has no time column, and the check names none',
      null,
    ])
  })

  test('Parquet with odd names, times, NaN and large integers is judged exactly', async () => {
    const to = join(kernel.dir, 'odd.parquet')
    await kernel.analytics.copyTo({
      sql: `SELECT i AS "a ""b'", CASE i WHEN 1 THEN 'NaN'::DOUBLE ELSE i / 2 END AS x, 9007199254740992 + i AS big,
                   TIMESTAMPTZ '2013-01-01 00:00:00+00' + to_hours(i) AS t, DATE '2013-01-01' + i::INTEGER AS d, i = 2 AS f FROM range(3) r(i)`,
      to,
    })
    await setChecks('parquet', [
      { check: 'unique', column: 'a "b\'' },
      { check: 'not_null', column: 'x' },
      { check: 'unique', column: 'big' },
      { check: 'between', column: 't', max: '2013-01-01T01:30:00Z' },
      { check: 'between', column: 'd', min: '2013-01-02', name: 'day' },
      { check: 'in_set', column: 'f', values: [false] },
      { check: 'freshness', column: 't', max_age: '90m', at: '2013-01-01T03:00:00Z' },
    ])
    const { id } = await register('parquet', await readFile(to), { file: 'a.parquet' })
    const { results } = await verdictOf(id)
    expect(results.map(({ passed, unexpected, error }) => [passed, unexpected, error])).toEqual([
      [true, 0, null],
      [false, 1, null],
      [true, 0, null],
      [false, 1, null],
      [false, 1, null],
      [false, 1, null],
      [true, null, null],
    ])
    expect(results[1]!.rows).toMatchObject([{ row: 2, values: { x: 'NaN', 'a "b\'': 1 } }])
    expect(results[4]!.rows).toMatchObject([{ row: 1, values: { d: '2013-01-01' } }])
  })

  test('checks that are no checks change nothing; the same list again is no change', async () => {
    const refused = await problem(setChecks('good', [{ check: 'not_null', colum: 'id' }]))
    expect(refused).toMatchObject({ problem: 'invalid', field: 'checks[0].colum', remedy: 'Did you mean column?' })
    expect(refused.facts).toMatchObject({ mistakes: [{ path: 'checks[0].colum' }, { path: 'checks[0].column' }] })
    const before = await kernel.store.read((sql) => quality.checks(sql, 'w', 'good'))
    kernel.clock.advance(1000)
    expect(await setChecks('good', before.checks)).toEqual(before)
    expect(await kernel.store.read((sql) => quality.checks(sql, 'other', 'good'))).toMatchObject({
      checks: [],
      set_ms: 0,
    })
  })

  test('freshness is judged again when asked', async () => {
    await setChecks('fresh', [{ check: 'freshness', max_age: '1d' }])
    const newest = new Date(kernel.clock.now() - 60_000).toISOString()
    const version = await register('fresh', `t\n${newest}\n`, { time_column: 't' })
    expect(version.verdict).toBe('passed')
    kernel.clock.advance(2 * 24 * 60 * 60_000)
    const again = await kernel.store.write((tx) => quality.verifyAgain(tx, ada, version.id))
    expect(again.verdict).toBe('pending')
    await kernel.settled()
    expect(await admission(version.id)).toMatchObject({ may: false })
  })
})

describe('quality on SQLite beside a failing analytics', () => {
  test('is not decided by what may pass: the verdict stays pending until the checks could be made', async () => {
    const { testStore } = await import('#kit/store.ts')
    const kernel = await openKernel(testStore, [datasetsMigrations, qualityMigrations])
    try {
      const datasets = createDatasets(kernel)
      let failures = 1
      const analytics: Pick<TestKernel['analytics'], 'queries'> = {
        async queries(call) {
          failures -= 1
          if (failures >= 0) throw new DomainError('unavailable', 'the analytics process ended')
          return kernel.analytics.queries(call)
        },
      }
      const quality = createQuality({ ...kernel, analytics, datasets })
      kernel.events.on(datasetVersionProfiled, 'quality', ['quality.write'], (tx, who, event) =>
        quality.considerVersion(tx, who, event),
      )
      await kernel.events.start()
      await kernel.jobs.start()
      await kernel.store.write((tx) => quality.setChecks(tx, ada, 'd', [{ check: 'not_null', column: 'id' }]))
      const blob = await kernel.blobs.put(Buffer.from(CSV))
      const { version } = await kernel.store.write((tx) =>
        datasets.register(tx, ada, { name: 'd', files: [{ path: 'a.csv', ...blob }] }),
      )
      await kernel.settled()
      expect(await kernel.store.read((sql) => quality.mayBeInput(sql, 'w', version.id))).toMatchObject({
        may: false,
        pending: true,
      })
      kernel.clock.advance(10 * 60_000)
      await kernel.settled()
      expect(await kernel.store.read((sql) => quality.mayBeInput(sql, 'w', version.id))).toMatchObject({ may: true })
    } finally {
      await kernel.close()
    }
  })
})
