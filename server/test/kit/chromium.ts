/** A real Chromium for tests and screenshots: found, or brought by apt when we are root; never downloaded by a tool of npm. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core'
import { singleFlight } from '../../../tools/setup/single-flight.mjs'
import { runDirectory } from './run-directory.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]
/** A slow mirror; past this the tests say that there is no browser. */
const APT_MS_MAX = 5 * 60_000

/** Nothing but the page under test: no updates, no metrics, no cached certificates, no QUIC to confuse a loopback server. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  // Containers give /dev/shm 64 MB.
  '--disable-dev-shm-usage',
]

const MISSING =
  'no Chromium is here: install one ("apt-get install chromium", "brew install --cask chromium") or name it in $CHROME'

/** For `describe.skipIf(!chromiumIsHere())`: found, or root could install it. In CI it throws instead of answering false. */
export function chromiumIsHere(): boolean {
  const missing = chromiumMissing()
  if (missing && process.env.CI) throw new Error(missing)
  return !missing
}

/** What to tell when there is no browser; undefined when there is, or can be. */
export function chromiumMissing(): string | undefined {
  return findChromium() !== undefined || canInstall() ? undefined : MISSING
}

/** `$CHROME`, then PATH, then where macOS keeps it. */
export function findChromium(): string | undefined {
  const named = process.env.CHROME
  if (named) {
    if (existsSync(named)) return named
    throw new Error(`$CHROME names ${named}, which is not there`)
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...MAC].find((file) =>
    existsSync(file),
  )
}

/** A running browser, headless. Every page of `newContext` starts from an empty profile; close it when done. */
export async function launchChromium(): Promise<Browser> {
  const { chromium } = await import('playwright-core')
  return chromium.launch({
    executablePath: findChromium() ?? (await install()),
    headless: true,
    args: [...FLAGS, ...(isRoot() ? ['--no-sandbox'] : [])],
  })
}

/**
 * A context that fails on what a user would not see: errors of the page and requests to anywhere but `base_url` are kept
 * in `problems`, and such requests do not leave.
 */
export async function openContext(
  browser: Browser,
  base_url: string,
  options: BrowserContextOptions = {},
): Promise<{ context: BrowserContext; problems: string[] }> {
  const problems: string[] = []
  const context = await browser.newContext({ baseURL: base_url, reducedMotion: 'reduce', ...options })
  await context.route(
    (url) => /^https?:$/.test(url.protocol) && url.origin !== new URL(base_url).origin,
    async (route) => {
      problems.push(`the page asked for ${route.request().url()}`)
      await route.abort()
    },
  )
  context.on('weberror', (error) => problems.push(`uncaught: ${error.error().message}`))
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`)
  })
  return { context, problems }
}

const isRoot = () => process.getuid?.() === 0
const canInstall = () => isRoot() && spawnSync('apt-get', ['--version']).status === 0

async function install(): Promise<string> {
  if (!canInstall()) throw new Error(MISSING)
  const lock = join(runDirectory().dir, 'chromium.lock')
  return singleFlight(lock, { wait_ms_max: APT_MS_MAX, say: () => {} }, async () => {
    const known = findChromium()
    if (known) return known
    const args = ['install', '-y', '--no-install-recommends', 'chromium']
    const done = spawnSync('apt-get', args, {
      encoding: 'utf8',
      timeout: APT_MS_MAX,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    const found = findChromium()
    if (!found)
      throw new Error(`${MISSING}; apt-get said: ${(done.stderr || done.error?.message || '').trim().slice(-500)}`)
    return found
  })
}
