/** Retraining with brakes: on an alert, from what Slipway itself logged and what labels said, one at a time, after a cooldown. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Permission, ruleWho, type Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import { readDuration } from '#kernel/units.ts'
import type { ReleasesDeps } from './deps.ts'
import { type RetrainingFact, retrainingMoved } from './events.ts'
import { releaseSubject } from './moves.ts'
import * as rows from './release-store.ts'

const COOLDOWN_DEFAULT = '1d'
/** Labelled rows below which nothing is trained. */
const ROWS_MIN = 100

/** What a retraining may do, granted when somebody who holds these rights applied the rule. */
export const RETRAIN_RIGHTS: readonly Permission[] = [
  'datasets.write',
  'datasets.read',
  'pipelines.write',
  'pipelines.read',
  'tracking.write',
  'tracking.read',
  'registry.write',
  'registry.read',
  'serving.read',
  'quality.read',
]

export interface AlertFact {
  monitor: string
  endpoint: string
  alert: string
  alert_id: string
  metric: string
  value: number | null
  threshold: number
  watermark_ms: number
  [key: string]: unknown
}

export interface Retraining {
  /** An alert opened, or another window of it was as bad: begins a retraining, or says why not, once for each alert and reason. */
  considerRetraining(tx: Tx, who: Who, alert: AlertFact): Promise<void>
  /** A pipeline run ended: the retraining that began it goes on. */
  considerPipelineEnd(tx: Tx, who: Who, input: { run: string; state: string; reason?: string }): Promise<void>
  /** A candidate that was trained on what a retraining collected is its outcome. */
  linkCandidate(tx: Tx, who: Who, release: rows.Release): Promise<void>
  listRetrainings(sql: Sql, workspace: string, filter: { endpoint?: string; limit: number }): Promise<rows.Retraining[]>
}

export function createRetraining(deps: ReleasesDeps): Retraining {
  const { store, events, jobs, clock, ids, monitoring, datasets, pipelines, blobs, settings } = deps

  const told = (tx: Tx, who: Who, one: rows.Retraining) =>
    events.record<RetrainingFact>(tx, retrainingMoved, {
      who,
      subject: { kind: 'endpoint', id: one.endpoint },
      after: {
        retraining: one.id,
        endpoint: one.endpoint,
        alert: one.alert,
        state: one.state,
        reason: one.reason,
        pipeline_run: one.pipeline_run,
        dataset_version: one.dataset_version,
        release: one.release_id,
      },
      ...(one.reason !== null && { reason: one.reason }),
      edges: [
        ...(one.dataset_version
          ? [
              {
                from: { kind: 'endpoint', id: one.endpoint } as const,
                to: { kind: 'dataset-version', id: one.dataset_version } as const,
                relation: 'derived',
              },
            ]
          : []),
        ...(one.pipeline_run && typeof one.evidence.alert_id === 'string'
          ? [
              {
                from: { kind: 'alert', id: one.evidence.alert_id } as const,
                to: { kind: 'pipeline-run', id: one.pipeline_run } as const,
                relation: 'caused',
              },
            ]
          : []),
        ...(one.pipeline_run && one.release_id
          ? [
              {
                from: { kind: 'pipeline-run', id: one.pipeline_run } as const,
                to: releaseSubject(one.release_id),
                relation: 'caused',
              },
            ]
          : []),
      ],
    })

  const brakeOf = async (
    tx: Tx,
    workspace: string,
    alert: AlertFact,
    cooldown = COOLDOWN_DEFAULT,
  ): Promise<{ brake: string; words: string } | undefined> => {
    const { open, last } = await rows.brakesOf(tx, workspace, alert.endpoint)
    if (open) return { brake: open.id, words: `retraining ${open.id} is under way` }
    const release = await rows.openRelease(tx, workspace, alert.endpoint)
    if (release) return { brake: release.id, words: `release ${release.id} is under way` }
    const ago_ms = last ? alert.watermark_ms - last.watermark_ms : Number.POSITIVE_INFINITY
    if (ago_ms >= readDuration(cooldown)) return undefined
    const words = `the last began ${days(ago_ms)} days of traffic ago; the cooldown is ${cooldown}`
    return { brake: `cooldown of ${last!.id}`, words }
  }

  const considerRetraining: Retraining['considerRetraining'] = async (tx, who, alert) => {
    const { workspace } = who
    await lockRetraining(tx, workspace, alert.endpoint)
    const policy = await rows.policyOf(tx, workspace, alert.endpoint)
    const rule = policy?.spec.retrain
    if (!policy || !rule?.on.includes(alert.alert)) return
    const skip = await brakeOf(tx, workspace, alert, rule.cooldown)
    if (skip) {
      // An alert may hold for many windows; that it was passed over, and why, is told once.
      const recent = await rows.retrainingsOf(tx, workspace, { endpoint: alert.endpoint, limit: 50 })
      const told_before = recent.some(
        ({ state, evidence }) =>
          state === 'skipped' && evidence.alert_id === alert.alert_id && evidence.skipped_for === skip.brake,
      )
      if (told_before) return
    }
    const to_ms = alert.watermark_ms - (rule.data.holdout ? readDuration(rule.data.holdout) : 0)
    const one: rows.Retraining = {
      workspace,
      id: ids.next('retraining'),
      endpoint: alert.endpoint,
      alert: alert.alert,
      state: skip ? 'skipped' : 'collecting',
      reason: skip?.words ?? null,
      evidence: { ...alert, ...(skip && { skipped_for: skip.brake }) },
      dataset: rule.data.dataset,
      dataset_version: null,
      pipeline_run: null,
      release_id: null,
      from_ms: to_ms - readDuration(rule.data.last),
      to_ms,
      watermark_ms: alert.watermark_ms,
      created_ms: clock.now(),
      ended_ms: skip ? clock.now() : null,
    }
    await rows.insertRetraining(tx, one)
    await told(tx, who, one)
    if (!skip) {
      const rule_who = ruleWho(
        workspace,
        `retrain:${alert.endpoint}@${policy.digest}`,
        RETRAIN_RIGHTS,
        policy.applied_by,
      )
      await jobs.enqueue(tx, {
        kind: 'releases.retrain',
        workspace,
        who: rule_who,
        input: { retraining: one.id },
        key: `retrain:${one.id}`,
        subject: { kind: 'endpoint', id: alert.endpoint },
      })
    }
  }

  jobs.define<{ retraining: string }, { rows: number }>({
    kind: 'releases.retrain',
    attempts_max: 3,
    timeout_ms: 30 * 60_000,
    concurrency: 1,
    async run(job, context) {
      const { workspace, who } = job
      const [one, policy] = await store.read(async (sql) => {
        const found = (await rows.retrainingById(sql, workspace, job.input.retraining))!
        return [found, await rows.policyOf(sql, workspace, found.endpoint)] as const
      })
      const rule = policy?.spec.retrain
      if (one.state !== 'collecting') return { rows: 0 }
      const give_up = (reason: string) =>
        context.write(async (tx) => {
          const changes = { state: 'failed', reason, ended_ms: clock.now() } as const
          await rows.updateRetraining(tx, workspace, one.id, changes)
          await told(tx, who, { ...one, ...changes })
        })
      if (!policy || !rule) {
        await give_up('the endpoint has no retraining rule any more')
        return { rows: 0 }
      }
      const dir = join(settings.dir, 'cache', 'retrain', one.id)
      await rm(dir, { recursive: true, force: true })
      await mkdir(dir, { recursive: true, mode: 0o700 })
      try {
        context.progress(0.2, 'joining predictions with their labels')
        const to = join(dir, 'labelled.parquet')
        const copied = await monitoring.copyLabelled({
          workspace,
          endpoint: one.endpoint,
          from_ms: one.from_ms!,
          to_ms: one.to_ms!,
          label: rule.data.label,
          to,
        })
        if (copied.rows < ROWS_MIN) {
          await give_up(`only ${copied.rows} predictions of the time asked for have a label`)
          return copied
        }
        const blob = await blobs.putFile(to)
        await context.write(async (tx) => {
          const { version } = await datasets.register(tx, who, {
            name: rule.data.dataset,
            files: [{ path: 'labelled.parquet', ...blob }],
            tags: { retraining: one.id },
            reason: `labelled traffic of endpoint ${one.endpoint}, for alert ${one.alert}`,
            time_column: 'event_time',
            source: `endpoint ${one.endpoint}`,
            produced_by: { kind: 'endpoint', id: one.endpoint },
          })
          const run = await pipelines.start(tx, who, {
            project: policy.project,
            pipeline: rule.pipeline,
            inputs: { [rule.data.dataset]: version.id },
            cause: { kind: 'release', reason: `alert ${one.alert} of endpoint ${one.endpoint}`, alert: one.alert },
          })
          const changes = { state: 'training', dataset_version: version.id, pipeline_run: run.id } as const
          await rows.updateRetraining(tx, workspace, one.id, changes)
          await told(tx, who, { ...one, ...changes })
        })
        return copied
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    },
    async onGivenUp(tx, job) {
      const one = await rows.retrainingById(tx, job.workspace, job.input.retraining)
      if (one?.state !== 'collecting') return
      const changes = { state: 'failed', reason: job.error?.message ?? 'given up', ended_ms: clock.now() } as const
      await rows.updateRetraining(tx, job.workspace, one.id, changes)
      await told(tx, job.who, { ...one, ...changes })
    },
  })

  return {
    considerRetraining,
    async considerPipelineEnd(tx, who, { run, state, reason }) {
      const found = await rows.retrainingOfRun(tx, who.workspace, run)
      if (!found) return
      await lockRetraining(tx, who.workspace, found.endpoint)
      const one = (await rows.retrainingById(tx, who.workspace, found.id))!
      if (one.state !== 'training') return
      const changes = {
        state: state === 'done' ? 'done' : 'failed',
        reason: state === 'done' ? null : (reason ?? state),
        ended_ms: clock.now(),
      } as const
      await rows.updateRetraining(tx, who.workspace, one.id, changes)
      await told(tx, who, { ...one, ...changes })
    },
    async linkCandidate(tx, who, release) {
      const { workspace, endpoint, model, version } = release
      const data = await deps.trainingData(tx, workspace, model, version)
      if (data.length === 0) return
      await lockRetraining(tx, workspace, endpoint)
      const one = (await rows.retrainingsOf(tx, workspace, { endpoint, limit: 50 })).find(
        ({ dataset_version, release_id }) => release_id === null && data.some(({ id }) => id === dataset_version),
      )
      if (!one) return
      // The version may be told of before the run that made it has ended, or after.
      const changes = { release_id: release.id }
      await rows.updateRetraining(tx, workspace, one.id, changes)
      await told(tx, who, { ...one, ...changes })
    },
    listRetrainings: rows.retrainingsOf,
  }
}

const days = (ms: number): string => (ms / 86_400_000).toFixed(1)
const lockRetraining = (tx: Tx, workspace: string, endpoint: string) =>
  tx.lock('releases.retraining', workspace, endpoint)
