import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { type Config, readConfig, SETTINGS, type Setting, showSetting } from './config.ts'

const cwd = mkdtempSync(join(tmpdir(), 'slipway-config-'))
const file = join(cwd, 'slipway.config.yaml')
afterAll(() => rmSync(cwd, { recursive: true, force: true }))
beforeEach(() => rmSync(file, { force: true }))

const read = (flags: Partial<Record<Setting, string>> = {}, env: Record<string, string> = {}) =>
  readConfig({ cwd, env, flags: { data: cwd, ...flags } })
const mistakes = (...given: Parameters<typeof read>): string => {
  try {
    read(...given)
  } catch (error) {
    expect(error).toMatchObject({ problem: 'invalid', remedy: expect.stringContaining('slipway config') })
    return (error as Error).message
  }
  throw new Error('there was no mistake')
}

test('a flag has the word over the environment, that over the file, that over the default', () => {
  expect(read()).toMatchObject({ port: 8080, origin: { port: 'default' } })
  writeFileSync(file, 'port: 1\nstore: { reserve: 1 GiB }\nserver.hosts: [a.example, b.example]\n')
  expect(read()).toMatchObject({ port: 1, 'store.reserve': 1024 ** 3, 'server.hosts': ['a.example', 'b.example'] })
  expect(read({}, { SLIPWAY_PORT: '2' })).toMatchObject({ port: 2, origin: { port: 'environment' } })
  expect(read({ port: '3' }, { SLIPWAY_PORT: '2' })).toMatchObject({ port: 3, origin: { port: 'flag' } })
})

test('a bad start names every mistake at once, with where it was made and what is right', () => {
  writeFileSync(file, 'prot: 8080\nlog: { level: loud }\nserving: { workers: 2.5 }\n')
  const words = mistakes(
    { port: '99999', dev: 'true', host: '0.0.0.0' },
    {
      SLIPWAY_STORE_RESERVE: 'much',
      SLIPWAY_SERVING_LOG_INTERVAL: '5 parsecs',
      SLIPWAY_STROE: 'x',
      SLIPWAY_STORE: 'mysql://h',
    },
  )
  for (const mistake of [
    /has 9 mistakes/,
    /port \(flag\): '99999' is not a whole number from 0 to 65535/,
    /log\.level \(file\): 'loud' is not one of trace, debug/,
    /serving\.workers \(file\): '2\.5' is not a whole number/,
    /store\.reserve \(environment\): 'much'/,
    /serving\.log_interval \(environment\): '5 parsecs'/,
    /prot \(file\): there is no such setting/,
    /SLIPWAY_STROE \(environment\): there is no such setting/,
    /store \(environment\): 'mysql:\/\/h' is not a postgres:\/\/ address/,
    /dev: --dev has no sign-in and listens on loopback only, not on '0\.0\.0\.0'/,
  ])
    expect(words).toMatch(mistake)
})

test('--dev listens on loopback only, by whatever name', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) expect(read({ dev: 'yes', host }).host).toBe(host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost.example', ''])
    expect(mistakes({ dev: 'yes', host }), host).toContain('loopback only')
  expect(read({ host: '0.0.0.0' }).host).toBe('0.0.0.0')
})

test('a file that is no list of settings is a mistake, and none is none', () => {
  writeFileSync(file, '- port\n')
  expect(mistakes()).toContain("not a list of 'setting: value'")
  writeFileSync(file, 'port: [1\n')
  expect(mistakes()).toContain('slipway.config.yaml')
  writeFileSync(file, '')
  expect(read().port).toBe(8080)
})

test('a secret is long, and no secret is shown: not as a setting, not as a mistake', () => {
  expect(mistakes({}, { SLIPWAY_SERVER_SECRET: 'hunter2' })).not.toContain('hunter2')
  const shown = (setting: Setting, value: string) => showSetting(setting, value as Config[Setting])
  expect(shown('server.secret', 'x'.repeat(40))).toBe('[set]')
  for (const [given, seen] of [
    ['postgres://ada:pw1@db.example/ml', 'postgres://…@db.example/ml'],
    ['postgres://ada:p/w@1@db.example:5432/ml', 'postgres://…@db.example:5432/ml'],
    [
      'postgresql://db.example/ml?user=ada&password=pw1&sslmode=require',
      'postgresql://db.example/ml?user=ada&password=…&sslmode=require',
    ],
    ['', ''],
  ] as const)
    expect(shown('store', given)).toBe(seen)
  for (const bad of ['postgre://ada:pw1@db.example/ml', 'ada:pw1@db.example', 'mysql://h/?password=pw1'])
    expect(mistakes({ store: bad })).not.toContain('pw1')
})

test('`slipway config` lists every setting with its origin, and hides what is secret', () => {
  const main = join(import.meta.dirname, 'main.ts')
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        SLIPWAY_DATA: cwd,
        SLIPWAY_STORE: 'postgres://ada:pw1@db.example/ml',
        SLIPWAY_SERVER_SECRET: 'pw2'.repeat(20),
      },
    })
  const plain = run('config')
  const json = run('config', '--json')
  for (const { status, stdout, stderr } of [plain, json]) {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).not.toMatch(/pw1|pw2/)
    for (const setting of Object.keys(SETTINGS)) expect(stdout).toContain(setting)
  }
  const entries = JSON.parse(json.stdout) as { setting: string; value: unknown; origin: string; environment: string }[]
  expect(entries.find(({ setting }) => setting === 'store')).toMatchObject({
    value: 'postgres://…@db.example/ml',
    origin: 'environment',
    environment: 'SLIPWAY_STORE',
  })
})
