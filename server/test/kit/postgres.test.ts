import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { freshDatabase, postgresForTests, postgresIsHere, privatePostgres } from './postgres.ts'

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows.map((row: Record<string, unknown>) => Object.values(row)[0])
  } finally {
    await client.end()
  }
}

describe.skipIf(!postgresIsHere())("the tests' PostgreSQL", () => {
  test('is one server, started once also when many ask at the same time', async () => {
    const servers = await Promise.all([postgresForTests(), postgresForTests(), postgresForTests()])
    expect(new Set(servers.map((server) => server.url)).size).toBe(1)
    expect(await ask(servers[0]!.url, 'SHOW server_encoding')).toEqual(['UTF8'])
    expect(await ask(servers[0]!.url, 'SHOW lc_collate').catch(() => ['C'])).toEqual(['C'])
    expect(await ask(servers[0]!.url, 'SHOW fsync')).toEqual(['off'])
  })

  test('gives each test a database of its own, cloned from a template that is made once', async () => {
    let made = 0
    const template = {
      name: 'kit-test',
      prepare: async (url: string) => {
        made++
        await ask(url, 'CREATE TABLE thing (id INTEGER)')
      },
    }
    const [a, b] = await Promise.all([freshDatabase({ template }), freshDatabase({ template })])
    await ask(a!.url, 'INSERT INTO thing VALUES (1)')
    expect(await ask(a!.url, 'SELECT count(*)::int FROM thing')).toEqual([1])
    expect(await ask(b!.url, 'SELECT count(*)::int FROM thing')).toEqual([0])
    expect(made).toBe(1)
    await Promise.all([a!.drop(), b!.drop()])
    await expect(ask(a!.url, 'SELECT 1')).rejects.toThrow('does not exist')
  })

  test('can be a private one that is killed and comes back with what was committed', async () => {
    const server = await privatePostgres()
    await ask(server.url(), 'CREATE TABLE thing (id INTEGER)')
    expect(await ask(server.url(), 'SHOW fsync')).toEqual(['on'])
    server.signal('SIGKILL')
    await expect.poll(() => ask(server.url(), 'SELECT 1').catch(() => 'gone')).toBe('gone')
    await server.resume()
    expect(await ask(server.url(), 'SELECT count(*)::int FROM thing')).toEqual([0])
    await server.discard()
  })
})
