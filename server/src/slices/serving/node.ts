/** The serving node of this process: loads what is wanted, reports what is so, and keeps a picture of all traffic in memory. */
import { hostname } from 'node:os'
import type { Sql } from '#kernel/store/index.ts'
import { type Counts, latencyQuantile, newCounts, type RevisionStats } from './counters.ts'
import type { ServingDeps } from './deps.ts'
import type { Loader } from './loader.ts'
import type { TrafficRoute } from './routing.ts'
import type { Runtime } from './runtimes/runtime.ts'
import type { EndpointSpec } from './schema.ts'
import * as rows from './serving-store.ts'

/** How often the wanted state is read when nobody wakes the node; other processes' changes are seen by this. */
const LOOK_MS = 1000
/** A version that failed to load is tried again after this. */
const AGAIN_MS = 60_000
/** An unloaded runtime closes only when requests that began before are done. */
const DRAIN_MS = 10_000

export interface Loaded {
  revision: rows.Revision
  state: 'loading' | 'ready' | 'failed'
  runtime: Runtime | undefined
  reason: string | null
  tried_ms: number
  counts: Counts
  since_ms: number
  in_flight: number
}

/** One endpoint as requests meet it: everything looked up already. */
export interface LiveEndpoint {
  workspace: string
  name: string
  spec: EndpointSpec
  routes: readonly TrafficRoute[]
  release: string | null
}

export interface ServingNode {
  readonly id: string
  endpoint(workspace: string, name: string): LiveEndpoint | undefined
  loaded(revision: string): Loaded | undefined
  stats(revision: string): RevisionStats | undefined
  wake(): void
  /** Resolves when the wanted state has been read and acted upon once more. */
  settle(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export function createNode(deps: ServingDeps, loader: Loader): ServingNode {
  const { store, clock, log } = deps
  const id = `${hostname()}`
  const loaded = new Map<string, Loaded>()
  let endpoints = new Map<string, LiveEndpoint>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let again = false
  let stopped = false

  const report = (one: Loaded, load_ms: number | null) =>
    store.write((tx) =>
      rows.putReport(tx, one.revision.workspace, {
        revision: one.revision.id,
        node: id,
        state: one.state,
        form: one.runtime?.form ?? null,
        reason: one.reason,
        load_ms,
        reported_ms: clock.now(),
      }),
    )

  const load = async (one: Loaded): Promise<void> => {
    const { workspace, model, version } = one.revision
    const started = performance.now()
    try {
      const [preparation, files] = await store.read(
        async (sql) =>
          [
            await rows.preparationOfVersion(sql, workspace, model, version),
            await deps.versionFiles(sql, workspace, model, version),
          ] as const,
      )
      // Until it is prepared there is nothing to load; the event of its end wakes us.
      if (!preparation || preparation.state === 'waiting') {
        loaded.delete(one.revision.id)
        return
      }
      await report(one, null)
      if (preparation.state === 'failed') throw new Error(preparation.reason)
      if (!files) throw new Error(`version ${model}/${version} is gone`)
      const runtime = await loader.load(workspace, files, preparation)
      if (stopped || loaded.get(one.revision.id) !== one) return void (await runtime.close())
      one.runtime = runtime
      one.state = 'ready'
      one.reason = null
    } catch (error) {
      if (stopped) return
      one.state = 'failed'
      one.reason = (error as Error).message.slice(0, 2000)
      log.warn({ err: error, revision: one.revision.id }, 'a revision could not be loaded')
    }
    await report(one, Math.round(performance.now() - started)).catch((error: unknown) =>
      log.error({ err: error }, 'a report could not be written'),
    )
  }

  const unload = async (one: Loaded): Promise<void> => {
    loaded.delete(one.revision.id)
    const until = Date.now() + DRAIN_MS
    while (one.in_flight > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    await one.runtime?.close().catch((error: unknown) => log.warn({ err: error }, 'a model did not unload cleanly'))
  }

  const look = async (): Promise<void> => {
    const [wanted, traffic, specs] = await store.read(
      async (sql: Sql) =>
        [await rows.wantedRevisions(sql), await rows.allTraffic(sql), await rows.allEndpoints(sql)] as const,
    )
    const next = new Map<string, LiveEndpoint>()
    for (const endpoint of specs) {
      const now = traffic.find((one) => one.workspace === endpoint.workspace && one.endpoint === endpoint.name)
      next.set(`${endpoint.workspace}/${endpoint.name}`, {
        workspace: endpoint.workspace,
        name: endpoint.name,
        spec: endpoint.spec,
        routes: now?.routes ?? [],
        release: now?.release ?? null,
      })
    }
    endpoints = next
    const keep = new Set(wanted.map((revision) => revision.id))
    for (const one of [...loaded.values()]) if (!keep.has(one.revision.id)) void unload(one)
    for (const revision of wanted) {
      const known = loaded.get(revision.id)
      if (known && !(known.state === 'failed' && clock.now() - known.tried_ms > AGAIN_MS)) continue
      const one: Loaded = {
        revision,
        state: 'loading',
        runtime: undefined,
        reason: null,
        tried_ms: clock.now(),
        counts: newCounts(),
        since_ms: clock.now(),
        in_flight: 0,
      }
      loaded.set(revision.id, one)
      void load(one)
    }
  }

  const lookOnce = (): Promise<void> => {
    if (looking) {
      again = true
      return looking
    }
    looking = (async () => {
      do {
        again = false
        await look().catch((error: unknown) =>
          log.warn({ err: error }, 'the wanted traffic could not be read; what is loaded goes on serving'),
        )
      } while (again && !stopped)
    })().finally(() => {
      looking = undefined
    })
    return looking
  }

  return {
    id,
    endpoint: (workspace, name) => endpoints.get(`${workspace}/${name}`),
    loaded: (revision) => loaded.get(revision),
    stats(revision) {
      const one = loaded.get(revision)
      if (!one) return undefined
      return {
        ...one.counts,
        latency: [...one.counts.latency],
        scores: [...one.counts.scores],
        latency_p50_ms: latencyQuantile(one.counts, 0.5),
        latency_p99_ms: latencyQuantile(one.counts, 0.99),
        since_ms: one.since_ms,
      }
    },
    wake: () => {
      if (!stopped) void lookOnce()
    },
    settle: lookOnce,
    async start() {
      // What this node said before it was restarted is no longer so.
      await store.write((tx) => rows.forgetReports(tx, id))
      await lookOnce()
      timer = setInterval(() => void lookOnce(), LOOK_MS)
      timer.unref()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await looking
      await Promise.all([...loaded.values()].map(unload))
    },
  }
}
