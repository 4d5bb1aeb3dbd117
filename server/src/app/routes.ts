/** Every way in: our own API, the foreign wires, and what a machine asks of a server. */
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { compatibilityRoutes, createMultipart, mlflow } from '#adapters/mlflow'
import { scoring } from '#adapters/scoring'
import { tensorboard } from '#adapters/tensorboard'
import { DomainError } from '#kernel/errors.ts'
import { DEFAULT_WORKSPACE, EventStream, liveReply, may, type Who } from '#kernel/http/index.ts'
import { accessRoutes, auditRoutes, reachableWorkspaces } from '#slices/access'
import { collaborationRoutes } from '#slices/collaboration'
import { datasetRoutes } from '#slices/datasets'
import { explainRoutes } from '#slices/explain'
import { insightRoutes } from '#slices/insight'
import { lineageRoutes } from '#slices/lineage'
import { monitoringRoutes } from '#slices/monitoring'
import { pipelineRoutes } from '#slices/pipelines'
import { qualityRoutes } from '#slices/quality'
import { registryRoutes } from '#slices/registry'
import { releaseRoutes } from '#slices/releases'
import { servingRoutes } from '#slices/serving'
import { artifactViewRoutes, trackingRoutes } from '#slices/tracking'
import { MLFLOW_VERSION, version } from './about.ts'
import { evidenceOf } from './bridges.ts'
import { deliveryRoutes } from './delivery-routes.ts'
import { jobRoutes } from './job-routes.ts'
import type { Parts } from './parts.ts'
import { projectRoutes } from './project/routes.ts'
import { webRoutes } from './web.ts'

export async function addRoutes(app: FastifyInstance, parts: Parts): Promise<void> {
  const {
    routes,
    access,
    store,
    cursors,
    events,
    lineage,
    datasets,
    quality,
    tracking,
    registry,
    holds,
    pipelines,
    serving,
    blobs,
    config,
    log,
  } = parts
  const { route } = routes

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Slipway',
        version,
        description:
          "The whole life of a model in one process. MLflow's API answers on the same port, under /api and, for its pages, under /ajax-api.",
        license: { name: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  })
  await app.register(async (own) => {
    accessRoutes(own, { route, access, store, cursors })
    auditRoutes(own, { route, events, cursors })
    lineageRoutes(own, { route, lineage })
    collaborationRoutes(own, { route, collaboration: parts.collaboration })
    datasetRoutes(own, { route, datasets, blobs, store, cursors })
    qualityRoutes(own, { route, quality, datasets, cursors })
    trackingRoutes(own, { routes, store, tracking, blobs, cursors, log })
    artifactViewRoutes(own, { routes, store, tracking, blobs, analytics: parts.analytics })
    registryRoutes(own, { route, registry, store, cursors, holds, evidence: evidenceOf(parts) })
    pipelineRoutes(own, { route, pipelines, store, cursors })
    servingRoutes(own, { routes, serving, store })
    explainRoutes(own, { route, explain: parts.explain })
    monitoringRoutes(own, { route, monitoring: parts.monitoring })
    releaseRoutes(own, { route, releases: parts.releases, serving, store, cursors })
    insightRoutes(own, { route, insight: parts.insight })
    compatibilityRoutes(own, { route, compatibility: parts.compatibility })
    jobRoutes(own, { route, jobs: parts.jobs, cursors })
    deliveryRoutes(own, { route, events })
    projectRoutes(own, parts)
    liveRoute(own, parts)
  })
  await app.register((own) =>
    mlflow(own, {
      routes,
      store,
      tracking,
      registry,
      blobs,
      cursors,
      log,
      version: MLFLOW_VERSION,
      mounts: [registry.pinned],
      collaboration: parts.collaboration,
      multipart: createMultipart({
        dir: config.data,
        blobs,
        clock: parts.clock,
        reserve_bytes: config['store.reserve'],
      }),
      compatibility: parts.compatibility,
      workspaces: (sql, who) => reachableWorkspaces(sql, access, who, '', 1000),
    }),
  )
  await app.register((own) => tensorboard(own, { routes, store, tracking, blobs }))
  await app.register((own) => scoring(own, { routes, serving, root_endpoint: config['serving.root_endpoint'], log }))
  await app.register(async (own) => machineRoutes(own, parts))
  await app.register(async (own) => webRoutes(own, { routes }))
}

/** What happens, as it happens: pages refetch what an event speaks of. */
function liveRoute(app: FastifyInstance, { routes, events }: Parts): void {
  routes.route(app, {
    method: 'GET',
    path: '/api/slipway/v1/live',
    may: 'insight.read',
    summary: 'Server-sent events: name, subject and order of everything that happens in the workspace',
    reply: EventStream,
    media_type: 'text/event-stream',
    handle: async ({ who, reply }) =>
      liveReply(reply, (send) =>
        events.watch((event) => {
          if (event.workspace === who.workspace)
            send('event', { seq: event.seq, name: event.name, subject: event.subject, at_ms: event.at_ms })
        }),
      ),
  })
}

/** Probes, metrics and the API's own description. */
function machineRoutes(app: FastifyInstance, { routes, store, telemetry, access }: Parts): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: '/health',
    may: 'anonymous',
    handle: async ({ reply }) => reply.type('text/plain').send('OK'),
  })
  route(app, {
    method: 'GET',
    path: '/ready',
    may: 'anonymous',
    handle: async ({ reply }) => {
      await store.read((sql) => sql.get('SELECT 1 AS one'))
      return reply.type('text/plain').send('ready')
    },
  })
  // They are of the whole server, so no role of a workspace alone is enough; a scraper on this machine needs no token.
  route(app, {
    method: 'GET',
    path: '/metrics',
    may: 'anonymous',
    handle: async ({ request, reply }) => {
      if (!isFromThisMachine(request)) refuseAllButServerAdmins(await access.doorman.identify(request))
      return reply.type(telemetry.content_type).send(await telemetry.text())
    },
  })
  // Its words are loaded when somebody asks.
  route(app, {
    method: 'GET',
    path: '/openapi.json',
    may: 'anonymous',
    handle: async () => {
      const { describeApi } = await import('./api-description.ts')
      return describeApi(app.swagger() as never, routes.table())
    },
  })
}

/** By the connection itself; what a proxy of this machine passes on comes from elsewhere. */
const isFromThisMachine = ({ socket, headers }: FastifyRequest): boolean =>
  /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(socket.remoteAddress ?? '') &&
  !['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'].some((name) => name in headers)

function refuseAllButServerAdmins(who: Who): void {
  if (who.workspace === DEFAULT_WORKSPACE && may(who, 'insight.admin')) return
  throw new DomainError('forbidden', `${who.name} lacks insight.admin in workspace ${DEFAULT_WORKSPACE}`, {
    remedy:
      'Metrics are of the whole server: ask one of its admins for a token with this right, or scrape from its machine.',
  })
}
