// Needs a package registry for its first half; the second half proves that it is not needed again.
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clone, makeClone, OFFLINE } from '../server/test/long/clone.ts'
import { PLATFORM_PACKAGE } from './setup/lock.mjs'

const scratch = mkdtempSync(path.join(tmpdir(), 'slipway-setup-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** The npm of the machine, and the one that comes with Node 20; each on a bare clone with a home of its own. */
describe.each(['npm', 'npm@10'])('a bare clone with %s', (name) => {
  let clone: Clone
  const go = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const npm = name === 'npm' ? name : path.join(scratch, 'npm10/node_modules/.bin/npm')
    const { status, stdout, stderr } = spawnSync(npm, args, {
      cwd: clone.dir,
      env: { ...clone.env, ...more },
      encoding: 'utf8',
      timeout: 15 * 60_000,
    })
    return { status, stdout, stderr, last: stdout.trim().split('\n').at(-1) }
  }

  beforeAll(() => {
    clone = makeClone(path.join(scratch, name))
    if (name !== 'npm') execFileSync('npm', ['install', '--silent', '--prefix', path.join(scratch, 'npm10'), name])
  })

  test('runs the tests by one command, with Node 26, and leaves the checkout clean', () => {
    const { status, stderr, last } = go(['test', '--', 'tools/setup', 'tools/counts'])
    expect(stderr).toContain('set-up: installing')
    expect([status, last]).toEqual([0, expect.stringMatching(/^\d+ passed, 0 failed$/)])
    expect(execFileSync('git', ['status', '--short'], { cwd: clone.dir, encoding: 'utf8' })).toBe('')
    // Half a gigabyte for graphics cards, which ONNX Runtime would fetch from elsewhere.
    expect(globSync('node_modules/onnxruntime-node/bin/**/*{cuda,tensorrt}*', { cwd: clone.dir })).toEqual([])
  })

  test('needs no network the second time', () => {
    const started = Date.now()
    const { status, stderr, last } = go(['test', '--', 'tools/counts'], OFFLINE)
    expect(stderr).not.toContain('set-up:')
    expect([status, last]).toEqual([0, expect.stringMatching(/^\d+ passed, 0 failed$/)])
    expect(Date.now() - started).toBeLessThan(30_000)
  })

  test('puts a damaged Node right', () => {
    truncateSync(path.join(clone.dir, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), 1000)
    const { status, stderr } = go(['run', 'setup'])
    expect(stderr).toContain('is damaged')
    expect(status).toBe(0)
  })
})
