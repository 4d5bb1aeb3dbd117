import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { singleFlight } from './single-flight.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'slipway-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const options = { wait_ms_max: 5_000, say: () => {} }

test('one works at a time, the others wait', async () => {
  const file = path.join(folder, 'a')
  let inside = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside--
  }
  await Promise.all([
    singleFlight(file, options, work),
    singleFlight(file, options, work),
    singleFlight(file, options, work),
  ])
  expect(most).toBe(1)
  expect(existsSync(file)).toBe(false)
})

test('the lock of a process that died is taken over', async () => {
  const file = path.join(folder, 'b')
  const { stdout } = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' })
  writeFileSync(file, stdout.trim())
  expect(await singleFlight(file, options, async () => 'done')).toBe('done')
})

test('a lock is given back when the work fails', async () => {
  const file = path.join(folder, 'c')
  const failing = singleFlight(file, options, async () => {
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(existsSync(file)).toBe(false)
})
