import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { eachStore } from '#kit/store.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** A folder of migrations with these files. */
function source(owner: string, files: Record<string, string>) {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-migrations-'))
  made.push(dir)
  const put = (more: Record<string, string>) => {
    for (const [name, text] of Object.entries(more)) writeFileSync(join(dir, name), text)
  }
  put(files)
  return { owner, dir: pathToFileURL(`${dir}/`), put }
}

const A = 'CREATE TABLE a (id TEXT NOT NULL, PRIMARY KEY (id)) :strict:;'

eachStore('migrations', (open, database) => {
  test('are applied once, in order, over restarts; a later file is added', async () => {
    const one = source('one', {
      '0001_a.sql': A,
      '0002_fill.sql': "INSERT INTO a (id) VALUES ('x'); INSERT INTO a (id) VALUES ('y');",
    })
    const at = await open({ migrations: [one] })
    const count = async (store = at.store) =>
      (await store.read((sql) => sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM a')))?.n
    expect(await count()).toBe(2)
    await at.store.close()
    one.put({ '0003_more.sql': "INSERT INTO a (id) VALUES ('z')" })
    expect(await count(await at.again())).toBe(3)
    const rows = await (await at.again()).read((sql) =>
      sql.all('SELECT owner, number, name, breaking FROM slipway_migration ORDER BY number'),
    )
    expect(rows).toEqual([
      { owner: 'one', number: 1, name: 'a', breaking: 0 },
      { owner: 'one', number: 2, name: 'fill', breaking: 0 },
      { owner: 'one', number: 3, name: 'more', breaking: 0 },
    ])
    await at.close()
  })

  test('a file of a pair is applied on its own database only', async () => {
    const pair = source('pair', {
      '0001_a.sqlite.sql': "CREATE TABLE a (id TEXT) STRICT; INSERT INTO a VALUES ('sqlite')",
      '0001_a.postgres.sql': "CREATE TABLE a (id TEXT); INSERT INTO a VALUES ('postgres')",
    })
    const { store, close } = await open({ migrations: [pair] })
    expect(await store.read((sql) => sql.all('SELECT id FROM a'))).toEqual([{ id: database }])
    await close()
  })

  test('a failing file leaves nothing of itself, keeps those before it, and is named', async () => {
    const bad = source('bad', {
      '0001_a.sql': A,
      '0002_b.sql': "INSERT INTO a (id) VALUES ('half'); INSERT INTO nowhere VALUES (1)",
    })
    const good = { ...bad, ...source('bad', { '0001_a.sql': A }) }
    const at = await open({ migrations: [good] })
    await expect(at.again({ migrations: [bad] })).rejects.toThrow('migration bad/2_b failed')
    expect(await at.store.read((sql) => sql.all('SELECT id FROM a'))).toEqual([])
    await at.close()
  })

  test('a file that was changed after it was applied is refused', async () => {
    const one = source('one', { '0001_a.sql': A })
    const at = await open({ migrations: [one] })
    one.put({ '0001_a.sql': `${A}\n-- and another thing` })
    await expect(at.again()).rejects.toMatchObject({
      problem: 'conflict',
      message: expect.stringContaining('one/0001_a was changed'),
    })
    await at.close()
  })

  test('a number below an applied one, a doubled number, and a bad name are refused', async () => {
    const one = source('one', { '0002_a.sql': A })
    const at = await open({ migrations: [one] })
    one.put({ '0001_late.sql': 'SELECT 1' })
    await expect(at.again()).rejects.toMatchObject({
      problem: 'conflict',
      remedy: expect.stringContaining('next free number'),
    })
    await expect(at.again({ migrations: [source('two', { '0001_a.sql': A, '0001_b.sql': A })] })).rejects.toThrow(
      'have one number',
    )
    await expect(at.again({ migrations: [source('three', { 'a.sql': A })] })).rejects.toThrow(
      'is not named NNNN_name.sql',
    )
    await at.close()
  })

  test('an older program works with a newer schema, unless that says it is breaking', async () => {
    const old = { '0001_a.sql': A }
    const newer = { ...old, '0002_b.sql': 'CREATE TABLE b (id TEXT)' }
    const breaking = { ...newer, '0003_c.sql': '-- breaking\nCREATE TABLE c (id TEXT)' }
    const at = await open({ migrations: [source('one', newer)] })
    expect(
      await (await at.again({ migrations: [source('one', old)] })).read((sql) => sql.all('SELECT id FROM a')),
    ).toEqual([])
    await at.again({ migrations: [source('one', breaking)] })
    await expect(at.again({ migrations: [source('one', old)] })).rejects.toMatchObject({
      problem: 'conflict',
      message: expect.stringContaining('one/0003_c'),
      remedy: expect.stringContaining('newer version'),
    })
    await at.close()
  })

  test('two processes that start at once apply each file once', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`000${i + 1}_t.sql`, `CREATE TABLE t${i} (id TEXT)`]),
    )
    const at = await open({ migrations: [] })
    const migrations = [source('many', files)]
    await Promise.all([at.again({ migrations }), at.again({ migrations })])
    expect(await at.store.read((sql) => sql.get('SELECT COUNT(*) AS n FROM slipway_migration'))).toEqual({ n: 8 })
    await at.close()
  })
})
