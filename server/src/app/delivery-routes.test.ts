import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALL_PERMISSIONS } from '#kernel/http/index.ts'
import { type GuardedApp, startGuardedApp } from '#kit/app.ts'
import { createClient } from '../cli/client.ts'
import { doctor } from '../cli/doctor.ts'

const PARKED = '/api/slipway/v1/deliveries/parked'
let at: GuardedApp
let client: ReturnType<typeof createClient>
beforeAll(async () => {
  at = await startGuardedApp()
  client = createClient({ url: at.app.url, token: await at.token(ALL_PERMISSIONS) })
}, 60_000)
afterAll(() => at?.close())

/** What `slipway doctor` says of deliveries; undefined when it says nothing of them. */
async function asked(who: ReturnType<typeof createClient>) {
  let findings: { check: string; verdict: string; words: string }[] = []
  const output = {
    answer(value: unknown) {
      findings = value as typeof findings
    },
  }
  const exit = await doctor({ cwd: at.app.parts.config.data, output, client: who } as never, {
    data: at.app.parts.config.data,
  })
  return { exit, said: findings.find(({ check }) => check === 'deliveries') }
}

test('a parked delivery is told by doctor, listed with its reason, tried again, and that is in the audit', async () => {
  const { store, events } = at.app.parts
  expect((await asked(client)).said).toMatchObject({ verdict: 'ok' })
  await client.post('/api/2.0/mlflow/registered-models/create', { name: 'churn' })
  await events.idle()
  const { seq } = await store.write(async (tx) => {
    const event = (await tx.get<{ seq: number }>(
      "SELECT seq FROM event WHERE workspace = 'default' AND name LIKE 'registry.%' ORDER BY seq DESC LIMIT 1",
    ))!
    await tx.run(
      `INSERT INTO event_delivery (workspace, subscriber, seq, state, attempts, due_ms, last_error)
       VALUES ('default', 'quality', ?, 'dead', 20, 0, 'no such column')`,
      [event.seq],
    )
    return event
  })
  expect(await client.get(PARKED)).toEqual({
    items: [
      {
        subscriber: 'quality',
        seq,
        name: 'registry.model-created',
        attempts: 20,
        last_error: 'no such column',
      },
    ],
  })
  const { exit, said } = await asked(client)
  expect(exit).toBe(1)
  expect(said).toMatchObject({ verdict: 'fail', words: expect.stringContaining(`${PARKED}/quality/${seq}/retry`) })
  // Without the right nothing is told; with it in another workspace there is nothing.
  const reader = createClient({ url: at.app.url, token: await at.token(['audit.read']) })
  expect((await asked(reader)).said).toBeUndefined()
  const elsewhere = createClient({ url: at.app.url, token: await at.token(ALL_PERMISSIONS, 'elsewhere') })
  expect(await elsewhere.get(PARKED)).toEqual({ items: [] })
  await expect(elsewhere.post(`${PARKED}/quality/${seq}/retry`)).rejects.toMatchObject({ problem: 'not-found' })

  await client.post(`${PARKED}/quality/${seq}/retry`)
  await events.idle()
  expect(await client.get(PARKED)).toEqual({ items: [] })
  await expect(client.post(`${PARKED}/quality/${seq}/retry`)).rejects.toMatchObject({ problem: 'not-found' })
  const { items } = await client.get<{ items: object[] }>('/api/slipway/v1/audit?name=events.')
  expect(items).toMatchObject([{ name: 'events.delivery-retried', after: { subscriber: 'quality', seq } }])
}, 60_000)
