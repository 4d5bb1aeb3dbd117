import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { chromiumIsHere, launchChromium, openContext } from './chromium.ts'

describe.skipIf(!chromiumIsHere())("the tests' browser", () => {
  test('shows a page of ours, lets nothing else out, and keeps what went wrong', async () => {
    const page = '<title>hello</title><img src="https://example.com/x.png"><script>throw new Error("oh")</script>'
    const server = createServer((_, reply) => reply.setHeader('content-type', 'text/html').end(page)).listen(
      0,
      '127.0.0.1',
    )
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const browser = await launchChromium()
    try {
      const { context, problems } = await openContext(browser, url)
      const tab = await context.newPage()
      await tab.goto('/')
      expect(await tab.title()).toBe('hello')
      expect(problems).toContain('the page asked for https://example.com/x.png')
      expect(problems).toContain('uncaught: oh')
    } finally {
      await browser.close()
      server.close()
    }
  })
})
