/** The job that checks a candidate: waits for its preparation, runs the gate, and writes what it decided in one transaction. */
import { conflict } from '#kernel/errors.ts'
import type { JobContext } from '#kernel/jobs/index.ts'
import type { ReleasesDeps } from './deps.ts'
import { runGate } from './gate.ts'
import type { Moves } from './moves.ts'
import type { Bundle, Release } from './release-store.ts'
import * as rows from './release-store.ts'
import type { Rollout } from './rollout.ts'

/** Longest wait for the preparation of a candidate. */
const PREPARED_MS_MAX = 20 * 60_000
const LOOK_MS = 200

export function defineGate(deps: ReleasesDeps, moves: Moves, rollout: Rollout): void {
  const { store, jobs, serving } = deps

  /** Undefined: the candidate can be loaded. Otherwise why not. */
  const prepared = async ({ workspace, model, version }: Release, context: JobContext): Promise<string | undefined> => {
    const until = performance.now() + PREPARED_MS_MAX
    for (;;) {
      context.signal.throwIfAborted()
      const found = await store.read((sql) => serving.preparation(sql, workspace, model, version))
      if (found?.state === 'done') return undefined
      if (found?.state === 'failed') return `it cannot be loaded: ${found.reason}`
      if (performance.now() > until) return `its preparation did not end within ${PREPARED_MS_MAX / 60_000} minutes`
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  jobs.define<{ release: string }, { passed: boolean }>({
    kind: 'releases.gate',
    attempts_max: 5,
    timeout_ms: 60 * 60_000,
    concurrency: 1,
    async run(job, context) {
      const { workspace, who } = job
      const release = await store.read((sql) => moves.need(sql, workspace, job.input.release))
      // It ended while this job waited, or its verdict was written and this job was not.
      if (release.state !== 'checking') return { passed: release.verdict?.passed ?? false }
      context.progress(0, 'waiting for the preparation')
      const unloadable = await prepared(release, context)
      const verdict = unloadable === undefined ? await runGate(deps, release, context) : undefined
      await context.write(async (tx) => {
        const fresh = await moves.locked(tx, workspace, release.id)
        if (fresh.state !== 'checking') return
        if (!verdict) return moves.refuse(tx, who, fresh, unloadable!)
        const { measured } = verdict
        const live = await rows.liveRelease(tx, workspace, release.endpoint)
        if ((live?.id ?? null) !== (measured.champion?.release ?? null))
          throw conflict('the champion changed while the gate ran; it is compared with the new one')
        const facts = { rows: measured.rows, source: measured.source }
        if (!verdict.passed) return moves.refuse(tx, who, fresh, verdict.reason, facts, verdict)
        const provenance = await deps.provenance(tx, workspace, release.model, release.version)
        const data = await deps.trainingData(tx, workspace, release.model, release.version)
        const endpoint = await serving.getEndpoint(tx, workspace, release.endpoint)
        const bundle: Bundle = {
          model: release.model,
          version: release.version,
          ...provenance,
          form: measured.form,
          data: data.map(({ id, name, number, digest }) => ({ id, name, number, digest })),
          endpoint: endpoint.spec,
          previous: live?.id ?? null,
        }
        const approval = { state: 'approved', verdict, bundle, previous: live?.id ?? null } as const
        const approved = await moves.move(tx, who, fresh, approval, verdict.reason, facts)
        const revision = await serving.addRevision(tx, who, { endpoint: release.endpoint, version: release.version })
        await moves.move(tx, who, approved, { state: 'loading', revision: revision.id }, 'serving nodes load it')
        await rollout.begin(tx, who, approved)
      })
      return { passed: verdict?.passed ?? false }
    },
    async onGivenUp(tx, job) {
      if (!(await rows.releaseById(tx, job.workspace, job.input.release))) return
      const release = await moves.locked(tx, job.workspace, job.input.release)
      if (release.state !== 'checking') return
      await moves.refuse(tx, job.who, release, `its gate could not be run: ${job.error?.message ?? 'given up'}`)
    },
  })
}
