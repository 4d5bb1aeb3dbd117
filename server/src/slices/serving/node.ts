/** The serving node of this process: loads what is wanted, reports what is so, and keeps a picture of all traffic in memory. */
import { hostname } from 'node:os'
import type { Sql } from '#kernel/store/index.ts'
import { readDuration } from '#kernel/units.ts'
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
const DRAIN_MS = 60_000
/** At the end of the process nobody waits longer than this. */
const STOP_MS = 10_000
const TIMEOUT_MS = 10_000

export interface Loaded {
  revision: rows.Revision
  state: 'loading' | 'ready' | 'failed'
  runtime: Runtime | undefined
  reason: string | null
  tried_ms: number
  counts: Counts
  since_ms: number
  in_flight: number
  /** Ends a load that nobody wants any more. */
  loading: AbortController
}

/** One endpoint as requests meet it: everything looked up already. */
export interface LiveEndpoint {
  workspace: string
  name: string
  created_ms: number
  spec: EndpointSpec
  routes: readonly TrafficRoute[]
  release: string | null
  timeout_ms: number
  canary_timeout_ms: number
  lateness_ms: number
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
  let forgotten = false

  const report = (one: Loaded, load_ms: number | null) =>
    store.write(async (tx) => {
      // A revision that was retired meanwhile is ready nowhere, whatever was under way.
      if ((await rows.revisionById(tx, one.revision.workspace, one.revision.id))?.state !== 'wanted') return
      await rows.putReport(tx, one.revision.workspace, {
        revision: one.revision.id,
        node: id,
        state: one.state,
        form: one.runtime?.form ?? null,
        reason: one.reason,
        load_ms,
        reported_ms: clock.now(),
      })
    })

  const unsaid = (error: unknown) => log.warn({ err: error }, 'a report could not be written; it is written later')

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
      await report(one, null).catch(unsaid)
      if (preparation.state === 'failed') throw new Error(preparation.reason)
      if (!files) throw new Error(`version ${model}/${version} is gone`)
      const runtime = await loader.load(workspace, files, preparation, one.loading.signal)
      if (one.loading.signal.aborted) return void (await runtime.close())
      one.runtime = runtime
      one.state = 'ready'
      one.reason = null
    } catch (error) {
      if (one.loading.signal.aborted) return
      one.state = 'failed'
      one.reason = (error as Error).message.slice(0, 2000)
      log.warn({ err: error, revision: one.revision.id }, 'a revision could not be loaded')
    }
    await report(one, Math.round(performance.now() - started)).catch(unsaid)
  }

  const unload = async (one: Loaded, drain_ms: number): Promise<void> => {
    loaded.delete(one.revision.id)
    one.loading.abort(new Error('the revision is not wanted any more'))
    const until = performance.now() + drain_ms
    while (one.in_flight > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    await one.runtime?.close().catch((error: unknown) => log.warn({ err: error }, 'a model did not unload cleanly'))
  }

  /** What this node said before it was restarted is no longer so. */
  const forget = async () => {
    await store.write((tx) => rows.forgetReports(tx, id))
    forgotten = true
  }

  const look = async (): Promise<void> => {
    // Not while the disk is full; what is so is said anew afterwards.
    if (!forgotten) await forget().catch(() => undefined)
    const [wanted, traffic, specs, said] = await store.read(
      async (sql: Sql) =>
        [
          await rows.wantedRevisions(sql),
          await rows.allTraffic(sql),
          await rows.allEndpoints(sql),
          await rows.reportsOfNode(sql, id),
        ] as const,
    )
    const byName = new Map(traffic.map((one) => [`${one.workspace}/${one.endpoint}`, one]))
    const states = new Map(said.map((one) => [one.revision, one.state]))
    const next = new Map<string, LiveEndpoint>()
    for (const endpoint of specs) {
      const { workspace, name, spec } = endpoint
      const now = byName.get(`${workspace}/${name}`)
      const timeout_ms = spec.timeout ? readDuration(spec.timeout) : TIMEOUT_MS
      next.set(`${workspace}/${name}`, {
        workspace,
        name,
        created_ms: endpoint.created_ms,
        spec,
        routes: now?.routes ?? [],
        release: now?.release ?? null,
        timeout_ms,
        canary_timeout_ms: spec.canary_timeout ? readDuration(spec.canary_timeout) : timeout_ms,
        lateness_ms: spec.lateness ? readDuration(spec.lateness) : 0,
      })
    }
    endpoints = next
    const keep = new Set(wanted.map((revision) => revision.id))
    for (const one of [...loaded.values()]) if (!keep.has(one.revision.id)) void unload(one, DRAIN_MS)
    for (const revision of wanted) {
      const known = loaded.get(revision.id)
      if (known && !(known.state === 'failed' && clock.now() - known.tried_ms > AGAIN_MS)) {
        // Retired and wanted again between two looks, or a report that could not be written: say it again.
        if (known.state !== 'loading' && states.get(revision.id) !== known.state) void report(known, null).catch(unsaid)
        continue
      }
      const one: Loaded = {
        revision,
        state: 'loading',
        runtime: undefined,
        reason: null,
        tried_ms: clock.now(),
        counts: newCounts(),
        since_ms: clock.now(),
        in_flight: 0,
        loading: new AbortController(),
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
      await forget().catch(unsaid)
      await lookOnce()
      timer = setInterval(() => void lookOnce(), LOOK_MS)
      timer.unref()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await looking
      await Promise.all([...loaded.values()].map((one) => unload(one, STOP_MS)))
    },
  }
}
