// Needs a package registry for its first half; the second half proves that it is not needed again.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from './run.ts'
import { PLATFORM_PACKAGE } from './setup/lock.mjs'

const scratch = mkdtempSync(path.join(tmpdir(), 'slipway-setup-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** The npm of the machine, and the one that comes with Node 20; each on a bare clone with a home of its own. */
describe.each(['npm', 'npm@10'])('a bare clone with %s', (name) => {
  const clone = path.join(scratch, `clone-${name}`)
  const home = `${clone}-home`
  const go = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const outside = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => !folder.includes('node_modules'))
    // A fresh environment: what this very npm run set must not leak into the one under test.
    const env = { PATH: outside.join(path.delimiter), HOME: home, ...more }
    const npm = name === 'npm' ? name : path.join(scratch, 'npm10/node_modules/.bin/npm')
    const { status, stdout, stderr } = spawnSync(npm, args, {
      cwd: clone,
      env,
      encoding: 'utf8',
      timeout: 15 * 60_000,
    })
    return { status, stdout, stderr, last: stdout.trim().split('\n').at(-1) }
  }

  beforeAll(() => {
    mkdirSync(home)
    execFileSync('git', ['clone', '--quiet', ROOT, clone])
    // The address of a registry behind a proxy, where there is one.
    const npmrc = path.join(homedir(), '.npmrc')
    spawnSync('cp', [npmrc, home])
    if (name !== 'npm') execFileSync('npm', ['install', '--silent', '--prefix', path.join(scratch, 'npm10'), name])
  })

  test('runs the tests by one command, with Node 26, and leaves the checkout clean', () => {
    const { status, stderr, last } = go(['test', '--', 'tools/setup', 'tools/counts'])
    expect(stderr).toContain('set-up: installing')
    expect([status, last]).toEqual([0, expect.stringMatching(/^\d+ passed, 0 failed$/)])
    expect(execFileSync('git', ['status', '--short'], { cwd: clone, encoding: 'utf8' })).toBe('')
  })

  test('needs no network the second time', () => {
    const nowhere = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_offline: 'true',
      PIP_INDEX_URL: 'http://127.0.0.1:9/',
    }
    const started = Date.now()
    const { status, stderr, last } = go(['test', '--', 'tools/counts'], nowhere)
    expect(stderr).not.toContain('set-up:')
    expect([status, last]).toEqual([0, expect.stringMatching(/^\d+ passed, 0 failed$/)])
    expect(Date.now() - started).toBeLessThan(30_000)
  })

  test('puts a damaged Node right', () => {
    truncateSync(path.join(clone, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), 1000)
    const { status, stderr } = go(['run', 'setup'])
    expect(stderr).toContain('is damaged')
    expect(status).toBe(0)
  })
})
