import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumIsHere } from '#kit/chromium.ts'
import { faults, openSite, type Site } from './pages.ts'

/** Tries everything that a page of ours could, and writes down what came of it. */
const HOSTILE = `<!doctype html><html lang="en"><title>report</title><h1>A report</h1><pre id="out"></pre><script>
const out = {}
const tried = (name, act) => { try { out[name] = String(act()) } catch (error) { out[name] = error.name } }
tried('origin', () => self.origin)
tried('cookie', () => document.cookie)
tried('set_cookie', () => { document.cookie = 'mine=1' })
tried('local', () => localStorage.getItem('secret'))
tried('session', () => sessionStorage.getItem('secret'))
tried('parent', () => parent.document.title)
tried('top', () => top.location.href)
if (top !== self) tried('leave', () => { top.location.href = '/experiments' })
tried('popup', () => open('/experiments'))
tried('worker', () => navigator.serviceWorker.register('/x.js'))
const asked = (name, promise) => promise.then((said) => { out[name] = said }, (error) => { out[name] = error.name })
const loads = (tag, field, url) => new Promise((done) => {
  const element = document.createElement(tag)
  element.onload = () => done('loaded')
  element.onerror = () => done('refused')
  element[field] = url
  document.body.append(element)
})
Promise.all([
  asked('api', fetch('/api/slipway/v1/me', { credentials: 'include' }).then((reply) => 'answered ' + reply.status)),
  asked('write', fetch('/api/slipway/v1/run-views', { method: 'POST', mode: 'no-cors', body: '{}' }).then(() => 'sent')),
  asked('image', loads('img', 'src', '/api/slipway/v1/me?image')),
  asked('script', loads('script', 'src', '/api/slipway/v1/me?script')),
  asked('database', new Promise((done) => { indexedDB.open('x').onsuccess = () => done('opened') })),
]).then(() => { document.querySelector('#out').textContent = JSON.stringify(out) })
</script></html>`

const REFUSED = {
  origin: 'null',
  cookie: 'SecurityError',
  set_cookie: 'SecurityError',
  local: 'SecurityError',
  session: 'SecurityError',
  api: 'TypeError',
  write: 'TypeError',
  image: 'refused',
  script: 'refused',
}

const PLOTLY = `<html><head><meta charset="utf-8" /></head><body><script src="https://cdn.example.org/plotly-3.0.1.min.js"></script>
<script>Plotly.newPlot("x", [{"type":"scatter","mode":"lines+markers","name":"roc","x":[0,0.5,1],"y":[0,0.8,1]}],
{"title":{"text":"ROC curve"},"xaxis":{"title":{"text":"false positives"}}}, {"responsive": true})</script></body></html>`

const FILES: Record<string, string | (() => Uint8Array)> = {
  'report.html': HOSTILE,
  'leaver.html': '<h1>leaver</h1><script>location.href = "http://127.0.0.1:9/leak"</script>',
  'roc.html': PLOTLY,
  'log.txt': Array.from({ length: 16_000 }, (_, at) => `line ${at + 1} of the log ${'.'.repeat(90)}`).join('\n'),
  'NOTES.md': '# Findings\n\n- **depth** matters\n- see `auc`\n\n| a | b |\n|---|---|\n| 1 | <script>x</script> |\n',
  'table.csv': 'name,score\n"Smith, ""J""",0.5\nplain,0.7\n',
  'answers.json': JSON.stringify({ columns: ['question', 'answer'], data: [['why', 'because']] }),
  'bars.json': JSON.stringify({ data: [{ type: 'bar', x: ['tree', 'line'], y: [3, 5], name: 'wins' }], layout: {} }),
  'mark.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><rect width="60" height="40" fill="teal"/></svg>',
  'weights.pkl': 'opaque',
  'broken.parquet': 'this is no parquet',
}

describe.skipIf(!chromiumIsHere())('artifacts in a browser', () => {
  let site: Site
  let run: string
  let shared: Awaited<ReturnType<Site['open']>>
  beforeAll(async () => {
    site = await openSite()
    run = site.ids.run
    const dir = mkdtempSync(join(tmpdir(), 'slipway-parquet-'))
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const file = join(dir, 'rides.parquet')
    await connection.run(
      `COPY (SELECT range AS id, 'ride ' || range AS name FROM range(1500)) TO '${file}' (FORMAT parquet)`,
    )
    connection.closeSync()
    FILES['rides.parquet'] = () => readFileSync(file)
    for (const [name, body] of Object.entries(FILES)) {
      const path = `/api/2.0/mlflow-artifacts/artifacts/${site.ids.experiment}/${run}/artifacts/views/${name}`
      const bytes = typeof body === 'string' ? body : new Uint8Array(body())
      const reply = await fetch(site.app.url + path, { method: 'PUT', body: bytes })
      expect(reply.status).toBe(200)
    }
    rmSync(dir, { recursive: true })
    shared = await site.open('/experiments')
  }, 400_000)
  afterAll(() => site?.close())

  const look = (page: Page, name: string) => page.goto(`/runs/${run}?tab=artifacts&file=views%2F${name}`)
  const preview = (page: Page) => page.getByRole('region', { name: 'Preview' })

  test('a hostile page in its frame reads no cookie, no storage, nothing of ours, and calls no server', async () => {
    const { page } = await site.open('/experiments')
    await page.context().addCookies([{ name: 'probe', value: 'secret', url: site.app.url }])
    await page.evaluate("localStorage.setItem('secret', 'x'); sessionStorage.setItem('secret', 'x')")
    const answered: string[] = []
    page.on('response', (response) => {
      if (response.frame() !== page.mainFrame()) answered.push(new URL(response.url()).pathname)
    })
    await look(page, 'report.html')
    const out = page.frameLocator('iframe').locator('#out')
    await out.filter({ hasText: '{' }).waitFor()
    const said = JSON.parse((await out.textContent())!) as Record<string, string>
    expect(said).toMatchObject(REFUSED)
    expect([said.parent, said.top, said.leave]).toEqual(['SecurityError', 'SecurityError', 'SecurityError'])
    expect([said.popup, said.database]).toEqual(['null', 'SecurityError'])
    expect(answered).toEqual([`/api/slipway/v1/runs/${run}/artifacts/page`])
    expect(new URL(page.url()).pathname).toBe(`/runs/${run}`)

    // Opened by itself, at our own address, it is as far away.
    await page.goto(`/api/slipway/v1/runs/${run}/artifacts/page?path=views%2Freport.html`)
    await page.locator('#out').filter({ hasText: '{' }).waitFor()
    const alone = JSON.parse((await page.locator('#out').textContent())!) as Record<string, string>
    expect(alone).toMatchObject(REFUSED)
    await page.context().close()
  }, 120_000)

  test('a page cannot carry what it holds elsewhere by leaving its frame', async () => {
    const { page, problems } = shared
    await look(page, 'leaver.html')
    await page.getByText('The page is walled in').waitFor()
    await expect.poll(() => problems.some((each) => /frame-src/.test(each)), { timeout: 30_000 }).toBe(true)
    expect(problems.splice(0).filter((each) => each.startsWith('the page asked for'))).toEqual([])
  }, 120_000)

  test('the page route answers pages only, and nobody else may frame them', async () => {
    const at = (path: string) => fetch(`${site.app.url}/api/slipway/v1/runs/${run}/artifacts/page?path=${path}`)
    const page = await at('views/report.html')
    expect(page.headers.get('content-security-policy')).toMatch(/^sandbox allow-scripts; .*frame-ancestors 'self'$/)
    expect(page.headers.get('content-security-policy')).not.toContain('allow-same-origin')
    expect((await at('views/log.txt')).status).toBe(400)
    expect((await at('views/none.html')).status).toBe(404)
    expect((await at('../../secret.html')).status).toBeGreaterThanOrEqual(400)
  })

  test('text with numbered lines, and the rest on demand', async () => {
    const { page, problems } = shared
    await look(page, 'log.txt')
    await page.getByText(/The first 1\.0 MB of 1\.\d MB/).waitFor()
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByText('The first').waitFor({ state: 'detached' })
    const text = (await page.getByLabel('views/log.txt').textContent())!
    expect(text).toContain('line 16000 of the log')
    expect(text).toContain('1\n2\n3\n')
    expect(problems.splice(0)).toEqual([])
  }, 120_000)

  test('each kind of file is shown as what it is, chosen in the tree', async () => {
    const { page, problems } = shared
    await look(page, 'NOTES.md')
    const views = {
      'NOTES.md': page.getByRole('heading', { name: 'Findings' }),
      'table.csv': page.getByRole('cell', { name: 'Smith, "J"' }),
      'answers.json': page.getByRole('columnheader', { name: 'answer' }),
      'bars.json': page.getByRole('img', { name: 'views/bars.json: wins, 2 values' }),
      'roc.html': page.getByRole('img', { name: 'ROC curve: roc, 3 values' }),
      'mark.svg': page.getByRole('img', { name: 'views/mark.svg' }),
    }
    for (const [name, shown] of Object.entries(views)) {
      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click()
      await shown.waitFor()
      if (name === 'NOTES.md') await page.getByText('<script>x</script>').waitFor()
      expect([name, ...(await faults(page)), ...problems.splice(0)]).toEqual([name])
    }
    expect(new URL(page.url()).searchParams.get('file')).toBe('views/mark.svg')
  }, 120_000)

  test('Parquet by its first thousand rows', async () => {
    const { page, problems } = shared
    await look(page, 'rides.parquet')
    await page.getByText('1,500 rows, 2 columns; the first 1,000 are shown').waitFor({ timeout: 90_000 })
    expect(await page.locator('[aria-label="views/rides.parquet"] tbody tr:last-child').textContent()).toBe(
      '1,000999ride 999',
    )
    expect(problems.splice(0)).toEqual([])
  }, 120_000)

  test('what cannot be shown is said, with the way to have it', async () => {
    const { page } = shared
    await look(page, 'weights.pkl')
    await page.getByText('There is no view of this kind of file').waitFor()
    await page.getByRole('button', { name: /^broken\.parquet/ }).click()
    await preview(page).getByText('Is it a Parquet file?').waitFor()
    expect(await preview(page).textContent()).not.toMatch(/\/(tmp|blobs)\//)
  }, 120_000)
})
