/**
 * Pictures of a server that has lived through the demonstration, written to docs/screenshots:
 * `node tools/screenshots.ts http://127.0.0.1:8080` while `npm run demo` stays up; names of pages after the address take only
 * their pictures. What they show is found through the API:
 * the release whose gate compared most, the newest prediction with a label and attributions.
 */
import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { launchChromium, openContext } from '../server/test/kit/chromium.ts'
import { ROOT } from './run.ts'

const API = '/api/slipway/v1'
const DIR = path.join(ROOT, 'docs/screenshots')
const SIZES = { wide: { width: 1240, height: 700 }, narrow: { width: 390, height: 844 } }
/** So that a clone stays small. */
const BYTES_MAX = 150_000
const SHOWN_MS_MAX = 30_000

const [address, ...only] = process.argv.slice(2)
const base = address?.replace(/\/$/, '')
if (!base) {
  process.stdout.write('usage: node tools/screenshots.ts <url of the server, after npm run demo> [page …]\n')
  process.exit(2)
}

async function get<T>(at: string): Promise<T> {
  const reply = await fetch(base + API + at)
  if (!reply.ok) throw new Error(`${at}: ${reply.status} ${await reply.text()}`)
  return (await reply.json()) as T
}

interface Release {
  id: string
  state: string
  previous: string | null
  proposed_ms: number
  bundle: { run: string | null } | null
}

interface Prediction {
  id: string
  label: string | null
  features: Record<string, unknown>
}

/** Addresses of the six pages, by what this server holds. */
async function addresses(): Promise<Record<string, string>> {
  const { items: endpoints } = await get<{ items: { name: string }[] }>('/endpoints')
  const endpoint = endpoints[0]?.name
  if (!endpoint) throw new Error('nothing is served here: let "npm run demo" end first')
  const { items: monitors } = await get<{ items: { name: string }[] }>('/monitors')
  const { items: releases } = await get<{ items: Release[] }>(`/releases?endpoint=${endpoint}&limit=100`)
  // One that replaced another was compared with it, and went through a canary.
  const release = releases.find(({ state, previous }) => previous !== null && ['live', 'superseded'].includes(state))
  const { items: predictions } = await get<{ items: Prediction[] }>(`/endpoints/${endpoint}/predictions?limit=1000`)
  if (!release || !monitors[0] || !predictions[0]) throw new Error('the demonstration has not come to its end here')
  const prediction = await explained(predictions)
  return {
    overview: '/',
    run: `/runs/${release.bundle?.run}`,
    release: `/releases/${release.id}`,
    monitor: `/monitors/${monitors[0].name}`,
    why: `/why/${prediction}`,
    audit: '/audit?name=releases.',
  }
}

/** One that said yes, knew most and got its label, with its attributions computed. */
async function explained(predictions: readonly Prediction[]): Promise<string> {
  const unknown = ({ features }: Prediction) => Object.values(features).filter((value) => value === null).length
  const telling = predictions.filter(({ label }) => label === '1').sort((a, b) => unknown(a) - unknown(b))
  for (const { id } of [...telling, ...predictions]) {
    const { items } = await get<{ items: unknown[] }>(`/predictions/${id}/labels`)
    if (items.length === 0) continue
    const reply = await fetch(`${base}${API}/predictions/${id}/explain`, { method: 'POST' })
    if (!reply.ok) process.stdout.write(`without attributions: ${(await reply.text()).slice(0, 300)}\n`)
    return id
  }
  throw new Error('no label has come for the newest predictions')
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.locator('h1').waitFor({ timeout: SHOWN_MS_MAX })
  await page.waitForLoadState('load')
  await page
    .locator('[role="status"][aria-label^="Loading"]')
    .first()
    .waitFor({ state: 'detached', timeout: SHOWN_MS_MAX })
  await page.evaluate('document.fonts.ready')
  const file = path.join(DIR, `${name}.png`)
  await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' })
  const { size } = statSync(file)
  process.stdout.write(`${path.relative(ROOT, file)}: ${Math.round(size / 1000)} kB\n`)
  if (size > BYTES_MAX) process.exitCode = 1
}

const found = await addresses()
mkdirSync(DIR, { recursive: true })
const browser = await launchChromium()
try {
  for (const [look, scheme, size, names] of [
    ['', 'light', 'wide', Object.keys(found)],
    ['-dark', 'dark', 'wide', ['overview', 'release', 'monitor', 'why']],
    ['-narrow', 'light', 'narrow', ['overview', 'release', 'monitor', 'why']],
  ] as const) {
    const { context, problems } = await openContext(browser, base, { viewport: SIZES[size], colorScheme: scheme })
    const page = await context.newPage()
    for (const name of names.filter((each) => only.length === 0 || only.includes(each))) {
      await page.goto(found[name]!)
      if (name === 'audit') await page.getByRole('button', { name: 'releases.moved' }).first().click()
      // Releases stand in the chart once each of them was read.
      if (name === 'monitor')
        await page.locator('svg title', { hasText: 'live' }).first().waitFor({ state: 'attached' })
      await shoot(page, `${name}${look}`)
    }
    for (const problem of problems) process.stdout.write(`problem: ${problem}\n`)
    await context.close()
  }
} finally {
  await browser.close()
}
