import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMultipart, mlflow } from '#adapters/mlflow'
import { tensorboard } from '#adapters/tensorboard'
import { type Blobs, createBlobs } from '#kernel/blobs/index.ts'
import { systemClock } from '#kernel/clock.ts'
import { createEvents, type Events, eventsMigrations } from '#kernel/events/index.ts'
import { createHolds, type Holds, holdsMigrations } from '#kernel/holds/index.ts'
import { createCursors, createRoutes, DEFAULT_WORKSPACE, ROLE_RIGHTS, type Who } from '#kernel/http/index.ts'
import { createServer, listen } from '#kernel/http/server.ts'
import { createIds } from '#kernel/ids.ts'
import { createLog, silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import type { Store } from '#kernel/store/index.ts'
import { createRegistry, type Registry, registryMigrations } from '#slices/registry'
import { createTracking, type Tracking, trackingMigrations, trackingRoutes } from '#slices/tracking'
import type { OpenTestStore } from './store.ts'

export interface MlflowServer {
  url: string
  store: Store
  tracking: Tracking
  registry: Registry
  events: Events
  holds: Holds
  blobs: Blobs
  /** Who asks, by default the admin of the workspace that the request names. */
  as(who: Who | undefined): void
  who(workspace?: string): Who
  /** A JSON call of MLflow's API: the answer's status and body. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>
  close(): Promise<void>
}

const admin = (workspace: string): Who => ({
  kind: 'person',
  id: 'per_test',
  name: 'ada',
  workspace,
  rights: ROLE_RIGHTS.admin,
})

/** MLflow's wire, TensorBoard's files and tracking's own API over a fresh store, listening on a free port. */
export async function startMlflowServer(open: OpenTestStore): Promise<MlflowServer> {
  const log = process.env.SLIPWAY_TEST_LOG ? createLog({ level: 'debug' }) : silentLog
  const clock = systemClock
  const ids = createIds(clock, systemRandom)
  const dir = mkdtempSync(join(tmpdir(), 'slipway-mlflow-'))
  const opened = await open({
    migrations: [eventsMigrations, holdsMigrations, trackingMigrations, registryMigrations],
    catalog: new URL('./tracking-catalog.ts', import.meta.url),
  })
  const { store } = opened
  const blobs = await createBlobs({ dir, log, reserve_bytes: 0 })
  const events = createEvents({ store, clock, ids, log })
  const holds = createHolds({ clock })
  const tracking = createTracking({ events, holds, ids, random: systemRandom, now: clock.now })
  const registry = createRegistry({ events, holds, blobs, clock, runs: tracking })
  let asked: Who | undefined
  const routes = createRoutes({
    store,
    clock,
    ids,
    doorman: {
      identify: async ({ headers }) =>
        asked ?? admin(String(headers['x-mlflow-workspace'] ?? headers['slipway-workspace'] ?? DEFAULT_WORKSPACE)),
    },
  })
  const cursors = createCursors(new Uint8Array(32))
  const app = createServer({ log, ids, dev: true, hosts: [] })
  await app.register(async (own) => trackingRoutes(own, { routes, store, tracking, blobs, cursors, log }))
  await app.register((own) =>
    mlflow(own, {
      routes,
      store,
      tracking,
      registry,
      blobs,
      cursors,
      log,
      mounts: [registry.pinned],
      multipart: createMultipart({ dir, blobs, clock, reserve_bytes: 0 }),
    }),
  )
  await app.register((own) => tensorboard(own, { routes, store, tracking, blobs }))
  app.get('/health', async () => 'OK')
  await store.write((tx) => tracking.ensureDefaultExperiment(tx, DEFAULT_WORKSPACE))
  const url = await listen(app, '127.0.0.1', 0)

  return {
    url,
    store,
    tracking,
    registry,
    events,
    holds,
    blobs,
    as(who) {
      asked = who
    },
    who: (workspace = DEFAULT_WORKSPACE) => admin(workspace),
    async call(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      const text = await response.text()
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { text } }
    },
    async close() {
      await app.close()
      await events.stop()
      await opened.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
