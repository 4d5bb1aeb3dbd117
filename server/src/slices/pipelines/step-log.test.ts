import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createBlobs } from '#kernel/blobs/index.ts'
import { silentLog } from '#kernel/log.ts'
import { createStepLogs, wholeLetters } from './step-log.ts'

const dir = mkdtempSync(join(tmpdir(), 'slipway-logs-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('no letter is cut in two', () => {
  for (const letter of ['a', 'é', '€', '😀']) {
    const bytes = Buffer.from(`x${letter}`)
    expect(wholeLetters(bytes)).toBe(bytes.length)
    for (let cut = 2; cut < bytes.length; cut++) expect(wholeLetters(bytes.subarray(0, cut))).toBe(1)
  }
  expect(wholeLetters(Buffer.alloc(0))).toBe(0)
})

test('a log is read by offsets while it grows and after it became a blob; its end is kept when it is too long', async () => {
  const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
  const logs = createStepLogs({ blobs, dir: join(dir, 'steps'), bytes_max: 600_000 })
  const log = await logs.open('stp_1')
  for (let at = 0; at < 20_000; at++) log.line(`€€€€€€€€€€ ${at}`)
  const log_digest = await log.finish()
  const readAll = async () => {
    let [text, offset] = ['', 0]
    for (;;) {
      const part = await logs.read({ id: 'stp_1', state: 'done', log_digest }, offset)
      text += part.text
      offset = part.next_offset
      if (part.ended) return text
    }
  }
  const fromFile = await readAll()
  expect(fromFile).not.toContain('\ufffd')
  expect(fromFile).toMatch(/… \d+ lines are left out.*…\n/)
  expect(fromFile.endsWith(' 19999\n')).toBe(true)
  await logs.drop('stp_1')
  expect(await readAll()).toBe(fromFile)
  expect(await logs.read({ id: 'stp_2', state: 'running', log_digest: null }, 0)).toMatchObject({
    text: '',
    ended: false,
  })
  expect(await logs.read({ id: 'stp_2', state: 'skipped', log_digest: null }, 0)).toMatchObject({ ended: true })
})

test('a step that is taken again goes on in the same log', async () => {
  const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
  const logs = createStepLogs({ blobs, dir: join(dir, 'steps') })
  for (const words of ['first', 'second']) {
    const log = await logs.open('stp_3')
    log.line(words)
    await log.finish()
  }
  expect((await logs.read({ id: 'stp_3', state: 'running', log_digest: null }, 0)).text).toBe('first\nsecond\n')
})
