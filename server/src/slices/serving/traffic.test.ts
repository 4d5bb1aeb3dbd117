/** Endpoints, node and predictor together, over both databases; only the models are doubles. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { invalid } from '#kernel/errors.ts'
import { silentLog } from '#kernel/log.ts'
import { createTelemetry } from '#kernel/telemetry.ts'
import { openKernel, person, type TestKernel } from '#kit/kernel.ts'
import { eachStore } from '#kit/store.ts'
import { createEndpoints, type Endpoints } from './endpoints.ts'
import { type ServingDeps, servingMigrations } from './index.ts'
import type { Loader } from './loader.ts'
import { createNode, type ServingNode } from './node.ts'
import type { PredictionLog } from './prediction-log/log.ts'
import type { PredictionRecord } from './prediction-log/record.ts'
import { createPredictor, type Predictor } from './predictor.ts'
import type { Prediction, Runtime } from './runtimes/runtime.ts'
import { preparationOfVersion, putPreparation } from './serving-store.ts'

const ada = person()
const ENDPOINT = { project: 'p', name: 'delay', spec: { model: 'm', clock: 'replay' as const, canary_timeout: '80ms' } }

eachStore('endpoints and traffic', (open) => {
  let kernel: TestKernel
  let endpoints: Endpoints
  let node: ServingNode
  let predictor: Predictor
  let chance = 0.5
  let logged: PredictionRecord[] = []
  const telemetry = createTelemetry()
  /** What each version does; a version that is not here does not load. */
  const models = new Map<number, (value: unknown, signal?: AbortSignal) => Promise<unknown> | unknown>()
  const closed: number[] = []
  /** What version 3 does now. */
  let does: (value: unknown) => unknown = (value) => value
  let loads = 0

  const loader = {
    async load(_workspace, { version }, _preparation, signal): Promise<Runtime> {
      loads++
      signal?.throwIfAborted()
      const model = models.get(version)
      if (!model) throw new Error('the model file is broken')
      return {
        form: 'python',
        features: undefined,
        inline: () => version === 6,
        async predict({ raw }, stop): Promise<Prediction> {
          const work = Promise.resolve(model(raw!.payload, stop))
          const cut = new Promise<never>((_, reject) => stop?.addEventListener('abort', () => reject(stop.reason)))
          return { outputs: [await Promise.race([work, cut])] }
        },
        close: async () => void closed.push(version),
      }
    },
  } as Pick<Loader, 'load'> as Loader

  const makeNode = () => {
    const deps = { ...kernel, log: silentLog, telemetry, random: { next: () => chance, bytes: () => new Uint8Array() } }
    const versionFiles = async (_: unknown, __: string, model: string, version: number) => ({ model, version })
    const made = createNode({ ...deps, versionFiles } as unknown as ServingDeps, loader)
    predictor = createPredictor(deps, made, () => ({
      writer: {
        append: (_header, record) => logged.push(record) > 0,
        durable: async () => {},
        flush: async () => {},
        dropped: 0,
      } as PredictionLog['writer'],
    }))
    return made
  }

  beforeAll(async () => {
    kernel = await openKernel(open, [servingMigrations])
    node = makeNode()
    endpoints = createEndpoints({ ...kernel, log: silentLog } as unknown as ServingDeps, () => node.wake())
    await kernel.store.write((tx) => endpoints.applyEndpoint(tx, ada, ENDPOINT))
    await node.start()
  })
  beforeEach(() => {
    logged = []
  })
  afterAll(async () => {
    await node.stop()
    telemetry.stop()
    await kernel.close()
  })

  const prepared = (version: number) =>
    kernel.store.write((tx) =>
      putPreparation(tx, {
        workspace: 'w',
        model: 'm',
        version,
        state: 'done',
        form: 'python',
        reason: '',
        report: null,
        compiled_digest: null,
        job: null,
        created_ms: 1,
        ended_ms: 2,
      }),
    )
  const add = (version: number) =>
    kernel.store.write((tx) => endpoints.addRevision(tx, ada, { endpoint: 'delay', version }))
  const state = (revision: string) => kernel.store.read((sql) => endpoints.readiness(sql, 'w', revision))
  const becomes = (revision: string, wanted: string) =>
    vi.waitFor(
      async () => {
        await node.settle()
        expect((await state(revision)).state).toBe(wanted)
      },
      { timeout: 10_000 },
    )
  const route = (...routes: [string, number, 'stable' | 'canary'][]) =>
    kernel.store
      .write((tx) =>
        endpoints.setTraffic(tx, ada, {
          endpoint: 'delay',
          routes: routes.map(([revision, share, role]) => ({ revision, share, role })),
        }),
      )
      .then(() => node.settle())
  const ask = (value: unknown = 1, more = {}) =>
    predictor.predict({
      workspace: 'w',
      endpoint: 'delay',
      read: () => ({ rows: [], raw: { kind: 'inputs', payload: value }, params: {} }),
      ...more,
    })

  test('an endpoint applied twice changes once; a foreign revision, a wrong sum and an unready one get no traffic', async () => {
    const events = () =>
      kernel.store.read((sql) => sql.all("SELECT 1 AS one FROM event WHERE name = 'serving.endpoint-applied'"))
    await kernel.store.write((tx) => endpoints.applyEndpoint(tx, ada, structuredClone(ENDPOINT)))
    expect(await events()).toHaveLength(1)
    const { id } = await add(1)
    await expect(route([id, 1, 'stable'])).rejects.toMatchObject({ problem: 'conflict' })
    await expect(route([id, 0.7, 'stable'])).rejects.toMatchObject({ problem: 'invalid' })
    await expect(route([id, Number.NaN, 'stable'])).rejects.toMatchObject({ problem: 'invalid' })
    await expect(route(['rev_x', 1, 'stable'])).rejects.toMatchObject({ problem: 'not-found' })
    await expect(route([id, 1, 'canary'])).rejects.toMatchObject({ problem: 'invalid' })
    await expect(ask()).rejects.toMatchObject({ problem: 'unavailable' })
    // It waits for its preparation, and is loaded when that ends.
    expect((await state(id)).state).toBe('waiting')
    models.set(1, (value) => value)
    await prepared(1)
    await becomes(id, 'ready')
    expect((await add(1)).id).toBe(id)
    await route([id, 1, 'stable'])
    expect(await ask(7)).toMatchObject({ version: 1, outputs: [7], fallback: false })
  })

  test('a version that does not load is failed, with the reason', async () => {
    await prepared(2)
    const { id } = await add(2)
    await becomes(id, 'failed')
    expect((await state(id)).reason).toBe('the model file is broken')
    await kernel.store.write((tx) => endpoints.retireRevision(tx, ada, id))
  })

  test('a canary that raises, hangs or is not loaded: the stable revision answers, and only its own faults count', async () => {
    models.set(3, (value) => does(value))
    await prepared(3)
    const [stable, canary] = [(await add(1)).id, (await add(3)).id]
    await becomes(canary, 'ready')
    await route([stable, 0.9, 'stable'], [canary, 0.1, 'canary'])
    chance = 0.05
    expect(await ask(5)).toMatchObject({ version: 3, fallback: false })
    chance = 0.5
    expect(await ask(5)).toMatchObject({ version: 1, fallback: false })
    chance = 0.05
    does = () => {
      throw new Error('a new destination')
    }
    expect(await ask(6)).toMatchObject({ version: 1, fallback: true, outputs: [6] })
    expect(logged.at(-1)).toMatchObject({
      status: 'fallback',
      version: 3,
      answered_version: 1,
      error: 'a new destination',
    })
    does = () => new Promise(() => {})
    expect(await ask(7)).toMatchObject({ version: 1, fallback: true, outputs: [7] })
    expect(node.stats(canary)).toMatchObject({ requests: 3, errors: 1, over_time: 1 })
    expect(node.stats(canary)!.latency_p99_ms).toBeGreaterThan(60)
    expect(node.stats(stable)).toMatchObject({ stood_in: 2, errors: 0 })
    expect(node.stats(stable)!.latency_p99_ms).toBeLessThan(60)

    // What both refuse is the caller's; what the stable one then fails on is counted against both.
    const refuse = () => {
      throw invalid('no such feature', { field: 'x' })
    }
    does = refuse
    const answers = node.stats(canary)!.requests
    await expect(ask(8, { read: refuse })).rejects.toMatchObject({ problem: 'invalid', field: 'x' })
    expect(node.stats(canary)!.requests).toBe(answers)
    await route([stable, 1, 'stable'])
  })

  test('a canary that holds the event loop past its time has its answer replaced; where nobody else can answer, it is given', async () => {
    models.set(6, (value) => {
      for (const until = performance.now() + 120; performance.now() < until; );
      return value
    })
    models.set(7, (value) => does(value))
    await prepared(6)
    await prepared(7)
    const [stable, canary] = [(await add(7)).id, (await add(6)).id]
    await becomes(stable, 'ready')
    await becomes(canary, 'ready')
    await route([stable, 0.9, 'stable'], [canary, 0.1, 'canary'])
    chance = 0.05
    does = (value) => value
    expect(await ask(5)).toMatchObject({ version: 7, fallback: true, outputs: [5] })
    expect(node.stats(canary)).toMatchObject({ requests: 1, errors: 0, over_time: 1 })
    expect(logged.at(-1)).toMatchObject({
      status: 'fallback',
      version: 6,
      answered_version: 7,
      error: expect.stringContaining('80 ms'),
    })
    does = () => {
      throw new Error('the stable one, too')
    }
    expect(await ask(6)).toMatchObject({ version: 6, fallback: false, outputs: [6] })
    expect(node.stats(canary)).toMatchObject({ requests: 2, over_time: 2 })
    expect(node.stats(stable)).toMatchObject({ stood_in: 1, errors: 0 })
    const { id: first } = await add(1)
    await becomes(first, 'ready')
    await route([first, 1, 'stable'])
    await kernel.store.write(async (tx) => {
      await endpoints.retireRevision(tx, ada, stable)
      await endpoints.retireRevision(tx, ada, canary)
    })
    await node.settle()
    await vi.waitFor(() => expect(closed.toSorted()).toEqual([6, 7]))
    closed.length = 0
    models.delete(6)
  })

  test('a switch while a canary is at work loses no request', async () => {
    const { id: stable } = await add(1)
    const { id: canary } = await add(3)
    await route([stable, 0.5, 'stable'], [canary, 0.5, 'canary'])
    models.set(4, (value) => value)
    await prepared(4)
    const { id: next } = await add(4)
    await becomes(next, 'ready')
    // It fails after the switch, when the stable one of its beginning is gone; its own time is not what is tried here.
    const spec = { ...ENDPOINT.spec, canary_timeout: '60s' }
    await kernel.store.write((tx) => endpoints.applyEndpoint(tx, ada, { ...ENDPOINT, spec }))
    await node.settle()
    const working = Promise.withResolvers<number>()
    does = () => working.promise
    chance = 0.1
    const waiting = ask(9)
    await route([next, 1, 'stable'])
    await kernel.store.write(async (tx) => {
      await endpoints.retireRevision(tx, ada, stable)
      await endpoints.retireRevision(tx, ada, canary)
    })
    await node.settle()
    working.reject(new Error('too late'))
    expect(await waiting).toMatchObject({ version: 4, fallback: true, outputs: [9] })
    await vi.waitFor(() => expect(closed.toSorted()).toEqual([1, 3]))
    await kernel.store.write((tx) => endpoints.applyEndpoint(tx, ada, ENDPOINT))
    await node.settle()
  })

  test('a retired revision is ready nowhere, and wanted again is loaded again', async () => {
    const { id } = await add(1)
    await becomes(id, 'ready')
    const before = loads
    await kernel.store.write((tx) => endpoints.retireRevision(tx, ada, id))
    expect((await state(id)).state).toBe('waiting')
    await node.settle()
    expect((await add(1)).id).toBe(id)
    await becomes(id, 'ready')
    expect(loads).toBe(before + 1)
    // Both between two looks of the node: it says again what it still has.
    await kernel.store.write(async (tx) => {
      await endpoints.retireRevision(tx, ada, id)
      await endpoints.addRevision(tx, ada, { endpoint: 'delay', version: 1 })
    })
    await becomes(id, 'ready')
  })

  test('an error without a canary is logged, counted and told; event times move the watermark', async () => {
    models.set(5, () => {
      throw new Error('out of range')
    })
    await prepared(5)
    const { id } = await add(5)
    await becomes(id, 'ready')
    await route([id, 1, 'stable'])
    await expect(ask()).rejects.toMatchObject({ problem: 'internal', message: expect.stringContaining('out of range') })
    expect(logged).toMatchObject([{ status: 'error', error: 'out of range', answered_by: id, output: null }])
    expect(node.stats(id)).toMatchObject({ requests: 1, errors: 1 })
    const { id: good } = await add(4)
    await route([good, 1, 'stable'])
    predictor.watermarks.take()
    await ask(1, { event_time: '2031-05-01T00:00:00Z' })
    await ask(1, { event_time: '2030-05-01T00:00:00+02:00' })
    const greatest_event_ms = Date.UTC(2031, 4, 1)
    expect(predictor.watermarks.take()).toMatchObject([{ endpoint: 'delay', greatest_event_ms }])
    expect(predictor.watermarks.take()).toEqual([])
    for (const event_time of ['yesterday', '2031-05-01', '2031-05-01T00:00:00', '2031-13-01T00:00:00Z'])
      await expect(ask(1, { event_time })).rejects.toMatchObject({ problem: 'invalid', field: 'slipway-event-time' })
  })

  test('after a restart everything wanted is loaded again, and routed as before', async () => {
    await node.stop()
    node = makeNode()
    await node.start()
    const { id } = await add(4)
    await becomes(id, 'ready')
    expect(await ask(3)).toMatchObject({ version: 4, outputs: [3] })
    expect(await kernel.store.read((sql) => preparationOfVersion(sql, 'w', 'm', 4))).toMatchObject({ state: 'done' })
  })

  test('an endpoint that is changed stays the same one, with another model it begins anew', async () => {
    const apply = (spec: { model: string; threshold?: number }) =>
      kernel.store.write((tx) => endpoints.applyEndpoint(tx, ada, { project: 'p', name: 'again', spec }))
    const { created_ms } = await apply({ model: 'm' })
    kernel.clock.advance(1000)
    expect(await apply({ model: 'm', threshold: 0.4 })).toMatchObject({ created_ms })
    expect(await apply({ model: 'other' })).toMatchObject({ created_ms: created_ms + 1000 })
    const known = await kernel.store.read((sql) => endpoints.getEndpoint(sql, 'w', 'again'))
    expect(known).toMatchObject({ model: 'other', created_ms: created_ms + 1000 })
  })

  test('a removed endpoint answers no more and lets go of its revisions', async () => {
    await kernel.store.write((tx) => endpoints.removeEndpoint(tx, ada, 'delay'))
    await node.settle()
    await expect(ask()).rejects.toMatchObject({ problem: 'not-found' })
  })
})
