import { createHash } from 'node:crypto'
import { conflict } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { MigrationSource, Sql, Tx } from '#kernel/store/index.ts'
import type { ReleasesDeps } from './deps.ts'
import { policyApplied } from './events.ts'
import { defineGate } from './gate-job.ts'
import { actorOf, createMoves, lockEndpoint, releaseSubject } from './moves.ts'
import { checkPolicy } from './policy-checks.ts'
import * as rows from './release-store.ts'
import { createRetraining, type Retraining } from './retrain.ts'
import { createRollout } from './rollout.ts'
import type { ReleaseSpec } from './schema.ts'

export const releasesMigrations: MigrationSource = { owner: 'releases', dir: new URL('./migrations/', import.meta.url) }

export interface Releases extends Omit<Retraining, 'linkCandidate'> {
  /** Sets the rules of an endpoint. Throws invalid for rules that its task cannot be judged by. */
  applyPolicy(tx: Tx, who: Who, input: { project: string; endpoint: string; spec: ReleaseSpec }): Promise<void>
  removePolicy(tx: Tx, who: Who, endpoint: string): Promise<void>
  policyOf(sql: Sql, workspace: string, endpoint: string): Promise<rows.Policy | undefined>
  /** A new version of a model: proposes it to every endpoint of the model whose policy says so. */
  considerCandidate(tx: Tx, who: Who, input: { model: string; version: number }): Promise<void>
  /** The alias that an endpoint follows was changed: the live release takes the new one and lets the old one go. */
  considerEndpoint(tx: Tx, who: Who, endpoint: string): Promise<void>
  /** An endpoint was removed at that time: its releases end, and what they held is free. */
  considerRemoval(tx: Tx, who: Who, input: { endpoint: string; at_ms: number }): Promise<void>
  propose(tx: Tx, who: Who, input: { endpoint: string; version: number; reason?: string }): Promise<rows.Release>
  /** Refuses a candidate that is not approved yet. */
  refuse(tx: Tx, who: Who, release: string, reason: string): Promise<void>
  /** Ends a rollout, or goes from a live release back to the bundle before it. One transaction. */
  rollBack(tx: Tx, who: Who, release: string, reason: string, facts?: Record<string, unknown>): Promise<rows.Release>
  getRelease(sql: Sql, workspace: string, id: string): Promise<rows.Release>
  listReleases(sql: Sql, workspace: string, filter: Parameters<typeof rows.releasesOf>[2]): Promise<rows.Release[]>
  countReleases: typeof rows.countReleases
  countRetrainings: typeof rows.countRetrainings
  liveRelease: typeof rows.liveRelease
  openRelease: typeof rows.openRelease
  decisions(sql: Sql, workspace: string, release: string): Promise<rows.Decision[]>
  describeReleases(
    sql: Sql,
    workspace: string,
    ids: readonly string[],
  ): Promise<Map<string, { label: string; state?: string }>>
}

export function createReleases(deps: ReleasesDeps): Releases {
  const { events, holds, registry, serving, clock, ids } = deps
  const moves = createMoves(deps)
  defineGate(deps, moves, createRollout(deps, moves))
  const { linkCandidate, ...retraining } = createRetraining(deps)

  const propose: Releases['propose'] = async (tx, who, { endpoint: name, version, reason }) => {
    const endpoint = await serving.getEndpoint(tx, who.workspace, name)
    await registry.getVersion(tx, who.workspace, { name: endpoint.model, version })
    await lockEndpoint(tx, who.workspace, name)
    const unended = await rows.unendedReleases(tx, who.workspace, name)
    const known = unended.find((one) => one.model === endpoint.model && one.version === version)
    if (known?.state === 'live')
      throw conflict(`version ${version} is live at endpoint '${name}' already`, { field: 'version' })
    if (known) return known
    const policy = await rows.policyOf(tx, who.workspace, name)
    const release: rows.Release = {
      workspace: who.workspace,
      id: ids.next('release'),
      endpoint: name,
      model: endpoint.model,
      version,
      state: 'proposed',
      reason: null,
      revision: null,
      previous: null,
      step: null,
      step_counts: {},
      policy: policy?.spec ?? {},
      verdict: null,
      bundle: null,
      proposed_by: actorOf(who),
      proposed_ms: clock.now(),
      step_ms: null,
      live_ms: null,
      ended_ms: null,
    }
    await rows.insertRelease(tx, release)
    const words = reason ?? `version ${version} of ${endpoint.model} is a candidate`
    await moves.move(tx, who, release, { state: 'proposed' }, words, {}, [
      {
        from: { kind: 'model-version', id: `${endpoint.model}/${version}` },
        to: releaseSubject(release.id),
        relation: 'caused',
      },
    ])
    await linkCandidate(tx, who, release)
    await moves.beginNext(tx, who, who.workspace, name)
    return moves.need(tx, who.workspace, release.id)
  }

  return {
    ...retraining,
    async applyPolicy(tx, who, { project, endpoint, spec }) {
      const { task } = (await serving.getEndpoint(tx, who.workspace, endpoint)).spec
      checkPolicy(endpoint, spec, task)
      // Not the lock of the releases: an apply holds locks of serving already, which a release takes after its own.
      await tx.lock('releases.policy', who.workspace, endpoint)
      const before = await rows.policyOf(tx, who.workspace, endpoint)
      const digest = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)
      if (before?.digest === digest && before.project === project) return
      const applied = { applied_by: actorOf(who), digest, applied_ms: clock.now() }
      await rows.putPolicy(tx, { workspace: who.workspace, endpoint, project, spec, ...applied })
      await events.record(tx, policyApplied, {
        who,
        subject: { kind: 'endpoint', id: endpoint },
        before: before?.spec,
        after: { endpoint, project, spec },
      })
    },

    async removePolicy(tx, who, endpoint) {
      await tx.lock('releases.policy', who.workspace, endpoint)
      const before = await rows.policyOf(tx, who.workspace, endpoint)
      if (!before) return
      await rows.dropPolicy(tx, who.workspace, endpoint)
      await events.record(tx, policyApplied, {
        who,
        subject: { kind: 'endpoint', id: endpoint },
        before: before.spec,
        after: { endpoint, project: before.project, spec: null },
        reason: 'removed',
      })
    },

    policyOf: rows.policyOf,

    async considerCandidate(tx, who, { model, version }) {
      for (const { name } of await serving.endpointsOfModel(tx, who.workspace, model)) {
        const policy = await rows.policyOf(tx, who.workspace, name)
        if (!policy || policy.spec.on_new_version === 'manual') continue
        // A person may have been quicker.
        const [known] = await rows.releasesOf(tx, who.workspace, { endpoint: name, model, version, limit: 1 })
        if (!known) await propose(tx, who, { endpoint: name, version })
      }
    },

    async considerEndpoint(tx, who, name) {
      await lockEndpoint(tx, who.workspace, name)
      const live = await rows.liveRelease(tx, who.workspace, name)
      if (!live) return
      const endpoint = (await serving.endpointsOfModel(tx, who.workspace, live.model)).find((one) => one.name === name)
      // Removed again since, which is told next.
      if (!endpoint) return
      const { alias } = endpoint
      await registry.moveAlias(tx, who, {
        model: live.model,
        alias,
        to: live.version,
        through: live.id,
        reason: `endpoint ${name} follows it`,
      })
      await holds.release(tx, who.workspace, releaseSubject(live.id))
      await moves.place(tx, live, alias)
    },

    async considerRemoval(tx, who, { endpoint, at_ms }) {
      await lockEndpoint(tx, who.workspace, endpoint)
      const reason = `endpoint ${endpoint} was removed`
      for (const release of await rows.unendedReleases(tx, who.workspace, endpoint)) {
        // One of that name may have been made again since.
        if (release.proposed_ms > at_ms) continue
        await holds.release(tx, who.workspace, releaseSubject(release.id))
        if (release.state === 'live' && release.previous)
          await holds.release(tx, who.workspace, releaseSubject(release.previous))
        const state =
          release.state === 'live'
            ? 'superseded'
            : release.state === 'proposed' || release.state === 'checking'
              ? 'refused'
              : 'rolled_back'
        await moves.move(tx, who, release, { state, reason, ended_ms: clock.now() }, reason)
      }
    },

    propose,

    async refuse(tx, who, id, reason) {
      const release = await moves.locked(tx, who.workspace, id)
      if (release.state === 'proposed' || release.state === 'checking')
        return moves.refuse(tx, who, release, reason, { by: 'person' })
      throw conflict(`release ${id} is ${release.state}; only a proposed or checking one can be refused`, {
        field: 'release',
        remedy: 'Roll it back instead.',
      })
    },

    async rollBack(tx, who, id, reason, facts = {}) {
      const release = await moves.locked(tx, who.workspace, id)
      if (release.state === 'loading' || release.state === 'canary')
        return moves.abandon(tx, who, release, reason, facts)
      if (release.state === 'live') return moves.restore(tx, who, release, reason, facts)
      throw conflict(`release ${id} is ${release.state}; only one that is loading, canary or live can be rolled back`, {
        field: 'release',
        remedy:
          release.state === 'proposed' || release.state === 'checking'
            ? 'Refuse it instead.'
            : 'Roll back the live release of the endpoint, or propose the version again.',
      })
    },

    getRelease: moves.need,
    listReleases: rows.releasesOf,
    countReleases: rows.countReleases,
    countRetrainings: rows.countRetrainings,
    liveRelease: rows.liveRelease,
    openRelease: rows.openRelease,
    decisions: rows.decisionsOf,
    async describeReleases(sql, workspace, wanted) {
      const described = new Map<string, { label: string; state?: string }>()
      for (const id of wanted) {
        const release = await rows.releaseById(sql, workspace, id)
        if (release)
          described.set(id, {
            label: `${release.model} v${release.version} → ${release.endpoint}`,
            state: release.state,
          })
      }
      return described
    },
  }
}
