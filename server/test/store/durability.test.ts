import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { acknowledged, inspect, startLoad, temporaryFolder } from './fixture/process.ts'
import { coverage, isSync, parseTrace } from './fixture/trace.ts'

const strace = spawnSync('strace', ['-V']).status === 0
if (!strace && process.env.CI) throw new Error('the durability tests need strace: apt-get install strace')

const folders: string[] = []
const folder = () => {
  const path = temporaryFolder()
  folders.push(path)
  return path
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
})

describe.skipIf(!strace)('what the kernel was asked to do', () => {
  test('a sync of the WAL lies between the commit and the answer of every acknowledged write', async () => {
    const data = folder()
    const trace = join(folder(), 'trace')
    const load = startLoad(data, {
      clients: 8,
      writes: 300,
      checkpoint_pages: 100,
      wrapper: [
        'strace',
        '-f',
        '-y',
        '-xx',
        '-s',
        '5000',
        '--seccomp-bpf',
        '-e',
        'trace=pwrite64,write,fsync,fdatasync',
        '-o',
        trace,
      ],
    })
    expect(await load.ended, load.stderr()).toEqual({ code: 0, signal: null })
    const acks = acknowledged(load.lines())
    expect(acks).toHaveLength(300)

    const calls = parseTrace(readFileSync(trace, 'utf8'))
    const { covered, uncovered } = coverage(calls)
    expect(uncovered).toEqual([])
    expect(covered.sort()).toEqual(acks.sort())
    // The check can fail: without the syncs that answers wait for, it does.
    expect(coverage(calls, (call) => call.name === 'fdatasync').uncovered.length).toBeGreaterThan(200)

    // SQLite's own part of the bargain: the WAL before the database is written, the database before the WAL starts again.
    const database = calls.filter((call) => call.path.endsWith('slipway.db'))
    expect(database.filter((call) => call.name === 'pwrite64').length).toBeGreaterThan(0)
    const wal = calls.filter((call) => call.path.endsWith('-wal'))
    for (const write of database.filter((call) => call.name === 'pwrite64')) {
      const before = wal.filter((call) => call.begun < write.begun)
      const last_commit = before.findLastIndex((call) => call.name === 'pwrite64')
      if (last_commit >= 0)
        expect(before.slice(last_commit + 1).some((call) => isSync(call) && call.ended < write.begun)).toBe(true)
    }
  })

  test('a failed sync ends the process after one line that says so, and nothing more is acknowledged', async () => {
    const data = folder()
    const load = startLoad(data, {
      clients: 8,
      wrapper: [
        'strace',
        '-f',
        '-qq',
        '-e',
        'trace=fdatasync',
        '-e',
        'inject=fdatasync:error=EIO:when=25+',
        '-o',
        '/dev/null',
      ],
    })
    await load.ended
    expect(load.stderr().trim().split('\n')).toEqual([
      expect.stringMatching(/^slipway: could not sync .*-wal .*EIO.*: ending the process/),
    ])
    const acks = acknowledged(load.lines())
    expect(acks.length).toBeGreaterThan(0)
    expect(load.lines().filter((line) => line.startsWith('error'))).toEqual([])
    expect(inspect(data, acks)).toMatchObject({ lost: [], halves: 0, integrity: ['ok'] })
  })

  test("so does a failed sync of SQLite's own, while it moves the WAL into the database", async () => {
    const data = folder()
    // The first syncs make the files; the later ones are checkpoints.
    const load = startLoad(data, {
      clients: 8,
      checkpoint_pages: 50,
      wrapper: ['strace', '-f', '-qq', '-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=9+', '-o', '/dev/null'],
    })
    await load.ended
    expect(load.stderr()).toMatch(/^slipway: SQLite could not sync .*: ending the process/)
    const acks = acknowledged(load.lines())
    expect(acks.length).toBeGreaterThan(0)
    expect(inspect(data, acks)).toMatchObject({ lost: [], halves: 0, integrity: ['ok'] })
  })
})

test('a WAL that somebody removes under the running store ends the process: what is synced would not be what is read', async () => {
  const data = folder()
  const load = startLoad(data, { clients: 8, checkpoint_pages: 50 })
  await load.until((line) => line.startsWith('ack'))
  rmSync(join(data, 'slipway.db-wal'))
  expect(await load.ended).toEqual({ code: null, signal: 'SIGKILL' })
  expect(load.stderr()).toMatch(
    /^slipway: .*slipway\.db-wal was removed or replaced by somebody else: ending the process/,
  )
})

test('kill -9 under load, 20 times: nothing acknowledged is lost, nothing is half there', async () => {
  const data = folder()
  const all: string[] = []
  for (let round = 0; round < 20; round++) {
    const load = startLoad(data, { clients: 16, checkpoint_pages: 200 })
    const some = 1 + Math.floor(Math.random() * 300)
    await load.until((line) => line.startsWith('ack'))
    const wait = async () => {
      while (acknowledged(load.lines()).length < some) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await Promise.race([wait(), load.ended])
    load.child.kill('SIGKILL')
    expect(await load.ended).toEqual({ code: null, signal: 'SIGKILL' })
    all.push(...acknowledged(load.lines()))
    expect(inspect(data, all), `round ${round}`).toMatchObject({ lost: [], halves: 0, integrity: ['ok'] })
  }
  expect(all.length).toBeGreaterThan(20)
})
