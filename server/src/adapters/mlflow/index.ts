import type { FastifyInstance } from 'fastify'
import { createApi, type Group, type MlflowDeps, readJsonBodies } from './api.ts'
import { getArtifact, runArtifacts, uploadArtifact } from './artifact-calls.ts'
import { artifactProxy } from './artifact-proxy.ts'
import { endpointNotFound, methodNotAllowed, mlflowErrorHandler } from './errors.ts'
import { getVersionArtifact } from './registry-artifacts.ts'
import { registry } from './registry-routes.ts'
import { serverInfo, version, workspaces } from './server-info.ts'
import { experiments } from './tracking-experiments.ts'
import { metrics } from './tracking-metrics.ts'
import { loggedModels } from './tracking-models.ts'
import { runs } from './tracking-runs.ts'
import { webhooks } from './webhook-routes.ts'

export type { MlflowDeps } from './api.ts'
export type { ArtifactMount } from './artifact-mounts.ts'
export { type Compatibility, createCompatibility, mlflowMigrations } from './compatibility.ts'
export { compatibilityRoutes } from './compatibility-routes.ts'
export { mlflowDescriptions } from './description.ts'
export { mlflowWording } from './errors.ts'
export { createMultipart } from './multipart.ts'
export { webhookFact } from './webhook-events.ts'

/** Every group of JSON endpoints, by the version under which it answers. A new group is one more line here. */
const GROUPS: Record<'2.0' | '3.0', readonly Group[]> = {
  '2.0': [experiments, runs, metrics, loggedModels, runArtifacts, registry, webhooks],
  '3.0': [serverInfo, workspaces],
}

/** The paths at the root that are this wire's; `app` keeps them apart from other wires' and from pages. */
type RootGroup = (app: FastifyInstance, deps: MlflowDeps) => void
const AT_ROOT: readonly RootGroup[] = [version, getArtifact, getVersionArtifact]

/** Paths at the root of which nothing answers yet; clients try them and read the refusal. */
const ABSENT = ['/v1/traces', '/graphql', '/gateway', '/api/3.0/jobs', '/ajax-api/3.0/jobs']

/** Python's clients ask under `/api`, MLflow's pages under `/ajax-api`: both are one API. */
const ALIASES = ['/api', '/ajax-api']

/**
 * MLflow's tracking and registry API, for unmodified clients: `MLFLOW_TRACKING_URI=http://host:port` is all they set.
 * Errors, also of unknown paths below its prefixes, are worded as MLflow words them.
 */
export async function mlflow(app: FastifyInstance, deps: MlflowDeps): Promise<void> {
  deps.compatibility?.watch(app)
  for (const alias of ALIASES) {
    for (const [v, groups] of Object.entries(GROUPS)) {
      await app.register(
        async (scope) => {
          inOurWords(scope, deps)
          readJsonBodies(scope)
          const api = createApi(scope, deps)
          for (const group of groups) group(api, deps)
        },
        { prefix: `${alias}/${v}/mlflow` },
      )
    }
    await app.register(
      async (scope) => {
        inOurWords(scope, deps)
        artifactProxy(scope, deps)
      },
      { prefix: `${alias}/2.0/mlflow-artifacts` },
    )
  }
  // The descriptor of one call lacks a slash, and clients follow it to the letter.
  await app.register(
    async (scope) => {
      scope.setErrorHandler(mlflowErrorHandler(deps.log))
      readJsonBodies(scope)
      const api = createApi(scope, deps)
      experiments(
        { add: (method, path, answer) => path.endsWith('/search-datasets') && api.add(method, path, answer) },
        deps,
      )
    },
    { prefix: '/api/2.0mlflow' },
  )
  await app.register(
    async (scope) => {
      scope.setErrorHandler(mlflowErrorHandler(deps.log))
      uploadArtifact(scope, deps)
    },
    { prefix: '/ajax-api/2.0/mlflow' },
  )
  await app.register(async (scope) => {
    scope.setErrorHandler(mlflowErrorHandler(deps.log))
    for (const group of AT_ROOT) group(scope, deps)
  })
  for (const prefix of ABSENT) {
    await app.register(
      async (scope) => {
        // Whatever is sent, spans in protobuf among it, is not read.
        scope.removeAllContentTypeParsers()
        scope.addContentTypeParser('*', (_request, payload, done) => {
          payload.resume()
          done(null)
        })
        scope.setNotFoundHandler(endpointNotFound)
      },
      { prefix },
    )
  }
}

function inOurWords(scope: FastifyInstance, deps: MlflowDeps): void {
  const known: { pattern: RegExp; method: string }[] = []
  scope.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(
      `^${url
        .replace(/[.]/g, '\\.')
        .replace(/:[a-z_]+/g, '[^/]+')
        .replace(/\*/g, '.+')}$`,
    )
    for (const each of [method].flat()) known.push({ pattern, method: each })
  })
  scope.setErrorHandler(mlflowErrorHandler(deps.log))
  scope.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const allowed = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (allowed.length > 0) methodNotAllowed(request, reply, [...new Set(allowed)])
    else endpointNotFound(request, reply)
  })
}
