/** What somebody sees who may not: a viewer where an admin works, and a token without the right of the page. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GuardedApp, startGuardedApp } from '#kit/app.ts'
import { chromiumIsHere, launchChromium, openContext } from '#kit/chromium.ts'
import { faults } from './pages.ts'

const PASSWORD = 'seven calm otters'

describe.skipIf(!chromiumIsHere())('a page that is not for everybody', () => {
  let guarded: GuardedApp
  let browser: Browser
  beforeAll(async () => {
    guarded = await startGuardedApp()
    browser = await launchChromium()
  }, 400_000)
  afterAll(async () => {
    await browser?.close()
    await guarded?.close()
  })

  test('a viewer reads who is here, and finds nothing to invite, give or take', async () => {
    const { access, store } = guarded.app.parts
    const { link } = await store.write((tx) => access.addPerson(tx, guarded.ada, { name: 'Bob', role: 'viewer' }))
    await access.acceptInvitation({ key: link.split('key=')[1]!, password: PASSWORD })
    const { context, problems } = await openContext(browser, guarded.app.url)
    const page = await context.newPage()
    const signIn = async () => {
      await page.getByLabel('Name').fill('Bob')
      await page.getByLabel('Password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Sign in' }).click()
    }
    await page.goto('/sign-in?next=//elsewhere.example/')
    await signIn()
    await page.waitForURL(`${guarded.app.url}/`)
    await context.clearCookies()
    // The page that was asked for comes after the sign-in.
    await page.goto('/access?tab=people')
    await signIn()
    await page.getByRole('heading', { name: 'Members of default' }).waitFor()
    await page.getByText('Ada').waitFor()
    expect(await page.getByRole('button', { name: 'Invite' }).count()).toBe(0)
    expect(await page.getByRole('main').getByRole('combobox').count()).toBe(0)
    expect(await faults(page)).toEqual([])
    expect(problems.filter((each) => each.startsWith('uncaught'))).toEqual([])
    await context.close()
  }, 60_000)

  test('a token without the right is told which one it lacks, and is not offered to try again', async () => {
    const secret = await guarded.token(['tracking.read'])
    const { context } = await openContext(browser, guarded.app.url, {
      extraHTTPHeaders: { authorization: `Bearer ${secret}` },
    })
    const page = await context.newPage()
    for (const [path, right] of [
      ['/audit', 'audit.read'],
      ['/datasets', 'datasets.read'],
      [`/releases/rel_${'0'.repeat(32)}`, 'releases.read'],
    ] as const) {
      await page.goto(path)
      const alert = page.getByRole('alert').filter({ hasText: 'Not yours to see' }).first()
      await alert.waitFor()
      expect(await alert.textContent()).toContain(right)
      expect(await alert.getByRole('button', { name: 'Try again' }).count()).toBe(0)
      expect([path, ...(await faults(page))]).toEqual([path])
    }
    await page.goto('/experiments')
    await page.getByText('Default').first().waitFor()
    await context.close()
  }, 60_000)
})
