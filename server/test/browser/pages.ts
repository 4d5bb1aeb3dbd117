/** A running server in development mode and a browser before it; what every browser test begins with. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type RunningApp, startApp } from '#app/start.ts'
import { silentLog } from '#kernel/log.ts'
import { launchChromium, openContext } from '#kit/chromium.ts'
import { ENVIRONMENTS_DIR } from '#kit/python.ts'
import { readConfig } from '../../src/config.ts'
import { seed } from './seed.ts'

/** Replies in place of the server's, by what follows `/api/slipway/v1`; an Error cuts the connection. For states that take hours of traffic to come about. */
export type Stubs = Record<string, unknown>

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

export interface Site {
  app: RunningApp
  ids: Awaited<ReturnType<typeof seed>>
  /** A fresh page; `problems` holds what a user would not see: script errors, refusals of the policy, foreign requests. */
  open(path: string, options?: BrowserContextOptions & { stubs?: Stubs }): Promise<{ page: Page; problems: string[] }>
  close(): Promise<void>
}

export async function openSite(options: { empty?: boolean } = {}): Promise<Site> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-browser-'))
  const config = readConfig({
    flags: { data: dir, port: '0', dev: 'true' },
    env: { SLIPWAY_ENVIRONMENTS_DIR: ENVIRONMENTS_DIR },
    cwd: dir,
  })
  const app = await startApp(config, { log: silentLog })
  const ids = options.empty ? { experiment: '', run: '', runs: [], version: '' } : await seed(app.url)
  const browser: Browser = await launchChromium()
  return {
    app,
    ids,
    async open(path, { stubs = {}, ...context_options } = {}) {
      const { context, problems } = await openContext(browser, app.url, context_options)
      for (const [end, reply] of Object.entries(stubs)) {
        await context.route(
          (url) => url.pathname === `/api/slipway/v1${end}`,
          (route) => (reply instanceof Error ? route.abort() : route.fulfill({ json: reply })),
        )
      }
      const page = await context.newPage()
      await page.goto(path)
      await page.locator('h1').waitFor()
      return { page, problems }
    },
    async close() {
      await browser.close()
      await app.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/**
 * What is wrong with a page as it stands: axe's rules by name with an example, and whether it is wider than its window.
 * `rules` narrows down what axe looks at.
 */
export async function faults(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate('typeof axe === "object"'))) await page.evaluate(AXE)
  const only = rules ? { type: 'rule', values: rules } : { type: 'tag', values: RULES }
  const ask = `axe.run({ runOnly: ${JSON.stringify(only)}, resultTypes: ['violations'] })`
  const found = (await page.evaluate(ask)) as {
    violations: { id: string; nodes: { html: string; any?: { message: string }[] }[] }[]
  }
  const wide = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number
  return [
    ...found.violations.map(
      ({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)} ${nodes[0]?.any?.[0]?.message ?? ''}`,
    ),
    ...(wide > 0 ? [`${wide} px wider than the window`] : []),
  ]
}

/** Nothing is loading any more. */
export const settled = (page: Page): Promise<void> =>
  page.locator('[role="status"][aria-label^="Loading"]').first().waitFor({ state: 'detached' })
