import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { findCgroups } from './cgroup.ts'
import { type Claim, claim, isClaimed } from './claim.ts'
import { explain, readPipConfig } from './installers.ts'
import { readLines } from './lines.ts'
import { environmentKey, openExtras, readLock } from './lock.ts'
import { supervised } from './supervisor.ts'

async function scratch() {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-parts-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('a lock is read in one normal form, whatever its order and comments', () => {
  const a = readLock(
    '# made by hand\nScikit_Learn==1.9.1\n\nnumpy==2.4.6   # fast\nuvicorn[standard] == 0.54.0 ; python_version >= "3.11"\n',
  )
  const b = readLock('uvicorn[Standard]==0.54.0;python_version >= "3.11"\r\nnumpy==2.4.6\r\nscikit-learn==1.9.1\r\n')
  expect(a.map(({ text }) => text)).toEqual([
    'numpy==2.4.6',
    'scikit-learn==1.9.1',
    'uvicorn[standard]==0.54.0 ; python_version >= "3.11"',
  ])
  expect(b).toEqual(a)
})

test('hashes over several lines belong to their package', () => {
  const [only] = readLock('idna==3.20 \\\n    --hash=sha256:bb \\\n    --hash=sha256:aa\n')
  expect(only).toEqual({ name: 'idna', version: '3.20', text: 'idna==3.20 --hash=sha256:aa --hash=sha256:bb' })
})

test.each([
  ['numpy\n', /line 1 does not pin one version with ==/],
  ['a==1\nnumpy>=2\n', /line 2 does not pin/],
  ['numpy==2.*\n', /line 1 does not pin/],
  ['--index-url https://example.org\n', /line 1 is an option/],
  ['-r other.txt\n', /is an option/],
  ['pkg @ https://example.org/pkg.whl\n', /is a path or an address/],
  ['git+https://example.org/x.git\n', /is a path or an address/],
  ['./local\n', /is a path or an address/],
])('a lock that is no lock is refused: %j', (text, words) => {
  expect(() => readLock(text)).toThrow(words)
  expect(() => readLock(text)).toThrow(expect.objectContaining({ problem: 'invalid', field: 'lock' }))
})

test('the key follows from python, platform, lock and extras, and from nothing else', () => {
  const parts = { python_version: '3.11.7', platform: 'linux-x86_64', lock: ['a==1'], extras: [] }
  const key = environmentKey(parts)
  expect(key).toMatch(/^[0-9a-f]{32}$/)
  expect(environmentKey({ ...parts })).toBe(key)
  for (const other of [
    { python_version: '3.11.8' },
    { platform: 'linux-aarch64' },
    { lock: ['a==2'] },
    { extras: ['b==1'] },
    { lock: [], extras: ['a==1'] },
  ]) {
    expect(environmentKey({ ...parts, ...other })).not.toBe(key)
  }
})

test('a lock has the word over extras that it names', () => {
  const lock = readLock('onnx==1.19.1\nnumpy==2.4.6')
  expect(openExtras(lock, ['ONNX==1.23.2', 'shap==0.51.0']).map(({ text }) => text)).toEqual(['shap==0.51.0'])
})

test('what pip was told reaches uv, unless uv was told itself', () => {
  const text = `global.index-url='https://index.example/simple'\n:env:.cert='/etc/certs.pem'\nglobal.extra-index-url='https://b.example'\nglobal.timeout='90'\nnonsense`
  expect(readPipConfig(text)).toEqual({
    UV_DEFAULT_INDEX: 'https://index.example/simple',
    UV_INDEX: 'https://b.example',
    SSL_CERT_FILE: '/etc/certs.pem',
    UV_HTTP_TIMEOUT: '90',
  })
  expect(readPipConfig(text, { UV_DEFAULT_INDEX: 'https://own.example', SSL_CERT_FILE: '/own.pem' })).toEqual({
    UV_INDEX: 'https://b.example',
    UV_HTTP_TIMEOUT: '90',
  })
})

test("an installer's failure says whose it is", () => {
  expect(explain('error: Failed to fetch: `https://x/`\n  Caused by: dns error', 'uv', 2).problem).toBe('unavailable')
  expect(explain('WARNING: Retrying … NewConnectionError', 'pip', 1).problem).toBe('unavailable')
  expect(explain('OSError: [Errno 28] No space left on device', 'pip', 1).problem).toBe('storage-full')
  const conflict = explain('  × No solution found when resolving dependencies:\n  ╰─▶ because a==1 needs b==2', 'uv', 1)
  expect(conflict).toMatchObject({ problem: 'invalid', field: 'lock' })
  expect(conflict.message).toContain('because a==1 needs b==2')
})

async function linesOf(
  chunks: (string | Buffer)[],
  limits = { chars_max: 10, per_second_max: 3, bytes_per_second_max: 1e6 },
  now = () => 0,
) {
  const stream = new PassThrough()
  const lines: string[] = []
  const done = readLines(stream, (text) => lines.push(text), limits, now)
  for (const chunk of chunks) {
    stream.write(chunk)
    await new Promise((resolve) => setImmediate(resolve))
  }
  stream.end()
  await done
  return lines
}

test('lines end by any of the three ways, also across chunks, and the last needs no end', async () => {
  const plenty = { chars_max: 100, per_second_max: 100, bytes_per_second_max: 1e6 }
  expect(await linesOf(['a\nb\r\nc\rd', 'e\r', '\n\nf'], plenty)).toEqual(['a', 'b', 'c', 'de', '', 'f'])
  expect(
    await linesOf(
      [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1), '\n', Buffer.from([0xff, 10])],
      plenty,
    ),
  ).toEqual(['é', '\ufffd'])
})

test('a long line is cut, a flood is thinned, and both are said', async () => {
  expect(await linesOf(['x'.repeat(25), 'y\n'])).toEqual(['xxxxxxxxxx [16 characters cut]'])
  expect(await linesOf(['1\n2\n3\n4\n5\n'])).toEqual(['1', '2', '3', '[2 lines dropped: more than 3 in a second]'])
  let at = 0
  const moving = () => {
    at += 1000
    return at
  }
  expect(await linesOf(['1\n2\n3\n4\n', '5\n'], undefined, moving)).toEqual([
    '1',
    '2',
    '3',
    '[1 lines dropped: more than 3 in a second]',
    '5',
  ])
})

test('one holds a claim at a time; a dead holder loses it', async () => {
  const path = join(await scratch(), 'claim')
  const first = (await claim(path, async () => undefined)) as Claim
  expect(await isClaimed(path)).toBe(true)
  const abort = new AbortController()
  let waited = 0
  const second = claim(path, async () => undefined, { signal: abort.signal, onWait: () => (waited += 1) })
  abort.abort(new Error('no longer'))
  await expect(second).rejects.toThrow('no longer')
  expect(waited).toBe(1)
  await first.release()
  expect(await isClaimed(path)).toBe(false)
  await writeFile(path, '4194305')
  expect(await isClaimed(path)).toBe(false)
  const heirs = await Promise.all(
    [1, 2, 3].map(async () => {
      const held = (await claim(path, async () => undefined)) as Claim
      const text = await readFile(path, 'utf8')
      await held.release()
      return text
    }),
  )
  expect(heirs).toEqual(Array(3).fill(String(process.pid)))
  expect(await claim(path, async () => 'built')).toEqual({ done: 'built' })
  expect(await readdir(join(path, '..'))).toEqual([])
})

test.runIf(process.platform === 'linux')(
  'kernel limits are used only where they are delegated and nobody else is moved',
  async () => {
    const root = await scratch()
    const self = join(root, 'self')
    const base = join(root, 'delegated')
    await mkdir(base)
    await writeFile(self, '9:memory:/elsewhere\n0::/delegated\n')
    expect(await findCgroups(root, self, 42)).toBeUndefined()
    await writeFile(join(base, 'cgroup.controllers'), 'cpuset cpu memory pids\n')
    await writeFile(join(base, 'cgroup.procs'), '42\n77\n')
    expect(await findCgroups(root, self, 42)).toBeUndefined()
    await writeFile(join(base, 'cgroup.procs'), '42\n')
    // Of a server that was killed and of one that lives.
    await mkdir(join(base, 'slipway-4194305-1'))
    await mkdir(join(base, `slipway-${process.pid}-1`))
    const maker = await findCgroups(root, self, 42)
    expect(await readFile(join(base, 'slipway-4194305-1', 'cgroup.kill'), 'utf8')).toBe('1')
    expect(await readdir(join(base, `slipway-${process.pid}-1`))).toEqual([])
    expect(await readFile(join(base, 'slipway-server', 'cgroup.procs'), 'utf8')).toBe('42')
    expect(await readFile(join(base, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu')
    const group = await maker!.make('1', { memory_bytes: 1000, cpu: 1.5 })
    expect(group.dir).toBe(join(base, 'slipway-42-1'))
    expect(await readFile(join(group.dir, 'memory.max'), 'utf8')).toBe('1000')
    expect(await readFile(join(group.dir, 'cpu.max'), 'utf8')).toBe('150000 100000')
    expect(await group.ranOut()).toBe(false)
    await writeFile(join(group.dir, 'memory.events'), 'low 0\noom 1\noom_kill 2\n')
    expect(await group.ranOut()).toBe(true)
  },
)

test.runIf(process.platform === 'linux')(
  'when the server is gone the whole control group goes, with what left the process group',
  async () => {
    const dir = await scratch()
    const child = spawn('/bin/sh', supervised(['sleep', '100'], 0, dir), {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    const ended = once(child, 'exit')
    await expect.poll(() => readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '')).toBe('0\n')
    child.stdio[3]!.destroy()
    await ended
    await expect.poll(() => readFile(join(dir, 'cgroup.kill'), 'utf8').catch(() => '')).toBe('1\n')
  },
)
