import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GuardedApp, startGuardedApp } from '#kit/app.ts'

let guarded: GuardedApp
beforeAll(async () => {
  guarded = await startGuardedApp()
}, 60_000)
afterAll(() => guarded?.close())

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${guarded.app.url}${path}`, { headers, redirect: 'manual' })

test('the page comes to everybody, with a policy that lets nothing of others run, and a nonce of its own', async () => {
  const [first, second] = [await get('/'), await get('/releases/rel_1?tab=x')]
  const html = await first.text()
  const nonce = /nonce-([^']+)'/.exec(first.headers.get('content-security-policy')!)![1]!
  expect(first.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(first.headers.get('content-security-policy')).not.toContain('unsafe')
  expect(html).toContain(`nonce="${nonce}"`)
  expect(html).not.toMatch(/<script(?![^>]*src=)|__CSP_NONCE__| style=/)
  expect(first.headers.get('cache-control')).toBe('no-store')
  expect(await second.text()).not.toContain(nonce)
  expect([second.status, second.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
})

test('assets are compressed beforehand and kept for ever; what is not there is a 404 in words', async () => {
  const html = await (await get('/')).text()
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)![1]!
  const plain = await get(script, { 'accept-encoding': 'identity' })
  const brotli = await get(script, { 'accept-encoding': 'br' })
  expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(plain.headers.get('content-type')).toMatch(/javascript/)
  expect(brotli.headers.get('content-encoding')).toBe('br')
  expect(await brotli.text()).toBe(await plain.text())
  for (const path of [
    '/assets/nothing.js',
    '/assets/..%2f..%2fpackage.json',
    '/assets/',
    '/nothing',
    '/api/nothing',
    '/serve',
  ]) {
    const reply = await get(path)
    expect([path, reply.status, (await reply.text()).includes('<html')]).toEqual([path, 404, false])
  }
})
