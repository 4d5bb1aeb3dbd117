import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningApp, startApp } from '#app/start.ts'
import { silentLog } from '#kernel/log.ts'
import { chromiumIsHere, launchChromium, openContext } from '#kit/chromium.ts'
import { testEnvironment } from '#kit/python.ts'
import { readConfig } from '../../src/config.ts'

const PASSWORD = 'seven quiet herons'
const API = '/api/slipway/v1'

let dir: string
let app: RunningApp
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'slipway-sign-in-'))
  app = await startApp(readConfig({ flags: { data: dir, port: '0' }, env: {}, cwd: dir }), { log: silentLog })
})
afterAll(async () => {
  await app?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** The browser's own cookie, so that what follows does not hang on whether there is a browser. */
async function signIn(): Promise<string> {
  const body = JSON.stringify({ name: 'Ada', password: PASSWORD })
  const answer = await fetch(`${app.url}${API}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return answer.headers.get('set-cookie')!.split(';')[0]!
}

/** What axe finds wrong with a page as it stands, by rule. */
async function axeProblems(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string }[] }
  return found.violations.map(({ id }) => id)
}

describe.skipIf(!chromiumIsHere())('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
  }, 400_000)
  afterAll(() => browser?.close())

  test('the printed link makes the first admin, who is signed in, and can sign in again', async () => {
    const { context, problems } = await openContext(browser, app.url)
    const page = await context.newPage()
    await page.goto(app.setupLink!)
    expect(await axeProblems(page)).toEqual([])
    await page.getByLabel('Name').fill('Ada')
    await page.getByLabel('Password').fill(PASSWORD)
    const made = page.waitForResponse((answer) => answer.url().endsWith(`${API}/setup`))
    await page.getByRole('button', { name: 'Begin' }).click()
    expect((await made).status()).toBe(200)
    await page.waitForURL(`${app.url}/`)
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ name: 'slipway_session', httpOnly: true, sameSite: 'Strict' })
    expect(await (await context.request.get(`${API}/me`)).json()).toMatchObject({ name: 'Ada', workspace: 'default' })
    await context.close()

    const again = await openContext(browser, app.url)
    const second = await again.context.newPage()
    await second.goto(app.setupLink!)
    await expect.poll(() => second.getByRole('alert').textContent()).toMatch(/used already, or is too old/)
    await second.goto('/sign-in')
    expect(await axeProblems(second)).toEqual([])
    await second.getByLabel('Name').fill('ada')
    await second.getByLabel('Password').fill('not this password')
    await second.getByRole('button', { name: 'Sign in' }).click()
    await expect.poll(() => second.getByRole('alert').textContent()).toMatch(/do not belong together/)
    await second.getByLabel('Password').fill(PASSWORD)
    await second.getByRole('button', { name: 'Sign in' }).click()
    await second.waitForURL(`${app.url}/`)
    await again.context.close()
    expect(problems.filter((each) => each.startsWith('uncaught') || each.includes('asked for'))).toEqual([])
  }, 60_000)
})

test("MLflow's client signs in with a token, as Bearer or as a password", async () => {
  if (await app.parts.store.read((sql) => app.parts.access.listPeople(sql, '', 1)).then((some) => some.length === 0)) {
    await app.parts.access.acceptInvitation({ key: app.setupLink!.split('key=')[1]!, name: 'Ada', password: PASSWORD })
  }
  const cookie = await signIn()
  const send = async (method: string, path: string, body?: object) => {
    const json = body && { body: JSON.stringify(body), headers: { cookie, 'content-type': 'application/json' } }
    return (await fetch(`${app.url}${API}${path}`, { method, headers: { cookie }, ...json })).json() as Promise<never>
  }
  const token = (role: string): Promise<{ secret: string; token: { id: string } }> =>
    send('POST', '/tokens', { name: role, role })
  const [editor, viewer, revoked] = [await token('editor'), await token('viewer'), await token('editor')]
  await send('DELETE', `/tokens/${revoked.token.id}`)
  const { python } = await testEnvironment()
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'token_client.py')], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      MLFLOW_TRACKING_URI: app.url,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
      EDITOR: editor.secret,
      VIEWER: viewer.secret,
      REVOKED: revoked.secret,
    },
  })
  expect(JSON.parse(stdout)).toEqual({
    bearer: 'by-bearer',
    basic: 'by-basic',
    viewer: 'PERMISSION_DENIED',
    revoked: 'UNAUTHENTICATED',
    nobody: 'UNAUTHENTICATED',
  })
}, 600_000)
