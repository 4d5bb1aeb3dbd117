import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openStore, type Store } from '#kernel/store/index.ts'
import { postgresIsHere, privatePostgres } from '#kit/postgres.ts'
import { type TestStore, testPostgresStore } from '#kit/store.ts'

const options = {
  migrations: [{ owner: 'ledger', dir: new URL('./fixture/migrations/', import.meta.url) }],
  catalog: new URL('./fixture/catalog.ts', import.meta.url),
}

describe.skipIf(!postgresIsHere())('on PostgreSQL', () => {
  let at: TestStore
  let store: Store
  beforeAll(async () => {
    at = await testPostgresStore(options)
    store = at.store
  })
  afterAll(() => at?.close())
  const amount = async (account: string) =>
    (await store.read((sql) => sql.get<{ amount: number }>('SELECT amount FROM ledger WHERE account = ?', [account])))
      ?.amount

  test('a deadlock is tried again until both have their way', async () => {
    await store.command('ledger.open', { account: 'a', amount: 0 })
    await store.command('ledger.open', { account: 'b', amount: 0 })
    let runs = 0
    // Each takes its first row and then the other's: the first time round they meet.
    const met = Promise.withResolvers<void>()
    let first = 0
    const cross = (from: string, to: string) =>
      store.write(async (tx) => {
        runs++
        await tx.run('UPDATE ledger SET amount = amount + 1 WHERE account = ?', [from])
        if (++first === 2) met.resolve()
        if (first <= 2) while (first < 2) await tx.get('SELECT 1 AS one')
        await tx.run('UPDATE ledger SET amount = amount + 1 WHERE account = ?', [to])
      })
    await Promise.all([cross('a', 'b'), cross('b', 'a')])
    expect(await amount('a')).toBe(2)
    expect(await amount('b')).toBe(2)
    // The server ends one of them, or, when both notice at once, both.
    expect(runs).toBeGreaterThan(2)
    expect((await store.stats()).retries).toBe(runs - 2)
  })

  test('a lock shows what its last holder committed, also to a transaction that waited for it', async () => {
    await store.command('ledger.open', { account: 'l', amount: 0 })
    const bump = () =>
      store.write(async (tx) => {
        await tx.get('SELECT COUNT(*) AS n FROM ledger')
        await tx.lock('ledger', 'l')
        const row = await tx.get<{ amount: number }>("SELECT amount FROM ledger WHERE account = 'l'")
        await tx.run("UPDATE ledger SET amount = ? WHERE account = 'l'", [row!.amount + 1])
      })
    await Promise.all(Array.from({ length: 20 }, bump))
    expect(await amount('l')).toBe(20)
  })

  test('what it acknowledges is on disk even where the database is set to answer before', async () => {
    await store.write((tx) =>
      tx.run(`ALTER DATABASE ${new URL(at.url).pathname.slice(1)} SET synchronous_commit = off`),
    )
    const other = await at.again()
    const setting = "SELECT current_setting('synchronous_commit') AS v"
    expect(await other.read((sql) => sql.get(setting))).toEqual({ v: 'off' })
    expect(await other.write((tx) => tx.get(setting))).toEqual({ v: 'on' })
    await other.close()
  })
})

/** One address for a server's whole life (a restarted one may get another port), and a way to let it hang. */
async function doorTo(url: () => string): Promise<{ server: Server; port: number; hang(on: boolean): void }> {
  let hangs = false
  const server = createServer((socket) => {
    const { hostname, port } = new URL(url())
    const through = connect(Number(port), hostname)
    for (const [from, to] of [
      [socket, through],
      [through, socket],
    ] as const)
      from
        .on('data', (chunk) => void (hangs || to.write(chunk)))
        .on('error', () => {})
        .on('close', () => to.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const hang = (on: boolean) => {
    hangs = on
  }
  return { server, port, hang }
}

describe.skipIf(!postgresIsHere())('when PostgreSQL goes away', () => {
  let server: Awaited<ReturnType<typeof privatePostgres>>
  let door: Awaited<ReturnType<typeof doorTo>>
  let store: Store
  beforeAll(async () => {
    server = await privatePostgres()
    door = await doorTo(() => server.url())
    const url = new URL(server.url())
    url.port = String(door.port)
    store = await openStore({
      url: url.href,
      log: silentLog,
      ...options,
      connect_ms_max: 1_000,
      query_ms_max: 1_000,
      statement_ms_max: 1_000,
    })
  })
  afterAll(async () => {
    await store?.close()
    door?.server.close()
    await server?.discard()
  })
  const away = { problem: 'unavailable', remedy: expect.any(String) }

  test('callers are told within seconds, nothing hangs, and it goes on when the server is back', async () => {
    await store.command('ledger.open', { account: 'before', amount: 1 })
    const half = store.write(async (tx) => {
      await tx.run("INSERT INTO ledger (account, amount) VALUES ('half', 1)")
      server.signal('SIGKILL')
      for (;;) await tx.get('SELECT 1 AS one')
    })
    await expect(half).rejects.toMatchObject(away)
    const began = performance.now()
    await expect(store.command('ledger.open', { account: 'away', amount: 1 })).rejects.toMatchObject(away)
    await expect(store.read((sql) => sql.get('SELECT 1 AS one'))).rejects.toMatchObject(away)
    expect(performance.now() - began).toBeLessThan(5_000)

    await server.resume()
    await expect
      .poll(() =>
        store.command('ledger.open', { account: 'back', amount: 1 }).then(
          () => 'kept',
          () => 'away',
        ),
      )
      .toBe('kept')
    expect(await store.read((sql) => sql.all('SELECT account FROM ledger ORDER BY account'))).toEqual([
      { account: 'back' },
      { account: 'before' },
    ])
  })

  test('a server that hangs is met in the same way', async () => {
    door.hang(true)
    try {
      await expect(store.read((sql) => sql.get('SELECT 1 AS one'))).rejects.toMatchObject(away)
      await expect(store.command('ledger.open', { account: 'hung', amount: 1 })).rejects.toMatchObject(away)
    } finally {
      door.hang(false)
    }
    await expect.poll(() => store.read((sql) => sql.get('SELECT 1 AS one')).catch(() => 'away')).toEqual({ one: 1 })
  })

  test('opening says so in one sentence', async () => {
    await expect(
      openStore({ url: 'postgres://nobody@127.0.0.1:1/nothing', migrations: [], log: silentLog }),
    ).rejects.toMatchObject({ ...away, message: 'the store cannot be reached' })
  })
})
