import { expect, test } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import {
  createEvents,
  type Edge,
  event,
  eventsMigrations,
  type Subject,
  type SubjectKind,
} from '#kernel/events/index.ts'
import { createRoutes, systemWho } from '#kernel/http/index.ts'
import { createServer } from '#kernel/http/server.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import { eachStore } from '#kit/store.ts'
import { createLineage, lineageRoutes } from './index.ts'

const told = event<null>('test.told', 'Something was told.')

/** `run:a` as a thing. */
const thing = (text: string): Subject => {
  const [kind, id] = text.split(':')
  return { kind: kind as SubjectKind, id: id! }
}
const edge = (from: string, to: string, relation = 'output'): Edge => ({ from: thing(from), to: thing(to), relation })

eachStore('lineage', (open) => {
  async function build(edges: readonly Edge[], workspace = 'default') {
    const clock = manualClock()
    const ids = createIds(clock, systemRandom)
    const { store, close } = await open({ migrations: [eventsMigrations] })
    const events = createEvents({ store, clock, ids, log: silentLog, random: systemRandom })
    const lineage = createLineage({
      describers: {
        run: async (_sql, _workspace, some) =>
          new Map(some.filter((id) => id !== 'gone').map((id) => [id, { label: `Run ${id}`, state: 'FINISHED' }])),
      },
    })
    const tell = (some: readonly Edge[], where = workspace) =>
      store.write((tx) =>
        events.record(tx, told, { who: systemWho(where), subject: thing('job:x'), after: null, edges: some }),
      )
    for (let first = 0; first < edges.length; first += 2_000) await tell(edges.slice(first, first + 2_000))
    const walk = (start: string, direction: 'up' | 'down' | 'both', depth = 20, limit = 500) =>
      store.read((sql) => lineage.walk(sql, workspace, { start: thing(start), direction, depth, limit }))
    return { store, close, lineage, tell, walk, clock, ids }
  }
  const ids = (nodes: readonly Subject[]) => nodes.map(({ kind, id }) => `${kind}:${id}`).sort()

  const CHAIN = [
    edge('dataset-version:d1', 'run:r1', 'input'),
    edge('run:r1', 'model-version:churn/1', 'registered'),
    edge('model-version:churn/1', 'revision:v1', 'served-by'),
    edge('revision:v1', 'endpoint:live', 'part-of'),
    edge('run:gone', 'model-version:churn/1', 'registered'),
  ]

  test('walks up, down and both ways, with labels and distances', async () => {
    const at = await build(CHAIN)
    const both = await at.walk('model-version:churn/1', 'both')
    expect(both.truncated).toBe(false)
    expect(both.edges).toHaveLength(5)
    expect(both.nodes.map(({ kind, label, state, distance }) => [kind, label, state, distance])).toEqual([
      ['model-version', 'churn/1', undefined, 0],
      ['run', 'gone', undefined, -1],
      ['run', 'Run r1', 'FINISHED', -1],
      ['dataset-version', 'd1', undefined, -2],
      ['revision', 'v1', undefined, 1],
      ['endpoint', 'live', undefined, 2],
    ])
    expect(ids((await at.walk('run:r1', 'down')).nodes)).toEqual([
      'endpoint:live',
      'model-version:churn/1',
      'revision:v1',
      'run:r1',
    ])
    expect(ids((await at.walk('run:r1', 'up')).nodes)).toEqual(['dataset-version:d1', 'run:r1'])
    expect(await at.walk('run:unknown', 'both')).toMatchObject({ nodes: [{ id: 'unknown' }], edges: [] })
    await at.close()
  })

  test('ends in a cycle, and at its depth', async () => {
    const ring = Array.from({ length: 6 }, (_, i) => edge(`run:${i}`, `run:${(i + 1) % 6}`))
    const at = await build(ring)
    const whole = await at.walk('run:0', 'down')
    expect([whole.nodes.length, whole.edges.length, whole.truncated]).toEqual([6, 6, false])
    const short = await at.walk('run:0', 'down', 2)
    expect(ids(short.nodes)).toEqual(['run:0', 'run:1', 'run:2'])
    expect(short.truncated).toBe(true)
    expect(short.nodes.filter(({ cut }) => cut)).toMatchObject([{ id: '2' }])
    await at.close()
  })

  test('a wide graph is cut at 500 things and says so', async () => {
    const fan = Array.from({ length: 1_200 }, (_, i) => edge('dataset-version:d', `run:${i}`, 'input'))
    const at = await build(fan)
    const graph = await at.walk('dataset-version:d', 'down')
    expect(graph.nodes).toHaveLength(500)
    expect(graph.truncated).toBe(true)
    const radius = await at.store.read((sql) => at.lineage.blastRadius(sql, 'default', thing('dataset-version:d')))
    expect(radius).toMatchObject({ counts: { run: 499 }, truncated: true })
    await at.close()
  })

  test('the blast radius counts what stands on a thing and names what serves', async () => {
    const at = await build(CHAIN)
    const radius = await at.store.read((sql) => at.lineage.blastRadius(sql, 'default', thing('dataset-version:d1')))
    expect(radius.counts).toEqual({ run: 1, 'model-version': 1, revision: 1, endpoint: 1 })
    expect(ids(radius.serving)).toEqual(['endpoint:live', 'revision:v1'])
    await at.close()
  })

  test('sees its own workspace alone', async () => {
    const at = await build(CHAIN)
    await at.tell([edge('run:r1', 'model-version:secret/1')], 'other')
    expect((await at.walk('run:r1', 'down')).nodes.map(({ id }) => id)).not.toContain('secret/1')
    await at.close()
  })

  test('answers over HTTP and names what is wrong with a question', async () => {
    const at = await build(CHAIN)
    const app = createServer({ log: silentLog, ids: at.ids, dev: false, hosts: [] })
    const { route } = createRoutes({ ...at, doorman: { identify: async () => systemWho() } })
    lineageRoutes(app, { route, lineage: at.lineage })
    const get = (query: string) =>
      app.inject({ url: `/api/slipway/v1/lineage${query}`, headers: { host: 'localhost' } })
    const graph = (await get('?kind=run&id=r1&direction=down&depth=1')).json()
    expect(ids(graph.nodes)).toEqual(['model-version:churn/1', 'run:r1'])
    expect(graph.edges[0]).toMatchObject({ relation: 'registered', at: '2026-01-01T00:00:00.000Z' })
    expect((await get('/blast-radius?kind=run&id=r1')).json().counts.endpoint).toBe(1)
    for (const [query, field] of [
      ['?kind=run', 'id'],
      ['?kind=run&id=r1&direction=sideways', 'direction'],
      ['?kind=run&id=r1&depth=21', 'depth'],
      ['?kind=run&id=r1&limit=501', 'limit'],
    ]) {
      expect((await get(query!)).json(), query).toMatchObject({ status: 400, field })
    }
    await app.close()
    await at.close()
  })
})
