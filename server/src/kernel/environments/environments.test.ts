import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { TOOLS_DIR, testEnvironment } from '#kit/python.ts'
import { manualClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { createEnvironments, type Environment, type EnvironmentsDeps, runProcess, startProcess } from './index.ts'
import { createPythonFinder } from './python.ts'

const run = promisify(execFile)

/** Writes wheels without an index or a compiler: `name version [requirement…]` each, with a command and a module of its name. */
const WHEELS = `
import sys, zipfile
folder = sys.argv[1]
for spec in sys.argv[2:]:
    name, version, *needs = spec.split()
    with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
        info = f"{name}-{version}.dist-info"
        wheel.writestr(f"{name}.py", f"version = '{version}'\\ndef main():\\n    print('{name} {version}')\\n")
        requires = "".join(f"Requires-Dist: {need}\\n" for need in needs)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n{requires}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\\n{name}={name}:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
`

let root: string
let dir: string
let wheels: string
const saved = { ...process.env }

/** As if the machine had no network but a folder of wheels, named as pip's users do. */
function cutNetwork(links?: string) {
  for (const name of Object.keys(process.env)) if (/^(UV|PIP)_/.test(name)) delete process.env[name]
  process.env.PIP_CONFIG_FILE = '/dev/null'
  process.env.UV_CACHE_DIR = join(root, 'uv-cache')
  if (links) Object.assign(process.env, { PIP_FIND_LINKS: links, PIP_NO_INDEX: '1' })
  else process.env.PIP_INDEX_URL = 'http://127.0.0.1:9/simple'
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-environments-test-'))
  // Brings uv, from the network on the first run of a checkout only.
  await testEnvironment()
  wheels = join(root, 'wheels')
  await mkdir(wheels)
  await run('python3', [
    '-c',
    WHEELS,
    wheels,
    'alpha 1.0',
    'alpha 2.0',
    'beta 1.0 alpha',
    'gamma 3.0',
    'clash 1.0 alpha==2.0',
  ])
}, 600_000)
afterAll(() => rm(root, { recursive: true, force: true }))
beforeEach(async () => {
  dir = await mkdtemp(join(root, 'dir-'))
  cutNetwork(wheels)
})
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name]
  Object.assign(process.env, saved)
})

const open = (deps: Partial<EnvironmentsDeps> = {}) =>
  createEnvironments({ dir, tools_dir: TOOLS_DIR, log: silentLog, clock: manualClock(), ...deps })

const say = (environment: Environment, program: string) => runProcess({ args: [program], environment })

test('an environment holds what its lock pins, works under its final name, and is found again without any index', async () => {
  const stages: string[] = []
  const built = await open().ensure(
    { lock: 'beta==1.0\nalpha==1.0' },
    { onProgress: ({ stage }) => stages.push(stage) },
  )
  expect(built.dir).toBe(join(dir, built.key))
  expect(built.packages).toMatchObject({ alpha: '1.0', beta: '1.0' })
  expect(await say(built, 'beta')).toMatchObject({ code: 0, stdout: 'beta 1.0' })
  expect(
    (await runProcess({ args: ['python', '-c', 'import sys; print(sys.prefix)'], environment: built })).stdout,
  ).toBe(built.dir)
  expect([...new Set(stages)]).toEqual(['python', 'install', 'finish'])
  expect((await readdir(dir)).sort()).toEqual([built.key])

  cutNetwork()
  stages.length = 0
  const again = await open({ offline: true }).ensure(
    { lock: '# other order\nalpha==1.0\nBeta==1.0\n' },
    { onProgress: ({ stage }) => stages.push(stage) },
  )
  expect(again).toEqual(built)
  expect(stages).toEqual([])
})

test('pip does it where uv cannot, and its commands work after the rename too', async () => {
  // A tool folder whose uv is broken: pip has the last word.
  const tools = join(root, 'broken-tools')
  const home = (await readdir(TOOLS_DIR)).find((name) => name.startsWith('uv-') && !name.includes('.'.concat('lock')))!
  await mkdir(join(tools, home, 'bin'), { recursive: true })
  const fake = `#!/bin/sh\n[ "$1" = --version ] && echo "uv ${home.slice(3)}" && exit 0\necho "error sending request" >&2; exit 2\n`
  await writeFile(join(tools, home, 'bin', 'uv'), fake, { mode: 0o755 })
  process.env.PATH = saved
    .PATH!.split(':')
    .filter((entry) => !existsSync(join(entry, 'uv')))
    .join(':')
  const built = await open({ tools_dir: tools }).ensure({ lock: 'alpha==2.0' })
  expect(JSON.parse(await readFile(join(built.dir, 'slipway-environment.json'), 'utf8'))).toMatchObject({
    tool: 'pip',
    lock: ['alpha==2.0'],
  })
  expect(await say(built, 'alpha')).toMatchObject({ code: 0, stdout: 'alpha 2.0' })
})

test('tools that the lock brings already need no second environment', async () => {
  const environments = open()
  const plain = await environments.ensure({ lock: 'alpha==1.0\nbeta==1.0' })
  expect((await environments.ensure({ lock: 'alpha==1.0\nbeta==1.0', extras: ['alpha==2.0'] })).key).toBe(plain.key)
  const needs_alpha = await environments.ensure({ lock: 'beta==1.0' })
  expect(needs_alpha.packages.alpha).toBe('2.0')
  expect((await environments.ensure({ lock: 'beta==1.0', extras: ['alpha==2.0'] })).key).toBe(needs_alpha.key)
  const more = await environments.ensure({ lock: 'beta==1.0', extras: ['gamma==3.0'] })
  expect(more.key).not.toBe(needs_alpha.key)
  expect(more.packages).toMatchObject({ beta: '1.0', gamma: '3.0' })
  expect((await environments.list()).length).toBe(3)
})

test('where our tools do not suit a lock, its environment is made without them if that is allowed', async () => {
  const environments = open()
  const spec = { lock: 'beta==1.0\nalpha==1.0', extras: ['clash==1.0'] }
  await expect(environments.ensure(spec)).rejects.toMatchObject({ problem: 'invalid' })
  const built = await environments.ensure({ ...spec, extras_optional: true })
  expect(built.packages.clash).toBeUndefined()
  expect(await environments.ensure({ ...spec, extras_optional: true })).toEqual(built)
  expect(await readdir(dir)).toEqual([built.key])
})

test('a lock that cannot be met says why and leaves nothing', async () => {
  await expect(open().ensure({ lock: 'clash==1.0\nalpha==1.0' })).rejects.toMatchObject({
    problem: 'invalid',
    field: 'lock',
    message: expect.stringMatching(/alpha/),
  })
  await expect(open().ensure({ lock: 'nowhere==1.0' })).rejects.toMatchObject({ problem: 'invalid' })
  await expect(open().ensure({ lock: 'alpha>=1' })).rejects.toMatchObject({
    problem: 'invalid',
    message: expect.stringMatching(/line 1/),
  })
  expect(await readdir(dir)).toEqual([])
})

test('without a network, and without the right to use one, it is said what is missing', {
  timeout: 120_000,
}, async () => {
  cutNetwork()
  process.env.UV_HTTP_RETRIES = '0'
  process.env.PIP_RETRIES = '0'
  await expect(open().ensure({ lock: 'alpha==1.0' })).rejects.toMatchObject({
    problem: 'unavailable',
    message: expect.stringMatching(/index cannot be reached/),
    remedy: expect.stringMatching(/already built need neither/),
  })
  await expect(open({ offline: true }).ensure({ lock: 'alpha==1.0' })).rejects.toMatchObject({
    problem: 'unavailable',
    message: expect.stringMatching(/environments.offline/),
  })
  expect(await readdir(dir)).toEqual([])
})

test('a Python that is missing or too old is named with what was looked at and how to get one', async () => {
  await expect(
    open({ finder: createPythonFinder(async () => ['no-python', '/nowhere/python3.12']) }).ensure({
      lock: 'alpha==1.0',
    }),
  ).rejects.toMatchObject({
    problem: 'unavailable',
    field: 'python',
    message: expect.stringMatching(/Python 3\.11 to 3\.13 was not found; looked for no-python and at 1 usual places/),
    remedy: expect.stringMatching(/apt-get install .*SLIPWAY_PYTHON/),
  })
  const old = join(root, 'python3.9')
  await writeFile(
    old,
    `#!/bin/sh\necho '{"version":"3.9.2","implementation":"CPython","executable":"${old}","platform":"x","pip":true,"venv":true}'\n`,
    { mode: 0o755 },
  )
  await expect(createPythonFinder(async () => [old]).find(undefined)).rejects.toThrow(/python3\.9 is 3\.9\.2/)
  await expect(createPythonFinder().find('3.8')).rejects.toMatchObject({ problem: 'invalid', field: 'python' })
  await expect(createPythonFinder().find(old)).rejects.toMatchObject({ problem: 'invalid', field: 'python' })
  await expect(createPythonFinder().find('/nowhere/python')).rejects.toMatchObject({
    problem: 'unavailable',
    field: 'python',
  })
})

test('a version, an exact version and a path are all understood', async () => {
  const finder = createPythonFinder()
  const any = await finder.find(undefined)
  const minor = any.version.split('.').slice(0, 2).join('.')
  expect((await finder.find(minor)).version).toMatch(new RegExp(`^${minor}\\.`))
  expect((await finder.find(`${minor}.999`)).version).toMatch(new RegExp(`^${minor}\\.`))
  expect(await finder.find(any.executable)).toEqual(any)
})

test('callers of one process share a build; who gives up leaves the others theirs', async () => {
  const environments = open()
  const abort = new AbortController()
  const leaving = environments.ensure({ lock: 'alpha==1.0' }, { signal: abort.signal })
  const staying = environments.ensure({ lock: 'alpha==1.0' })
  await pause(50)
  abort.abort(new Error('changed my mind'))
  await expect(leaving).rejects.toThrow('changed my mind')
  expect((await staying).packages.alpha).toBe('1.0')

  const alone = new AbortController()
  const given_up = environments.ensure({ lock: 'alpha==2.0' }, { signal: alone.signal })
  await pause(100)
  alone.abort(new Error('enough'))
  await expect(given_up).rejects.toThrow('enough')
  expect((await environments.ensure({ lock: 'alpha==2.0' })).packages.alpha).toBe('2.0')
  expect((await readdir(dir)).filter((name) => name.includes('.'))).toEqual([])
})

/** Another server that builds the same thing. */
function other(lock: string) {
  const script = `
    import { createEnvironments } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))}
    import { silentLog } from ${JSON.stringify(join(import.meta.dirname, '..', 'log.ts'))}
    const environments = createEnvironments({ dir: ${JSON.stringify(dir)}, tools_dir: ${JSON.stringify(TOOLS_DIR)}, log: silentLog, clock: { now: Date.now } })
    const stages = []
    const { key } = await environments.ensure({ lock: ${JSON.stringify(lock)} }, { onProgress: ({ stage }) => { stages.push(stage); process.stderr.write(stage + '\\n') } })
    console.log(JSON.stringify({ key, stages: [...new Set(stages)] }))`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
}
const ending = async (child: ReturnType<typeof other>) => {
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return JSON.parse(out) as { key: string; stages: string[] }
}

test('two servers over one folder build it once', async () => {
  const [a, b] = await Promise.all([ending(other('alpha==1.0')), ending(other('alpha==1.0'))])
  expect(a.key).toBe(b.key)
  expect([a, b].filter(({ stages }) => stages.includes('install'))).toHaveLength(1)
  expect(await readdir(dir)).toEqual([a.key])
})

test('a build that was killed leaves nothing that counts, and the next one is not held up', async () => {
  const child = other('alpha==1.0')
  await new Promise<void>((resolve) =>
    child.stderr.on('data', (chunk) => String(chunk).includes('install') && resolve()),
  )
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  const environments = open()
  expect(await environments.list()).toEqual([])
  const started = performance.now()
  const built = await environments.ensure({ lock: 'alpha==1.0' })
  expect(performance.now() - started).toBeLessThan(15_000)
  expect(built.packages.alpha).toBe('1.0')
  expect(await readdir(dir)).toEqual([built.key])
})

test('a folder without its manifest, or whose Python is gone, is built anew', async () => {
  const built = await open().ensure({ lock: 'alpha==1.0' })
  await rm(join(built.dir, 'slipway-environment.json'))
  expect(await open().list()).toEqual([])
  expect((await open().ensure({ lock: 'alpha==1.0' })).key).toBe(built.key)
  await rm(built.python)
  await writeFile(built.python, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  expect(await say(await open().ensure({ lock: 'alpha==1.0' }), 'alpha')).toMatchObject({ stdout: 'alpha 1.0' })
})

test('environments are listed with size and last use, and removed unless something runs in them', async () => {
  const clock = manualClock(Date.UTC(2026, 0, 1))
  const environments = open({ clock })
  const built = await environments.ensure({ lock: 'alpha==1.0' })
  clock.advance(60_000)
  await environments.ensure({ lock: 'alpha==1.0' })
  const [listed] = await environments.list()
  expect(listed).toMatchObject({
    key: built.key,
    python_version: built.python_version,
    built_ms: Date.UTC(2026, 0, 1),
    last_used_ms: clock.now(),
    running: 0,
  })
  expect(listed!.size_bytes).toBeGreaterThan(10_000)
  const running = await startProcess({ args: ['python', '-c', 'import time; time.sleep(60)'], environment: built })
  await expect(environments.remove(built.key)).rejects.toMatchObject({ problem: 'conflict', facts: { running: 1 } })
  running.stop()
  await running.ended
  await environments.remove(built.key)
  expect(await readdir(dir)).toEqual([])
  await expect(environments.remove(built.key)).rejects.toMatchObject({ problem: 'not-found' })
  await expect(environments.remove('../..')).rejects.toMatchObject({ problem: 'not-found' })
})
