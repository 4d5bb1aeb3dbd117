import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GuardedApp, startGuardedApp } from '#kit/app.ts'

let it: GuardedApp
let token: string

const get = async (path: string) => {
  const reply = await fetch(`${it.app.url}/api/slipway/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
  return { status: reply.status, body: (await reply.json()) as never as Record<string, never> }
}
const stages = async (): Promise<Record<string, string>> => {
  const { body } = await get('/overview')
  const [project] = body.projects as never as { stages: { stage: string; state: string; words: string }[] }[]
  return Object.fromEntries(project!.stages.map(({ stage, state, words }) => [stage, `${state}: ${words}`]))
}

beforeAll(async () => {
  it = await startGuardedApp()
  token = await it.token(['insight.read'])
})
afterAll(() => it.close())

test('nothing is applied, nothing is busy', async () => {
  expect((await get('/overview')).body).toEqual({ projects: [] })
  await expect.poll(async () => (await get('/busy')).body.total, { timeout: 15_000 }).toBe(0)
})

test('each stage says what it does, or why it does not apply', async () => {
  const { store, projects, serving, registry, releases } = it.app.parts
  await store.write((tx) =>
    projects.record(tx, it.ada, { project: 'flights', yaml: 'project: flights', digest: 'sha256:1', code: 'sha256:2' }),
  )
  expect(await stages()).toMatchObject({
    Source: 'ok: version 1, applied by Ada',
    Build: 'not-applicable: the project has no pipeline',
    Merge: expect.stringContaining('not-applicable: no forge is connected'),
    Test: expect.stringContaining('not-applicable'),
    Deploy: 'not-applicable: the project has no endpoint',
    Monitor: 'not-applicable: nothing is served',
  })
  await store.write((tx) =>
    serving.applyEndpoint(tx, it.ada, { project: 'flights', name: 'delay', spec: { model: 'flight-delay' } }),
  )
  expect(await stages()).toMatchObject({
    Test: 'waiting: no candidate was judged yet',
    Deploy: 'waiting: nothing is live yet',
    Monitor: 'waiting: no window was computed yet',
  })

  await store.write((tx) => registry.createModel(tx, it.ada, { name: 'flight-delay', tags: [] }))
  const version = { name: 'flight-delay', source: 's3://bucket/model' }
  const texts = await registry.prepareVersion((work) => store.read(work), 'default', version)
  await store.write((tx) => registry.createVersion(tx, it.ada, version, texts))
  const { id } = await store.write((tx) => releases.propose(tx, it.ada, { endpoint: 'delay', version: 1 }))
  expect((await get('/busy')).body.parts).toMatchObject({ releases: 1, retrainings: 0 })
  await store.write((tx) => releases.refuse(tx, it.ada, id, 'not this one'))
  expect((await get('/busy')).body.parts).toMatchObject({ releases: 0 })

  const found = (await get(`/search?q=${id}`)).body.items
  expect(found).toEqual([{ kind: 'release', id, label: 'flight-delay v1 → delay (refused)' }])
  const named = (await get('/search?q=FLIGHT')).body.items as never as { kind: string }[]
  expect(named.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['project', 'model', 'release']))
})

test('a prediction that is not in the log is not found, with what may have become of it', async () => {
  const { status, body } = await get(`/why/prd_${'0'.repeat(32)}`)
  expect(status).toBe(404)
  expect(body).toMatchObject({ field: 'prediction', remedy: expect.stringContaining('lost with a crash') })
})
