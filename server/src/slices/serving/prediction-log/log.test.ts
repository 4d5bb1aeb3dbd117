import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openKernel, type TestKernel } from '#kit/kernel.ts'
import { eachStore, testStore } from '#kit/store.ts'
import { servingMigrations } from '../index.ts'
import { createPredictionLog, type PredictionLog } from './log.ts'
import type { PredictionRecord } from './record.ts'
import { createLogWriter } from './writer.ts'

const appending = fileURLToPath(new URL('./appending-process.ts', import.meta.url))
const headerOf = (endpoint: string, features: Record<string, string> = { x: 'DOUBLE' }) => ({
  workspace: 'w',
  endpoint,
  features,
})

let last = 0
const recordOf = (kernel: TestKernel, more: Partial<PredictionRecord> = {}): PredictionRecord => ({
  id: `${kernel.ids.next('prediction')}.0`,
  event_ms: 1000 + last++,
  at_ms: kernel.clock.now(),
  latency_us: 300,
  status: 'ok',
  revision: 'rev_1',
  version: 1,
  answered_by: 'rev_1',
  answered_version: 1,
  release: null,
  key: null,
  score: 0.5,
  label: '1',
  output: '[0.5, 0.5]',
  error: null,
  inputs: null,
  features: { x: 1.5 },
  ...more,
})

const openLog = (kernel: TestKernel, dir = join(kernel.dir, 'predictions'), options = {}) =>
  createPredictionLog({ ...kernel, dir, interval_ms: 5, log: silentLog, ...options })

async function idsIn(kernel: TestKernel, log: PredictionLog, endpoint: string, range = {}): Promise<string[]> {
  const found = await log.files('w', endpoint, range)
  try {
    if (!found.from) return []
    const sql = `SELECT id FROM ${found.from} ORDER BY id`
    const { rows } = await kernel.analytics.query({ sql, files: found.sources, rows_max: 100_000 })
    return rows.map(([id]) => id as string)
  } finally {
    await found.done()
  }
}

eachStore('prediction log', (open) => {
  let kernel: TestKernel
  let log: PredictionLog
  beforeAll(async () => {
    kernel = await openKernel(open, [servingMigrations])
    log = await openLog(kernel, undefined, { small_count: 8 })
  })
  afterAll(async () => {
    await log.stop()
    await kernel.close()
  })

  test('rows are found in the tail, in sealed files, and in both together, once each', async () => {
    const records = Array.from({ length: 30 }, () => recordOf(kernel))
    const ids = records.map(({ id }) => id).sort()
    for (const record of records.slice(0, 10)) log.writer.append(headerOf('a'), record)
    expect(await idsIn(kernel, log, 'a')).toEqual(ids.slice(0, 10))
    await log.seal(true)
    expect((await readdir(join(kernel.dir, 'predictions'))).filter((name) => name.endsWith('.seg'))).toEqual([])
    for (const record of records.slice(10)) log.writer.append(headerOf('a'), record)
    expect(await idsIn(kernel, log, 'a')).toEqual(ids)
    expect(await log.find('w', ids[3]!)).toMatchObject({ ...records[3], endpoint: 'a' })
    expect(await log.find('w', ids[20]!.slice(0, -2))).toMatchObject({ id: ids[20], features: { x: 1.5 } })
    expect(await log.find('elsewhere', ids[3]!)).toBeUndefined()
    expect(await log.find('w', "prd_' OR 1=1")).toBeUndefined()
    expect((await log.recent('w', 'a', 2)).map(({ id }) => id)).toEqual(ids.slice(-2).reverse())
    const { event_ms } = records[12]!
    expect(await idsIn(kernel, log, 'a', { from_ms: event_ms, to_ms: event_ms + 2 })).toEqual(ids.slice(12, 14))
    expect(await idsIn(kernel, log, 'nobody')).toEqual([])
  })

  test('two versions with different features write side by side, and nothing of either is lost', async () => {
    const one = headerOf('b', { x: 'DOUBLE' })
    const two = headerOf('b', { x: 'VARCHAR', y: 'BIGINT' })
    const ids: string[] = []
    for (let n = 0; n < 40; n++) {
      const record = recordOf(kernel, n % 2 ? { features: { x: 'a', y: n } } : { features: { x: n } })
      ids.push(record.id)
      log.writer.append(n % 2 ? two : one, record)
      if (n % 10 === 5) await log.writer.flush()
      if (n === 20) await log.seal(true)
    }
    expect(await idsIn(kernel, log, 'b')).toEqual(ids.sort())
    const found = await log.files('w', 'b')
    const { rows } = await kernel.analytics.query({
      sql: `SELECT count(f_y), count(DISTINCT f_x) FROM ${found.from}`,
      files: found.sources,
    })
    await found.done()
    expect([rows[0], found.features.sort()]).toEqual([
      [20, 21],
      ['x', 'y'],
    ])
  })

  test('many small files become one, with the same rows', async () => {
    const ids: string[] = []
    for (let n = 0; n < 10; n++) {
      const record = recordOf(kernel)
      ids.push(record.id)
      log.writer.append(headerOf('c'), record)
      await log.seal(true)
    }
    const files = await kernel.store.read((sql) => sql.all("SELECT id FROM prediction_segment WHERE endpoint = 'c'"))
    expect(files).toHaveLength(3)
    expect(await idsIn(kernel, log, 'c')).toEqual(ids.sort())
    expect(await log.find('w', ids[0]!)).toMatchObject({ id: ids[0], endpoint: 'c' })
  }, 60_000)

  test('what cannot be sealed now is still read, and sealed later', async () => {
    const dir = join(kernel.dir, 'failing')
    let broken = true
    const analytics: Pick<TestKernel['analytics'], 'query' | 'copyTo'> = {
      query: kernel.analytics.query,
      copyTo: (call) => (broken ? Promise.reject(new Error('no room')) : kernel.analytics.copyTo(call)),
    }
    const other = await openLog(kernel, dir, { analytics })
    const record = recordOf(kernel)
    other.writer.append(headerOf('d'), record)
    await other.seal(true)
    expect(await idsIn(kernel, other, 'd')).toEqual([record.id])
    broken = false
    await other.stop()
    expect((await readdir(dir)).filter((name) => name.endsWith('.seg'))).toEqual([])
    expect(await idsIn(kernel, await openLog(kernel, dir), 'd')).toEqual([record.id])
  })
})

test('kill -9 in the middle: what was answered durably is there, once, and the torn rest is not', async () => {
  const kernel = await openKernel(testStore, [servingMigrations])
  const dir = join(kernel.dir, 'killed')
  await mkdir(dir)
  const answered = new Set<string>()
  for (let kill = 1; kill <= 3; kill++) {
    const child = spawn(process.execPath, [appending, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const line of createInterface(child.stdout)) {
      if (line.length === 38) answered.add(line)
      if (answered.size >= kill * 400) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  expect(answered.size).toBeGreaterThanOrEqual(1200)
  const log = await openLog(kernel, dir)
  // Before anything was sealed, while it is, and after.
  const before = await idsIn(kernel, log, 'e')
  expect([...answered].filter((id) => !before.includes(id))).toEqual([])
  expect(new Set(before).size).toBe(before.length)
  await log.start()
  expect(await idsIn(kernel, log, 'e')).toEqual(before)
  await log.stop()
  expect((await readdir(dir)).filter((name) => name.endsWith('.seg'))).toEqual([])
  const again = await openLog(kernel, dir)
  expect(await idsIn(kernel, again, 'e')).toEqual(before)
  await again.stop()
  await kernel.close()
}, 60_000)

test('a full disk: rows wait in memory, then are dropped and counted; durable answers fail; with room all goes on', async ({
  skip,
}) => {
  const kernel = await openKernel(testStore, [servingMigrations])
  const dir = join(kernel.dir, 'small')
  await mkdir(dir)
  // Only root may mount.
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'slipway-test', dir]).status === 0
  try {
    if (!mounted) return skip('cannot mount a small disk')
    let dropped = 0
    const writer = await createLogWriter({
      ...kernel,
      dir,
      interval_ms: 5,
      log: silentLog,
      onDrop: (rows) => {
        dropped += rows
      },
      waiting_bytes_max: 300_000,
    })
    const header = headerOf('f')
    const big = 'x'.repeat(10_000)
    const kept: string[] = []
    for (let n = 0; n < 400; n++) {
      const record = recordOf(kernel, { output: big })
      if (writer.append(header, record)) kept.push(record.id)
      await writer.flush()
    }
    expect(dropped).toBe(400 - kept.length)
    expect(dropped).toBeGreaterThan(200)
    await expect(writer.durable(header)).rejects.toMatchObject({ problem: 'unavailable' })
    const lost = writer.dropped - dropped
    expect(lost).toBe(0)
    spawnSync('mount', ['-o', 'remount,size=8m', dir])
    const later = recordOf(kernel)
    expect(writer.append(header, later)).toBe(true)
    await writer.durable(header)
    await writer.close()
    const log = await openLog(kernel, dir)
    const found = await idsIn(kernel, log, 'f')
    expect(new Set(found).size).toBe(found.length)
    expect(found).toContain(later.id)
    expect(found.filter((id) => id !== later.id && !kept.includes(id))).toEqual([])
    await log.stop()
  } finally {
    if (mounted) spawnSync('umount', [dir])
    await kernel.close()
  }
}, 60_000)

test('a segment is known as being written from the moment that its file is there', async () => {
  const kernel = await openKernel(testStore, [servingMigrations])
  const dir = join(kernel.dir, 'begun')
  const writer = await createLogWriter({ ...kernel, dir, interval_ms: 60_000, log: silentLog })
  try {
    const strangers = new Set<string>()
    for (let n = 0; n < 40; n++) {
      writer.append(headerOf(`begun-${n}`), recordOf(kernel))
      let done = false
      const flushed = writer.flush().then(() => {
        done = true
      })
      // As the sealer looks: what nobody writes is taken for left behind, and removed when it is empty.
      while (!done) {
        for (const name of readdirSync(dir)) if (writer.wholeBytes(join(dir, name)) === undefined) strangers.add(name)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await flushed
    }
    expect([...strangers]).toEqual([])
  } finally {
    await writer.close()
    await kernel.close()
  }
})
