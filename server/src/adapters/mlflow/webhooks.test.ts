import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningApp, startApp } from '#app/start.ts'
import { silentLog } from '#kernel/log.ts'
import { readConfig } from '../../config.ts'
import { SAMPLES } from './webhook-events.ts'

const API = '/api/2.0/mlflow'

interface Told {
  entity: string
  action: string
  workspace: string
  data: Record<string, unknown>
}

let app: RunningApp
let receiver: Server
let address: string
const told: Told[] = []
const dir = mkdtempSync(join(tmpdir(), 'slipway-webhooks-'))

beforeAll(async () => {
  receiver = createServer((request, reply) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      if (request.url === '/hook') told.push(JSON.parse(body))
      reply.writeHead(request.url === '/hook' ? 200 : 418).end('heard')
    })
  })
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  const { port } = receiver.address() as AddressInfo
  address = `http://127.0.0.1:${port}`
  const flags = { data: dir, port: '0', dev: 'true', 'outbound.allow': `127.0.0.1:${port}` }
  app = await startApp(readConfig({ flags, env: {}, cwd: dir }), { log: silentLog })
}, 60_000)
afterAll(async () => {
  await app?.stop()
  receiver?.close()
  rmSync(dir, { recursive: true, force: true })
})

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${app.url}${API}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const every = Object.keys(SAMPLES).map((topic) => {
  const [entity, action] = topic.toUpperCase().split('.')
  return { entity, action }
})

test("webhooks are made, listed, tested, changed and deleted on MLflow's wire", async () => {
  const made = await call('POST', '/webhooks', {
    name: 'ci',
    description: 'starts a build',
    url: `${address}/hook`,
    events: [{ entity: 'MODEL_VERSION', action: 'CREATED' }],
    secret: 'hush',
    unknown: 1,
  })
  expect(made.status).toBe(200)
  const { webhook } = made.body as { webhook: Record<string, unknown> }
  expect(webhook).toEqual({
    webhook_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    name: 'ci',
    description: 'starts a build',
    url: `${address}/hook`,
    events: [{ entity: 'MODEL_VERSION', action: 'CREATED' }],
    status: 'ACTIVE',
    creation_timestamp: expect.any(Number),
    last_updated_timestamp: expect.any(Number),
  })
  const at = `/webhooks/${webhook.webhook_id}`
  expect(await call('POST', `${at}/test`, {})).toMatchObject({
    body: { result: { success: true, response_status: 200, response_body: 'heard' } },
  })
  const event = { entity: 'PROMPT_ALIAS', action: 'DELETED' }
  expect(await call('POST', `${at}/test`, { event })).toMatchObject({ body: { result: { success: true } } })
  expect(told.splice(0).map(({ entity, action, data }) => [entity, action, data.name])).toEqual([
    ['model_version', 'created', 'example_model'],
    ['prompt_alias', 'deleted', 'example_prompt'],
  ])
  const changed = await call('PATCH', at, { status: 'DISABLED', url: `${address}/elsewhere`, description: '' })
  expect(changed.body).toMatchObject({ webhook: { status: 'DISABLED', name: 'ci', description: '' } })
  expect(await call('POST', `${at}/test`, {})).toMatchObject({
    body: { result: { success: false, response_status: 418 } },
  })
  await call('POST', '/webhooks', { name: 'two', url: `${address}/hook`, events: every.slice(0, 1) })
  const first = await call('GET', '/webhooks?max_results=1')
  expect(first.body.webhooks).toHaveLength(1)
  const second = await call('GET', `/webhooks?max_results=1&page_token=${first.body.next_page_token}`)
  expect(second.body).toMatchObject({ webhooks: [{ name: 'two' }] })
  expect(second.body.next_page_token).toBeUndefined()
  expect(JSON.stringify([made, changed, first, await call('GET', at)])).not.toMatch(/hush|secret/)
  const two = (second.body.webhooks as { webhook_id: string }[])[0]!
  for (const id of [webhook.webhook_id, two.webhook_id])
    expect((await call('DELETE', `/webhooks/${id}`)).status).toBe(200)
  expect(await call('GET', at)).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } })
})

test.each([
  ['no events', { name: 'a', url: 'https://example.com' }, "Missing value for required parameter 'events'"],
  ['an empty list', { name: 'a', url: 'https://example.com', events: [] }, 'non-empty list'],
  [
    'a pair that there is not',
    { name: 'a', url: 'https://example.com', events: [{ entity: 'MODEL_VERSION', action: 'SET' }] },
    "Invalid action 'set'",
  ],
  ['a private address', { name: 'a', url: 'http://10.0.0.1/x', events: every }, 'Invalid webhook URL'],
  ['a bad name', { name: 'a b', url: 'https://example.com', events: every }, 'Webhook name'],
])('%s is refused as MLflow refuses it', async (_, body, text) => {
  const answer = await call('POST', '/webhooks', body)
  expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } })
  expect(answer.body.message).toContain(text)
})

test('each change of the registry is told in the words of MLflow, prompts as prompts', async () => {
  await call('POST', '/webhooks', { name: 'all', url: `${address}/hook`, events: every })
  const tags = (more: Record<string, string>) => Object.entries(more).map(([key, value]) => ({ key, value }))
  const prompt = { 'mlflow.prompt.is_prompt': 'true' }
  const steps: [string, string, unknown][] = [
    ['POST', '/registered-models/create', { name: 'churn', description: 'who leaves', tags: tags({ a: '1' }) }],
    ['POST', '/registered-models/set-tag', { name: 'churn', key: 'quiet', value: 'yes' }],
    ['POST', '/model-versions/create', { name: 'churn', source: 's3://bucket/m', tags: tags({ b: '2' }) }],
    ['POST', '/model-versions/set-tag', { name: 'churn', version: '1', key: 'k', value: 'v' }],
    ['DELETE', '/model-versions/delete-tag', { name: 'churn', version: '1', key: 'k' }],
    ['POST', '/registered-models/alias', { name: 'churn', alias: 'champion', version: '1' }],
    ['DELETE', '/registered-models/alias', { name: 'churn', alias: 'champion' }],
    ['POST', '/registered-models/create', { name: 'greet', tags: tags(prompt) }],
    [
      'POST',
      '/model-versions/create',
      { name: 'greet', source: 'dummy-source', tags: tags({ ...prompt, 'mlflow.prompt.text': 'Hi' }) },
    ],
    ['POST', '/registered-models/set-tag', { name: 'greet', key: 'k', value: 'v' }],
    ['POST', '/model-versions/set-tag', { name: 'greet', version: '1', key: 'k', value: 'v' }],
    ['POST', '/registered-models/alias', { name: 'greet', alias: 'live', version: '1' }],
  ]
  const { events, jobs } = app.parts
  for (const [method, path, body] of steps) {
    expect((await call(method, path, body)).status, path).toBe(200)
    await events.idle()
    await jobs.idle()
  }
  expect(told.map(({ entity, action, data }) => [`${entity}.${action}`, data])).toEqual([
    ['registered_model.created', { name: 'churn', tags: { a: '1' }, description: 'who leaves' }],
    [
      'model_version.created',
      { name: 'churn', version: '1', source: 's3://bucket/m', run_id: null, tags: { b: '2' }, description: null },
    ],
    ['model_version_tag.set', { name: 'churn', version: '1', key: 'k', value: 'v' }],
    ['model_version_tag.deleted', { name: 'churn', version: '1', key: 'k' }],
    ['model_version_alias.created', { name: 'churn', alias: 'champion', version: '1' }],
    ['model_version_alias.deleted', { name: 'churn', alias: 'champion' }],
    ['prompt.created', { name: 'greet', tags: {}, description: null }],
    ['prompt_version.created', { name: 'greet', version: '1', template: 'Hi', tags: {}, description: null }],
    ['prompt_tag.set', { name: 'greet', key: 'k', value: 'v' }],
    ['prompt_version_tag.set', { name: 'greet', version: '1', key: 'k', value: 'v' }],
    ['prompt_alias.created', { name: 'greet', alias: 'live', version: '1' }],
  ])
  expect(told.every(({ workspace }) => workspace === 'default')).toBe(true)
}, 60_000)
