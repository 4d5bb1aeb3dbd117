/** The steps of a release. Each is part of its caller's transaction, which holds the lock of the endpoint: `locked` before deciding. */
import { isDeepStrictEqual } from 'node:util'
import { conflict, DomainError, notFound } from '#kernel/errors.ts'
import type { Edge, EventType, Subject } from '#kernel/events/index.ts'
import { type Actor, type Permission, ruleWho, type Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { aliasSubject } from '#slices/registry'
import type { EndpointSpec, TrafficRoute } from '#slices/serving'
import type { ReleasesDeps } from './deps.ts'
import {
  type ReleaseFact,
  releaseLive,
  releaseMoved,
  releaseProposed,
  releaseRefused,
  releaseRolledBack,
} from './events.ts'
import type { Release, ReleaseState } from './release-store.ts'
import * as rows from './release-store.ts'

/** What the rule of an endpoint may do, granted when somebody who holds these rights applied it. */
export const RULE_RIGHTS: readonly Permission[] = [
  'releases.read',
  'releases.write',
  'registry.read',
  'registry.write',
  'serving.read',
  'serving.write',
  'monitoring.read',
  'datasets.read',
  'tracking.read',
]

export interface Moves {
  need(sql: Sql, workspace: string, id: string): Promise<Release>
  /** Takes the lock under which the releases of an endpoint move, then reads: nobody else moves one before the transaction ends. */
  locked(tx: Tx, workspace: string, id: string): Promise<Release>
  /** A change of state with its decision row and its event. */
  move(
    tx: Tx,
    who: Who,
    release: Release,
    changes: Partial<Release> & { state: ReleaseState },
    words: string,
    facts?: Record<string, unknown>,
    edges?: readonly Edge[],
  ): Promise<Release>
  /** The next candidate that waits begins its check; one release of an endpoint is under way at a time. */
  beginNext(tx: Tx, who: Who, workspace: string, endpoint: string): Promise<void>
  refuse(
    tx: Tx,
    who: Who,
    release: Release,
    reason: string,
    facts?: Record<string, unknown>,
    verdict?: Release['verdict'],
  ): Promise<void>
  /** All traffic, the alias and the holds go to the release; the one before it is superseded, and stays loaded and held as the way back. */
  promote(tx: Tx, who: Who, release: Release, words: string, facts: Record<string, unknown>): Promise<void>
  /** A release that is under way but not live ends: all traffic to what was there before. */
  abandon(tx: Tx, who: Who, release: Release, reason: string, facts: Record<string, unknown>): Promise<Release>
  /** A live release goes and the bundle before it serves again: revision, serving configuration, alias, holds. */
  restore(tx: Tx, who: Who, release: Release, reason: string, facts: Record<string, unknown>): Promise<Release>
  /** What a live release stands on cannot be deleted or changed by others, and its alias moves only through releases. */
  place(tx: Tx, release: Release, alias: string): Promise<void>
}

export const actorOf = ({ kind, id, name }: Who): Actor => ({ kind, id, name })
export const releaseSubject = (id: string): Subject => ({ kind: 'release', id })
/** Every change of an endpoint's releases takes this lock before it reads, and before any lock of another slice. */
export const lockEndpoint = (tx: Tx, workspace: string, endpoint: string) =>
  tx.lock('releases.endpoint', workspace, endpoint)

const EVENT_OF: Partial<Record<ReleaseState, EventType<ReleaseFact>>> = {
  proposed: releaseProposed,
  refused: releaseRefused,
  live: releaseLive,
  rolled_back: releaseRolledBack,
}

export function createMoves(deps: ReleasesDeps): Moves {
  const { events, holds, jobs, registry, serving, clock } = deps

  const need: Moves['need'] = async (sql, workspace, id) => {
    const release = await rows.releaseById(sql, workspace, id)
    if (!release) throw notFound(`no release ${id}`, { field: 'release' })
    return release
  }

  const locked: Moves['locked'] = async (tx, workspace, id) => {
    const { endpoint } = await need(tx, workspace, id)
    await lockEndpoint(tx, workspace, endpoint)
    return need(tx, workspace, id)
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

  const beginNext: Moves['beginNext'] = async (tx, who, workspace, endpoint) => {
    await lockEndpoint(tx, workspace, endpoint)
    if (await rows.openRelease(tx, workspace, endpoint)) return
    const next = await rows.nextProposed(tx, workspace, endpoint)
    if (!next) return
    // From here on the release carries the rules that stand now: a change of them is for the next one.
    const policy = await rows.policyOf(tx, workspace, endpoint)
    const actor = policy
      ? ruleWho(workspace, `release:${endpoint}@${policy.digest}`, RULE_RIGHTS, policy.applied_by)
      : who
    await move(
      tx,
      actor,
      next,
      { state: 'checking', policy: policy?.spec ?? {} },
      policy ? `its gate begins, by rules ${policy.digest}` : 'its gate begins; the endpoint has no rules of its own',
    )
    await jobs.enqueue(tx, {
      kind: 'releases.gate',
      workspace,
      who: actor,
      input: { release: next.id },
      key: `gate:${next.id}`,
      subject: releaseSubject(next.id),
    })
  }

  const refuse: Moves['refuse'] = async (tx, who, release, reason, facts = {}, verdict) => {
    const ended = { state: 'refused', reason, ended_ms: clock.now(), ...(verdict && { verdict }) } as const
    await move(tx, who, release, ended, reason, facts)
    await beginNext(tx, who, release.workspace, release.endpoint)
  }

  /** Version, run, logged model, experiment and training data. */
  const placeParts = async (tx: Tx, release: Release, reason: string): Promise<void> => {
    const by = releaseSubject(release.id)
    await registry.holdFor(tx, release.workspace, { name: release.model, version: release.version }, by, reason)
    const trainedOn = () => deps.trainingData(tx, release.workspace, release.model, release.version)
    const data = await trainedOn()
    for (const id of data.map((one) => one.id).sort())
      await holds.place(tx, release.workspace, { kind: 'dataset-version', id }, by, reason)
    // A delete that was under way has ended by now: each of the two sees the other.
    if ((await trainedOn()).length < data.length)
      throw conflict(`data of ${release.model}/${release.version} was deleted just now`, {
        remedy: 'Try again: a version outlives its data.',
      })
  }

  /** What a way back leads to is there when it is needed; its alias belongs to the release that is live. */
  const placeBack = async (tx: Tx, release: Release, live: string): Promise<void> => {
    await holds.release(tx, release.workspace, releaseSubject(release.id))
    const reason = `release ${release.id} is the way back of release ${live}, live at endpoint ${release.endpoint}`
    await placeParts(tx, release, reason)
  }

  const place: Moves['place'] = async (tx, release, alias) => {
    const by = releaseSubject(release.id)
    const reason = `release ${release.id} serves it at endpoint ${release.endpoint}`
    // It may be held as the way back.
    await holds.release(tx, release.workspace, by)
    await placeParts(tx, release, reason)
    await holds.place(
      tx,
      release.workspace,
      aliasSubject(release.model, alias),
      by,
      `${reason}; propose a version with: slipway release propose ${release.endpoint} <version>`,
    )
  }

  const promote: Moves['promote'] = async (tx, who, release, words, facts) => {
    const { workspace, endpoint: name, model, version } = release
    const endpoint = await serving.getEndpoint(tx, workspace, name)
    const before = await rows.liveRelease(tx, workspace, name)
    await serving.setTraffic(tx, who, {
      endpoint: name,
      routes: [{ revision: release.revision!, share: 1, role: 'stable' }],
      release: release.id,
      reason: words,
    })
    await registry.moveAlias(tx, who, {
      model,
      alias: endpoint.alias,
      to: version,
      through: release.id,
      reason: words,
    })
    if (before) {
      await placeBack(tx, before, release.id)
      // Going back restores what served until now, later changes of its thresholds and limits included.
      const bundle = before.bundle && { ...before.bundle, endpoint: endpoint.spec }
      await move(
        tx,
        who,
        before,
        { state: 'superseded', ended_ms: clock.now(), ...(bundle && { bundle }) },
        `release ${release.id} of version ${version} took over`,
      )
      // The one before stays loaded and held for a quick way back; the one before that goes.
      const older = before.previous ? await rows.releaseById(tx, workspace, before.previous) : undefined
      if (older) await holds.release(tx, workspace, releaseSubject(older.id))
      if (older?.revision && older.revision !== release.revision && older.revision !== before.revision)
        await serving.retireRevision(tx, who, older.revision)
    }
    await place(tx, release, endpoint.alias)
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

  const abandon: Moves['abandon'] = async (tx, who, release, reason, facts) => {
    const { workspace, endpoint } = release
    const live = await rows.liveRelease(tx, workspace, endpoint)
    const traffic = await serving.trafficOf(tx, workspace, endpoint)
    if (traffic?.routes.some((route) => route.revision === release.revision)) {
      const routes: TrafficRoute[] = live?.revision ? [{ revision: live.revision, share: 1, role: 'stable' }] : []
      await serving.setTraffic(tx, who, { endpoint, routes, ...(live && { release: live.id }), reason })
    }
    // A version that is tried again may have the very revision that is the way back of the live one.
    const back = live?.previous ? await rows.releaseById(tx, workspace, live.previous) : undefined
    if (release.revision && release.revision !== live?.revision && release.revision !== back?.revision)
      await serving.retireRevision(tx, who, release.revision)
    await holds.release(tx, workspace, releaseSubject(release.id))
    const after = await move(tx, who, release, { state: 'rolled_back', reason, ended_ms: clock.now() }, reason, facts)
    await beginNext(tx, who, workspace, endpoint)
    return after
  }

  const isThere = async (tx: Tx, { workspace, model, version }: Release): Promise<boolean> => {
    try {
      await registry.getVersion(tx, workspace, { name: model, version })
      return true
    } catch (error) {
      if (error instanceof DomainError && error.problem === 'not-found') return false
      throw error
    }
  }

  const restore: Moves['restore'] = async (tx, who, release, reason, facts) => {
    const { workspace, endpoint: name, id } = release
    const previous = release.previous ? await rows.releaseById(tx, workspace, release.previous) : undefined
    if (!previous?.revision)
      throw conflict(`release ${id} is the first of endpoint '${name}': there is nothing to go back to`, {
        field: 'release',
        remedy: 'Propose another version of the model.',
      })
    const open = await rows.openRelease(tx, workspace, name)
    const endpoint = await serving.getEndpoint(tx, workspace, name)
    const spec = (previous.bundle?.endpoint ?? endpoint.spec) as EndpointSpec
    if (!isDeepStrictEqual(spec, endpoint.spec))
      await serving.applyEndpoint(tx, who, { project: endpoint.project, name, spec })
    const { alias } = await serving.getEndpoint(tx, workspace, name)
    await serving.setTraffic(tx, who, {
      endpoint: name,
      routes: [{ revision: previous.revision, share: 1, role: 'stable' }],
      release: previous.id,
      reason,
    })
    await registry.moveAlias(tx, who, {
      model: previous.model,
      alias,
      to: previous.version,
      through: previous.id,
      reason,
    })
    await holds.release(tx, workspace, releaseSubject(id))
    await place(tx, previous, alias)
    const after = await move(tx, who, release, { state: 'rolled_back', reason, ended_ms: clock.now() }, reason, facts)
    await move(
      tx,
      who,
      previous,
      { state: 'live', ended_ms: null, reason: null },
      `release ${id} was rolled back; this bundle serves again`,
    )
    if (release.revision && release.revision !== previous.revision)
      await serving.retireRevision(tx, who, release.revision)
    // The way back from here is loaded and held again, as it was when this bundle went live; it was free, and may be gone.
    const back = previous.previous ? await rows.releaseById(tx, workspace, previous.previous) : undefined
    if (back?.revision && (await isThere(tx, back))) {
      await serving.addRevision(tx, who, { endpoint: name, version: back.version })
      await placeBack(tx, back, previous.id)
    } else if (back) await rows.updateRelease(tx, workspace, previous.id, { previous: null })
    // A rollout was approved against what is gone now; a check that runs notices by itself and compares anew.
    if (open && open.state !== 'checking') await abandon(tx, who, open, `release ${id} was rolled back`, {})
    await beginNext(tx, who, workspace, name)
    return after
  }

  return { need, locked, move, beginNext, refuse, promote, abandon, restore, place }
}
