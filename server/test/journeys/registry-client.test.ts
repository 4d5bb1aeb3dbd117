import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { mlflowEnvironment } from '#kit/mlflow-client.ts'
import { type MlflowServer, startMlflowServer } from '#kit/mlflow-server.ts'
import { testStore } from '#kit/store.ts'

const RELEASE = { kind: 'release', id: 'rel_1' } as const
const WHY = 'release rel_1 serves it at endpoint live'

let server: MlflowServer
let python: string
beforeAll(async () => {
  python = (await mlflowEnvironment()).python
  server = await startMlflowServer(testStore)
}, 600_000)
afterAll(() => server?.close())

/** The script as a program of its own: it knows the address and nothing else of us. One step in, one answer out. */
function startClient() {
  const child = spawn(python, [join(import.meta.dirname, 'registry_client.py')], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      MLFLOW_TRACKING_URI: server.url,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
    },
  })
  let told = ''
  child.stderr.on('data', (text) => {
    told = `${told}${text}`.slice(-10_000)
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async step(...words: string[]) {
      child.stdin.write(`${words.join(' ')}\n`)
      for (;;) {
        const { value, done } = await lines.next()
        if (done) throw new Error(`the client ended at ${words[0]}:\n${told}`)
        if (value.startsWith('{')) return JSON.parse(value)
      }
    },
    stop: () => child.kill(),
  }
}

test('an unmodified client registers, copies, loads and finds models, and cannot break what is live', async () => {
  const client = startClient()
  onTestFinished(() => void client.stop())
  const made = await client.step('register')
  expect(await client.step('prompts')).toEqual({})
  const ids = [made.run_id, made.model_id, made.experiment_id]
  await server.store.write(async (tx) => {
    await server.registry.holdFor(tx, 'default', { name: 'churn', version: 1 }, RELEASE, WHY)
    await server.holds.place(tx, 'default', { kind: 'model', id: 'churn@champion' }, RELEASE, WHY)
  })
  const { texts } = await client.step('held', ...ids)
  for (const text of texts) expect(text).toContain(WHY)
  expect(texts[3]).toContain('so a release moves it')
  await server.store.write((tx) => server.holds.release(tx, 'default', RELEASE))
  expect(await client.step('freed', ...ids)).toEqual({ models: ['churn-prod'] })
}, 240_000)
