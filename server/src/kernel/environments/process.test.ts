import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ProcessOptions, protections, runProcess, startProcess } from './index.ts'
import { groupUses } from './process-table.ts'

const MB = 1024 * 1024
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-process-test-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const sh = (line: string, rest: Partial<ProcessOptions> = {}) => runProcess({ args: ['sh', '-c', line], ...rest })

async function until<T>(what: () => T | undefined | false | Promise<T | undefined | false>, words: string): Promise<T> {
  const give_up = performance.now() + 15_000
  for (;;) {
    const found = await what()
    if (found) return found
    if (performance.now() > give_up) throw new Error(`not within 15 s: ${words}`)
    await pause(20)
  }
}

const runs = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const gone = (pid: number) => until(() => !runs(pid), `process ${pid} ends`)
const numbers = async (path: string) => (await readFile(path, 'utf8')).trim().split(/\s+/).map(Number)

test('a command runs with its arguments as they are, and tells its code and its lines', async () => {
  const lines: string[] = []
  const end = await runProcess({
    args: ['sh', '-c', 'echo "$1"; echo oops >&2; exit 7', 'x', `it's "$HOME" \`id\` *`],
    onLine: ({ stream, text }) => lines.push(`${stream}: ${text}`),
  })
  expect(end).toMatchObject({ code: 7, signal: null, reason: 'exit' })
  expect(lines.sort()).toEqual(['stderr: oops', `stdout: it's "$HOME" \`id\` *`])
})

test('the environment is clean: nothing of the server but PATH, and a home of its own that is removed', async () => {
  process.env.SLIPWAY_TEST_SECRET = 'hush'
  const end = await sh('env; pwd; touch ~/left $TMPDIR/left', { env: { GREETING: 'a=b\nc' } })
  delete process.env.SLIPWAY_TEST_SECRET
  expect(end.stdout).not.toContain('hush')
  const names = end.stdout.split('\n').map((line) => line.split('=')[0])
  expect(
    names.filter((name) => !/^(PATH|HOME|TMPDIR|LANG|OMP_WAIT_POLICY|GREETING|c|PWD|OLDPWD|SHLVL|_|\/.*)$/.test(name!)),
  ).toEqual([])
  const home = /^HOME=(.*)$/m.exec(end.stdout)![1]!
  expect(end.stdout).toContain(`\n${home}`)
  expect(existsSync(home)).toBe(false)
})

test('a program that is not there ends with code 127 and says so; bad arguments are refused', async () => {
  const end = await runProcess({ args: ['no-such-program'] })
  expect(end).toMatchObject({ code: 127, reason: 'exit' })
  expect(end.tail).toMatch(/no-such-program.*not found/)
  await expect(runProcess({ args: [] })).rejects.toMatchObject({ problem: 'invalid', field: 'args' })
  await expect(runProcess({ args: ['echo', 'a\0b'] })).rejects.toMatchObject({ problem: 'invalid' })
  await expect(runProcess({ args: ['echo', 'a'.repeat(2_000_000)] })).rejects.toMatchObject({ problem: 'invalid' })
  await expect(runProcess({ args: ['echo'], cwd: join(dir, 'nowhere') })).rejects.toMatchObject({ field: 'cwd' })
})

test('a timeout ends the whole group, also what refuses to go', async () => {
  const pids = join(dir, 'timeout')
  const line = `trap '' TERM; sleep 300 & (trap '' TERM; sleep 301 & wait; sleep 302) & echo $$ $! > ${pids}; wait; sleep 303`
  const end = await sh(line, { limits: { wall_ms: 700 }, grace_ms: 300 })
  expect(end).toMatchObject({ code: null, signal: 'SIGKILL', reason: 'timeout' })
  expect(end.wall_ms).toBeLessThan(5000)
  const [group, child] = await numbers(pids)
  await gone(child!)
  expect((await groupUses([group!])).size).toBe(0)
})

test('a process that handles TERM may say goodbye within its grace', async () => {
  const end = await sh(`trap 'echo bye; exit 3' TERM; sleep 300 & wait`, { limits: { wall_ms: 400 } })
  expect(end).toMatchObject({ code: 3, reason: 'timeout', stdout: 'bye' })
})

test('an abort cancels; one that came before stops the start', async () => {
  const abort = new AbortController()
  const running = await startProcess({ args: ['sh', '-c', 'sleep 300 & wait'], signal: abort.signal })
  abort.abort(new Error('enough'))
  expect(await running.ended).toMatchObject({ reason: 'cancelled', signal: 'SIGTERM' })
  await expect(startProcess({ args: ['true'], signal: abort.signal })).rejects.toThrow('enough')
})

test('a signal from elsewhere is told as one', async () => {
  expect(await sh('kill -s SEGV $$')).toMatchObject({ code: null, signal: 'SIGSEGV', reason: 'signal' })
})

test('a memory hog is ended, counted over all its processes', { timeout: 60_000 }, async () => {
  const hog = 'a = bytearray(150 * 1024 ** 2); a[::4096] = bytes(len(a[::4096]))\nimport time; time.sleep(60)'
  await writeFile(join(dir, 'hog.py'), hog)
  const end = await sh(`python3 ${dir}/hog.py & python3 ${dir}/hog.py & wait`, { limits: { memory_bytes: 220 * MB } })
  expect(end.reason).toBe('memory')
  expect(end.peak_bytes).toBeGreaterThan(200 * MB)
  const alone = await sh(`python3 -c "a = bytearray(60 * 1024 ** 2); import time; time.sleep(0.6)"`, {
    limits: { memory_bytes: 220 * MB },
  })
  expect(alone).toMatchObject({ reason: 'exit', code: 0 })
  expect(alone.peak_bytes).toBeGreaterThan(60 * MB)
})

test('what a command leaves in the background ends with it, also when it left the group', async () => {
  const pids = join(dir, 'left')
  const line = `sleep 300 & echo $! > ${pids}; python3 -c "
import subprocess, time
p = subprocess.Popen(['sleep', '300'], start_new_session=True); print(p.pid, file=open('${pids}', 'a'), flush=True); time.sleep(1)"`
  const end = await sh(line)
  expect(end).toMatchObject({ code: 0, reason: 'exit' })
  const left = await numbers(pids)
  expect(left).toHaveLength(2)
  await Promise.all(left.map(gone))
})

test('no process outlives a server that is killed with -9', async () => {
  const pids = join(dir, 'orphans')
  const server = join(dir, 'server.ts')
  await writeFile(
    server,
    `import { startProcess } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))}
     await startProcess({ args: ['sh', '-c', "trap '' TERM; sleep 300 & echo $$ $! > ${pids}; wait; sleep 301"], stdin: 'pipe' })
     setInterval(() => {}, 1000)`,
  )
  const child = spawn(process.execPath, [server], { stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    const found = await until(
      async () => existsSync(pids) && (await numbers(pids)).length === 2 && numbers(pids),
      'the process starts',
    )
    expect(found.every(runs)).toBe(true)
    child.kill('SIGKILL')
    await Promise.all(found.map(gone))
    await until(async () => (await groupUses([found[0]!])).size === 0, 'the watcher ends too')
  } finally {
    child.kill('SIGKILL')
  }
})

test('standard input reaches the process and its end is seen', async () => {
  const lines: string[] = []
  const running = await startProcess({
    args: ['sh', '-c', 'cat; echo end'],
    stdin: 'pipe',
    onLine: ({ text }) => lines.push(text),
  })
  running.stdin!.end('one\ntwo\n')
  await running.ended
  expect(lines).toEqual(['one', 'two', 'end'])
})

test('endless output neither fills memory nor stalls us', async () => {
  let told = 0
  let longest_ms = 0
  let last = performance.now()
  const pulse = setInterval(() => {
    longest_ms = Math.max(longest_ms, performance.now() - last)
    last = performance.now()
  }, 5)
  let note = ''
  const end = await sh('yes', {
    limits: { wall_ms: 1500 },
    grace_ms: 200,
    onLine: ({ text }) => {
      told += 1
      if (text.includes('dropped')) note = text
    },
  })
  clearInterval(pulse)
  expect(end.reason).toBe('timeout')
  expect(told).toBeLessThan(8100)
  expect(note).toMatch(/^\[\d+ lines dropped: more than 2000 in a second\]$/)
  expect(longest_ms).toBeLessThan(500)
})

test('what is protected on this machine is said', async () => {
  const told = await protections()
  expect(told.map(({ name }) => name)).toEqual([
    'memory limit',
    'processor limit',
    'time limit',
    'orphans',
    'secrets',
    'files',
    'network',
  ])
  expect(told.find(({ name }) => name === 'network')?.enforced).toBe(false)
})

test('scratch folders do not pile up', async () => {
  const before = (await readdir(tmpdir())).filter(
    (name) => name.startsWith('slipway-process-') && !name.includes('test'),
  ).length
  await sh('true')
  await runProcess({ args: ['no-such-program'] })
  const after = (await readdir(tmpdir())).filter(
    (name) => name.startsWith('slipway-process-') && !name.includes('test'),
  ).length
  expect(after).toBeLessThanOrEqual(before)
})
