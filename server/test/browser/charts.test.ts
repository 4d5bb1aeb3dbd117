import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { faults, openSite, type Site } from './pages.ts'

const STEPS = 3000
const TRIALS = 14
describe.skipIf(!chromiumIsHere())('charts in a browser', () => {
  let site: Site
  let open: Awaited<ReturnType<Site['open']>>
  let sweep: string
  const trials: string[] = []

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
    const { experiment_id } = await mlflow<{ experiment_id: string }>('/experiments/create', { name: 'sweep' })
    sweep = experiment_id
    const start = Date.now() - 3_600_000
    for (let trial = 0; trial < TRIALS; trial++) {
      const { run } = await mlflow<{ run: { info: { run_id: string } } }>('/runs/create', {
        experiment_id,
        run_name: `trial ${trial}`,
        start_time: start,
      })
      const rate = ((trial * 5) % TRIALS) / TRIALS
      const kind = trial % 3 === 0 ? 'line' : 'tree'
      await mlflow('/runs/log-batch', {
        run_id: run.info.run_id,
        params: [
          { key: 'rate', value: String(rate) },
          { key: 'kind', value: kind },
        ],
        metrics: [{ key: 'auc', value: 0.5 + rate / 3 + (kind === 'tree' ? 0.05 : 0), timestamp: start, step: 0 }],
      })
      trials.push(run.info.run_id)
    }
    for (let from = 0; from < STEPS; from += 1000)
      await mlflow('/runs/log-batch', {
        run_id: trials[0],
        metrics: Array.from({ length: 1000 }, (_, at) => ({
          key: 'long',
          value: Math.sin((from + at) / 40),
          timestamp: start + (from + at) * 100,
          step: from + at,
        })),
      })
    open = await site.open('/experiments')
  }, 400_000)
  afterAll(() => site?.close())

  test('curves of several runs lie over each other; the legend, smoothing and the axis stand in the address', async () => {
    const { page, problems } = open
    const [one, two] = site.ids.runs
    await page.goto(`/charts?runs=${one},${two}&smooth=0.6&log=1`)
    const loss = page.getByRole('img', { name: /^loss\. depth 4: 40 values.*depth 8: 40 values/ })
    await loss.waitFor()
    expect(await loss.locator('path[opacity]').count()).toBe(2)
    expect([...(await faults(page)), ...problems.splice(0)]).toEqual([])
    await page.getByRole('button', { name: 'depth 4', pressed: true }).click()
    await page.getByRole('img', { name: /^loss\. depth 8: 40 values[^;]*$/ }).waitFor()
    expect(new URL(page.url()).searchParams.get('hidden')).toBe(one)
    await page.getByText('Since start').click()
    await expect.poll(() => new URL(page.url()).searchParams.get('x')).toBe('relative')
    await page.getByText('Values of loss as a table').click()
    await page
      .getByLabel('Values of loss', { exact: true })
      .getByRole('columnheader', { name: 'Since start' })
      .waitFor()
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await faults(page)).toEqual([])
    await page.setViewportSize({ width: 1280, height: 720 })
  }, 120_000)

  test('zooming in fetches the part in full detail', async () => {
    const { page } = open
    await page.goto(`/charts?runs=${trials[0]}&keys=long`)
    const whole = page.getByRole('img', { name: /^long\. trial 0: (\d+) values/ })
    await whole.waitFor()
    const drawn = Number(/: (\d+) values/.exec((await whole.getAttribute('aria-label'))!)![1])
    expect(drawn).toBeLessThan(2000)
    await page.goto(`/charts?runs=${trials[0]}&keys=long&zoom=1000~1400`)
    await page.getByRole('img', { name: /^long\. trial 0: 401 values/ }).waitFor()
    const box = (await page.getByRole('img', { name: /^long/ }).boundingBox())!
    await page.mouse.move(box.x + 100, box.y + 80)
    await page.mouse.down()
    await page.mouse.move(box.x + 220, box.y + 80, { steps: 4 })
    await page.mouse.up()
    await expect.poll(() => new URL(page.url()).searchParams.get('zoom')).not.toBe('1000~1400')
    const [from, to] = new URL(page.url()).searchParams.get('zoom')!.split('~').map(Number)
    expect([from! > 1000, to! < 1400]).toEqual([true, true])
    await page.getByRole('img', { name: /^long/ }).press('0')
    await expect.poll(() => new URL(page.url()).searchParams.get('zoom')).toBeNull()
  }, 120_000)

  test('a brush on an axis becomes a filter of the runs', async () => {
    const { page, problems } = open
    await page.goto(`/charts?experiment=${sweep}&view=parallel`)
    const axis = page.getByRole('group', { name: /^metrics\.auc; arrows/ })
    await axis.waitFor()
    expect([...(await faults(page)), ...problems.splice(0)]).toEqual([])
    await axis.focus()
    for (let press = 0; press < 10; press++) await page.keyboard.press('ArrowUp')
    await page.getByText(/\d of 14 runs: metrics\.auc >= 0\.\d+/).waitFor()
    await page.getByRole('button', { name: 'Keep only these' }).click()
    await expect.poll(() => new URL(page.url()).searchParams.get('filter')).toMatch(/^metrics\.auc >= 0\.\d+$/)
    await page.getByRole('group', { name: /^[1-9] runs? over/ }).waitFor()
  }, 120_000)

  test('scatter: each run a dot that leads to it', async () => {
    const { page, problems } = open
    await page.goto(`/charts?experiment=${sweep}&view=scatter&sx=params.rate&sy=metrics.auc&sc=params.kind`)
    await page.getByRole('link', { name: 'trial 5: rate 0.7857, auc 0.8119, kind tree' }).waitFor()
    expect([...(await faults(page)), ...problems.splice(0)]).toEqual([])
  }, 120_000)

  test('nothing chosen, nothing there, and not there at all are said', async () => {
    const { page } = open
    await page.goto('/charts')
    await page.getByText('No run is chosen').waitFor()
    await page.goto(`/charts?experiment=${sweep}&filter=metrics.auc > 5`)
    await page.getByText('No run fits the filter').waitFor()
    await page.goto(`/charts?runs=${'0'.repeat(32)}`)
    await page.getByRole('alert').waitFor()
  }, 120_000)
})
