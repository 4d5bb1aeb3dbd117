/** A model goes through its life under open pages: a real server, a real model, real requests; nothing is loaded again. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { testEnvironment } from '#kit/python.ts'
import { applyProject } from '../../src/cli/apply.ts'
import { type Client, createClient } from '../../src/cli/client.ts'
import { createOutput } from '../../src/cli/output.ts'
import { until } from '../hold/server-process.ts'
import { faults, openSite, type Site, settled } from './pages.ts'

const API = '/api/slipway/v1'
const ROOT = join(import.meta.dirname, '..', '..', '..')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const BEGIN = Date.UTC(2024, 4, 1)
/** A model is loaded in Python, compiled and compared, beside other tests. */
const LOADED_MS_MAX = 180_000
/** Requests that the canary must answer. */
const CANARY = 30
/** Long lines: together more letters than a page keeps of a log, and than the server gives at once. */
const LINES = 120
const PROJECT = `project: fares
pipelines:
  chatter:
    steps: { talk: { run: 'for n in $(seq ${LINES}); do printf "%05000d\\n" $n; done; echo the last words; exit 3' } }
endpoints:
  fare: { model: fare, alias: champion, clock: replay, task: binary, score: 1, positive: 1, threshold: 0.5 }
releases:
  fare:
    gate: { rules: [{ parity: reported }] }
    rollout: { steps: [{ share: 0.5, requests: ${CANARY} }, { share: 1 }], guards: [{ errors: 0 }] }
monitors:
  fare-daily: { endpoint: fare, window: 1d, label_delay: 1h, labels_min: 10, metrics: [roc_auc] }
`

describe.skipIf(!chromiumIsHere())('a life of a model, seen from its pages', () => {
  const work = mkdtempSync(join(tmpdir(), 'slipway-fares-'))
  let site: Site
  let client: Client
  let talk = ''
  const release: Record<number, string> = {}
  let prediction = ''
  let asked = 0

  beforeAll(async () => {
    await testEnvironment()
    site = await openSite()
    client = createClient({ url: site.app.url })
    writeFileSync(join(work, 'slipway.yaml'), PROJECT)
    const output = createOutput({ json: false, quiet: true })
    await applyProject(client, output, join(work, 'slipway.yaml'), false)
    talk = (await client.post<{ id: string }>(`${API}/pipelines/fares/chatter/runs`, {})).id
  }, 600_000)
  afterAll(async () => {
    await site?.close()
    rmSync(work, { recursive: true, force: true })
  })

  /** One request of the day, its label some minutes later; the distances are such that the model is nearly right. */
  const ride = async (at_ms: number) => {
    const distance = (asked * 7) % 10
    asked += 1
    const reply = await fetch(`${site.app.url}/serve/fare/invocations`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'slipway-key': `ride ${asked}`,
        'slipway-event-time': new Date(at_ms).toISOString(),
      },
      body: JSON.stringify({ dataframe_records: [{ distance, passengers: asked % 5 }] }),
    })
    expect(reply.status, await reply.text()).toBe(200)
    const id = reply.headers.get('slipway-prediction-id')!
    const value = distance > 4 !== (asked % 9 === 0) ? 1 : 0
    await client.post(`${API}/labels`, { labels: [{ prediction: id, value, observed_at: new Date(at_ms + HOUR / 2) }] })
    return id
  }
  const rides = async (day: number, many: number) => {
    for (let at = 0; at < many; at += 1) prediction = await ride(BEGIN + day * DAY + (at * 20 * HOUR) / many)
  }
  const releaseOf = (version: number) =>
    until(`a release of version ${version}`, async () => {
      const path = `${API}/releases?endpoint=fare&version=${version}`
      const [found] = (await client.get<{ items: { id: string; state: string; reason: string }[] }>(path)).items
      if (found && ['refused', 'rolled_back'].includes(found.state)) throw new Error(found.reason)
      return found
    })

  test(
    'Overview tells each change of a stage as it happens',
    async () => {
      const { page, problems } = await site.open('/')
      const stage = (name: string) =>
        page
          .getByRole('figure')
          .getByRole('listitem')
          .filter({ hasText: new RegExp(`^${name}`) })
      await stage('Deploy').getByText('nothing is live yet').waitFor()
      const { python } = await testEnvironment()
      const script = join(ROOT, 'server', 'test', 'journeys', 'failures_models.py')
      const child = spawn(python, [script, 'serves', join(ROOT, 'python', 'environment.lock')], {
        env: { ...process.env, MLFLOW_TRACKING_URI: site.app.url, GIT_PYTHON_REFRESH: 'quiet' },
        stdio: 'ignore',
      })
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
      await stage('Deploy').getByText('version 1 serves fare').waitFor({ timeout: LOADED_MS_MAX })
      await stage('Test').getByText('version 1 passed its gate').waitFor()
      await page.getByText(/since it was loaded/).waitFor()
      release[1] = (await releaseOf(1)).id
      expect(problems).toEqual([])
      await page.context().close()
    },
    LOADED_MS_MAX + 60_000,
  )

  test('Why tells a real answer whole: request, label, version, gate, run', async () => {
    await rides(0, 24)
    const { page, problems } = await site.open(`/why/${prediction}`)
    await page.getByText('The label came as').waitFor()
    const story = page.getByRole('main')
    await story.getByRole('link', { name: 'fare 1' }).first().waitFor()
    await story.getByRole('row', { name: /distance/ }).waitFor()
    expect(await faults(page)).toEqual([])
    expect(problems).toEqual([])
    await page.context().close()
  }, 60_000)

  test(
    'the steps of a canary move while one looks, up to live',
    async () => {
      const { model_versions } = await client.get<{ model_versions: { source: string; run_id: string }[] }>(
        '/api/2.0/mlflow/model-versions/search?filter=' + encodeURIComponent("name='fare'"),
      )
      const { source, run_id } = model_versions[0]!
      await client.post('/api/2.0/mlflow/model-versions/create', { name: 'fare', source, run_id })
      release[2] = (await releaseOf(2)).id
      const { page, problems } = await site.open(`/releases/${release[2]}`)
      await page.getByText('Step 1 of 2: the stable').waitFor({ timeout: LOADED_MS_MAX })
      await page.getByText('Guards: failures over 0 %').waitFor()
      const first = page.getByRole('progressbar', { name: 'Step 1' })
      expect(await first.getAttribute('aria-valuenow')).toBe('0')
      await rides(1, CANARY)
      await expect
        .poll(async () => Number(await first.getAttribute('aria-valuenow')), { timeout: 10_000 })
        .toBeGreaterThan(0)
      await page.getByText(/\d+ of 30 requests/).waitFor()
      await rides(2, 2 * CANARY)
      await page.getByText('All steps were held.').waitFor()
      await page.getByText('the canary held').first().waitFor()
      expect([...(await faults(page)), ...problems]).toEqual([])
      await page.context().close()
    },
    LOADED_MS_MAX + 60_000,
  )

  test('a live release is rolled back by its button, and the one before serves', async () => {
    const { page } = await site.open(`/releases/${release[2]}`)
    await page.getByRole('button', { name: 'Roll back' }).click()
    const dialog = page.getByRole('dialog', { name: 'Roll this release back?' })
    await dialog.getByText('go back to version 1').waitFor()
    await dialog.getByLabel('Reason').fill('it smells')
    await dialog.getByRole('button', { name: 'Roll back now' }).click()
    await dialog.waitFor({ state: 'detached' }).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${await dialog.textContent()}`)
    })
    await page.getByText('It was live; the release before it serves again.').waitFor()
    await page.getByText('it smells').first().waitFor()
    expect(await page.getByRole('button', { name: 'Roll back' }).count()).toBe(0)
    await page.goto(`/releases/${release[1]}`)
    await page.getByText('live', { exact: true }).first().waitFor()
    await page.context().close()
  }, 60_000)

  test('Monitor shows when releases went live and were taken back', async () => {
    const { page, problems } = await site.open('/monitors/fare-daily')
    await rides(3, 12)
    await rides(4, 1)
    await rides(5, 1)
    const chart = page.getByRole('img', { name: /^roc_auc by window/ })
    // The newest windows are computed once the watermark is past them.
    await expect
      .poll(() => chart.locator('title').allTextContents(), { timeout: 30_000 })
      .toEqual(expect.arrayContaining(['v2 live', 'v2 rolled back']))
    await page.getByText('No alert rule is stated.').waitFor()
    expect(problems).toEqual([])
    await page.context().close()
  }, 90_000)

  test("a step's log is shown to its end, however long it is", async () => {
    const { page, problems } = await site.open(`/pipeline-runs/${talk}`)
    const log = page.getByRole('log', { name: 'Log of talk' })
    await log.filter({ hasText: 'the last words' }).waitFor()
    await page.getByText(/letters before are left out here/).waitFor()
    expect([...(await faults(page)), ...problems]).toEqual([])
    await page.context().close()
  }, 60_000)

  test('the environment of a run: Python and packages', async () => {
    const { items } = await client.get<{ items: { run_id: string }[] }>(`${API}/runs?experiment=0&limit=5`)
    const { page } = await site.open(`/runs/${items[0]!.run_id}?tab=environment`)
    await page.getByLabel('Packages').getByText('scikit-learn').waitFor()
    expect(await faults(page)).toEqual([])
    await page.context().close()
  }, 60_000)

  test('the records around it are clean: model, version, endpoint, logged model, lineage, comparison', async () => {
    const { items } = await client.get<{ items: { run_id: string }[] }>(`${API}/runs?experiment=0&limit=5`)
    const { models } = await client.get<{ models: { model_id: string }[] }>(`${API}/runs/${items[0]!.run_id}`)
    const [one, two] = site.ids.runs
    const { page, problems } = await site.open('/models/fare')
    for (const [path, words] of [
      ['/models/fare', 'champion'],
      ['/models/fare/1', 'passengers'],
      ['/endpoints/fare', 'fare'],
      [`/logged-models/${models[0]!.model_id}`, 'Files'],
      [`/lineage?kind=release&id=${release[1]}`, 'fare'],
      [`/runs?compare=${one},${two}`, 'What differs'],
    ] as const) {
      await page.goto(path)
      await page.getByText(words).filter({ visible: true }).first().waitFor()
      await settled(page)
      expect([path, ...(await faults(page)), ...problems.splice(0)]).toEqual([path])
    }
    await page.context().close()
  }, 60_000)
})
