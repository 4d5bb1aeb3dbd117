import { createHash } from 'node:crypto'
import { conflict, DomainError, notFound } from '#kernel/errors.ts'
import type { Edge, EventType, Subject } from '#kernel/events/index.ts'
import type { Actor, Who } from '#kernel/http/who.ts'
import type { MigrationSource, Sql, Tx } from '#kernel/store/index.ts'
import { aliasSubject } from '#slices/registry'
import type { TrafficRoute } from '#slices/serving'
import type { ReleasesDeps } from './deps.ts'
import {
  policyApplied,
  type ReleaseFact,
  releaseLive,
  releaseMoved,
  releaseProposed,
  releaseRefused,
  releaseRolledBack,
} from './events.ts'
import { runGate } from './gate.ts'
import * as rows from './release-store.ts'
import { createRetraining, type Retraining } from './retrain.ts'
import { createRollout } from './rollout.ts'
import type { ReleaseSpec } from './schema.ts'

export const releasesMigrations: MigrationSource = { owner: 'releases', dir: new URL('./migrations/', import.meta.url) }

/** Longest wait for the preparation of a candidate. */
const PREPARED_MS_MAX = 20 * 60_000
const LOOK_MS = 200

export interface Releases extends Retraining {
  applyPolicy(tx: Tx, who: Who, input: { project: string; endpoint: string; spec: ReleaseSpec }): Promise<void>
  removePolicy(tx: Tx, who: Who, endpoint: string): Promise<void>
  policyOf(sql: Sql, workspace: string, endpoint: string): Promise<rows.Policy | undefined>
  /** A new version of a model: proposes it to every endpoint of the model whose policy says so. */
  considerCandidate(tx: Tx, who: Who, input: { model: string; version: number }): Promise<void>
  propose(tx: Tx, who: Who, input: { endpoint: string; version: number; reason?: string }): Promise<rows.Release>
  /** Refuses a candidate that is not live yet. */
  refuse(tx: Tx, who: Who, release: string, reason: string): Promise<void>
  /** Ends a rollout, or goes from a live release back to the bundle before it. One transaction. */
  rollBack(tx: Tx, who: Who, release: string, reason: string, facts?: Record<string, unknown>): Promise<rows.Release>
  getRelease(sql: Sql, workspace: string, id: string): Promise<rows.Release>
  listReleases(sql: Sql, workspace: string, filter: Parameters<typeof rows.releasesOf>[2]): Promise<rows.Release[]>
  liveRelease: typeof rows.liveRelease
  openRelease: typeof rows.openRelease
  decisions(sql: Sql, workspace: string, release: string): Promise<rows.Decision[]>
  describeReleases(
    sql: Sql,
    workspace: string,
    ids: readonly string[],
  ): Promise<Map<string, { label: string; state?: string }>>
}

/** What the steps of a release share: every change of state, its decision row and its event are one transaction. */
export interface Moves {
  move(
    tx: Tx,
    who: Who,
    release: rows.Release,
    changes: Partial<rows.Release> & { state: rows.ReleaseState },
    words: string,
    facts?: Record<string, unknown>,
    edges?: readonly Edge[],
  ): Promise<rows.Release>
  promote(tx: Tx, who: Who, release: rows.Release, words: string, facts: Record<string, unknown>): Promise<void>
  abandon(
    tx: Tx,
    who: Who,
    release: rows.Release,
    reason: string,
    facts: Record<string, unknown>,
  ): Promise<rows.Release>
  need(sql: Sql, workspace: string, id: string): Promise<rows.Release>
}

const actorOf = ({ kind, id, name }: Who): Actor => ({ kind, id, name })
export const releaseSubject = (id: string): Subject => ({ kind: 'release', id })

const EVENT_OF: Partial<Record<rows.ReleaseState, EventType<ReleaseFact>>> = {
  proposed: releaseProposed,
  refused: releaseRefused,
  live: releaseLive,
  rolled_back: releaseRolledBack,
}

export function createReleases(deps: ReleasesDeps): Releases {
  const { store, events, holds, jobs, registry, serving, clock, ids } = deps

  const need: Moves['need'] = async (sql, workspace, id) => {
    const release = await rows.releaseById(sql, workspace, id)
    if (!release) throw notFound(`no release ${id}`, { field: 'release' })
    return release
  }

  const move: Moves['move'] = async (tx, who, release, changes, words, facts = {}, edges = []) => {
    await rows.updateRelease(tx, release.workspace, release.id, changes)
    const after = { ...release, ...changes }
    await rows.addDecision(tx, release.workspace, release.id, {
      state: changes.state,
      words,
      facts,
      who: actorOf(who),
      at_ms: clock.now(),
      watermark_ms: (await serving.watermark(tx, release.workspace, release.endpoint)) ?? null,
    })
    await events.record(tx, EVENT_OF[changes.state] ?? releaseMoved, {
      who,
      subject: releaseSubject(release.id),
      before: { state: release.state },
      after: {
        release: release.id,
        endpoint: release.endpoint,
        model: release.model,
        version: release.version,
        state: changes.state,
        reason: after.reason,
      },
      reason: words,
      edges,
    })
    return after
  }

  /** The next candidate that waits begins its check; one release of an endpoint is under way at a time. */
  const beginNext = async (tx: Tx, who: Who, workspace: string, endpoint: string): Promise<void> => {
    await tx.lock('releases.endpoint', workspace, endpoint)
    if (await rows.openRelease(tx, workspace, endpoint)) return
    const next = await rows.nextProposed(tx, workspace, endpoint)
    if (!next) return
    await move(tx, who, next, { state: 'checking' }, 'its gate begins')
    await jobs.enqueue(tx, {
      kind: 'releases.gate',
      workspace,
      who,
      input: { release: next.id },
      key: `gate:${next.id}`,
      subject: releaseSubject(next.id),
    })
  }

  const promote: Moves['promote'] = async (tx, who, release, words, facts) => {
    const { workspace, endpoint: name, model, version } = release
    const endpoint = await serving.getEndpoint(tx, workspace, name)
    const before = await rows.liveRelease(tx, workspace, name)
    const alias = endpoint.alias
    await serving.setTraffic(tx, who, {
      endpoint: name,
      routes: [{ revision: release.revision!, share: 1, role: 'stable' }],
      release: release.id,
      reason: words,
    })
    await registry.moveAlias(tx, who, { model, alias, to: version, through: release.id, reason: words })
    if (before) {
      await holds.release(tx, workspace, releaseSubject(before.id))
      await move(
        tx,
        who,
        before,
        { state: 'superseded', ended_ms: clock.now() },
        `release ${release.id} of version ${version} took over`,
      )
      // The one before stays loaded for a quick way back; the one before that goes.
      const older = before.previous ? await rows.releaseById(tx, workspace, before.previous) : undefined
      if (older?.revision && older.revision !== release.revision && older.revision !== before.revision)
        await serving.retireRevision(tx, who, older.revision)
    }
    await place(tx, release, alias)
    await move(tx, who, release, { state: 'live', live_ms: clock.now(), previous: before?.id ?? null }, words, facts, [
      {
        from: { kind: 'model-version', id: `${model}/${version}` },
        to: releaseSubject(release.id),
        relation: 'gated-by',
      },
      { from: releaseSubject(release.id), to: { kind: 'endpoint', id: name }, relation: 'served-by' },
    ])
    await beginNext(tx, who, workspace, name)
  }

  /** What a live release stands on cannot be deleted or changed by others, and its alias moves only through releases. */
  const place = async (tx: Tx, release: rows.Release, alias: string): Promise<void> => {
    const by = releaseSubject(release.id)
    const reason = `release ${release.id} serves it at endpoint ${release.endpoint}`
    await registry.holdFor(tx, release.workspace, { name: release.model, version: release.version }, by, reason)
    await holds.place(tx, release.workspace, aliasSubject(release.model, alias), by, reason)
    for (const { id } of await deps.trainingData(tx, release.workspace, release.model, release.version))
      await holds.place(tx, release.workspace, { kind: 'dataset-version', id }, by, reason)
  }

  /** A release that is not live ends: all traffic to what was there before. */
  const abandon: Moves['abandon'] = async (tx, who, release, reason, facts) => {
    const { workspace, endpoint } = release
    const live = await rows.liveRelease(tx, workspace, endpoint)
    const traffic = await serving.trafficOf(tx, workspace, endpoint)
    if (traffic?.routes.some((route) => route.revision === release.revision)) {
      const routes: TrafficRoute[] = live?.revision ? [{ revision: live.revision, share: 1, role: 'stable' }] : []
      await serving.setTraffic(tx, who, { endpoint, routes, ...(live && { release: live.id }), reason })
    }
    if (release.revision && release.revision !== live?.revision) await serving.retireRevision(tx, who, release.revision)
    await holds.release(tx, workspace, releaseSubject(release.id))
    const after = await move(tx, who, release, { state: 'rolled_back', reason, ended_ms: clock.now() }, reason, facts)
    await beginNext(tx, who, workspace, endpoint)
    return after
  }

  const moves: Moves = { move, promote, abandon, need }
  const rollout = createRollout(deps, moves)

  jobs.define<{ release: string }, { passed: boolean }>({
    kind: 'releases.gate',
    attempts_max: 5,
    timeout_ms: 60 * 60_000,
    concurrency: 1,
    async run(job, context) {
      const { workspace, who } = job
      const release = await store.read((sql) => need(sql, workspace, job.input.release))
      if (release.state !== 'checking') return { passed: release.verdict?.passed ?? false }
      context.progress(0, 'waiting for the preparation')
      const until = Date.now() + PREPARED_MS_MAX
      for (;;) {
        const preparation = await store.read((sql) =>
          serving.preparation(sql, workspace, release.model, release.version),
        )
        if (preparation?.state === 'failed') {
          await context.write((tx) => refuseNow(tx, who, release, `it cannot be loaded: ${preparation.reason}`, {}))
          return { passed: false }
        }
        if (preparation?.state === 'done') break
        if (Date.now() > until) throw new DomainError('unavailable', 'the preparation of the version did not end')
        context.signal.throwIfAborted()
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
      const verdict = await runGate(deps, release, context)
      await context.write(async (tx) => {
        const fresh = await need(tx, workspace, release.id)
        if (fresh.state !== 'checking') return
        if (!verdict.passed)
          return refuseNow(
            tx,
            who,
            fresh,
            verdict.reason,
            { rows: verdict.measured.rows, source: verdict.measured.source },
            verdict,
          )
        const provenance = await deps.provenance(tx, workspace, release.model, release.version)
        const data = await deps.trainingData(tx, workspace, release.model, release.version)
        const endpoint = await serving.getEndpoint(tx, workspace, release.endpoint)
        const live = await rows.liveRelease(tx, workspace, release.endpoint)
        const bundle: rows.Bundle = {
          model: release.model,
          version: release.version,
          ...provenance,
          form: verdict.measured.form,
          data: data.map(({ id, name, number, digest }) => ({ id, name, number, digest })),
          endpoint: endpoint.spec,
          previous: live?.id ?? null,
        }
        const approved = await move(
          tx,
          who,
          fresh,
          { state: 'approved', verdict, bundle, previous: live?.id ?? null },
          verdict.reason,
          { rows: verdict.measured.rows, source: verdict.measured.source },
        )
        const revision = await serving.addRevision(tx, who, { endpoint: release.endpoint, version: release.version })
        await move(tx, who, approved, { state: 'loading', revision: revision.id }, 'serving nodes load it')
        await rollout.begin(tx, who, approved)
      })
      return { passed: verdict.passed }
    },
    async onGivenUp(tx, job) {
      const release = await rows.releaseById(tx, job.workspace, job.input.release)
      if (release?.state === 'checking')
        await refuseNow(tx, job.who, release, `its gate could not be run: ${job.error?.message ?? 'given up'}`, {})
    },
  })

  const refuseNow = async (
    tx: Tx,
    who: Who,
    release: rows.Release,
    reason: string,
    facts: Record<string, unknown>,
    verdict?: rows.Release['verdict'],
  ): Promise<void> => {
    await move(
      tx,
      who,
      release,
      { state: 'refused', reason, ended_ms: clock.now(), ...(verdict && { verdict }) },
      reason,
      facts,
    )
    await beginNext(tx, who, release.workspace, release.endpoint)
  }

  const propose: Releases['propose'] = async (tx, who, { endpoint: name, version, reason }) => {
    const endpoint = await serving.getEndpoint(tx, who.workspace, name)
    await registry.getVersion(tx, who.workspace, { name: endpoint.model, version })
    await tx.lock('releases.endpoint', who.workspace, name)
    const known = (
      await rows.releasesOf(tx, who.workspace, { endpoint: name, model: endpoint.model, version, limit: 10 })
    ).find(({ state }) => state === 'proposed' || rows.OPEN.includes(state) || state === 'live')
    if (known) {
      if (known.state === 'live')
        throw conflict(`version ${version} is live at endpoint '${name}' already`, { field: 'version' })
      return known
    }
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
    await move(
      tx,
      who,
      release,
      { state: 'proposed' },
      reason ?? `version ${version} of ${endpoint.model} is a candidate`,
      {},
      [
        {
          from: { kind: 'model-version', id: `${endpoint.model}/${version}` },
          to: releaseSubject(release.id),
          relation: 'caused',
        },
      ],
    )
    await beginNext(tx, who, who.workspace, name)
    return (await rows.releaseById(tx, who.workspace, release.id))!
  }

  return {
    ...createRetraining(deps),
    async applyPolicy(tx, who, { project, endpoint, spec }) {
      const before = await rows.policyOf(tx, who.workspace, endpoint)
      const digest = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)
      if (before?.digest === digest && before.project === project) return
      await rows.putPolicy(tx, {
        workspace: who.workspace,
        endpoint,
        project,
        spec,
        applied_by: actorOf(who),
        digest,
        applied_ms: clock.now(),
      })
      await events.record(tx, policyApplied, {
        who,
        subject: { kind: 'endpoint', id: endpoint },
        before: before?.spec,
        after: { endpoint, project },
      })
    },

    async removePolicy(tx, who, endpoint) {
      const before = await rows.policyOf(tx, who.workspace, endpoint)
      if (!before) return
      await rows.dropPolicy(tx, who.workspace, endpoint)
      await events.record(tx, policyApplied, {
        who,
        subject: { kind: 'endpoint', id: endpoint },
        before: before.spec,
        after: { endpoint, project: before.project },
        reason: 'removed',
      })
    },

    policyOf: rows.policyOf,

    async considerCandidate(tx, who, { model, version }) {
      for (const endpoint of await serving.endpointsOfModel(tx, who.workspace, model)) {
        const policy = await rows.policyOf(tx, who.workspace, endpoint.name)
        if (policy && (policy.spec.on_new_version ?? 'propose') === 'propose')
          await propose(tx, who, { endpoint: endpoint.name, version })
      }
    },

    propose,

    async refuse(tx, who, id, reason) {
      const release = await need(tx, who.workspace, id)
      if (release.state === 'proposed' || release.state === 'checking')
        return refuseNow(tx, who, release, reason, { by: 'person' })
      throw conflict(`release ${id} is ${release.state}; only a proposed or checking one can be refused`, {
        field: 'release',
        remedy: 'Roll it back instead.',
      })
    },

    async rollBack(tx, who, id, reason, facts = {}) {
      await tx.lock('releases.release', who.workspace, id)
      const release = await need(tx, who.workspace, id)
      if (release.state === 'loading' || release.state === 'canary') return abandon(tx, who, release, reason, facts)
      if (release.state !== 'live')
        throw conflict(
          `release ${id} is ${release.state}; only one that is loading, canary or live can be rolled back`,
          { field: 'release' },
        )
      const previous = release.previous ? await rows.releaseById(tx, who.workspace, release.previous) : undefined
      if (!previous?.revision)
        throw conflict(`release ${id} is the first of endpoint '${release.endpoint}': there is nothing to go back to`, {
          field: 'release',
        })
      // Everything the earlier bundle was: its revision, the alias, the holds. Its revision was kept loaded for this.
      const endpoint = await serving.getEndpoint(tx, who.workspace, release.endpoint)
      const open = await rows.openRelease(tx, who.workspace, release.endpoint)
      if (open) await abandon(tx, who, open, `release ${id} was rolled back`, {})
      await serving.setTraffic(tx, who, {
        endpoint: release.endpoint,
        routes: [{ revision: previous.revision, share: 1, role: 'stable' }],
        release: previous.id,
        reason,
      })
      await registry.moveAlias(tx, who, {
        model: previous.model,
        alias: endpoint.alias,
        to: previous.version,
        through: previous.id,
        reason,
      })
      await holds.release(tx, who.workspace, releaseSubject(id))
      await place(tx, previous, endpoint.alias)
      const after = await move(tx, who, release, { state: 'rolled_back', reason, ended_ms: clock.now() }, reason, facts)
      await move(
        tx,
        who,
        previous,
        { state: 'live', ended_ms: null },
        `release ${id} was rolled back; this bundle serves again`,
      )
      if (release.revision) await serving.retireRevision(tx, who, release.revision)
      await beginNext(tx, who, who.workspace, release.endpoint)
      return after
    },

    getRelease: need,
    listReleases: rows.releasesOf,
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
