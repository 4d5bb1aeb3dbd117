import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { faults, openSite, type Site, settled } from './pages.ts'
import { PREDICTION, RELEASE, story } from './story.ts'

const PHONE = { width: 390, height: 844 }

const WIDE = { width: 1280, height: 720 }

describe.skipIf(!chromiumIsHere())('pages', () => {
  let site: Site
  /** One window for all: what it has loaded once it has. */
  let told: Awaited<ReturnType<Site['open']>>
  let real: Awaited<ReturnType<Site['open']>>
  beforeAll(async () => {
    site = await openSite()
    told = await site.open('/', { stubs: story, viewport: WIDE })
    real = await site.open('/')
  }, 400_000)
  afterAll(() => site?.close())

  /** A page with words that only its content has, in the three ways it is looked at. */
  const look = async (path: string, words: RegExp | string) => {
    const { page, problems } = told
    await page.goto(path)
    await page.getByText(words).first().waitFor()
    await settled(page)
    const light = await faults(page)
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
    const dark = await faults(page, ['color-contrast'])
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize(PHONE)
    await page.getByText(words).first().waitFor()
    const phone = await faults(page)
    await page.setViewportSize(WIDE)
    return { light, dark, phone, problems: problems.splice(0) }
  }
  const clean = { light: [], dark: [], phone: [], problems: [] }

  test.each([
    ['/', 'flights-served@7 passed'],
    [`/releases/${RELEASE}`, 'roc_auc against the champion'],
    ['/monitors/delay-weekly', 'Window of 5 Aug 2013'],
    [`/why/${PREDICTION}`, 'The label came as'],
    ['/releases', 'flight-delay 7'],
    ['/monitors', 'delay-weekly'],
    ['/alerts', 'auc-falls'],
    ['/retrainings', 'auc-falls'],
  ] as const)(
    '%s is clean in light, dark and on a phone',
    async (path, words) => expect(await look(path, words)).toEqual(clean),
    60_000,
  )

  test.each([
    ['/experiments', 'rides/fare'],
    ['/datasets', 'rides'],
    ['/datasets/rides/1', 'fare'],
    ['/datasets/rides/1?tab=rows', 'west'],
    ['/audit', 'tracking.run-created'],
    ['/jobs', 'datasets.profile'],
    ['/pipelines', 'No pipeline yet'],
    ['/models', 'No model is registered yet'],
    ['/endpoints', 'Nothing serves yet'],
    ['/access', 'Tokens'],
    ['/why', 'Prediction id'],
  ] as const)(
    '%s is clean on what the server really holds',
    async (path, words) => {
      const { page, problems } = real
      await page.goto(path)
      await page.getByText(words).first().waitFor()
      await settled(page)
      expect([...(await faults(page)), ...problems.splice(0)]).toEqual([])
    },
    60_000,
  )

  test('a run: charts, parameters, an artifact looked into, its tab in the address', async () => {
    const { page, problems } = real
    await page.goto(`/runs/${site.ids.run}`)
    await page.getByRole('img', { name: /^loss\. loss: 40 values/ }).waitFor()
    expect(await faults(page)).toEqual([])
    await page.getByRole('tab', { name: /Artifacts/ }).click()
    await page.getByRole('button', { name: /report\.json/ }).click()
    await page.getByText('"ok": true').waitFor()
    expect(new URL(page.url()).search).toBe('?tab=artifacts&file=report.json')
    expect([...(await faults(page)), ...problems]).toEqual([])
    await page.reload()
    await page.getByText('"ok": true').waitFor()
  }, 60_000)
})
