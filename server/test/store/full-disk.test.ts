import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { openStore, type Store } from '#kernel/store/index.ts'
import { acknowledged, inspect, startLoad, temporaryFolder } from './fixture/process.ts'

const MIB = 1024 * 1024
const run = (command: string, ...args: string[]) => spawnSync(command, args).status === 0

/** A disk of 24 MiB of our own, where that is allowed. */
const disk = mkdtempSync(join(tmpdir(), 'slipway-disk-'))
const mounted = run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk)
if (!mounted && process.env.CI) throw new Error('no disk of our own can be mounted here, so nothing would be proven')
afterAll(() => {
  if (mounted) run('umount', disk)
  rmSync(disk, { recursive: true, force: true })
})

describe.skipIf(!mounted)('a full disk', () => {
  const filler = join(disk, 'filler')
  const open = (disk_reserve_bytes: number) =>
    openStore({
      url: `sqlite:${join(disk, 'data', 'slipway.db')}`,
      migrations: [{ owner: 'ledger', dir: new URL('./fixture/migrations/', import.meta.url) }],
      catalog: new URL('./fixture/catalog.ts', import.meta.url),
      log: silentLog,
      disk_reserve_bytes,
    })
  const count = (store: Store) => store.query<number[]>('ledger.sum', {})
  const add = (store: Store, account: string, bytes = 10) =>
    store.command('ledger.pair', { account, filler: 'x'.repeat(bytes) })
  const full = { problem: 'storage-full', message: expect.stringContaining(join(disk, 'data')), status: 507 }

  describe('with a reserve', () => {
    let store: Store
    beforeAll(async () => {
      store = await open(12 * MIB)
    })
    afterAll(() => store.close())

    test('refuses writes by both doors below it, naming the path; reads go on; writes come back with the space', async () => {
      await add(store, 'before')
      writeFileSync(filler, Buffer.alloc(16 * MIB))
      await expect
        .poll(() =>
          add(store, `soon-${Math.random()}`).then(
            () => 'kept',
            (error) => error,
          ),
        )
        .toMatchObject(full)
      await expect(store.write((tx) => tx.run("UPDATE ledger SET note = 'x'"))).rejects.toMatchObject(full)
      expect(await count(store)).toEqual([0, 0])
      await store.barrier()
      rmSync(filler)
      expect(await add(store, 'after')).toBe('after')
    })
  })

  describe('without room at all', () => {
    let store: Store
    beforeAll(async () => {
      store = await open(0)
    })
    afterAll(() => store.close())

    test('undoes the whole group, tells every caller, keeps what was acknowledged, and goes on when there is room', async () => {
      writeFileSync(filler, Buffer.alloc(18 * MIB))
      const kept: string[] = []
      const refused: unknown[] = []
      for (let i = 0; refused.length === 0; i++) {
        const names = Array.from({ length: 8 }, (_, n) => `full-${i}-${n}`)
        const results = await Promise.allSettled(names.map((name) => add(store, name, 20_000)))
        results.forEach((result, n) => {
          if (result.status === 'fulfilled') kept.push(names[n]!)
          else refused.push(result.reason)
        })
      }
      for (const error of refused) expect(error).toMatchObject(full)
      await expect(
        store.write(async (tx) => {
          for (let i = 0; i < 200; i++)
            await tx.run('INSERT INTO ledger (account, amount, note) VALUES (?, 0, ?)', [`w${i}`, 'x'.repeat(50_000)])
        }),
      ).rejects.toMatchObject(full)
      rmSync(filler)
      expect(await add(store, 'room again')).toBe('room again')
      const there = await store.read((sql) =>
        sql.all("SELECT account FROM ledger WHERE account LIKE 'full-%' OR account LIKE 'w%'"),
      )
      expect(there.map((row) => row.account).sort()).toEqual(kept.sort())
      const halves = await store.read((sql) =>
        sql.all('SELECT account FROM ledger WHERE account NOT IN (SELECT account FROM entry)'),
      )
      expect(halves).toEqual([])
    })
  })
})

test('a limit on the size of files is met like a full disk, also without the right to mount one', async () => {
  const data = temporaryFolder()
  const load = startLoad(data, { clients: 8, wrapper: ['bash', '-c', 'ulimit -f 1500 && exec "$@"', '_'] })
  await load.until((line) => line.startsWith('error'))
  load.child.kill('SIGKILL')
  await load.ended
  expect(load.lines().find((line) => line.startsWith('error'))).toContain(
    'cannot grow: the disk is full or a quota is reached',
  )
  const acks = acknowledged(load.lines())
  expect(acks.length).toBeGreaterThan(0)
  expect(inspect(data, acks)).toMatchObject({ lost: [], halves: 0, integrity: ['ok'] })
  rmSync(data, { recursive: true, force: true })
})
