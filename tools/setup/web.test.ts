import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { buildWeb, webKey } from './web.mjs'

const root = mkdtempSync(path.join(tmpdir(), 'slipway-web-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const write = (file: string, text: string) => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}

test('the sources of the UI are told apart by what is in them, not by tests or what was built', () => {
  expect(webKey(root)).toBe(undefined)
  write('web/index.html', 'one')
  const one = webKey(root)
  write('web/src/a.test.ts', 'x')
  write('web/dist/index.html', 'x')
  expect(webKey(root)).toBe(one)
  write('web/src/a.ts', 'x')
  expect(webKey(root)).not.toBe(one)
})

test('a build replaces the old one whole, and a failing one leaves it alone', async () => {
  write('web/dist/old.js', 'old')
  const fails = async () => ({ code: 1, output: 'no such module\n' })
  expect(await buildWeb(root, fails)).toBe('no such module')
  expect(existsSync(path.join(root, 'web/dist/old.js'))).toBe(true)

  const works = async () => {
    write('web/dist.new/index.html', 'new')
    return { code: 0, output: '' }
  }
  expect(await buildWeb(root, works)).toBe(undefined)
  expect(readFileSync(path.join(root, 'web/dist/index.html'), 'utf8')).toBe('new')
  expect([existsSync(path.join(root, 'web/dist/old.js')), existsSync(path.join(root, 'web/dist.new'))]).toEqual([
    false,
    false,
  ])
})
