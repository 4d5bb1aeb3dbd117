/** Moves traffic to an approved release by steps, with guards on what the canary really did. */
import type { Who } from '#kernel/http/who.ts'
import type { JobContext } from '#kernel/jobs/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { readDuration } from '#kernel/units.ts'
import { countsBetween, type RevisionStats } from '#slices/serving'
import type { ReleasesDeps } from './deps.ts'
import { breachOf } from './guards.ts'
import { type Moves, releaseSubject } from './moves.ts'
import type { Release, ReleaseState, StepCounts } from './release-store.ts'
import * as rows from './release-store.ts'
import type { Guard, ReleaseSpec } from './schema.ts'

/** How often the counts are judged: well within the five seconds in which a breach must be undone. */
const LOOK_MS = 100
const LOAD_MS_MAX = 5 * 60_000
/** Longest that a rollout may stay half-way: a split fleet answers one request in two ways. */
const ROLLOUT_MS_MAX = 7 * 24 * 60 * 60_000
const NOTE_MS = 1000

const REQUESTS_DEFAULT = 500
export const STEPS_DEFAULT = [
  { share: 0.1, requests: REQUESTS_DEFAULT },
  { share: 0.5, requests: REQUESTS_DEFAULT },
  { share: 1 },
] as const
const GUARDS_DEFAULT = [{ errors: 0.01, at_least: 5 }] as const

/** The steps and guards that hold: the stated ones, or ours where none are stated. */
export const rolloutOf = ({ rollout }: ReleaseSpec): { steps: readonly Step[]; guards: readonly Guard[] } => ({
  steps: rollout?.steps ?? STEPS_DEFAULT,
  guards: rollout?.guards ?? GUARDS_DEFAULT,
})

export interface Rollout {
  begin(tx: Tx, who: Who, release: Release): Promise<void>
}

/** What both sides have counted since they were loaded; undefined while one is not loaded, as after a restart. */
interface Now {
  canary: RevisionStats
  stable: RevisionStats
}

type Step = { share: number; requests?: number }

export function createRollout(deps: ReleasesDeps, moves: Moves): Rollout {
  const { store, serving, jobs, clock } = deps

  const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  const readiness = ({ workspace, revision }: Release) =>
    store.read((sql) => serving.readiness(sql, workspace, revision!))

  /** One decision: what it was read from may have changed since (a person rolled it back), so it is read again under the lock. */
  const decide = (
    release: Release,
    states: readonly ReleaseState[],
    context: JobContext,
    work: (tx: Tx, fresh: Release) => Promise<unknown>,
  ): Promise<ReleaseState> =>
    context.write(async (tx) => {
      const fresh = await moves.locked(tx, release.workspace, release.id)
      if (!states.includes(fresh.state) || fresh.step !== release.step) return fresh.state
      await work(tx, fresh)
      return (await moves.need(tx, release.workspace, release.id)).state
    })

  const giveUp = (
    release: Release,
    who: Who,
    context: JobContext,
    words: string,
    facts: Record<string, unknown> = {},
  ): Promise<ReleaseState> =>
    decide(release, ['loading', 'canary'], context, (tx, fresh) => moves.abandon(tx, who, fresh, words, facts))

  const promote = (
    release: Release,
    who: Who,
    context: JobContext,
    words: string,
    facts: Record<string, unknown> = {},
  ): Promise<ReleaseState> =>
    decide(release, ['loading', 'canary'], context, (tx, fresh) => moves.promote(tx, who, fresh, words, facts))

  /** Waits until a node has it ready. Undefined: it has; otherwise what became of the release. */
  const load = async (release: Release, who: Who, context: JobContext): Promise<ReleaseState | undefined> => {
    const until = performance.now() + LOAD_MS_MAX
    for (;;) {
      context.signal.throwIfAborted()
      const fresh = await store.read((sql) => moves.need(sql, release.workspace, release.id))
      if (fresh.state !== 'loading') return fresh.state
      const { state, reason } = await readiness(release)
      if (state === 'ready') return undefined
      if (state === 'failed') return giveUp(release, who, context, `it does not load: ${reason}`)
      if (performance.now() > until)
        return giveUp(release, who, context, `no node had it ready within ${LOAD_MS_MAX / 60_000} minutes`)
      await pause()
    }
  }

  const countsNow = (release: Release, stable: Release): Now | undefined => {
    const [mine, theirs] = [serving.stats(release.revision!), serving.stats(stable.revision!)]
    return mine && theirs && { canary: mine, stable: theirs }
  }
  const baseline = (now: Now): StepCounts => ({
    ...now,
    canary_since_ms: now.canary.since_ms,
    stable_since_ms: now.stable.since_ms,
  })
  /** The counts of a step that was under way are gone: all that was counted since the load belongs to the step. */
  const anew = (now: Now): StepCounts => ({
    canary_since_ms: now.canary.since_ms,
    stable_since_ms: now.stable.since_ms,
  })

  /** Begins a step: traffic, the counts it starts from and the decision are one transaction. */
  const beginStep = (
    release: Release,
    who: Who,
    context: JobContext,
    next: { step: number; stable: Release; now: Now; words: string; facts?: Record<string, unknown> },
  ) =>
    decide(release, ['loading', 'canary'], context, async (tx, fresh) => {
      const { share } = rolloutOf(fresh.policy).steps[next.step]!
      await serving.setTraffic(tx, who, {
        endpoint: fresh.endpoint,
        routes: [
          { revision: fresh.revision!, share, role: 'canary' },
          { revision: next.stable.revision!, share: 1 - share, role: 'stable' },
        ],
        release: fresh.id,
        reason: next.words,
      })
      const changes = {
        state: 'canary',
        step: next.step,
        step_ms: clock.now(),
        step_counts: baseline(next.now),
      } as const
      await moves.move(tx, who, fresh, changes, next.words, next.facts)
    })

  /** A whole share is promotion, unless requests are asked of it first. */
  const isLast = (step: Step | undefined): boolean => !step || (step.share >= 1 && step.requests === undefined)

  jobs.define<{ release: string }, { state: string }>({
    kind: 'releases.rollout',
    attempts_max: 20,
    timeout_ms: ROLLOUT_MS_MAX + LOAD_MS_MAX,
    // A rollout waits for requests most of its time; one that finds no place would go unguarded.
    concurrency: 64,
    backoff_ms: 200,
    async run(job, context) {
      const { workspace, who } = job
      let release = await store.read((sql) => moves.need(sql, workspace, job.input.release))
      if (release.state === 'loading') {
        const ended = await load(release, who, context)
        if (ended) return { state: ended }
      }
      const [stable, decisions] = await store.read(async (sql) => [
        await rows.liveRelease(sql, workspace, release.endpoint),
        await rows.decisionsOf(sql, workspace, release.id),
      ])
      if (!stable?.revision) {
        const words = 'it takes all traffic at once: the endpoint served nothing before'
        return { state: await promote(release, who, context, words) }
      }
      const { steps, guards } = rolloutOf(release.policy)
      if (release.state === 'loading' && isLast(steps[0]))
        return { state: await promote(release, who, context, 'it takes all traffic at once: its rollout has one step') }
      const limit_ms = release.policy.rollout?.timeout ? readDuration(release.policy.rollout.timeout) : ROLLOUT_MS_MAX
      const began_ms = decisions.find(({ state }) => state === 'canary')?.at_ms ?? clock.now()
      let noted = Number.NEGATIVE_INFINITY

      for (; ; await pause()) {
        context.signal.throwIfAborted()
        release = await store.read((sql) => moves.need(sql, workspace, release.id))
        // A person may have rolled it back.
        if (release.state !== 'loading' && release.state !== 'canary') return { state: release.state }
        if (clock.now() - began_ms > limit_ms)
          return { state: await giveUp(release, who, context, 'the rollout took longer than its time') }
        const now = countsNow(release, stable)
        if (!now) {
          // After a restart both are loaded again; one that does not load any more ends it.
          const { state, reason } = await readiness(release)
          if (state === 'failed')
            return { state: await giveUp(release, who, context, `it does not load any more: ${reason}`) }
          continue
        }
        if (release.state === 'loading') {
          const words = `step 1 of ${steps.length}: ${percent(steps[0]!.share)} of the traffic`
          await beginStep(release, who, context, { step: 0, stable, now, words })
          continue
        }
        const { step_counts: from, step: place } = release
        const at = place!
        if (from.canary_since_ms !== now.canary.since_ms || from.stable_since_ms !== now.stable.since_ms) {
          const words = `step ${at + 1} of ${steps.length} begins again: a model was loaded anew, and its counts with it`
          await decide(release, ['canary'], context, (tx, fresh) =>
            moves.move(tx, who, fresh, { state: 'canary', step_ms: clock.now(), step_counts: anew(now) }, words),
          )
          continue
        }
        const canary = countsBetween(from.canary, now.canary)
        const breach = breachOf(guards, canary, countsBetween(from.stable, now.stable))
        if (breach) {
          const facts = { ...breach.facts, guard: breach.guard, step: at }
          return { state: await giveUp(release, who, context, breach.words, facts) }
        }
        // Rules of today say how many; those of an earlier time may not, and what was not tried did not hold.
        const wanted = steps[at]!.requests ?? REQUESTS_DEFAULT
        if (canary.requests < wanted) {
          if (performance.now() - noted < NOTE_MS) continue
          noted = performance.now()
          const words = `step ${at + 1} of ${steps.length}: ${canary.requests} of ${wanted} requests`
          context.progress(canary.requests / wanted, words)
          continue
        }
        const facts = { requests: canary.requests, errors: canary.errors, over_time: canary.over_time }
        const said = `${canary.requests} requests, ${canary.errors + canary.over_time} failed`
        const following = steps[at + 1]
        if (isLast(following)) return { state: await promote(release, who, context, `the canary held: ${said}`, facts) }
        const words = `step ${at + 2} of ${steps.length}: ${percent(following!.share)} of the traffic, after ${said}`
        await beginStep(release, who, context, { step: at + 1, stable, now, words, facts })
      }
    },
    async onGivenUp(tx, job) {
      if (!(await rows.releaseById(tx, job.workspace, job.input.release))) return
      const release = await moves.locked(tx, job.workspace, job.input.release)
      if (release.state !== 'loading' && release.state !== 'canary') return
      const reason = `the rollout could not go on: ${job.error?.message ?? 'given up'}`
      await moves.abandon(tx, job.who, release, reason, {})
    },
  })

  return {
    async begin(tx, who, release) {
      await jobs.enqueue(tx, {
        kind: 'releases.rollout',
        workspace: release.workspace,
        who,
        input: { release: release.id },
        key: `rollout:${release.id}`,
        subject: releaseSubject(release.id),
      })
    },
  }
}

const percent = (share: number): string => `${+(share * 100).toFixed(2)} %`
