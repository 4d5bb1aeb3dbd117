import { readFileSync } from 'node:fs'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { faults, openSite, type Site } from './pages.ts'

const PHONE = { width: 390, height: 844 }
const RUNS = 40

describe.skipIf(!chromiumIsHere())('the run table', () => {
  let site: Site
  let experiment: string
  let other: string
  const runs: string[] = []

  const mlflow = async <T>(path: string, body: object): Promise<T> => {
    const reply = await fetch(`${site.app.url}/api/2.0/mlflow${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(reply.status).toBe(200)
    return (await reply.json()) as T
  }

  beforeAll(async () => {
    site = await openSite()
    const made = async (name: string) =>
      (await mlflow<{ experiment_id: string }>('/experiments/create', { name })).experiment_id
    experiment = await made('sweeps')
    other = await made('kept')
    for (let at = 0; at < RUNS; at++) {
      const parent = at > 0 && at < 4 ? [{ key: 'mlflow.parentRunId', value: runs[0] }] : []
      const { run } = await mlflow<{ run: { info: { run_id: string } } }>('/runs/create', {
        experiment_id: experiment,
        run_name: `run ${String(at).padStart(2, '0')}`,
        start_time: 1_700_000_000_000 + at * 1000,
        tags: [{ key: 'stage', value: at % 2 ? '=keep' : 'try' }, ...parent],
      })
      const { run_id } = run.info
      runs.push(run_id)
      const metric = (key: string, value: number) => ({ key, value, timestamp: 1, step: 0 })
      await mlflow('/runs/log-batch', {
        run_id,
        metrics: [metric('auc', 0.5 + at / 100), metric('loss', 0.5 - at / 100), metric('even', at % 2)],
        params: [
          { key: 'model', value: at % 3 ? 'tree' : 'linear' },
          ...Array.from({ length: at === 0 ? 90 : 1 }, (_, n) => ({ key: `p ${n}`, value: String(at) })),
        ],
      })
      await mlflow('/runs/update', { run_id, status: 'FINISHED', end_time: 1_700_000_009_000 + at * 1000 })
    }
  }, 400_000)
  afterAll(() => site?.close())

  const field = (page: Page, key: string) => new URL(page.url()).searchParams.get(key)
  const rowOf = (page: Page, name: string): Locator => page.getByRole('row').filter({ hasText: name })
  const names = (page: Page) => page.getByRole('grid').getByRole('link').allTextContents()
  const columns = (page: Page) => page.getByRole('columnheader').allTextContents()
  const open = (search = '', options: Parameters<Site['open']>[1] = {}) =>
    site.open(`/experiments/${experiment}${search}`, options)
  /** The first rows are these, sooner or later. */
  const begins = (page: Page, ...wanted: string[]) =>
    expect.poll(async () => (await names(page)).slice(0, wanted.length), { timeout: 20_000 }).toEqual(wanted)

  test('is clean in light, dark and on a phone, and says how many runs there are', async () => {
    const { page, problems } = await open(`?base=${runs[9]}&nest=1`)
    await rowOf(page, 'run 39').waitFor()
    await page.getByText('37 runs without a parent').waitFor()
    expect(await faults(page)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
    expect(await faults(page, ['color-contrast'])).toEqual([])
    await page.setViewportSize(PHONE)
    expect([...(await faults(page)), ...problems]).toEqual([])
    await page.context().close()
  }, 90_000)

  test('columns are found among many, pinned, ordered by, and kept by the address', async () => {
    const { page, problems } = await open()
    await rowOf(page, 'run 39').waitFor()
    await page.getByRole('button', { name: 'Columns', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'Columns' })
    await dialog.getByLabel('Find a column').fill('p 77')
    await dialog.getByRole('checkbox', { name: /p 77/ }).check()
    await dialog.getByRole('button', { name: 'Keep p 77 in place' }).click()
    expect(await faults(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expect.poll(() => columns(page)).toEqual(expect.arrayContaining(['Run', 'p 77']))
    expect((await columns(page))[1]).toBe('p 77')
    expect([field(page, 'columns')?.split('*')[0], field(page, 'pins')]).toEqual(['p.p 77', '1'])

    await page.getByRole('button', { name: 'even', exact: true }).click()
    await page.getByRole('button', { name: 'auc', exact: true }).click({ modifiers: ['Shift'] })
    await begins(page, 'run 39', 'run 37')
    await page.getByRole('button', { name: /^auc/ }).click({ modifiers: ['Shift'] })
    await begins(page, 'run 01', 'run 03')
    expect(field(page, 'order')).toBe('-m.even*m.auc')
    await page.reload()
    await begins(page, 'run 01', 'run 03')
    expect((await columns(page))[1]).toBe('p 77')
    await page.getByRole('button', { name: 'Column loss' }).click()
    await page.getByRole('menuitem', { name: 'Hide' }).click()
    await expect.poll(() => columns(page)).not.toContain('loss')
    expect(problems).toEqual([])
    await page.context().close()
  }, 90_000)

  test('chips and text say the same filter, and the server has the last word', async () => {
    const { page, problems } = await open('?filter=metrics.auc+%3E+0.8')
    await page.getByText('9 runs').waitFor()
    const text = page.getByLabel('Filter', { exact: true })
    await page.getByRole('button', { name: 'Condition', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: 'New condition' })
    await dialog.getByRole('combobox', { name: 'Of what' }).fill('params.model')
    await dialog.getByLabel('How').selectOption('IN')
    await dialog.getByLabel('With what').fill('linear, nothing')
    expect(await faults(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Add' }).click()
    await page.getByText('3 runs', { exact: true }).waitFor()
    expect(await text.inputValue()).toBe("metrics.auc > 0.8 AND params.model IN ('linear', 'nothing')")

    await page.getByRole('button', { name: 'AND' }).click()
    await page.getByText('20 runs', { exact: true }).waitFor()
    await text.fill("(metrics.auc > 0.85 or tags.stage = 'try') and not params.model = 'tree'")
    await text.press('Enter')
    await page.getByRole('group', { name: 'any of these' }).getByText("tags.stage = 'try'").waitFor()
    await page.getByRole('button', { name: 'NOT', exact: true }).click()
    await expect.poll(() => text.inputValue()).toContain("AND params.model = 'tree'")
    await page.getByRole('button', { name: 'Remove any of these' }).click()
    await page.getByText('26 runs', { exact: true }).waitFor()
    expect(field(page, 'filter')).toBe("params.model = 'tree'")
    expect(problems).toEqual([])

    await text.fill('metrics.auc >')
    await text.press('Enter')
    await page.getByText('Not shown as chips').waitFor()
    await page.getByRole('alert').getByText('Expected numeric value').waitFor()
    await text.fill('metrics.auc > 7')
    await text.press('Enter')
    await page.getByRole('button', { name: 'Take the filter away' }).click()
    await page.getByText('40 runs', { exact: true }).waitFor()
    await page.context().close()
  }, 90_000)

  test('goes by the keyboard: along the rows, choose, baseline, filter, open', async () => {
    const { page } = await open()
    await rowOf(page, 'run 39').waitFor()
    for (const key of ['j', 'j', 'x', 'j', 'x', 'b']) await page.keyboard.press(key)
    await page.getByText('2 runs chosen', { exact: true }).waitFor()
    expect([field(page, 'sel'), field(page, 'base')]).toEqual([`${runs[38]},${runs[37]}`, runs[37]])
    expect(await page.locator('[role="row"][data-active]').textContent()).toContain('run 37')
    await page.keyboard.press('End')
    await expect.poll(() => page.locator('[role="row"][data-active]').textContent()).toContain('run 00')
    await page.keyboard.press('/')
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Filter')
    await page.keyboard.press('Escape')
    for (const key of ['j', 'Home', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('heading', { name: 'run 39' }).waitFor()
    expect(new URL(page.url()).pathname).toBe(`/runs/${runs[39]}`)
    await page.goBack()
    await page.getByText('2 runs chosen', { exact: true }).waitFor()
    await page.context().close()
  }, 90_000)

  test('a baseline: signs, arrows and words for better, whichever way a person says', async () => {
    const { page } = await open(`?base=${runs[30]}&columns=m.auc*m.loss*p.p+0`)
    const row = rowOf(page, 'run 32')
    await row.getByText('+0.0200').first().waitFor()
    expect(await row.getByText(/better|worse/).allTextContents()).toEqual([' better', ' better'])
    expect(await row.textContent()).toMatch(/0\.8200.*▲\+0\.0200 better.*▼−0\.0200 better.*32.*▲\+2/)
    await page.getByRole('button', { name: 'Column auc' }).click()
    await page.getByRole('menuitemradio', { name: 'Lower is better' }).click()
    await row.getByText('worse').waitFor()
    expect(field(page, 'better')).toBe('dm.auc')
    await page.getByRole('button', { name: 'No baseline' }).click()
    await row.getByText('+0.0200').first().waitFor({ state: 'detached' })
    await page.context().close()
  }, 60_000)

  test('groups with mean, least and greatest; a group opens its runs', async () => {
    const { page } = await open('?columns=m.auc*m.even*p.model')
    await rowOf(page, 'run 39').waitFor()
    await page.getByRole('button', { name: 'Group', exact: true }).click()
    await page.getByRole('menuitemcheckbox', { name: 'model' }).click()
    await page.keyboard.press('Escape')
    const linear = page.getByRole('grid', { name: 'Groups of runs' }).getByRole('row').filter({ hasText: 'linear' })
    await linear.waitFor()
    expect(await linear.textContent()).toBe('linear140.69500.5000 … 0.89000.50000 … 1')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    expect(await faults(page)).toEqual([])
    await linear.click()
    await page.getByText('14 runs', { exact: true }).waitFor()
    expect([field(page, 'filter'), field(page, 'group')]).toEqual(["params.model = 'linear'", null])
    await page.goBack()
    await linear.waitFor()
    await page.context().close()
  }, 60_000)

  test('children open below their parent', async () => {
    const { page } = await open('?nest=1&order=start')
    await page.getByRole('button', { name: '3 below run 00' }).click()
    await begins(page, 'run 00', 'run 01', 'run 02', 'run 03', 'run 04')
    expect(field(page, 'open')).toBe(runs[0])
    await page.reload()
    await begins(page, 'run 00', 'run 01', 'run 02', 'run 03', 'run 04')
    await page.getByRole('button', { name: '3 below run 00' }).click()
    await begins(page, 'run 00', 'run 04')
    await page.context().close()
  }, 60_000)

  test('a view is saved, changed, opened again and deleted', async () => {
    const { page, problems } = await open('?filter=metrics.auc+%3E+0.8&columns=m.auc')
    await page.getByText('9 runs', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Views', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Save as a new view' }).click()
    const dialog = page.getByRole('dialog', { name: 'Save as a view' })
    await dialog.getByLabel('Name').fill('the best')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'the best', exact: true }).waitFor()
    await page.getByRole('button', { name: 'auc', exact: true }).click()
    await page.getByRole('button', { name: 'the best *' }).click()
    await page.getByRole('menuitem', { name: 'Save the changes to the best' }).click()
    await page.getByRole('button', { name: 'the best', exact: true }).waitFor()

    await page.goto(`/experiments/${experiment}`)
    await page.getByText('40 runs', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Views', exact: true }).click()
    await page.getByRole('menuitem', { name: /the best/ }).click()
    await page.getByText('9 runs', { exact: true }).waitFor()
    expect([field(page, 'order'), await columns(page)]).toEqual(['-m.auc', ['Run', 'auc↓']])
    await page.getByRole('button', { name: 'the best', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Delete the best' }).click()
    await page.getByRole('button', { name: 'Views', exact: true }).waitFor()
    expect(problems).toEqual([])
    await page.context().close()
  }, 60_000)

  test('chosen runs are compared, copied, moved, deleted and restored', async () => {
    const sel = [runs[1], runs[2], runs[4]].join()
    const { page, problems } = await open(`?sel=${sel}`)
    await page.getByRole('button', { name: 'Compare', exact: true }).click()
    await page.getByRole('heading', { name: 'Compare 3 runs' }).waitFor()
    const grid = page.getByRole('grid')
    await grid.getByRole('row').filter({ hasText: 'auc' }).getByText('0.5400').waitFor()
    expect(await grid.getByText('model').count()).toBe(0)
    await page.getByRole('switch', { name: 'Show what is equal, too' }).click()
    await grid.getByText('model').waitFor()
    await page.getByRole('button', { name: 'Compare the others with run 01' }).click()
    await grid.getByText('+0.0300').first().waitFor()
    await page.getByRole('button', { name: 'Runs in rows' }).click()
    await page.getByRole('grid', { name: 'Runs in rows, keys in columns' }).waitFor()
    await page.getByRole('button', { name: 'auc', exact: true }).click()
    await begins(page, 'run 04', 'run 02', 'run 01')
    expect(await faults(page)).toEqual([])
    await page.reload()
    await begins(page, 'run 04', 'run 02', 'run 01')

    const take = async (word: string) => {
      await page.goto(`/experiments/${experiment}?sel=${sel}`)
      await page.getByRole('button', { name: word, exact: true }).click()
      const dialog = page.getByRole('dialog', { name: `${word} 3 runs` })
      await dialog.getByRole('combobox', { name: 'To the experiment' }).fill('kept')
      await page.getByRole('option', { name: 'kept' }).click()
      await dialog.getByRole('button', { name: `${word} them` }).click()
      await page.getByRole('heading', { name: 'kept' }).waitFor()
    }
    await take('Copy')
    await page.getByText('3 runs', { exact: true }).waitFor()
    await take('Move')
    await page.getByText('6 runs', { exact: true }).waitFor()
    expect(new URL(page.url()).pathname).toBe(`/experiments/${other}`)

    await page.goto(`/experiments/${other}?sel=${sel}`)
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete them' }).click()
    await page.getByText('3 runs', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Active runs' }).click()
    await page.getByRole('menuitemradio', { name: 'Deleted runs' }).click()
    await rowOf(page, 'run 04').getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Restore', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Restore them' }).click()
    await page.getByText('2 runs', { exact: true }).waitFor()
    expect(problems).toEqual([])
    await page.context().close()
  }, 120_000)

  test('its rows as CSV, which no spreadsheet runs', async () => {
    const { page } = await open('?filter=metrics.auc+%3E+0.85&columns=t.stage*m.auc')
    await page.getByText('4 runs', { exact: true }).waitFor()
    const coming = page.waitForEvent('download')
    await page.getByRole('button', { name: 'CSV' }).click()
    const file = await (await coming).path()
    const lines = readFileSync(file, 'utf8').trim().split('\r\n')
    expect([lines.length, lines[0]!.endsWith('tags.stage,metrics.auc'), lines[1]]).toEqual([
      5,
      true,
      expect.stringMatching(/,'=keep,0\.89$/),
    ])
    await page.context().close()
  }, 60_000)

  test('no run, no answer and no right are said', async () => {
    const { page } = await open('?show=deleted&filter=')
    await page.getByText('No run is deleted').waitFor()
    expect(await faults(page)).toEqual([])
    const answers = [
      { status: 403, json: { title: 'forbidden', detail: 'tracking.read is not yours' } },
      { status: 503, json: { title: 'unavailable', detail: 'the server is busy' } },
    ]
    for (const answer of answers) {
      await page.route('**/runs/table', (route) => route.fulfill(answer))
      await page.goto(`/experiments/${experiment}`)
      await page.getByRole('alert').getByText(answer.json.detail.slice(1)).waitFor()
      await page.unrouteAll()
    }
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click()
    await rowOf(page, 'run 39').waitFor()
    await page.context().close()
  }, 60_000)

  test('experiments lie in folders, and stand in one table together', async () => {
    const { page, problems } = await site.open('/experiments')
    await page.getByRole('button', { name: 'Folder of kept: none. Change' }).click()
    await page.getByRole('combobox', { name: 'Folder' }).fill('team/vision')
    await page.getByRole('button', { name: 'Move', exact: true }).click()
    await page.getByRole('link', { name: /^team/ }).click()
    await page.getByText('No experiment lies right in this folder').waitFor()
    await page.getByRole('link', { name: /^vision/ }).click()
    await page.getByRole('link', { name: 'kept' }).waitFor()
    expect([field(page, 'folder'), ...(await faults(page))]).toEqual(['team/vision'])
    await page.getByRole('link', { name: 'All', exact: true }).click()
    await page.getByLabel('Choose kept').check()
    await page.getByLabel('Choose rides/fare').check()
    await page.getByRole('button', { name: 'Runs of 2 experiments together' }).click()
    await rowOf(page, 'depth 8').waitFor()
    expect(field(page, 'also')).toBe(site.ids.experiment)
    expect(problems).toEqual([])
    await page.context().close()
  }, 60_000)
})
