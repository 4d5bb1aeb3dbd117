/** Releases over the real registry, tracking, holds, events and jobs; serving and what lies around it are stood in for. */
import { writeFile } from 'node:fs/promises'
import { conflict, notFound } from '#kernel/errors.ts'
import { createJobs, jobsMigrations } from '#kernel/jobs/index.ts'
import { silentLog } from '#kernel/log.ts'
import { seededRandom } from '#kernel/random.ts'
import { createReleases, type ReleaseSpec, type ReleasesDeps, releasesMigrations } from '#slices/releases'
import type { Counts, Endpoint, EndpointSpec, Preparation, Revision, RevisionStats, Traffic } from '#slices/serving'
import { openRegistry, who } from './registry.ts'
import type { OpenTestStore } from './store.ts'

type Serving = ReleasesDeps['serving']

const noCounts = (): Counts => ({
  requests: 0,
  errors: 0,
  over_time: 0,
  stood_in: 0,
  latency: new Array(65).fill(0),
  scores: new Array(20).fill(0),
  last_error: null,
})

/** One serving node that a test holds in its hand: what loads, what was counted, what a version answers. */
function fakeServing(name: string, model: string) {
  let spec: EndpointSpec = { model, alias: 'champion', task: 'binary', score: 1, threshold: 0.3 }
  let removed = false
  let loads = 0
  const revisions = new Map<string, Revision>()
  const stats = new Map<string, RevisionStats>()
  const failing = new Map<number, string>()
  const slow = new Set<number>()
  const unloaded = new Set<string>()
  const preparations = new Map<number, { state: Preparation['state']; reason: string }>()
  const answers = new Map<number, (row: Record<string, unknown>) => number>()
  let traffic: Traffic | undefined
  const endpoint = (): Endpoint => {
    if (removed) throw notFound(`no endpoint '${name}'`)
    const alias = spec.alias ?? 'champion'
    return { workspace: 'default', name, project: 'p', model, alias, spec, created_ms: 0, updated_ms: 0 }
  }
  const readiness: Serving['readiness'] = async (_sql, _workspace, id) => {
    const revision = revisions.get(id)!
    const failed = failing.get(revision.version)
    const state = failed
      ? 'failed'
      : slow.has(revision.version) || unloaded.has(id) || revision.state === 'retired'
        ? 'loading'
        : 'ready'
    return { state, reason: failed ?? null, form: 'onnx' }
  }
  const statsOf = (id: string): RevisionStats | undefined => {
    if (unloaded.has(id) || revisions.get(id)?.state !== 'wanted') return undefined
    let found = stats.get(id)
    if (!found) {
      found = { ...noCounts(), latency_p50_ms: null, latency_p99_ms: null, since_ms: ++loads }
      stats.set(id, found)
    }
    return found
  }
  const scoreAll = (version: number, rows: readonly Record<string, unknown>[]) => {
    const answer = answers.get(version) ?? ((row) => Number(row.x))
    const failures: { row: number; error: string }[] = []
    const scores = rows.map((row, at) => {
      try {
        return answer(row)
      } catch (error) {
        failures.push({ row: at, error: (error as Error).message })
        return null
      }
    })
    return { outputs: scores, scores, labels: scores, failures, failed: failures.length }
  }
  const serving: Serving = {
    getEndpoint: async () => endpoint(),
    async applyEndpoint(_tx, _who, input) {
      spec = input.spec
      return endpoint()
    },
    endpointsOfModel: async (_sql, _workspace, of) => (of === model && !removed ? [endpoint()] : []),
    async addRevision(_tx, _who, { version }) {
      const id = `rev_${version}`
      const known = revisions.get(id)
      const revision: Revision = {
        workspace: 'default',
        id,
        endpoint: name,
        number: version,
        model,
        version,
        created_ms: 0,
        ...known,
        state: 'wanted',
        retired_ms: null,
      }
      revisions.set(id, revision)
      return revision
    },
    async retireRevision(_tx, _who, id) {
      if (traffic?.routes.some((route) => route.revision === id && route.share > 0)) throw conflict(`${id} has traffic`)
      revisions.set(id, { ...revisions.get(id)!, state: 'retired' })
      stats.delete(id)
    },
    readiness,
    async setTraffic(tx, _who, { routes, release }) {
      for (const { revision, share } of routes) {
        const has = traffic?.routes.some((route) => route.revision === revision)
        if (share > 0 && !has && (await readiness(tx, 'default', revision)).state !== 'ready')
          throw conflict(`revision ${revision} is not ready`)
      }
      traffic = { endpoint: name, routes: [...routes], release: release ?? null, changed_ms: 0 }
    },
    trafficOf: async () => traffic,
    watermark: async () => 1_000_000_000,
    preparation: async (_sql, workspace, of, version) => {
      const found = preparations.get(version) ?? { state: 'done' as const, reason: 'the forms agree' }
      return {
        workspace,
        model: of,
        version,
        form: 'onnx',
        report: null,
        compiled_digest: null,
        job: null,
        created_ms: 0,
        ended_ms: 0,
        ...found,
      }
    },
    openScorer: async (_workspace, _model, version) => ({
      form: 'onnx',
      score: async (rows) => scoreAll(version, rows),
      time: async (rows) => rows.map(() => 1),
      close: async () => undefined,
    }),
    stats: statsOf,
    flushWatermarks: async () => undefined,
  }
  return {
    serving,
    revisions,
    failing,
    slow,
    preparations,
    answers,
    traffic: () => traffic,
    spec: () => spec,
    /** Counts requests at the version, as the node would. */
    serve(version: number, counts: Partial<Pick<Counts, 'requests' | 'errors' | 'over_time' | 'last_error'>>) {
      const found = statsOf(`rev_${version}`)!
      found.requests += counts.requests ?? 0
      found.errors += counts.errors ?? 0
      found.over_time += counts.over_time ?? 0
      found.last_error = counts.last_error ?? found.last_error
    },
    /** The process was killed: nothing is loaded until `load`, and counts are gone. */
    kill() {
      stats.clear()
      for (const id of revisions.keys()) unloaded.add(id)
    },
    load: () => unloaded.clear(),
    configure(changes: Partial<EndpointSpec>) {
      spec = { ...spec, ...changes }
    },
    remove() {
      removed = true
      traffic = undefined
    },
  }
}

export const ENDPOINT = 'delay'
export const POLICY: ReleaseSpec = {
  rollout: { steps: [{ share: 0.1, requests: 100 }, { share: 0.5, requests: 100 }, { share: 1 }] },
}

export type ReleasesWorld = Awaited<ReturnType<typeof openReleases>>

export async function openReleases(open: OpenTestStore, policy: ReleaseSpec | null = POLICY, versions = 4) {
  const it = await openRegistry((options) =>
    open({ migrations: [...(options?.migrations ?? []), jobsMigrations, releasesMigrations] }),
  )
  const trained = await it.churn(versions)
  const node = fakeServing(ENDPOINT, 'churn')
  const data = new Map<number, Awaited<ReturnType<ReleasesDeps['trainingData']>>>()
  /** Long before any traffic, and of no dataset that a test looks at. */
  const early = { id: 'dsv_0', name: 'early', number: 1, digest: 'sha256:early', verdict: 'passed', time_to_ms: 0 }
  const held_out = new Map<string, Awaited<ReturnType<ReleasesDeps['monitoring']['rowsOfDataset']>>>()
  const labelled: Awaited<ReturnType<ReleasesDeps['monitoring']['labelledRows']>> = []
  const started: unknown[] = []
  const copied = { rows: 500, size_bytes: 100 }

  const build = () => {
    const jobs = createJobs({ store: it.store, clock: it.clock, ids: it.ids, log: silentLog, random: seededRandom(3) })
    const releases = createReleases({
      store: it.store,
      events: it.events,
      holds: it.holds,
      jobs,
      blobs: it.blobs,
      datasets: {
        register: async () => ({ version: { id: `dsv_${'a'.repeat(32)}` } }),
      } as unknown as ReleasesDeps['datasets'],
      registry: it.registry,
      pipelines: {
        async start(_tx: unknown, _who: unknown, input: unknown) {
          started.push(input)
          return { id: `prn_${started.length}` }
        },
      } as unknown as ReleasesDeps['pipelines'],
      serving: node.serving,
      monitoring: {
        labelledRows: async () => labelled,
        rowsOfDataset: async ({ dataset }) => held_out.get(dataset),
        async copyLabelled({ to }) {
          await writeFile(to, `rows ${copied.rows}`)
          return copied
        },
      },
      trainingData: async (_sql, _workspace, _model, version) => data.get(version) ?? [early],
      provenance: async () => ({
        run: trained.run.run_id,
        code: 'sha256:code',
        commit: 'abc',
        environment: 'sha256:lock',
        model_digest: 'sha256:model',
      }),
      clock: it.clock,
      ids: it.ids,
      log: silentLog,
      settings: { dir: it.dir },
    })
    return { jobs, releases }
  }
  let running = build()
  await running.jobs.start()
  const { write, read } = it
  if (policy)
    await write((tx) => running.releases.applyPolicy(tx, who, { project: 'p', endpoint: ENDPOINT, spec: policy }))

  const get = (id: string) => read((sql) => running.releases.getRelease(sql, 'default', id))
  const until = async (id: string, state: string, step?: number) => {
    const deadline = Date.now() + 20_000
    for (;;) {
      const found = await get(id)
      if (found.state === state && (step === undefined || found.step === step)) return found
      if (Date.now() > deadline) throw new Error(`${id} is ${found.state}, step ${found.step}: ${found.reason}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const propose = (version: number) => write((tx) => running.releases.propose(tx, who, { endpoint: ENDPOINT, version }))
  const world = {
    ...it,
    node,
    trained,
    data,
    labelled,
    held_out,
    started,
    copied,
    get releases() {
      return running.releases
    },
    get jobs() {
      return running.jobs
    },
    propose,
    get,
    until,
    /** Proposes a version and waits until it is live; a canary gets the requests that it asks for. */
    async golive(version: number) {
      const { id } = await propose(version)
      if (await read((sql) => running.releases.liveRelease(sql, 'default', ENDPOINT))) {
        for (const step of [0, 1]) {
          await until(id, 'canary', step)
          node.serve(version, { requests: 100 })
        }
      }
      return until(id, 'live')
    },
    rollBack: (id: string, reason = 'a person said so') =>
      write((tx) => running.releases.rollBack(tx, who, id, reason, { by: 'person' })),
    decisions: (id: string) => read((sql) => running.releases.decisions(sql, 'default', id)),
    alias: async (name = 'champion') =>
      (await read((sql) => it.registry.getAlias(sql, 'default', 'churn', name)))?.version,
    holds: (id: string) =>
      read((sql) => sql.all('SELECT subject_kind, subject_id FROM hold WHERE by_id = ? ORDER BY 1, 2', [id])),
    /** Another process over the same store goes on where this one stopped. */
    async restart(between: () => void = () => undefined) {
      await running.jobs.stop(2000)
      between()
      running = build()
      await running.jobs.start()
    },
    /** Labelled requests of the last hours: `x` says the label nearly always. */
    traffic(count: number, event_ms = 999_000_000) {
      const random = seededRandom(7)
      for (let at = 0; at < count; at++) {
        const x = random.next()
        const label = random.next() < x ? '1' : '0'
        labelled.push({
          id: `prd_${at}`,
          event_ms: event_ms + at,
          answered_version: 1,
          answered_by: 'rev_1',
          score: x,
          answer: '1',
          label,
          features: { x },
        })
      }
    },
    async close() {
      await running.jobs.stop(2000)
      await it.close()
    },
  }
  return world
}
