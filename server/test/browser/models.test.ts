import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { faults, openSite, type Site } from './pages.ts'

const PHONE = { width: 390, height: 844 }
const DIGEST = `sha256:${'ab'.repeat(32)}`

describe.skipIf(!chromiumIsHere())('versions, boards and clients in a browser', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
    const { url } = site.app
    const { experiment, runs } = site.ids
    const post = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json', 'user-agent': 'mlflow-python-client/3.17.0' }
      const reply = await fetch(`${url}/api/2.0/mlflow${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      expect(reply.status).toBe(200)
    }
    await post('/registered-models/create', { name: 'fare' })
    for (const [at, run_id] of runs.entries()) {
      const folder = `${url}/api/2.0/mlflow-artifacts/artifacts/${experiment}/${run_id}/artifacts/model`
      const inputs = JSON.stringify([{ name: 'km', type: at === 0 ? 'double' : 'long', required: true }])
      const files = {
        MLmodel: `flavors:\n  python_function:\n    loader_module: x\nsignature:\n  inputs: '${inputs}'\n`,
        'requirements.txt': `scikit-learn==1.5.${at}\nnumpy==2.0.0\n`,
        'model.pkl': `weights ${at}`,
      }
      for (const [name, body] of Object.entries(files))
        expect((await fetch(`${folder}/${name}`, { method: 'PUT', body })).status).toBe(200)
      const source = `mlflow-artifacts:/${experiment}/${run_id}/artifacts/model`
      await post('/model-versions/create', { name: 'fare', source, run_id })
    }
  }, 400_000)
  afterAll(() => site?.close())

  test('two versions side by side: what differs, and on request what is equal', async () => {
    const { page, problems } = await site.open('/models/fare/compare?versions=1,2')
    const params = page.getByRole('region', { name: 'Parameters' })
    await params.getByRole('row', { name: 'depth 4 8' }).waitFor()
    await page.getByRole('region', { name: 'Metrics' }).getByText('▲').first().waitFor()
    await page.getByRole('region', { name: 'Signature: inputs' }).getByRole('row', { name: 'km double long' }).waitFor()
    const environment = page.getByRole('region', { name: 'Environment' })
    await environment.getByRole('row', { name: 'scikit-learn ==1.5.0 ==1.5.1' }).waitFor()
    await page.getByRole('region', { name: 'Files' }).getByText('model.pkl').waitFor()
    expect(await environment.getByText('numpy').count()).toBe(0)
    await page.getByLabel('Show what is equal, too').click()
    await environment.getByRole('row', { name: 'numpy ==2.0.0 ==2.0.0' }).waitFor()
    expect(new URL(page.url()).searchParams.get('same')).toBe('1')
    expect([...(await faults(page)), ...problems]).toEqual([])
    await page.setViewportSize(PHONE)
    expect(await faults(page)).toEqual([])
    await page.context().close()
  }, 120_000)

  test('Compatibility: clients, their endpoints, and what is not supported', async () => {
    const call = {
      client: 'mlflow-python-client',
      version: '3.17.0',
      method: 'POST',
      last_seen: new Date().toISOString(),
    }
    const items = [
      { ...call, endpoint: '/api/3.0/mlflow/traces', supported: false, count: 3, note: 'Traces come later.' },
      { ...call, endpoint: '/api/2.0/mlflow/runs/create', supported: true, count: 1200, note: null },
    ]
    const stubs = { '/compatibility': { items } }
    const { page, problems } = await site.open('/compatibility', { stubs })
    await page.getByText('1 endpoint that clients called is not supported.').waitFor()
    await page.getByRole('cell', { name: 'Traces come later.' }).waitFor()
    await page.getByLabel('Only what is not supported').click()
    await page.getByText('POST /api/2.0/mlflow/runs/create').waitFor({ state: 'detached' })
    expect(new URL(page.url()).searchParams.get('only')).toBe('missing')
    expect([...(await faults(page)), ...problems]).toEqual([])
    await page.context().close()
    const real = await fetch(`${site.app.url}/api/slipway/v1/compatibility`)
    expect(Object.keys(((await real.json()) as { items: object[] }).items[0] ?? items[0]!)).toEqual(
      expect.arrayContaining(['client', 'version', 'method', 'endpoint', 'supported', 'count', 'last_seen']),
    )
  }, 120_000)

  test('images, histograms and texts have a tab when a run has some', async () => {
    const { run } = site.ids
    const tag = (kind: string, name: string) => ({ kind, tag: name, records: 2, first_step: 0, last_step: 10 })
    const at = new Date().toISOString()
    const { page, problems } = await site.open('/experiments', {
      stubs: {
        [`/runs/${run}/board`]: { items: [tag('histogram', 'weights'), tag('text', 'notes'), tag('image', 'digits')] },
      },
    })
    await page.route('**/board/records?*', (route) => {
      const kind = new URL(route.request().url()).searchParams.get('kind')
      const buckets = (shift: number) => [0, 1, 2, 3].map((left) => [left + shift, left + 1 + shift, 4 - left])
      const of = { histogram: { buckets: buckets(0) }, text: { text: 'a **bold** note' }, image: { image: DIGEST } }
      const record = { step: 0, at, ...of[kind as 'text'] }
      return route.fulfill({ json: { items: [record, { ...record, step: 10 }] } })
    })
    await page.route('**/board/images/*', (route) =>
      route.fulfill({
        contentType: 'image/svg+xml',
        body: '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><circle cx="14" cy="14" r="9"/></svg>',
      }),
    )
    await page.goto(`/runs/${run}`)
    await page.getByRole('tab', { name: /Board 3/ }).click()
    await page.getByRole('img', { name: /^weights: histograms of 2 steps, values from 0 to 4/ }).waitFor()
    await page.getByRole('img', { name: 'digits, step 10' }).waitFor()
    await page.getByText('bold').first().waitFor()
    expect([...(await faults(page)), ...problems]).toEqual([])
    await page.goto(`/runs/${site.ids.runs[0]}`)
    await page.getByRole('tab', { name: /Artifacts/ }).waitFor()
    expect(await page.getByRole('tab', { name: /Board/ }).count()).toBe(0)
    await page.context().close()
  }, 120_000)
})
