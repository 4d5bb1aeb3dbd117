import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Store, Tx } from '#kernel/store/index.ts'
import { type TestStore, testStore } from '#kit/store.ts'

const options = {
  migrations: [{ owner: 'ledger', dir: new URL('./fixture/migrations/', import.meta.url) }],
  catalog: new URL('./fixture/catalog.ts', import.meta.url),
}

/** Keeps SQLite busy for about a second on a slow machine. */
const SLOW = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT MAX(i) FROM n'

let at: TestStore
let store: Store
const folder = () => dirname(at.url.slice('sqlite:'.length))
beforeAll(async () => {
  at = await testStore(options)
  store = at.store
})
afterAll(() => at.close())
beforeEach(() =>
  store.write(async (tx) => {
    await tx.run('DELETE FROM entry')
    await tx.run('DELETE FROM ledger')
  }),
)
const accounts = async (from = store) =>
  (await from.read((sql) => sql.all<{ account: string }>('SELECT account FROM ledger ORDER BY account'))).map(
    (row) => row.account,
  )
const add = (tx: Tx, account: string) => tx.run('INSERT INTO ledger (account, amount) VALUES (?, 0)', [account])

describe('callbacks', () => {
  test('cannot interleave with each other or with commands, however many there are', async () => {
    const seen: number[] = []
    const callbacks = Array.from({ length: 40 }, (_, i) =>
      store.write(async (tx) => {
        const before = await tx.get<{ n: number }>('SELECT COUNT(*) AS n FROM ledger')
        await add(tx, `callback-${i}`)
        await tx.get('SELECT 1 AS one')
        const after = await tx.get<{ n: number }>('SELECT COUNT(*) AS n FROM ledger')
        seen.push(after!.n - before!.n)
      }),
    )
    const commands = Array.from({ length: 40 }, (_, i) =>
      store.command('ledger.open', { account: `command-${i}`, amount: 0 }),
    )
    await Promise.all([...callbacks, ...commands])
    expect(seen).toEqual(new Array(40).fill(1))
    expect(await accounts()).toHaveLength(80)
  })

  test('that hold the store for too long are rolled back and named, and those behind them go on', async () => {
    const hasty = await at.again({ callback_ms_max: 60 })
    const slow = hasty.write(async (tx) => {
      await add(tx, 'slow')
      for (let i = 0; i < 50; i++) await tx.get(SLOW)
    })
    const behind = hasty.write((tx) => add(tx, 'behind'))
    await expect(slow).rejects.toMatchObject({
      problem: 'unavailable',
      message: expect.stringMatching(
        /^the write of store\/sqlite\.test\.ts:\d+ was open for more than 60 ms and was rolled back$/,
      ),
    })
    await behind
    expect(await accounts()).toEqual(['behind'])
    await hasty.close()
  })

  test('are named when they await something else, and the store is free again at once', async () => {
    const error = await store
      .write(async (tx) => {
        await add(tx, 'half')
        await new Promise(() => {})
      })
      .catch((e: Error) => e.message)
    expect(error).toMatch(/^the write of store\/sqlite\.test\.ts:\d+ awaits something other than its tx/)
    expect(await accounts()).toEqual([])
  })

  test('work under fake timers', async () => {
    vi.useFakeTimers()
    try {
      await store.write((tx) => add(tx, 'a'))
      await store.command('ledger.open', { account: 'b', amount: 0 })
      expect(await accounts()).toEqual(['a', 'b'])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('what is not plain data', () => {
  test('as input or result is refused, and its neighbours are answered', async () => {
    const results = await Promise.allSettled([
      store.command('ledger.open', { account: 'a', amount: 0 }),
      store.command('ledger.open', { account: 'b', amount: () => 0 }),
      store.command('ledger.function', {}),
      store.command('ledger.open', { account: 'c', amount: 0 }),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason.message).toContain('not plain data')
    expect((results[2] as PromiseRejectedResult).reason.message).toContain('could not be cloned')
    expect(await accounts()).toEqual(['a', 'c'])
  })
})

describe('a thread that ends', () => {
  test('fails what it had, undoes what was half done, and is replaced', async () => {
    const small = await at.again({ thread_heap_mb: 24 })
    await small.command('ledger.open', { account: 'before', amount: 1 })
    const results = await Promise.allSettled([
      small.command('ledger.hoard', { account: 'hoard' }),
      small.write((tx) => add(tx, 'behind')),
    ])
    for (const result of results)
      expect(result).toMatchObject({
        reason: { problem: 'unavailable', message: expect.stringContaining('thread ended') },
      })
    await expect
      .poll(
        () =>
          small.command('ledger.open', { account: 'after', amount: 1 }).then(
            () => 'kept',
            () => 'away',
          ),
        { timeout: 5_000 },
      )
      .toBe('kept')
    expect(await accounts(small)).toEqual(['after', 'before'])
    await small.close()
  })
})

describe('reads', () => {
  test('go on while a query takes long, in the other thread', async () => {
    const long = store.query('ledger.count', { to: 1_500_000 })
    await accounts()
    let quick = 0
    let done = false
    void long.then(() => (done = true))
    while (!done) {
      await store.query('ledger.sum', {})
      quick++
    }
    expect(quick).toBeGreaterThan(10)
  })

  test('that stay open too long are ended', async () => {
    const hasty = await at.again({ read_ms_max: 50 })
    const read = hasty.read(async (sql) => {
      await sql.get('SELECT 1 AS one')
      await new Promise((resolve) => setTimeout(resolve, 120))
      return sql.get('SELECT 1 AS one').catch((error: Error) => error.message)
    })
    await expect(read).rejects.toMatchObject({ problem: 'unavailable', message: 'a read was open for more than 50 ms' })
    expect(await hasty.read((sql) => sql.get('SELECT 1 AS one'))).toEqual({ one: 1 })
    await hasty.close()
  })

  test('whose statement takes too long leave the thread to it, and others go on', async () => {
    const hasty = await at.again({ read_ms_max: 50 })
    await expect(hasty.read((sql) => sql.get(SLOW.replace('400000', '3000000')))).rejects.toMatchObject({
      problem: 'unavailable',
    })
    const quick = Array.from({ length: 5 }, () => hasty.query('ledger.sum', {}))
    expect(await Promise.all(quick)).toEqual(new Array(5).fill([0, 0]))
    await hasty.close()
  })

  test('are refused beyond a bound, with what to do', async () => {
    const small = await at.again({ reads_max: 3 })
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => small.query('ledger.sum', {})))
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
    expect(refused).toHaveLength(3)
    for (const error of refused) expect(error).toMatchObject({ problem: 'unavailable', remedy: expect.any(String) })
    await small.close()
  })
})

describe('the files', () => {
  test('are in WAL mode, closed to others, and whole after a clean end', async () => {
    const other = await testStore(options)
    await other.store.command('ledger.open', { account: 'a', amount: 0 })
    const path = other.url.slice('sqlite:'.length)
    expect(readdirSync(dirname(path)).sort()).toEqual(['slipway.db', 'slipway.db-shm', 'slipway.db-wal'])
    await other.store.close()
    expect(readdirSync(dirname(path))).toEqual(['slipway.db'])
    const database = new DatabaseSync(path, { readOnly: true })
    expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    expect(database.prepare('SELECT account FROM ledger').all()).toMatchObject([{ account: 'a' }])
    database.close()
    await other.close()
  })

  test('do not grow their WAL without bound while pages are moved', async () => {
    const busy = await at.again({ checkpoint_pages: 100 })
    for (let round = 0; round < 30; round++)
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          busy.command('ledger.pair', { account: `w${round}-${i}`, filler: 'x'.repeat(2000) }),
        ),
      )
    const { checkpoints, wal_pages } = await busy.stats()
    expect(checkpoints).toBeGreaterThan(2)
    expect(wal_pages).toBeLessThan(1_000)
    await busy.close()
  })

  test('stay locked by SQLite while the store is open: nothing in the process opened and closed them', async () => {
    await accounts()
    const held = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .filter((line) => line.includes(` ${process.pid} `))
    const inode = (name: string) =>
      spawnSync('stat', ['-c', '%i', `${folder()}/${name}`])
        .stdout.toString()
        .trim()
    expect(held.some((line) => line.includes(`:${inode('slipway.db')} `))).toBe(true)
    expect(held.some((line) => line.includes(`:${inode('slipway.db-shm')} `))).toBe(true)
  })
})
