import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { faults, openSite, type Site } from './pages.ts'
import { RELEASE, story } from './story.ts'

describe.skipIf(!chromiumIsHere())('in a browser', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  }, 400_000)
  afterAll(() => site?.close())

  const mlflow = async (path: string, body: object): Promise<void> => {
    const reply = await fetch(`${site.app.url}/api/2.0/mlflow${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(reply.status).toBe(200)
  }

  test('a run that is watched draws each point as it is logged, and its end', async () => {
    const { run } = site.ids
    const { page } = await site.open(`/runs/${run}`)
    await page.getByRole('img', { name: /^loss\. loss: 40 values/ }).waitFor()
    await mlflow('/runs/log-metric', { run_id: run, key: 'loss', value: 0.01, timestamp: Date.now(), step: 41 })
    await page.getByRole('img', { name: /^loss\. loss: 41 values, last 0\.0100/ }).waitFor()
    await mlflow('/runs/update', { run_id: run, status: 'FINISHED', end_time: Date.now() })
    await page.getByText('finished', { exact: true }).waitFor()
    await page.context().close()
  }, 60_000)

  test('what happens elsewhere is on the page without loading it again', async () => {
    const { page } = await site.open('/experiments')
    await page.getByText('rides/fare').waitFor()
    await mlflow('/experiments/create', { name: 'made meanwhile' })
    await page.getByText('made meanwhile').waitFor()
    await page.context().close()
  }, 60_000)

  test('rolling back asks for a reason, sends it, and says why it cannot', async () => {
    const { page, problems } = await site.open(`/releases/${RELEASE}`, { stubs: story })
    const sent: unknown[] = []
    await page.route('**/rollback', (route) => {
      sent.push(route.request().postDataJSON())
      return route.fulfill({
        status: 409,
        json: { title: 'conflict', status: 409, detail: 'release is live; it moved meanwhile', remedy: 'Look again.' },
      })
    })
    await page.getByRole('button', { name: 'Roll back' }).click()
    const dialog = page.getByRole('dialog', { name: 'Roll this release back?' })
    const confirm = dialog.getByRole('button', { name: 'Roll back now' })
    expect(await confirm.isDisabled()).toBe(true)
    await dialog.getByLabel('Reason').fill('errors at TVC')
    expect(await faults(page)).toEqual([])
    await confirm.click()
    await dialog.getByText('it moved meanwhile').waitFor()
    expect(sent).toEqual([{ reason: 'errors at TVC' }])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(problems.filter((each) => !each.includes('409'))).toEqual([])
    await page.context().close()
  }, 60_000)

  test('a window is chosen in the heat map; the address holds it, Back undoes nothing else', async () => {
    const { page } = await site.open('/monitors/delay-weekly', { stubs: story })
    await page.getByRole('button', { name: /^temp, 1 Jul 2013: PSI 0\.4/ }).click()
    await page.getByRole('heading', { name: 'Window of 1 Jul 2013 to 8 Jul 2013' }).waitFor()
    const { searchParams } = new URL(page.url())
    expect([searchParams.get('feature'), searchParams.get('window')]).toEqual(['temp', String(Date.UTC(2013, 6, 1))])
    await page.getByText('f1', { exact: true }).first().click()
    await page.getByRole('img', { name: /^f1 by window/ }).waitFor()
    await page.reload()
    await page.getByRole('img', { name: /^f1 by window/ }).waitFor()
    await page.getByRole('heading', { name: 'Window of 1 Jul 2013 to 8 Jul 2013' }).waitFor()
    await page.context().close()
  }, 60_000)

  test('a log that was cut off goes on where it ended', async () => {
    const [run, step] = [`prn_${'0'.repeat(32)}`, `stp_${'0'.repeat(32)}`]
    const spec = { steps: { fit: { run: 'python fit.py' } } }
    const facts = { tracking_run: null, cache_words: null, cached_from: null, inputs: [], outputs: [], reason: null }
    const since = { started_ms: Date.now(), ended_ms: null, environment: null, exit_code: null, peak_bytes: null }
    const { page } = await site.open('/', {
      stubs: {
        [`/pipeline-runs/${run}`]: {
          ...{ id: run, project: 'rides', pipeline: 'train', number: 1, state: 'running', reason: null, spec },
          ...{
            cause: { kind: 'manual' },
            who: { kind: 'person', id: 'dev', name: 'dev' },
            code: `sha256:${'c'.repeat(64)}`,
          },
          ...{ created_ms: Date.now(), ended_ms: null, environments: {}, params: {}, inputs: {} },
          steps: [{ id: step, run, name: 'fit', attempt: 1, state: 'running', ...facts, ...since }],
        },
      },
    })
    const parts = ['epoch 1\n', 'epoch 2\n']
    await page.route(`**/steps/${step}/log**`, (route) => {
      const offset = Number(new URL(route.request().url()).searchParams.get('offset'))
      const text = parts[offset / 8]
      const body = text
        ? `event: log\ndata: ${JSON.stringify({ text, next_offset: offset + 8 })}\n\n`
        : `event: ended\ndata: {}\n\n`
      return route.fulfill({ contentType: 'text/event-stream', body })
    })
    await page.goto(`/pipeline-runs/${run}`)
    await expect.poll(() => page.getByRole('log').textContent(), { timeout: 20_000 }).toBe('epoch 1\nepoch 2\n')
    await page.context().close()
  }, 60_000)

  test('keys: g d goes to the data, j and Enter open a row, Ctrl K finds, ? tells them all', async () => {
    const { page, problems } = await site.open('/')
    await page.keyboard.press('g')
    await page.keyboard.press('d')
    await page.getByRole('heading', { name: 'Datasets', level: 1 }).waitFor()
    await page.getByRole('row', { name: /rides/ }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'rides', level: 1 }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: /Find anything/ }).fill('rid')
    await page.getByRole('option', { name: /rides/ }).first().waitFor()
    expect(await faults(page)).toEqual([])
    await page.getByRole('combobox', { name: /Find anything/ }).fill('audit')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Audit', level: 1 }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Next event').waitFor()
    expect(await faults(page)).toEqual([])
    await page.goBack()
    await page.getByRole('heading', { name: 'rides', level: 1 }).waitFor()
    expect(problems).toEqual([])
    await page.context().close()
  }, 60_000)

  test('the audit: one kind of event, one event whole, the chain', async () => {
    const { page } = await site.open('/audit?name=datasets.')
    await page.getByRole('button', { name: 'datasets.version-registered' }).click()
    await page
      .getByRole('complementary', { name: /datasets\.version-registered/ })
      .getByRole('definition')
      .getByText('the first week')
      .waitFor()
    expect(await page.getByText('tracking.run-created').count()).toBe(0)
    expect(await faults(page)).toEqual([])
    await page.keyboard.press('j')
    await expect.poll(() => new URL(page.url()).searchParams.get('event')).toMatch(/^evt_/)
    // A link to an event opens it wherever it stands, here outside of what the filter lets through.
    const event = new URL(page.url()).searchParams.get('event')
    await page.goto(`/audit?name=access.&event=${event}`)
    await page
      .getByRole('complementary', { name: /^Event / })
      .getByText(event!)
      .waitFor()
    await page.goto(`/audit?event=evt_${'0'.repeat(32)}`)
    await page.getByRole('alert').getByText('There is no event').waitFor()
    await page.getByRole('button', { name: 'Verify the chain' }).click()
    await page.getByText(/whole: \d+ events? hash/).waitFor()
    await page.context().close()
  }, 60_000)

  test('a page whose data fail to come says what, and gets them on another try', async () => {
    const { page } = await site.open('/datasets', { stubs: { '/datasets': new Error('cut') } })
    const alert = page.getByRole('alert')
    await alert.getByText('The server does not answer.').waitFor()
    expect(await faults(page)).toEqual([])
    await page.context().unrouteAll()
    await alert.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('rides').first().waitFor()
    await page.context().close()
  }, 60_000)

  test('addresses that lead nowhere: of a page, of a thing, of the API', async () => {
    const { page } = await site.open('/runs/a/b')
    await page.getByText('There is no page at this address').waitFor()
    await page.goto('/experiments/999999')
    await page.getByRole('alert').first().getByText('Not here').waitFor()
    await page.goto('/models/nobody')
    await page.getByRole('alert').first().getByText('Not here').waitFor()
    const api = await page.context().request.get('/api/slipway/v1/nothing')
    expect([api.status(), api.headers()['content-type']]).toEqual([404, 'application/problem+json; charset=utf-8'])
    await page.context().close()
  }, 60_000)

  test('a workspace of its own: the address carries it, links keep it', async () => {
    const who = { kind: 'person', id: 'dev', name: 'dev', workspace: 'default', rights: ['access.admin'] } as never
    await site.app.parts.store.write((tx) => site.app.parts.access.createWorkspace(tx, who, { name: 'elsewhere' }))
    const { page, problems } = await site.open('/w/elsewhere/experiments')
    await page.getByText('elsewhere').first().waitFor()
    expect(await page.getByText('rides/fare').count()).toBe(0)
    await page.getByRole('link', { name: 'Datasets' }).click()
    await page.getByText('No dataset yet').waitFor()
    expect(new URL(page.url()).pathname).toBe('/w/elsewhere/datasets')
    expect(problems).toEqual([])
    await page.context().close()
  }, 60_000)
})
