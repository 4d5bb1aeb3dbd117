/** Moves traffic to an approved release by steps, with guards on what the canary really did. */
import type { Who } from '#kernel/http/who.ts'
import type { JobContext } from '#kernel/jobs/index.ts'
import type { Tx } from '#kernel/store/index.ts'
import { readDuration } from '#kernel/units.ts'
import { type Counts, countsBetween } from '#slices/serving'
import type { ReleasesDeps } from './deps.ts'
import { breachOf } from './guards.ts'
import type { Release } from './release-store.ts'
import * as rows from './release-store.ts'
import { type Moves, releaseSubject } from './releases.ts'

/** How often the counts are judged: well within the five seconds in which a breach must be undone. */
const LOOK_MS = 100
const LOAD_MS_MAX = 5 * 60_000
/** Longest that a rollout may stay half-way: a split fleet answers one request in two ways. */
const ROLLOUT_MS_MAX = 7 * 24 * 60 * 60_000
const NOTE_MS = 1000

const STEPS_DEFAULT = [{ share: 0.1, requests: 500 }, { share: 0.5, requests: 500 }, { share: 1 }] as const
const GUARDS_DEFAULT = [{ errors: 0.01, at_least: 5 }] as const

export interface Rollout {
  begin(tx: Tx, who: Who, release: Release): Promise<void>
}

export function createRollout(deps: ReleasesDeps, moves: Moves): Rollout {
  const { store, serving, jobs, clock } = deps

  const stepsOf = (release: Release) => release.policy.rollout?.steps ?? STEPS_DEFAULT
  const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS))

  /** Waits until a node has it ready. False: it was rolled back. */
  const load = async (release: Release, who: Who, context: JobContext): Promise<boolean> => {
    const until = Date.now() + LOAD_MS_MAX
    for (;;) {
      context.signal.throwIfAborted()
      const { state, reason } = await store.read((sql) => serving.readiness(sql, release.workspace, release.revision!))
      if (state === 'ready') return true
      const late = Date.now() > until
      if (state === 'failed' || late) {
        const words = late
          ? `no node had it ready within ${LOAD_MS_MAX / 60_000} minutes`
          : `it does not load: ${reason}`
        await context.write((tx) => moves.abandon(tx, who, release, words, {}))
        return false
      }
      await pause()
    }
  }

  const countsNow = (release: Release, stable: string | null): { canary?: Counts; stable?: Counts } => {
    const canary = serving.stats(release.revision!)
    const other = stable ? serving.stats(stable) : undefined
    return { ...(canary && { canary }), ...(other && { stable: other }) }
  }

  /** Begins a step: traffic, the counts it starts from and the decision are one transaction. */
  const beginStep = (
    release: Release,
    who: Who,
    step: number,
    stable: Release,
    context: JobContext,
    words: string,
    facts: Record<string, unknown>,
  ) =>
    context.write(async (tx) => {
      const { share } = stepsOf(release)[step]!
      await serving.setTraffic(tx, who, {
        endpoint: release.endpoint,
        routes: [
          { revision: release.revision!, share, role: 'canary' },
          { revision: stable.revision!, share: 1 - share, role: 'stable' },
        ],
        release: release.id,
        reason: words,
      })
      return moves.move(
        tx,
        who,
        release,
        { state: 'canary', step, step_ms: clock.now(), step_counts: countsNow(release, stable.revision) },
        words,
        facts,
      )
    })

  jobs.define<{ release: string }, { state: string }>({
    kind: 'releases.rollout',
    attempts_max: 20,
    timeout_ms: ROLLOUT_MS_MAX + LOAD_MS_MAX,
    concurrency: 8,
    async run(job, context) {
      const { workspace, who } = job
      let release = await store.read((sql) => moves.need(sql, workspace, job.input.release))
      if (release.state === 'loading' && !(await load(release, who, context))) return { state: 'rolled_back' }
      const stable = await store.read((sql) => rows.liveRelease(sql, workspace, release.endpoint))
      if (!stable?.revision) {
        const words = 'it takes all traffic at once: the endpoint served nothing before'
        await context.write(async (tx) =>
          moves.promote(tx, who, await moves.need(tx, workspace, release.id), words, {}),
        )
        return { state: 'live' }
      }
      const steps = stepsOf(release)
      const guards = release.policy.rollout?.guards ?? GUARDS_DEFAULT
      const limit_ms = release.policy.rollout?.timeout ? readDuration(release.policy.rollout.timeout) : ROLLOUT_MS_MAX
      const started = Date.now()
      let noted = 0
      if (release.state === 'loading')
        release = await beginStep(
          release,
          who,
          0,
          stable,
          context,
          `step 1 of ${steps.length}: ${share(steps[0]!.share)} of the traffic`,
          {},
        )
      for (;;) {
        context.signal.throwIfAborted()
        const fresh = await store.read((sql) => moves.need(sql, workspace, release.id))
        // A person may have rolled it back.
        if (fresh.state !== 'canary') return { state: fresh.state }
        release = fresh
        const now = countsNow(release, stable.revision)
        if (now.canary) {
          const canary = countsBetween(release.step_counts.canary, now.canary)
          const other = now.stable && countsBetween(release.step_counts.stable, now.stable)
          const breach = breachOf(guards, canary, other)
          if (breach) {
            await context.write((tx) =>
              moves.abandon(tx, who, release, breach.words, {
                ...breach.facts,
                guard: breach.guard,
                step: release.step,
              }),
            )
            return { state: 'rolled_back' }
          }
          const step = steps[release.step!]!
          const wanted = 'requests' in step ? (step.requests ?? 0) : 0
          if (canary.requests >= wanted) {
            const next = release.step! + 1
            const facts = { requests: canary.requests, errors: canary.errors, over_time: canary.over_time }
            const said = `${canary.requests} requests, ${canary.errors + canary.over_time} failed`
            const following = steps[next]
            if (!following || following.share >= 1) {
              await context.write(async (tx) =>
                moves.promote(tx, who, await moves.need(tx, workspace, release.id), `the canary held: ${said}`, facts),
              )
              return { state: 'live' }
            }
            release = await beginStep(
              release,
              who,
              next,
              stable,
              context,
              `step ${next + 1} of ${steps.length}: ${share(following.share)} of the traffic, after ${said}`,
              facts,
            )
          } else if (Date.now() - noted > NOTE_MS) {
            noted = Date.now()
            context.progress(
              canary.requests / wanted,
              `step ${release.step! + 1} of ${steps.length}: ${canary.requests} of ${wanted} requests`,
            )
          }
        }
        if (Date.now() - started > limit_ms) {
          await context.write((tx) => moves.abandon(tx, who, release, 'the rollout took longer than its time', {}))
          return { state: 'rolled_back' }
        }
        await pause()
      }
    },
    async onGivenUp(tx, job) {
      const release = await rows.releaseById(tx, job.workspace, job.input.release)
      if (release && (release.state === 'loading' || release.state === 'canary'))
        await moves.abandon(
          tx,
          job.who,
          release,
          `the rollout could not go on: ${job.error?.message ?? 'given up'}`,
          {},
        )
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

const share = (value: number): string => `${+(value * 100).toFixed(2)} %`
