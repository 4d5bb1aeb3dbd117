import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DomainError } from '#kernel/errors.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { eachStore } from '#kit/store.ts'
import { createDatasets, type Datasets, type DatasetVersion, datasetsMigrations, type Registration } from './index.ts'

const ada = person()
const CSV = `id,when,amount,city,ok
1,2013-01-01 05:00:00,1.5,Paris,true
2,2013-01-02 05:00:00,,"Rome, old",false
3,2013-01-03 05:00:00,4.5,Paris,true
4,,7.25,,true
`

const problem = async (work: Promise<unknown>): Promise<DomainError> => {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(DomainError)
  return error as DomainError
}

eachStore('datasets', (open) => {
  let kernel: TestKernel
  let datasets: Datasets
  /** What happens while a version is being read. */
  let meanwhile: (() => Promise<unknown>) | undefined
  beforeAll(async () => {
    kernel = await openKernel(open, [datasetsMigrations])
    const analytics: Pick<TestKernel['analytics'], 'query' | 'queries'> = {
      query: kernel.analytics.query,
      async queries(call) {
        const happens = meanwhile
        meanwhile = undefined
        await happens?.()
        return kernel.analytics.queries(call)
      },
    }
    datasets = createDatasets({ ...kernel, analytics })
    await kernel.events.start()
    await kernel.jobs.start()
  })
  afterAll(() => kernel.close())

  const put = async (path: string, content: string | Buffer) => {
    const blob = await kernel.blobs.put(Buffer.from(content))
    return { path, ...blob }
  }
  const register = async (
    registration: Omit<Registration, 'files'> & { files: Record<string, string | Buffer> },
    who = ada,
  ) => {
    const files = await Promise.all(Object.entries(registration.files).map(([path, content]) => put(path, content)))
    return kernel.store.write((tx) => datasets.register(tx, who, { ...registration, files }))
  }
  const again = (version: DatasetVersion) =>
    kernel.store.read((sql) => datasets.version(sql, version.workspace, version.id))
  const settled = async (version: DatasetVersion) => {
    await kernel.settled()
    return again(version)
  }
  const profileOf = async (version: DatasetVersion) =>
    (await kernel.store.read((sql) => datasets.profile(sql, 'w', version.id)))!

  test('a CSV becomes a version: pending at once, then ready with schema, rows, time range and profile', async () => {
    const made = await register({
      name: 'orders',
      files: { 'orders.csv': CSV },
      tags: { stage: 'raw' },
      reason: 'first load',
      time_column: 'when',
    })
    expect(made).toMatchObject({
      created: true,
      version: { name: 'orders', number: 1, state: 'pending', verdict: 'pending' },
    })
    const version = await settled(made.version)
    expect(version).toMatchObject({
      state: 'ready',
      failure: null,
      format: 'csv',
      csv: { delimiter: ',' },
      row_count: 4,
      size_bytes: Buffer.byteLength(CSV),
      tags: { stage: 'raw' },
      reason: 'first load',
      who: { name: 'Ada' },
      time_from_ms: Date.UTC(2013, 0, 1, 5),
      time_to_ms: Date.UTC(2013, 0, 3, 5),
      schema: [
        { name: 'id', type: 'BIGINT', nullable: false },
        { name: 'when', type: 'TIMESTAMP', nullable: true },
        { name: 'amount', type: 'DOUBLE', nullable: true },
        { name: 'city', type: 'VARCHAR', nullable: true },
        { name: 'ok', type: 'BOOLEAN', nullable: false },
      ],
    })
    const profile = await profileOf(version)
    const [id, when, amount, city, ok] = profile.columns
    expect(id).toMatchObject({
      kind: 'number',
      nulls: 0,
      distinct: 4,
      min: 1,
      max: 4,
      mean: 2.5,
      histogram: { edges: [1, 2, 3, 4, 5], counts: [1, 1, 1, 1] },
    })
    expect(when).toMatchObject({
      kind: 'time',
      nulls: 1,
      distinct: 3,
      min: Date.UTC(2013, 0, 1, 5),
      max: Date.UTC(2013, 0, 3, 5),
    })
    expect(amount).toMatchObject({ nulls: 1, mean: 13.25 / 3, distinct_approximate: false })
    expect(amount!.std).toBeCloseTo(2.8759, 4)
    expect(amount!.quantiles.find(({ q }) => q === 0.5)!.value).toBe(4.5)
    expect(amount!.histogram!.counts.reduce((sum, count) => sum + count)).toBe(3)
    expect(amount!.histogram!.edges).toHaveLength(amount!.histogram!.counts.length + 1)
    expect(city).toMatchObject({
      kind: 'text',
      nulls: 1,
      distinct: 2,
      min: 'Paris',
      max: 'Rome, old',
      top: [
        { value: 'Paris', count: 2 },
        { value: 'Rome, old', count: 1 },
      ],
    })
    expect(ok).toMatchObject({
      kind: 'boolean',
      mean: 0.75,
      histogram: null,
      top: [
        { value: 'true', count: 3 },
        { value: 'false', count: 1 },
      ],
    })
    const told = await kernel.store.read((sql) =>
      kernel.events.list(sql, 'w', { subject: { kind: 'dataset-version', id: version.id }, limit: 10 }),
    )
    expect(told.map(({ name }) => name)).toEqual(['datasets.version-profiled', 'datasets.version-registered'])
    expect(told[1]).toMatchObject({ reason: 'first load', after: { number: 1, state: 'pending' } })
  })

  test('Parquet in several files is one table; its sample and files can be read', async () => {
    const at = (name: string) => join(kernel.dir, name)
    await kernel.analytics.copyTo({
      sql: "SELECT i, TIMESTAMP '2013-01-01' + to_hours(i) AS t, [i] AS list FROM range(3) r(i)",
      to: at('p1.parquet'),
    })
    await kernel.analytics.copyTo({
      sql: 'SELECT [i] AS list, i::DOUBLE / 0 AS x, i FROM range(3, 5) r(i)',
      to: at('p2.parquet'),
    })
    const { version } = await register({
      name: 'parts',
      files: { 'a/1.parquet': await readFile(at('p1.parquet')), 'a/2.parquet': await readFile(at('p2.parquet')) },
    })
    const ready = await settled(version)
    expect(ready).toMatchObject({ state: 'ready', row_count: 5, file_count: 2, format: 'parquet' })
    expect(ready.schema!.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'i BIGINT',
      't TIMESTAMP',
      'list BIGINT[]',
      'x DOUBLE',
    ])
    const { columns } = await profileOf(ready)
    expect(columns[2]).toMatchObject({ kind: 'other', nulls: 0, distinct: null, top: null })
    expect(columns[3]).toMatchObject({ nulls: 3, not_finite: 2, min: null, mean: null, histogram: null })
    const sample = await datasets.sample(ready, 4)
    expect(sample.rows).toEqual([
      [0, Date.UTC(2013, 0, 1, 0), '[0]', null],
      [1, Date.UTC(2013, 0, 1, 1), '[1]', null],
      [2, Date.UTC(2013, 0, 1, 2), '[2]', null],
      [3, null, '[3]', 'Infinity'],
    ])
    const dir = at('copy')
    await datasets.materialise(ready, dir)
    expect(await readFile(join(dir, 'a/1.parquet'))).toEqual(await readFile(at('p1.parquet')))
  })

  test('every type has its profile, at the ends of its range too', async () => {
    const to = join(kernel.dir, 'types.parquet')
    await kernel.analytics.copyTo({ sql: 'SELECT * EXCLUDE (bit, bignum, "union", time_tz) FROM test_all_types()', to })
    const { version } = await register({ name: 'types', files: { 'types.parquet': await readFile(to) } })
    expect(await settled(version)).toMatchObject({ state: 'ready', failure: null, row_count: 3 })
    const { columns } = await profileOf(version)
    const by = (name: string) => columns.find((column) => column.name === name)
    expect(columns.filter(({ nulls }) => nulls !== 1).map(({ name }) => name)).toEqual([])
    expect(by('bigint')).toMatchObject({
      kind: 'number',
      min: '-9223372036854775808',
      max: '9223372036854775807',
      distinct: 2,
    })
    expect(by('timestamp_ns')).toMatchObject({ kind: 'time', histogram: { counts: expect.any(Array) } })
    // Its deviation is beyond a double: the figures are unknown, the rest is there.
    expect(by('double')).toMatchObject({
      kind: 'number',
      nulls: 1,
      distinct: 2,
      mean: null,
      histogram: { counts: [2] },
    })
    expect(by('date_array')).toMatchObject({ kind: 'other', distinct: null, top: null })
  })

  test('the same content is the same version, whatever the order; new content is the next', async () => {
    const first = await register({ name: 'same', files: { 'a.csv': 'x\n1\n', 'b.csv': 'x\n2\n' }, tags: { a: '1' } })
    const second = await register({ name: 'same', files: { 'b.csv': 'x\n2\n', 'a.csv': 'x\n1\n' }, tags: { b: '2' } })
    expect(second).toMatchObject({
      created: false,
      version: { id: first.version.id, number: 1, tags: { a: '1', b: '2' } },
    })
    const third = await register({ name: 'same', files: { 'a.csv': 'x\n1\n' } })
    expect(third.version.number).toBe(2)
    const elsewhere = await register({ name: 'same', files: { 'a.csv': 'x\n1\n' } }, person('other'))
    expect(elsewhere).toMatchObject({ created: true, version: { number: 1, workspace: 'other' } })
    const found = await kernel.store.read(async (sql) => ({
      latest: await datasets.find(sql, 'w', 'same'),
      first: await datasets.find(sql, 'w', 'same@1'),
      list: await datasets.list(sql, 'w', { after: 'parts', limit: 1 }),
      page: await datasets.versions(sql, 'w', 'same', { before_number: 2, limit: 10 }),
    }))
    expect(found.latest.id).toBe(third.version.id)
    expect(found.first.id).toBe(first.version.id)
    expect(found.list).toMatchObject([{ name: 'same', version_count: 2, latest: { number: 2 } }])
    expect(found.page.map(({ number }) => number)).toEqual([1])
    expect(await problem(kernel.store.read((sql) => datasets.version(sql, 'other', first.version.id)))).toMatchObject({
      problem: 'not-found',
    })
  })

  test('data that cannot be read make a failed version that says which file and why', async () => {
    const good = await readFile(join(kernel.dir, 'p1.parquet'))
    const corrupt = await register({
      name: 'broken',
      files: { 'good.parquet': good, 'bad.parquet': good.subarray(0, 300) },
    })
    const failed = await settled(corrupt.version)
    expect(failed.state).toBe('failed')
    expect(failed.failure).toContain("'bad.parquet' cannot be read")
    expect(failed.failure).not.toContain(kernel.dir)
    expect(await problem(datasets.sample(failed, 5))).toMatchObject({
      problem: 'invalid',
      message: 'broken@1 is failed',
    })
    const cases: Record<string, string | Buffer>[] = [
      { 'ragged.csv': 'a,b\n1,2\n3\n4,5,6\n' },
      { 'twice.csv': 'a,A\n1,2\n' },
      { 'empty.csv': '' },
      { 'binary.csv': good },
      { 'cut.csv.gz': gzipSync(CSV.repeat(100)).subarray(0, 40) },
    ]
    const texts = ['Line: 3', "column 'A' twice", 'is empty', 'zero bytes', 'cut.csv.gz']
    const made = await Promise.all(cases.map((files, at) => register({ name: `broken-${at}`, files })))
    for (const [at, { version }] of made.entries()) {
      const after = await settled(version)
      expect(after.state).toBe('failed')
      expect(after.failure).toContain(texts[at])
    }
  })

  test('a time column that is none fails the version; naming another on the same content reads it again', async () => {
    const files = { 'a.csv': 'x,t\n1,2013-01-01\n' }
    const first = await settled((await register({ name: 'timed', files, time_column: 'x' })).version)
    expect(first).toMatchObject({
      state: 'failed',
      failure: expect.stringContaining("time column 'x' is of type BIGINT"),
    })
    const second = await register({ name: 'timed', files, time_column: 't' })
    expect(second).toMatchObject({ created: false, version: { state: 'pending' } })
    expect(await settled(second.version)).toMatchObject({
      state: 'ready',
      failure: null,
      time_from_ms: Date.UTC(2013, 0, 1),
    })
  })

  test('a time column that is named while the version is being read is the one that holds', async () => {
    const files = { 'a.csv': 'x,t\n1,2013-01-01\n' }
    meanwhile = () => register({ name: 'renamed', files, time_column: 't' })
    const { version } = await register({ name: 'renamed', files })
    expect(await settled(version)).toMatchObject({
      state: 'ready',
      time_column: 't',
      time_from_ms: Date.UTC(2013, 0, 1),
    })
  })

  test('a version that is deleted while it is being read stays deleted', async () => {
    const registered = Promise.withResolvers<string>()
    meanwhile = async () => {
      const id = await registered.promise
      await kernel.store.write((tx) => datasets.deleteVersion(tx, ada, id))
    }
    const { version } = await register({ name: 'gone', files: { 'a.csv': 'x\n1\n' } })
    registered.resolve(version.id)
    await kernel.settled()
    expect(await problem(again(version))).toMatchObject({ problem: 'not-found' })
  })

  test.each([
    [{ files: {} }, 'files'],
    [{ files: { 'a.txt': 'x' } }, 'files'],
    [{ files: { 'a.csv': 'x', 'b.parquet': 'x' } }, 'files'],
    [{ files: { '../a.csv': 'x' } }, 'files'],
    [{ files: { '/a.csv': 'x' } }, 'files'],
    [{ name: 'no/name', files: { 'a.csv': 'x' } }, 'name'],
    [{ name: 'uploads', files: { 'a.csv': 'x' } }, 'name'],
    [{ files: { 'a.csv': 'x' }, tags: { '': 'x' } }, 'tags'],
    [{ files: { 'a.csv': 'x' }, source: 'x'.repeat(501) }, 'source'],
  ])('a registration is refused with the field at fault (%#)', async (registration, field) => {
    const made = { name: 'refused', ...registration } as Parameters<typeof register>[0]
    expect(await problem(register(made))).toMatchObject({ problem: 'invalid', field })
  })

  test('only what a workspace has uploaded can be named by digest', async () => {
    const other = person('other')
    const { digest } = await datasets.upload(ada, Buffer.from('secret\n1\n'))
    const files = [{ path: 'a.csv', digest }]
    const stolen = kernel.store.write((tx) => datasets.registerUploaded(tx, other, { name: 'stolen', files }))
    expect(await problem(stolen)).toMatchObject({
      problem: 'invalid',
      field: 'files',
      message: expect.stringContaining('was not uploaded'),
    })
    const { version } = await kernel.store.write((tx) => datasets.registerUploaded(tx, ada, { name: 'mine', files }))
    expect(version.size_bytes).toBe(9)
    kernel.clock.advance(25 * 60 * 60_000)
    await datasets.upload(ada, Buffer.from('x\n1\n'))
    const reused = await kernel.store.write((tx) => datasets.registerUploaded(tx, ada, { name: 'mine-too', files }))
    expect(reused.created).toBe(true)
    expect(await problem(datasets.upload(ada, Buffer.from('x'), digest))).toMatchObject({ problem: 'invalid' })
  })

  test('a folder is registered whole, with its hidden files left out', async () => {
    const dir = join(kernel.dir, 'folder')
    await mkdir(join(dir, 'day=1'), { recursive: true })
    await writeFile(join(dir, 'day=1', 'a.csv'), 'x\n1\n')
    await writeFile(join(dir, 'b.csv'), 'x\n2\n')
    await writeFile(join(dir, '_SUCCESS'), '')
    await writeFile(join(dir, '.hidden'), '')
    const { version } = await datasets.registerPath(ada, { name: 'folder', path: dir })
    const files = await kernel.store.read((sql) => datasets.files(sql, 'w', version.id))
    expect(files.map(({ path }) => path)).toEqual(['b.csv', 'day=1/a.csv'])
    const ready = await settled(version)
    expect(ready).toMatchObject({ state: 'ready', row_count: 2, source: `path ${dir}` })
    expect((await datasets.sample(ready, 10)).rows).toEqual([[2], [1]])
    expect(await problem(datasets.registerPath(ada, { name: 'folder', path: join(dir, 'missing') }))).toMatchObject({
      problem: 'invalid',
      field: 'path',
    })
  })

  test('tags change, and a version that is held cannot be deleted', async () => {
    const { version } = await register({ name: 'kept', files: { 'a.csv': 'x\n1\n' }, tags: { a: '1' } })
    const changed = await kernel.store.write((tx) => datasets.changeTags(tx, ada, version.id, { a: null, b: '2' }))
    expect(changed.tags).toEqual({ b: '2' })
    const by = { kind: 'release', id: 'rel_1' } as const
    await kernel.store.write((tx) =>
      kernel.holds.place(
        tx,
        'w',
        { kind: 'dataset-version', id: version.id },
        by,
        'release rel_1 serves it at endpoint e',
      ),
    )
    const refused = await problem(kernel.store.write((tx) => datasets.deleteVersion(tx, ada, version.id)))
    expect(refused).toMatchObject({
      problem: 'conflict',
      message: 'cannot delete dataset version kept@1: release rel_1 serves it at endpoint e',
    })
    await kernel.store.write((tx) => kernel.holds.release(tx, 'w', by))
    await kernel.store.write((tx) => datasets.deleteVersion(tx, ada, version.id))
    expect(await problem(again(version))).toMatchObject({ problem: 'not-found' })
    const next = await register({ name: 'kept', files: { 'a.csv': 'x\n2\n' } })
    expect(next.version.number).toBe(2)
  })

  test('what produced a version is its upstream', async () => {
    const { version } = await register({
      name: 'made',
      files: { 'a.csv': 'x\n1\n' },
      produced_by: { kind: 'step-run', id: 'stp_1' },
    })
    const edges = await kernel.store.read((sql) =>
      sql.all('SELECT from_id, to_id, relation FROM lineage_edge WHERE workspace = ?', ['w']),
    )
    expect(edges).toEqual([{ from_id: 'stp_1', to_id: version.id, relation: 'output' }])
    const described = await kernel.store.read((sql) => datasets.describe(sql, 'w', [version.id, 'dsv_none']))
    expect([...described]).toEqual([[version.id, { label: 'made@1', state: expect.any(String) }]])
  })
})
