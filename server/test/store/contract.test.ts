import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DomainError } from '#kernel/errors.ts'
import type { SqlValue, Store } from '#kernel/store/index.ts'
import { insertRows, joinNan, splitNan } from '#kernel/store/values.ts'
import { eachStore, type TestStore } from '#kit/store.ts'

const options = {
  migrations: [{ owner: 'ledger', dir: new URL('./fixture/migrations/', import.meta.url) }],
  catalog: new URL('./fixture/catalog.ts', import.meta.url),
}

/** Both doors, as one function each, so that they pass the same tests. */
const doors: Record<string, (store: Store, name: string, input: unknown) => Promise<unknown>> = {
  command: (store, name, input) => store.command(name, input),
  write: async (store, name, input) => {
    const { commands } = (await import('./fixture/catalog.ts')) as never as {
      commands: Record<string, (tx: unknown, input: unknown) => Promise<unknown>>
    }
    return store.write((tx) => commands[name]!(tx, input))
  },
}

eachStore('the store', (open, database) => {
  let at: TestStore
  let store: Store
  beforeAll(async () => {
    at = await open(options)
    store = at.store
  })
  afterAll(() => at?.close())
  beforeEach(() =>
    store.write(async (tx) => {
      for (const table of ['entry', 'ledger', 'bent', 'point']) await tx.run(`DELETE FROM ${table}`)
    }),
  )
  const amounts = () => store.read((sql) => sql.all('SELECT account, amount FROM ledger ORDER BY account'))

  describe.each(Object.entries(doors))('by the door %s', (_, through) => {
    test('keeps what it answered, for every way of reading', async () => {
      expect(await through(store, 'ledger.open', { account: 'a', amount: 5 })).toEqual({ account: 'a', amount: 5 })
      expect(await amounts()).toEqual([{ account: 'a', amount: 5 }])
      expect(await store.query('ledger.sum', {})).toEqual([5, 5])
    })

    test('undoes all of a failing one and nothing of its neighbours', async () => {
      await through(store, 'ledger.open', { account: 'a', amount: 10 })
      await through(store, 'ledger.open', { account: 'b', amount: 0 })
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          through(store, 'ledger.transfer', { from: 'a', to: i % 2 === 0 ? 'b' : 'nobody', amount: 1 }),
        ),
      )
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(10)
      expect(await amounts()).toEqual([
        { account: 'a', amount: 0 },
        { account: 'b', amount: 10 },
      ])
    })

    test('hands on a DomainError whole', async () => {
      const error = await through(store, 'ledger.add', { account: 'x', amount: 1 }).catch((e: unknown) => e)
      expect(error).toBeInstanceOf(DomainError)
      expect((error as DomainError).toJSON()).toEqual({
        problem: 'not-found',
        message: 'no account x',
        field: 'account',
        remedy: 'Open it first.',
        facts: { account: 'x' },
      })
    })

    test('never loses an update to a neighbour that read at the same time', async () => {
      await through(store, 'ledger.open', { account: 'a', amount: 0 })
      await Promise.all(Array.from({ length: 30 }, () => through(store, 'ledger.add', { account: 'a', amount: 1 })))
      expect(await amounts()).toEqual([{ account: 'a', amount: 30 }])
    })

    test('says already-exists for a taken key, and a write with a failed statement can only fail', async () => {
      await through(store, 'ledger.open', { account: 'a', amount: 1 })
      await expect(through(store, 'ledger.open', { account: 'a', amount: 2 })).rejects.toMatchObject({
        problem: 'already-exists',
      })
      await expect(through(store, 'ledger.fail-and-go-on', { account: 'b' })).rejects.toMatchObject({
        problem: 'already-exists',
      })
      expect(await amounts()).toEqual([{ account: 'a', amount: 1 }])
    })

    test('refuses work that awaits something other than its tx, and undoes it', async () => {
      await expect(through(store, 'ledger.sleep', {})).rejects.toThrow('awaits something other than its tx')
      await through(store, 'ledger.nothing', {})
    })

    test('takes bytes that are a part of a larger buffer', async () => {
      const large = Buffer.alloc(1000, 7)
      large.fill(9, 100, 110)
      expect(await through(store, 'ledger.raw', { body: large.subarray(98, 112) })).toBe(14)
      const row = await store.read((sql) => sql.get("SELECT raw FROM bent WHERE id = 'raw'"))
      expect(row?.raw).toEqual(new Uint8Array([7, 7, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 7, 7]))
    })
  })

  test('runs callbacks that wait for each other in no order that mixes them', async () => {
    const seen: string[] = []
    const write = (name: string) =>
      store.write(async (tx) => {
        await tx.lock('one at a time')
        seen.push(`${name} begins`)
        await tx.run('INSERT INTO ledger (account, amount) VALUES (?, 0)', [name])
        await tx.get('SELECT COUNT(*) AS n FROM ledger')
        seen.push(`${name} ends`)
      })
    const names = Array.from({ length: 12 }, (_, i) => `w${i}`)
    await Promise.all(names.map(write))
    for (let i = 0; i < seen.length; i += 2) expect(seen[i + 1]).toBe(seen[i]!.replace('begins', 'ends'))
    expect(seen).toHaveLength(24)
  })

  test('runs afterCommit once, after the commit, and not after a failure', async () => {
    const seen: unknown[] = []
    const done = store.write(async (tx) => {
      tx.afterCommit(() => seen.push('committed'))
      await tx.run("INSERT INTO ledger (account, amount) VALUES ('a', 1)")
      expect(seen).toEqual([])
    })
    await done
    await store
      .write(async (tx) => {
        tx.afterCommit(() => seen.push('never'))
        await tx.run("INSERT INTO ledger (account, amount) VALUES ('b', 1)")
        throw new Error('no')
      })
      .catch((error: Error) => seen.push(error.message))
    expect(seen).toEqual(['committed', 'no'])
  })

  test('does not answer before the last statement ended, and fails with it, though nobody waited for it', async () => {
    const add = (account: string) => ['INSERT INTO ledger (account, amount) VALUES (?, 0)', [account]] as const
    await store.write((tx) => tx.run(...add('a')))
    const seen: string[] = []
    await expect(
      store.write(async (tx) => {
        tx.afterCommit(() => seen.push('committed'))
        await tx.run(...add('b'))
        tx.run(...add('a')).catch(() => {})
      }),
    ).rejects.toMatchObject({ problem: 'already-exists' })
    await store.write(async (tx) => {
      void tx.run(...add('c'))
    })
    expect((await amounts()).map(({ account }) => account)).toEqual(['a', 'c'])
    expect(seen).toEqual([])
  })

  test('refuses a tx that is used after its work, also in a read', async () => {
    const kept = await store.write(async (tx) => tx)
    await expect(kept.get('SELECT 1 AS one')).rejects.toThrow('after its work had ended')
    const read = await store.read(async (sql) => sql)
    await expect(read.get('SELECT 1 AS one')).rejects.toThrow('after its work had ended')
  })

  test('refuses a write inside a write instead of waiting for ever', async () => {
    await expect(store.write(() => store.write(async (tx) => tx.get('SELECT 1 AS one')))).rejects.toThrow(
      'other than its tx',
    )
  })

  test('shows one snapshot over several statements, and writes made meanwhile do not wait for it', async () => {
    await store.command('ledger.open', { account: 'a', amount: 1 })
    const seen = await store.read(async (sql) => {
      const first = await sql.all('SELECT amount FROM ledger')
      await store.command('ledger.add', { account: 'a', amount: 1 })
      return [...first, ...(await sql.all('SELECT amount FROM ledger'))]
    })
    expect(seen).toEqual([{ amount: 1 }, { amount: 1 }])
    expect(await amounts()).toEqual([{ account: 'a', amount: 2 }])
  })

  test('does not write by a read or a query', async () => {
    await store.command('ledger.open', { account: 'a', amount: 1 })
    await expect(store.read((sql) => sql.run('UPDATE ledger SET amount = 0'))).rejects.toThrow(/read-?only/)
    await expect(store.query('ledger.write', {})).rejects.toThrow(/read-?only/)
    expect(await amounts()).toEqual([{ account: 'a', amount: 1 }])
  })

  test('names a command or query that is not there', async () => {
    await expect(store.command('no.such', {})).rejects.toThrow('no command no.such')
    await expect(store.query('no.such', {})).rejects.toThrow('no query no.such')
  })

  test('keeps foreign keys', async () => {
    await expect(
      store.write((tx) => tx.run("INSERT INTO entry (account, amount) VALUES ('nobody', 1)")),
    ).rejects.toMatchObject({ problem: 'conflict' })
  })

  test('numbers rows of a :seq: column upwards and gives the number back', async () => {
    await store.command('ledger.open', { account: 'a', amount: 1 })
    const seqs = await store.write(async (tx) => {
      const out: number[] = []
      for (let i = 0; i < 3; i++)
        out.push(
          (await tx.get<{ seq: number }>("INSERT INTO entry (account, amount) VALUES ('a', ?) RETURNING seq", [i]))!
            .seq,
        )
      return out
    })
    expect(seqs).toEqual([seqs[0], seqs[0]! + 1, seqs[0]! + 2])
  })

  describe('what databases bend', () => {
    const store_ = async (column: string, value: SqlValue) => {
      await store.write(async (tx) => {
        await tx.run("DELETE FROM bent WHERE id = 'x'")
        await tx.run(`INSERT INTO bent (id, ${column}) VALUES ('x', ?)`, [value])
      })
      return (await store.read((sql) => sql.get(`SELECT ${column} AS v FROM bent WHERE id = 'x'`)))?.v
    }

    test.each([0, 1, -1, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n])(
      'whole number %s',
      async (value) => expect(await store_('whole', value)).toBe(value),
    )
    test('a bigint that fits a number comes back as a number', async () => expect(await store_('whole', 7n)).toBe(7))
    test.each([
      0.1,
      1e300,
      5e-324,
      -1.5,
      3,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1.7976931348623157e308,
    ])('real number %s', async (value) => expect(await store_('part', value)).toBe(value))
    test('-0 is 0', async () => expect(await store_('part', -0)).toBe(0))
    test('NaN is refused with a remedy, and has a convention', async () => {
      await expect(store_('part', Number.NaN)).rejects.toMatchObject({
        problem: 'invalid',
        remedy: /splitNan/ as never,
      })
      for (const value of [Number.NaN, 1.5, Number.POSITIVE_INFINITY]) {
        await store.write(async (tx) => {
          await tx.run("DELETE FROM bent WHERE id = 'n'")
          await tx.run("INSERT INTO bent (id, part, is_nan) VALUES ('n', ?, ?)", splitNan(value))
        })
        const row = await store.read((sql) => sql.get("SELECT part, is_nan FROM bent WHERE id = 'n'"))
        expect(joinNan(row?.part, row?.is_nan)).toBe(value)
      }
    })
    test('integers outside 64 bits are refused', async () => {
      await expect(store_('whole', 2n ** 63n)).rejects.toMatchObject({ problem: 'invalid' })
    })
    test.each(['', 'é😀\n\t"\'\\', '{"b":1,  "a":NaN}', "O'Hara -- ? $1 :seq:"])(
      'text %j, letter for letter',
      async (value) => expect(await store_('doc', value)).toBe(value),
    )
    test('text with U+0000 is refused in the same words', async () => {
      await expect(store_('doc', 'a\u0000b')).rejects.toMatchObject({
        problem: 'invalid',
        message: 'text with the character U+0000 cannot be stored',
      })
    })
    test('a lone surrogate becomes the replacement character', async () => {
      expect(await store_('doc', 'a\ud800b')).toBe('a\ufffdb')
    })
    test.each([new Uint8Array(0), new Uint8Array([0, 255, 0, 10]), new Uint8Array(100_000).fill(3)])(
      'bytes %#',
      async (value) => {
        const back = await store_('raw', value)
        expect(back).toBeInstanceOf(Uint8Array)
        expect(back).toEqual(value)
      },
    )
    test('null is null', async () => expect(await store_('whole', null)).toBe(null))
    test('an integer in a RETURNING clause keeps its digits, and the row is changed once', async () => {
      const row = await store.write((tx) =>
        tx.get("INSERT INTO bent (id, whole) VALUES ('big', ?) RETURNING whole, id", [2n ** 60n]),
      )
      expect(row).toEqual({ whole: 2n ** 60n, id: 'big' })
    })
    test('LIKE tells capitals apart, and text is ordered by its bytes', async () => {
      await store.write(async (tx) => {
        for (const account of ['a', 'B', 'b', 'é', 'A', '_', 'aa'])
          await tx.run('INSERT INTO ledger (account, amount) VALUES (?, 0)', [account])
      })
      const rows = await store.read((sql) => sql.all('SELECT account FROM ledger ORDER BY account'))
      expect(rows.map((row) => row.account)).toEqual(['A', 'B', '_', 'a', 'aa', 'b', 'é'])
      expect(await store.read((sql) => sql.all('SELECT account FROM ledger WHERE account LIKE ?', ['A%']))).toEqual([
        { account: 'A' },
      ])
    })
    test('sums, counts, comparisons and divisions give the same types', async () => {
      await store.command('ledger.open', { account: 'a', amount: 7 })
      const row = await store.read((sql) =>
        sql.get(
          `SELECT COUNT(*) AS n, SUM(amount) AS s, AVG(amount) AS a, MAX(amount) > 3 AS more, MAX(amount) / 2 AS half,
                  CAST(SUM(amount) AS REAL) / 2 AS part, SUM(amount) + ? AS plus FROM ledger WHERE amount > ?`,
          [2, 0],
        ),
      )
      expect(row).toEqual({ n: 1, s: 7, a: 7, more: 1, half: 3, part: 3.5, plus: 9 })
    })
  })

  test('counts the rows that changed, and tells an upsert of a row from one that did nothing', async () => {
    const changes = await store.write(async (tx) => {
      const run = async (sql: string) => (await tx.run(sql)).changes
      return [
        await run("INSERT INTO ledger (account, amount) VALUES ('a', 1), ('b', 2)"),
        await run(
          "INSERT INTO ledger (account, amount) VALUES ('a', 5) ON CONFLICT (account) DO UPDATE SET amount = excluded.amount",
        ),
        await run("INSERT INTO ledger (account, amount) VALUES ('a', 5) ON CONFLICT (account) DO NOTHING"),
        await run("UPDATE ledger SET amount = 3 WHERE account = 'nobody'"),
        await run('DELETE FROM ledger'),
      ]
    })
    expect(changes).toEqual([2, 1, 0, 0, 2])
  })

  test('inserts many rows with few statements', async () => {
    const rows = Array.from({ length: 1234 }, (_, i) => [1, i, i / 2])
    await store.write((tx) => insertRows(tx, 'point (series, step, value)', rows))
    const more = await store.write((tx) =>
      insertRows(tx, 'point (series, step, value)', [...rows, [2, 1, 1]], 'ON CONFLICT DO NOTHING'),
    )
    expect(more).toBe(1)
    expect(await store.read((sql) => sql.get('SELECT COUNT(*) AS n, SUM(value) AS s FROM point'))).toEqual({
      n: 1235,
      s: 380381.5,
    })
    expect(await store.write((tx) => insertRows(tx, 'point (series, step, value)', []))).toBe(0)
  })

  test('refuses a missing parameter, one too many, and two statements in one', async () => {
    const attempt = (sql: string, params: SqlValue[]) => store.write((tx) => tx.run(sql, params))
    await expect(attempt('UPDATE ledger SET amount = ? WHERE account = ?', [1])).rejects.toThrow(
      '1 parameters for 2 places',
    )
    await expect(attempt('UPDATE ledger SET amount = ?', [1, 2])).rejects.toThrow('2 parameters for 1 places')
    await expect(attempt('DELETE FROM ledger; DELETE FROM entry', [])).rejects.toThrow('one statement at a time')
    await expect(attempt('UPDATE ledger SET amount = ?', [undefined as never])).rejects.toThrow('a parameter must be')
  })

  test('answers a barrier, and tells numbers about itself', async () => {
    const writing = store.command('ledger.open', { account: 'a', amount: 1 })
    await store.barrier()
    await writing
    expect(await store.stats()).toMatchObject({ kind: database, reads: 0 })
  })

  test('refuses what would wait behind too many, and goes on afterwards', async () => {
    const small = await at.again({ queue_max: 4 })
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) => small.command('ledger.open', { account: `q${i}`, amount: 1 })),
    )
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused)
      expect(reason).toMatchObject({ problem: 'unavailable', remedy: 'Try again in a moment.' })
    expect(await amounts()).toHaveLength(12 - refused.length)
    await small.command('ledger.open', { account: 'later', amount: 1 })
    await small.close()
  })

  test('gives up a query that takes too long and goes on answering', async () => {
    const hasty = await at.again({ query_ms_max: 200 })
    await expect(hasty.query('ledger.count', { to: 3_000_000 })).rejects.toMatchObject({ problem: 'unavailable' })
    expect(await hasty.query('ledger.count', { to: 10 })).toBe(10)
    await hasty.close()
  })

  test('fails clearly once closed', async () => {
    const other = await at.again()
    await other.close()
    await expect(other.command('ledger.nothing', {})).rejects.toMatchObject({ problem: 'unavailable' })
    await expect(other.write(async () => {})).rejects.toMatchObject({ problem: 'unavailable' })
    await expect(other.read(async () => {})).rejects.toMatchObject({ problem: 'unavailable' })
  })
})
