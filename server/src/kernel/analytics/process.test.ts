import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { DomainError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { problemOf } from './failures.ts'
import { type Analytics, createAnalytics } from './index.ts'

const dir = mkdtempSync(join(tmpdir(), 'slipway-analytics-'))
const at = (name: string) => join(dir, name)
let analytics: Analytics

beforeAll(async () => {
  analytics = createAnalytics({ temp_dir: at('temp'), log: silentLog, memory_bytes: 512 * 2 ** 20 })
  await analytics.query({ sql: 'SELECT 1' })
})
afterAll(async () => {
  await analytics.stop()
  rmSync(dir, { recursive: true, force: true })
})

const problem = async (work: Promise<unknown>): Promise<DomainError> => {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(DomainError)
  return error as DomainError
}

test('a disk that is full is told as such', () => {
  const error = new Error('IO Error: Could not write file "/data/x": No space left on device')
  expect(problemOf(error, {})).toMatchObject({ problem: 'storage-full' })
})

describe('the process', () => {
  test('is stopped when idle and started again when asked', async () => {
    const own = createAnalytics({ temp_dir: at('idle'), log: silentLog, idle_ms: 50 })
    expect(own.pid).toBeUndefined()
    await own.query({ sql: 'SELECT 1' })
    const first = own.pid!
    await vi.waitFor(() => expect(own.pid).toBeUndefined())
    expect((await own.query({ sql: 'SELECT 2' })).rows).toEqual([[2]])
    expect(own.pid).not.toBe(first)
    await own.stop()
    expect(await problem((async () => own.query({ sql: 'SELECT 1' }))())).toMatchObject({ problem: 'unavailable' })
  })

  test('that a statement ends fails that call alone; the one beside it and the next succeed', async () => {
    // A log that DuckDB may not write ends the process from within, at the statement after.
    const fatal = [
      { sql: "SELECT * FROM enable_logging(storage = 'file', storage_path = '/tmp/slipway-should-not-be')" },
      { sql: 'SELECT 2' },
    ]
    const slow = 'SELECT count(*) FROM range(30000000) r(i) WHERE hash(i) % 7 = 0'
    const beside = analytics.query({ sql: slow })
    const error = await problem(analytics.queries({ statements: fatal }))
    expect(error).toMatchObject({ problem: 'invalid', message: expect.stringContaining('ended the analytics process') })
    expect((await beside).rows[0]![0]).toBeGreaterThan(3_000_000)
    expect((await analytics.query({ sql: 'SELECT 3' })).rows).toEqual([[3]])
  })

  test('killed from outside fails what runs with a clear error; the next works', async () => {
    const call = analytics.query({ sql: 'SELECT count(*) FROM range(100000000000) r(i) WHERE hash(i) % 7 = 0' })
    const failing = problem(call)
    process.kill(analytics.pid!, 'SIGKILL')
    expect(await failing).toMatchObject({ problem: 'unavailable', message: expect.stringContaining('SIGKILL') })
    expect((await analytics.query({ sql: 'SELECT 4' })).rows).toEqual([[4]])
  })

  test('stops a query that takes too long, or that nobody waits for any more', async () => {
    const endless = 'SELECT count(*) FROM range(100000000000) r(i) WHERE hash(i) % 7 = 0'
    const pid = analytics.pid
    const late = await problem(analytics.query({ sql: endless, timeout_ms: 200 }))
    expect(late).toMatchObject({ problem: 'unavailable', message: expect.stringContaining('200 ms') })
    const controller = new AbortController()
    const left = problem(analytics.query({ sql: endless, signal: controller.signal }))
    controller.abort()
    expect(await left).toMatchObject({ problem: 'unavailable', message: 'the query was cancelled' })
    expect(await problem(analytics.query({ sql: 'SELECT 1', signal: AbortSignal.abort() }))).toMatchObject({
      problem: 'unavailable',
    })
    expect((await analytics.query({ sql: 'SELECT 5' })).rows).toEqual([[5]])
    expect(analytics.pid).toBe(pid)
  })

  test('keeps to its memory: a query past it fails, a sort past it spills', async () => {
    const small = createAnalytics({
      temp_dir: at('small'),
      log: silentLog,
      memory_bytes: 64 * 2 ** 20,
      concurrency: 1,
    })
    const greedy = await problem(
      small.query({ sql: "SELECT list(i::VARCHAR || repeat('x', 50)) FROM range(2000000) r(i)" }),
    )
    expect(greedy).toMatchObject({ problem: 'too-large' })
    const { rows } = await small.query({
      sql: 'SELECT count(*) FROM (SELECT i, hash(i) h, hash(i + 1) g, hash(i + 2) f FROM range(2000000) r(i) ORDER BY h OFFSET 1)',
    })
    expect(rows).toEqual([[1_999_999]])
    await small.stop()
    expect(existsSync(at('small'))).toBe(false)
  })

  test('takes a bounded number of calls', async () => {
    const own = createAnalytics({ temp_dir: at('full'), log: silentLog, waiting_max: 1, concurrency: 1 })
    const calls = [1, 2, 3].map((value) => (async () => own.query({ sql: `SELECT ${value}` }))())
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    await own.stop()
  })
})
