/** Who is built from what: the kernel's services, then the slices from the lowest number up. */
import { join } from 'node:path'
import { type Compatibility, createCompatibility } from '#adapters/mlflow'
import { type Analytics, createAnalytics } from '#kernel/analytics/index.ts'
import { type Blobs, createBlobs } from '#kernel/blobs/index.ts'
import type { Clock } from '#kernel/clock.ts'
import { createEnvironments, type Environments, PYTHON_PACKAGE_DIR, startProcess } from '#kernel/environments/index.ts'
import { DomainError, isPassing } from '#kernel/errors.ts'
import { createEvents, type Events } from '#kernel/events/index.ts'
import { createHolds, type Holds } from '#kernel/holds/index.ts'
import { type Cursors, createCursors, createRoutes, DEFAULT_WORKSPACE, type Routes } from '#kernel/http/index.ts'
import type { Ids } from '#kernel/ids.ts'
import { createJobs, type Jobs } from '#kernel/jobs/index.ts'
import type { Log } from '#kernel/log.ts'
import { createOutbound, type Outbound } from '#kernel/outbound/index.ts'
import type { Random } from '#kernel/random.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Telemetry } from '#kernel/telemetry.ts'
import { type Access, createAccess } from '#slices/access'
import { type Collaboration, createCollaboration } from '#slices/collaboration'
import { createDatasets, type Datasets } from '#slices/datasets'
import { createExplain, type Explain } from '#slices/explain'
import { createInsight, type Insight } from '#slices/insight'
import { createLineage, type Lineage } from '#slices/lineage'
import { createMonitoring, type Monitoring } from '#slices/monitoring'
import { createPipelines, createProjects, type Pipelines, type Projects } from '#slices/pipelines'
import { createQuality, type Quality } from '#slices/quality'
import { createRegistry, type Registry } from '#slices/registry'
import { createReleases, type Releases } from '#slices/releases'
import { createServing, type Serving } from '#slices/serving'
import { createRunSealer, createSealer, createTracking, type Tracking } from '#slices/tracking'
import type { Config } from '../config.ts'
import { createBridges } from './bridges.ts'
import { toolPins } from './tool-pins.ts'

export interface PartsInput {
  config: Config
  store: Store
  clock: Clock
  random: Random
  ids: Ids
  log: Log
  telemetry: Telemetry
  /** Signs cursors. */
  secret: Uint8Array
  /** Where this server answers; known once it listens. */
  url(): string
}

export interface Parts extends PartsInput {
  events: Events
  holds: Holds
  jobs: Jobs
  blobs: Blobs
  analytics: Analytics
  environments: Environments
  outbound: Outbound
  cursors: Cursors
  routes: Routes
  access: Access
  lineage: Lineage
  collaboration: Collaboration
  datasets: Datasets
  quality: Quality
  tracking: Tracking
  registry: Registry
  pipelines: Pipelines
  projects: Projects
  serving: Serving
  monitoring: Monitoring
  explain: Explain
  releases: Releases
  insight: Insight
  compatibility: Compatibility
  /** What must be ready before the first request. */
  prepare(): Promise<void>
  /** What starts once requests can come in. */
  start(): Promise<void>
  stop(): Promise<void>
  setupLink(url: string): Promise<string | undefined>
}

export async function buildParts(input: PartsInput): Promise<Parts> {
  const { config, store, clock, random, ids, log, telemetry } = input
  const dir = config.data

  const events = createEvents({ store, clock, ids, log, random, telemetry })
  const holds = createHolds({ clock })
  const jobs = createJobs({ store, clock, ids, log, random, telemetry })
  const blobs = await createBlobs({ dir, log, reserve_bytes: config['store.reserve'] })
  const analytics = createAnalytics({
    temp_dir: join(dir, 'cache', 'analytics'),
    log,
    memory_bytes: config['analytics.memory'],
    threads: config['analytics.threads'],
  })
  const environments = createEnvironments({
    dir: config['environments.dir'] || join(dir, 'environments'),
    log,
    clock,
    offline: config['environments.offline'],
  })
  const outbound = createOutbound({ allow: config['outbound.allow'], log })
  const cursors = createCursors(input.secret)

  const access = createAccess({
    store,
    events,
    clock,
    ids,
    random,
    log,
    dev: config.dev,
    token_grace_ms: config['serving.token_grace'],
  })
  const routes = createRoutes({ store, doorman: access.doorman, clock, ids })
  const collaboration = createCollaboration({ store, events, jobs, outbound, clock, ids, random, secret: input.secret })
  const datasets = createDatasets({ store, blobs, jobs, events, holds, analytics, clock, ids })
  const quality = createQuality({ store, events, jobs, analytics, datasets, clock, ids })
  const tracking = createTracking({ events, holds, ids, random, now: clock.now })
  const run_sealer = createRunSealer({ store, now: clock.now, log })
  const sealer = createSealer({ store, log })
  const bridges = createBridges({ blobs, datasets, quality, tracking, registry: () => registry, store })
  const registry = createRegistry({ events, holds, blobs, clock, runs: tracking })
  const pipelines = createPipelines({
    store,
    events,
    jobs,
    blobs,
    environments,
    startProcess,
    datasets,
    tracking,
    inputState: bridges.inputState,
    issueRunToken: access.issueRunToken,
    endRunTokens: access.endRunTokens,
    clock,
    ids,
    log,
    url: input.url,
    settings: { dir, concurrency: config['pipelines.concurrency'], memory_bytes: config['pipelines.memory'] },
  })
  const serving = await createServing(
    {
      store,
      events,
      holds,
      jobs,
      blobs,
      analytics,
      environments,
      startProcess,
      clock,
      ids,
      random,
      log,
      telemetry,
      ...bridges.serving,
      settings: {
        dir,
        log_interval_ms: config['serving.log_interval'],
        workers: config['serving.workers'],
        memory_bytes: config['serving.memory'],
        batch_rows: config['serving.batch_rows'],
        python_path: PYTHON_PACKAGE_DIR,
      },
    },
    await toolPins(),
  )
  const monitoring = createMonitoring({
    store,
    events,
    jobs,
    analytics,
    outbound,
    serving,
    datasets,
    trainingData: bridges.trainingData,
    clock,
    ids,
    log,
    secret: input.secret,
    settings: { dir },
  })
  const explain = createExplain({ store, events, jobs, serving, clock, log })
  const releases = createReleases({
    store,
    events,
    holds,
    jobs,
    blobs,
    datasets,
    registry,
    pipelines,
    serving,
    monitoring,
    trainingData: bridges.trainingData,
    provenance: bridges.provenance,
    clock,
    ids,
    log,
    settings: { dir },
  })
  const projects = createProjects({ events, clock })
  const insight = createInsight({
    store,
    jobs,
    projects,
    datasets,
    pipelines,
    registry,
    serving,
    monitoring,
    releases,
    trainingData: bridges.trainingData,
    provenance: bridges.provenance,
    attributions: explain.attributions,
    undelivered: events.undelivered,
  })
  const compatibility = createCompatibility({ store, clock, log, identify: access.doorman.identify })
  const lineage = createLineage({
    describers: {
      'dataset-version': datasets.describe,
      'model-version': registry.describeVersions,
      'pipeline-run': pipelines.describeRuns,
      release: releases.describeReleases,
      run: bridges.describe('run'),
      'logged-model': bridges.describe('logged-model'),
      experiment: bridges.describe('experiment'),
    },
  })

  return {
    ...input,
    events,
    holds,
    jobs,
    blobs,
    analytics,
    environments,
    outbound,
    cursors,
    routes,
    access,
    lineage,
    collaboration,
    datasets,
    quality,
    tracking,
    registry,
    pipelines,
    projects,
    serving,
    monitoring,
    explain,
    releases,
    insight,
    compatibility,
    async prepare() {
      // Looked up first: below the reserve of the disk a server that was killed has to start again, and then nothing is written.
      const default_experiment = { workspace: DEFAULT_WORKSPACE, experiment_id: '0' }
      await store.query('tracking.getExperiment', default_experiment).catch(async (error: unknown) => {
        if (!(error instanceof DomainError) || error.problem !== 'not-found') throw error
        await store.write((tx) => tracking.ensureDefaultExperiment(tx, DEFAULT_WORKSPACE))
      })
      await serving.start()
    },
    async start() {
      access.start()
      compatibility.start()
      await pipelines.startTriggers()
      await events.start()
      await jobs.start()
      monitoring.start()
      sealer.start()
      run_sealer.start()
    },
    async stop() {
      await sealer.stop()
      await run_sealer.stop()
      await monitoring.stop()
      await jobs.stop()
      await explain.stop()
      await events.stop()
      await serving.stop()
      await compatibility.stop()
      await access.stop()
      await analytics.stop()
      telemetry.stop()
    },
    async setupLink(url) {
      if (config.dev) return undefined
      try {
        const link = await store.write((tx) => access.setupLink(tx))
        return link && `${url}${link}`
      } catch (error) {
        if (!isPassing(error)) throw error
        log.warn({ err: error }, 'no set-up link could be made; start again when there is room')
        return undefined
      }
    },
  }
}
