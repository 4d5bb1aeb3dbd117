import { isDeepStrictEqual } from 'node:util'
import { conflict, invalid, notFound } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { ServingDeps } from './deps.ts'
import { endpointApplied, endpointRemoved, revisionAdded, trafficSet } from './events.ts'
import type { TrafficRoute } from './routing.ts'
import type { EndpointSpec } from './schema.ts'
import * as rows from './serving-store.ts'

export const ALIAS_DEFAULT = 'champion'

export interface Endpoints {
  /** Makes or changes an endpoint. Asking twice changes nothing. Throws conflict when the model of a live endpoint would change. */
  applyEndpoint(tx: Tx, who: Who, input: { project: string; name: string; spec: EndpointSpec }): Promise<rows.Endpoint>
  removeEndpoint(tx: Tx, who: Who, name: string): Promise<void>
  getEndpoint(sql: Sql, workspace: string, name: string): Promise<rows.Endpoint>
  listEndpoints(sql: Sql, workspace: string): Promise<rows.Endpoint[]>
  endpointsOfModel(sql: Sql, workspace: string, model: string): Promise<rows.Endpoint[]>
  /** Wants a version at an endpoint: nodes load it and report. Answers the revision that already does, if one is wanted. */
  addRevision(tx: Tx, who: Who, input: { endpoint: string; version: number }): Promise<rows.Revision>
  /** Nodes unload it. Throws conflict while traffic names it. */
  retireRevision(tx: Tx, who: Who, revision: string): Promise<void>
  getRevision(sql: Sql, workspace: string, id: string): Promise<rows.Revision>
  /** What the nodes say of a revision: ready when one is, failed when all that spoke failed. */
  readiness(
    sql: Sql,
    workspace: string,
    revision: string,
  ): Promise<{
    state: 'waiting' | 'loading' | 'ready' | 'failed'
    reason: string | null
    form: 'onnx' | 'python' | null
  }>
  /** Throws conflict for a revision that no node has reported ready, invalid when shares do not add up to 1. */
  setTraffic(
    tx: Tx,
    who: Who,
    input: { endpoint: string; routes: readonly TrafficRoute[]; release?: string; reason?: string },
  ): Promise<void>
  trafficOf(sql: Sql, workspace: string, endpoint: string): Promise<rows.Traffic | undefined>
  watermark(sql: Sql, workspace: string, endpoint: string): Promise<number | undefined>
}

export function createEndpoints(deps: ServingDeps, wake: () => void): Endpoints {
  const { events, holds, clock, ids } = deps

  const need = async (sql: Sql, workspace: string, name: string): Promise<rows.Endpoint> => {
    const endpoint = await rows.endpointByName(sql, workspace, name)
    if (!endpoint)
      throw notFound(`no endpoint '${name}' in workspace ${workspace}`, {
        field: 'endpoint',
        remedy: 'Declare it under endpoints: in slipway.yaml and apply.',
      })
    return endpoint
  }
  const needRevision = async (sql: Sql, workspace: string, id: string): Promise<rows.Revision> => {
    const revision = await rows.revisionById(sql, workspace, id)
    if (!revision) throw notFound(`no revision '${id}'`, { field: 'revision' })
    return revision
  }
  const readiness: Endpoints['readiness'] = async (sql, workspace, revision) => {
    const reports = await rows.reportsOf(sql, workspace, [revision])
    const ready = reports.find(({ state }) => state === 'ready')
    const said = ready ?? reports.find(({ state }) => state === 'loading') ?? reports[0]
    return said
      ? { state: said.state, reason: said.reason, form: said.form }
      : { state: 'waiting', reason: null, form: null }
  }

  return {
    async applyEndpoint(tx, who, { project, name, spec }) {
      await tx.lock('serving.endpoint', who.workspace, name)
      const before = await rows.endpointByName(tx, who.workspace, name)
      const alias = spec.alias ?? ALIAS_DEFAULT
      if (
        before &&
        before.model !== spec.model &&
        (await rows.trafficOfEndpoint(tx, who.workspace, name))?.routes.length
      ) {
        throw conflict(`endpoint '${name}' serves model '${before.model}' and cannot become one of '${spec.model}'`, {
          field: `endpoints.${name}.model`,
          remedy: 'Declare another endpoint, or remove this one first.',
        })
      }
      const now = clock.now()
      // With another model it is another endpoint: version 1 of the one says nothing of version 1 of the other.
      const anew = before?.model !== spec.model
      const after: rows.Endpoint = {
        workspace: who.workspace,
        name,
        project,
        model: spec.model,
        alias,
        spec,
        created_ms: !before || anew ? now : before.created_ms,
        updated_ms: now,
      }
      if (before && before.project === project && isDeepStrictEqual(before.spec, spec)) return before
      await rows.putEndpoint(tx, after)
      if (anew) await rows.dropWatermark(tx, who.workspace, name)
      await events.record(tx, endpointApplied, {
        who,
        subject: { kind: 'endpoint', id: name },
        before: before?.spec,
        after: { endpoint: name, model: spec.model, alias },
      })
      tx.afterCommit(wake)
      return after
    },

    async removeEndpoint(tx, who, name) {
      const endpoint = await need(tx, who.workspace, name)
      await holds.refuseIfHeld(tx, who.workspace, [{ kind: 'endpoint', id: name }], `remove endpoint ${name}`)
      await rows.dropEndpoint(tx, who.workspace, name, clock.now())
      await events.record(tx, endpointRemoved, {
        who,
        subject: { kind: 'endpoint', id: name },
        before: endpoint.spec,
        after: { endpoint: name },
      })
      tx.afterCommit(wake)
    },

    getEndpoint: need,
    listEndpoints: (sql, workspace) => rows.endpointsOf(sql, workspace),
    endpointsOfModel: rows.endpointsOfModel,

    async addRevision(tx, who, { endpoint: name, version }) {
      await tx.lock('serving.revision', who.workspace, name)
      const endpoint = await need(tx, who.workspace, name)
      const known = (await rows.revisionsOf(tx, who.workspace, name)).find(
        (revision) => revision.version === version && revision.model === endpoint.model,
      )
      if (known) {
        if (known.state === 'retired') await rows.wantRevision(tx, who.workspace, known.id)
        tx.afterCommit(wake)
        return { ...known, state: 'wanted', retired_ms: null }
      }
      const revision = {
        workspace: who.workspace,
        id: ids.next('revision'),
        endpoint: name,
        model: endpoint.model,
        version,
        created_ms: clock.now(),
      }
      const number = await rows.insertRevision(tx, revision)
      await events.record(tx, revisionAdded, {
        who,
        subject: { kind: 'revision', id: revision.id },
        after: { revision: revision.id, endpoint: name, model: endpoint.model, version },
        edges: [
          {
            from: { kind: 'model-version', id: `${endpoint.model}/${version}` },
            to: { kind: 'revision', id: revision.id },
            relation: 'served-by',
          },
          { from: { kind: 'revision', id: revision.id }, to: { kind: 'endpoint', id: name }, relation: 'part-of' },
        ],
      })
      tx.afterCommit(wake)
      return { ...revision, number, state: 'wanted', retired_ms: null }
    },

    async retireRevision(tx, who, id) {
      const revision = await needRevision(tx, who.workspace, id)
      const traffic = await rows.trafficOfEndpoint(tx, who.workspace, revision.endpoint)
      if (traffic?.routes.some((route) => route.revision === id && route.share > 0)) {
        throw conflict(`revision ${id} has traffic at endpoint '${revision.endpoint}'`, { field: 'revision' })
      }
      await rows.retireRevision(tx, who.workspace, id, clock.now())
      await rows.dropReports(tx, who.workspace, id)
      tx.afterCommit(wake)
    },

    getRevision: needRevision,
    readiness,

    async setTraffic(tx, who, { endpoint: name, routes, release, reason }) {
      await tx.lock('serving.traffic', who.workspace, name)
      await need(tx, who.workspace, name)
      const sum = routes.reduce((total, route) => total + route.share, 0)
      // Not `> 1e-9`: that lets NaN through.
      if (routes.length > 0 && (!(Math.abs(sum - 1) <= 1e-9) || routes.some((route) => route.share < 0)))
        throw invalid(`the shares of endpoint '${name}' add up to ${sum}, not 1`, { field: 'routes' })
      if (routes.length > 0 && !routes.some((route) => route.role === 'stable'))
        throw invalid('one of the routes must be the stable one', { field: 'routes' })
      if (new Set(routes.map(({ revision }) => revision)).size !== routes.length)
        throw invalid('a revision can stand in one route only', { field: 'routes' })
      const before = await rows.trafficOfEndpoint(tx, who.workspace, name)
      // What has traffic already may keep it: after a restart the way back is open before all is loaded again.
      const has = new Set(before?.routes.map(({ revision }) => revision))
      const versions: number[] = []
      for (const { revision: id, share } of routes) {
        const revision = await needRevision(tx, who.workspace, id)
        if (revision.endpoint !== name)
          throw invalid(`revision ${id} belongs to endpoint '${revision.endpoint}'`, { field: 'routes' })
        const { state, reason: why } = await readiness(tx, who.workspace, id)
        if (share > 0 && state !== 'ready' && !has.has(id))
          throw conflict(
            `revision ${id} of version ${revision.version} is ${state}${why ? `: ${why}` : ''}; no serving node has it ready`,
            { field: 'routes' },
          )
        versions.push(revision.version)
      }
      await rows.putTraffic(tx, who.workspace, {
        endpoint: name,
        routes: [...routes],
        release: release ?? null,
        changed_ms: clock.now(),
      })
      await events.record(tx, trafficSet, {
        who,
        subject: { kind: 'endpoint', id: name },
        before: before?.routes,
        after: {
          endpoint: name,
          routes: routes.map((route, at) => ({ ...route, version: versions[at]! })),
          release: release ?? null,
        },
        ...(reason !== undefined && { reason }),
      })
      tx.afterCommit(wake)
    },

    trafficOf: rows.trafficOfEndpoint,
    watermark: async (sql, workspace, endpoint) => (await rows.watermarkOf(sql, workspace, endpoint))?.watermark_ms,
  }
}
