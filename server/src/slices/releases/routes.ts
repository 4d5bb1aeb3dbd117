import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { invalid } from '#kernel/errors.ts'
import { type Cursors, PAGE_DEFAULT, PageQuery, pageOf, type Route } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Serving } from '#slices/serving'
import type { Release } from './release-store.ts'
import type { Releases } from './releases.ts'
import { PolicyReply, ReleaseDetailReply, ReleaseReply, ReleasesReply, RetrainingsReply } from './replies.ts'
import { rolloutOf } from './rollout.ts'

const API = '/api/slipway/v1'
const ReleasePath = Type.Object({ release: Type.String({ pattern: '^rel_[0-9a-f]{32}$' }) })
const Reason = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 2000 }) }, { additionalProperties: false })

export function releaseRoutes(
  app: FastifyInstance,
  {
    route,
    releases,
    serving,
    store,
    cursors,
  }: {
    route: Route
    releases: Releases
    serving: Pick<Serving, 'stats'>
    store: Pick<Store, 'read' | 'write'>
    cursors: Cursors
  },
): void {
  route(app, {
    method: 'GET',
    path: `${API}/releases`,
    may: 'releases.read',
    summary: 'Releases, newest first',
    reply: ReleasesReply,
    query: Type.Object({
      ...PageQuery,
      endpoint: Type.Optional(Type.String({ maxLength: 120 })),
      state: Type.Optional(Type.String({ maxLength: 20 })),
      model: Type.Optional(Type.String({ maxLength: 256 })),
      version: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT
      const before_id = cursors.decode<string>(query.cursor)
      const { endpoint, state, model, version } = query
      const found = await releases.listReleases(sql, who.workspace, {
        limit: limit + 1,
        ...(before_id !== undefined && { before_id }),
        ...(endpoint !== undefined && { endpoint }),
        ...(state !== undefined && { state }),
        ...(model !== undefined && { model }),
        ...(version !== undefined && { version }),
      })
      return pageOf(found.map(summary), limit, cursors, (last) => last.id)
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/releases/:release`,
    may: 'releases.read',
    summary: 'One release: bundle, gate verdict with intervals, decisions, live counts',
    reply: ReleaseDetailReply,
    params: ReleasePath,
    read: async ({ sql, who, params }) => {
      const release = await releases.getRelease(sql, who.workspace, params.release)
      const previous = release.previous ? await releases.getRelease(sql, who.workspace, release.previous) : null
      const live = await releases.liveRelease(sql, who.workspace, release.endpoint)
      return {
        ...release,
        rollout: rolloutOf(release.policy),
        previous_release: previous && { ...summary(previous), bundle: previous.bundle },
        decisions: await releases.decisions(sql, who.workspace, release.id),
        counts: release.revision ? (serving.stats(release.revision) ?? null) : null,
        stable_counts: live?.revision && live.id !== release.id ? (serving.stats(live.revision) ?? null) : null,
      }
    },
  })

  route(app, {
    method: 'POST',
    path: `${API}/endpoints/:endpoint/releases`,
    may: 'releases.write',
    summary: 'Propose a model version for an endpoint',
    reply: ReleaseReply,
    params: Type.Object({ endpoint: Type.String({ minLength: 1, maxLength: 120 }) }),
    body: Type.Object(
      { version: Type.Integer({ minimum: 1 }), reason: Type.Optional(Type.String({ maxLength: 2000 })) },
      { additionalProperties: false },
    ),
    status: 201,
    change: async ({ tx, who, params, body }) =>
      summary(await releases.propose(tx, who, { endpoint: params.endpoint, ...body })),
  })

  route(app, {
    method: 'POST',
    path: `${API}/releases/:release/rollback`,
    may: 'releases.write',
    summary: 'Roll a release back: end its rollout, or restore the bundle before it',
    reply: ReleaseReply,
    params: ReleasePath,
    body: Reason,
    handle: async ({ who, params, body }) =>
      summary(await store.write((tx) => releases.rollBack(tx, who, params.release, body.reason, { by: 'person' }))),
  })

  route(app, {
    method: 'POST',
    path: `${API}/releases/:release/refuse`,
    may: 'releases.write',
    summary: 'Refuse a candidate that is not live yet',
    reply: ReleaseReply,
    params: ReleasePath,
    body: Reason,
    change: async ({ tx, who, params, body }) => {
      await releases.refuse(tx, who, params.release, body.reason)
      return summary(await releases.getRelease(tx, who.workspace, params.release))
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/endpoints/:endpoint/policy`,
    may: 'releases.read',
    summary: 'Gate, rollout and retraining rules of an endpoint',
    reply: PolicyReply,
    params: Type.Object({ endpoint: Type.String({ minLength: 1, maxLength: 120 }) }),
    read: async ({ sql, who, params }) => {
      const policy = await releases.policyOf(sql, who.workspace, params.endpoint)
      if (!policy)
        throw invalid(`endpoint '${params.endpoint}' has no release rules`, {
          field: 'endpoint',
          remedy: 'Add it under releases: in slipway.yaml.',
        })
      return policy
    },
  })

  route(app, {
    method: 'GET',
    path: `${API}/retrainings`,
    may: 'releases.read',
    summary: 'Retrainings: what began them, what they used, why one was skipped',
    reply: RetrainingsReply,
    query: Type.Object({
      endpoint: Type.Optional(Type.String({ maxLength: 120 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: PAGE_DEFAULT })),
    }),
    read: async ({ sql, who, query }) => ({
      items: await releases.listRetrainings(sql, who.workspace, {
        limit: query.limit ?? PAGE_DEFAULT,
        ...(query.endpoint !== undefined && { endpoint: query.endpoint }),
      }),
    }),
  })
}

const summary = ({ policy: _, step_counts: __, ...release }: Release) => ({
  ...release,
  verdict: release.verdict && { passed: release.verdict.passed, reason: release.verdict.reason },
})
